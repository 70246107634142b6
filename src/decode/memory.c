#include "decode/memory.h"

#include <stdint.h>

#include "base/bytes.h"

static _Thread_local struct {
    size_t left;
    bf_status verdict;
} budget;

void bf_memory_begin(size_t bytes_max)
{
    budget.left = bytes_max;
    budget.verdict = BF_OK;
}

static bool spend(size_t size)
{
    if (size > budget.left) {
        budget.verdict = BF_DECODER_LIMIT;
        return false;
    }
    budget.left -= size;
    return true;
}

/* Notes a refusal by the system, unless the budget already refused. */
static void *noted(void *block)
{
    if (!block && budget.verdict == BF_OK)
        budget.verdict = BF_OUT_OF_MEMORY;
    return block;
}

void *bf_memory_malloc(size_t size)
{
    return noted(spend(size) ? bf_malloc(size) : NULL);
}

void *bf_memory_calloc(size_t count, size_t size)
{
    bool fits = size == 0 || count <= SIZE_MAX / size;
    return noted(fits && spend(count * size) ? bf_calloc(count, size) : NULL);
}

void *bf_memory_realloc(void *old, size_t size)
{
    return noted(spend(size) ? bf_realloc(old, size) : NULL);
}

bf_status bf_memory_verdict(void)
{
    return budget.verdict;
}

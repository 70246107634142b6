#include "dataset/text.h"

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

#define BLOCK_BYTES (256u << 10)
#define SLOTS_MIN 1024u

struct bf_text_block {
    bf_text_block *next;
    size_t used, size;
    char text[];
};

/* FNV-1a. Whoever chooses texts that collide makes only their own run slow. */
static uint64_t hash_of(const char *text, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash ^ (hash >> 29);
}

static char *copy_text(bf_texts *texts, const char *text, size_t size)
{
    bf_text_block *block = texts->block;
    if (!block || block->size - block->used < size + 1) {
        size_t room = size + 1 > BLOCK_BYTES ? size + 1 : BLOCK_BYTES;
        block = bf_malloc(sizeof *block + room);
        if (!block)
            return NULL;
        *block = (bf_text_block){.next = texts->block, .size = room};
        texts->block = block;
    }
    char *copy = block->text + block->used;
    memcpy(copy, text, size);
    copy[size] = '\0';
    block->used += size + 1;
    return copy;
}

/* The slot that holds the text, or the free one where it belongs. */
static size_t find_slot(const char *const *slot, size_t count, const char *text, size_t size)
{
    size_t at = (size_t)hash_of(text, size) & (count - 1);
    while (slot[at] && (strncmp(slot[at], text, size) != 0 || slot[at][size] != '\0'))
        at = (at + 1) & (count - 1);
    return at;
}

static int grow(bf_texts *texts)
{
    size_t count = texts->slot_count ? texts->slot_count * 2 : SLOTS_MIN;
    const char **slot = bf_calloc(count, sizeof *slot);
    if (!slot)
        return 0;
    for (size_t i = 0; i < texts->slot_count; i++) {
        if (texts->slot[i])
            slot[find_slot(slot, count, texts->slot[i], strlen(texts->slot[i]))] = texts->slot[i];
    }
    bf_free(texts->slot);
    texts->slot = slot;
    texts->slot_count = count;
    return 1;
}

const char *bf_texts_keep(bf_texts *texts, const char *text, size_t size)
{
    if (texts->used * 2 >= texts->slot_count && !grow(texts))
        return NULL;
    size_t at = find_slot(texts->slot, texts->slot_count, text, size);
    if (!texts->slot[at]) {
        texts->slot[at] = copy_text(texts, text, size);
        texts->used += texts->slot[at] != NULL;
    }
    return texts->slot[at];
}

void bf_texts_done(bf_texts *texts)
{
    while (texts->block) {
        bf_text_block *next = texts->block->next;
        bf_free(texts->block);
        texts->block = next;
    }
    bf_free(texts->slot);
    *texts = (bf_texts){0};
}

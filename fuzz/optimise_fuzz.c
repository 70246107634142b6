/* Rewriting any bytes as a network: refused, or rewritten into a network in which nothing is left to rewrite and
 * that is not refused. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "optimise/optimise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bf_bytes once = {0}, twice = {0};
    bf_optimise_report first, second;
    if (bf_optimise_model(data, size, &once, &first, NULL) != BF_OK)
        return 0;
    if (bf_optimise_model(once.data, once.size, &twice, &second, NULL) != BF_OK)
        abort();
    bf_bytes_done(&once);
    bf_bytes_done(&twice);
    return 0;
}

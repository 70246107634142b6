/* Any bytes as an EXIF block: facts are read, or left alone, within the block's budget. */
#include <stdlib.h>
#include <string.h>

#include "decode/exif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bf_error err = {0};
    bf_media_facts facts = {.orientation = 1};
    const bf_decode_job job = {.facts = &facts, .err = &err};
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    bf_status status = bf_exif_read(&job, copy, size);
    free(copy);
    if (status != BF_OK && status != BF_DECODER_LIMIT)
        abort();
    if (!facts.exif_present || facts.orientation < 1 || facts.orientation > 8)
        abort();
    for (const char *c = facts.exif_make; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            abort();
    return 0;
}

/* Any bytes as a WebP: it decodes, or is refused, within its limits. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(data, size, "WEBP", 4, 8);
    return 0;
}

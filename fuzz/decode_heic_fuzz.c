/* Any bytes as a HEIC: it decodes, or is refused, within its limits. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(data, size, "ftypheic", 8, 4);
    return 0;
}

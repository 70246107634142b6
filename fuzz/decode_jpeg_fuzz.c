/* Any bytes as a JPEG: it decodes, or is refused, within its limits. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(data, size, "\xff\xd8\xff", 3, 0);
    return 0;
}

#include "audit/base64.h"

#include <sodium.h>

bool bf_base64_exact(const char *text, size_t size, uint8_t *ret, size_t ret_size)
{
    size_t got = 0;
    /* libsodium takes some bytes above 127 for letters. */
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)text[i] > 127)
            return false;
    return sodium_base642bin(ret, ret_size, text, size, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
           got == ret_size;
}

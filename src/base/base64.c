#include "base/base64.h"

#include <sodium.h>

bool bf_base64_read(const char *text, size_t size, uint8_t *ret, size_t room, size_t *ret_size)
{
    /* libsodium takes bytes above 127 for letters. */
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)text[i] > 127)
            return false;
    return sodium_base642bin(ret, room, text, size, NULL, ret_size, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
}

bool bf_base64_exact(const char *text, size_t size, uint8_t *ret, size_t ret_size)
{
    size_t got = 0;
    return bf_base64_read(text, size, ret, ret_size, &got) && got == ret_size;
}

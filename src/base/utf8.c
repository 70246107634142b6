#include "base/utf8.h"

#include <string.h>

size_t bf_utf8_size(const unsigned char *at)
{
    static const struct {
        unsigned char first, last;   /* range of the first byte */
        unsigned char second, until; /* range of the second */
        size_t size;
    } forms[] = {{0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                 {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                 {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last)
            continue;
        if (forms[i].size > 1 && (at[1] < forms[i].second || at[1] > forms[i].until))
            return 0;
        for (size_t k = 2; k < forms[i].size; k++) {
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        }
        return forms[i].size;
    }
    return 0;
}

void bf_utf8_repair(char *text)
{
    char *to = text;
    for (const char *at = text; *at;) {
        size_t size = bf_utf8_size((const unsigned char *)at);
        memmove(to, at, size);
        to += size;
        at += size > 0 ? size : 1;
    }
    *to = '\0';
}

bool bf_utf8_valid(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t size = *at < 0x80 ? 1 : bf_utf8_size(at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

/* Checking UTF-8. */
#ifndef BF_BASE_UTF8_H
#define BF_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 sequence that begins here; 0 when it is none (also overlong forms, surrogates and NUL). Never
 * reads beyond a NUL. */
size_t bf_utf8_size(const unsigned char *at);

/* Takes out what is no UTF-8, such as the first bytes of a character that was cut. */
void bf_utf8_repair(char *text);

/* Whether the text, which ends with a NUL, is UTF-8 throughout. */
bool bf_utf8_valid(const char *text);

#endif

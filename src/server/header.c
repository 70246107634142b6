#include "server/header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#define WORD_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
#define BOUNDARY_MAX 70 /* RFC 2046 */
#define RANDOM_BYTES 16

static bool is_word(const char *text, size_t length_max)
{
    size_t length = strnlen(text, length_max + 1);
    return length > 0 && length <= length_max && strspn(text, WORD_CHARACTERS) == length;
}

bool bf_header_is_request_id(const char *text)
{
    return is_word(text, BF_REQUEST_ID_SIZE - 1);
}

void bf_header_make_request_id(char ret[BF_REQUEST_ID_SIZE])
{
    uint8_t bytes[RANDOM_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    ret[0] = 'r';
    ret[1] = '-';
    sodium_bin2hex(ret + 2, BF_REQUEST_ID_SIZE - 2, bytes, sizeof bytes);
}

bool bf_header_is_idempotency_key(const char *text)
{
    return is_word(text, BF_IDEMPOTENCY_NAME_MAX);
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* "; NAME=VALUE" with the value perhaps in quotes, and nothing after it. */
static bool one_parameter(const char *text, const char *name, const char **ret_value, size_t *ret_size)
{
    size_t length = strlen(name);
    if (*text != ';')
        return false;
    text = skip_blanks(text + 1);
    if (strncasecmp(text, name, length) != 0 || text[length] != '=')
        return false;
    text += length + 1;
    bool quoted = *text == '"';
    text += quoted;
    *ret_value = text;
    *ret_size = strcspn(text, quoted ? "\"\\" : " \t;,\"");
    text += *ret_size;
    if (quoted && *text++ != '"')
        return false;
    return *skip_blanks(text) == '\0';
}

static bool is_raw(const char *text)
{
    static const char *const types[] = {"application/octet-stream", "video/mp4", "video/webm"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t length = strlen(types[i]);
        if (strncasecmp(text, types[i], length) == 0 && *skip_blanks(text + length) == '\0')
            return true;
    }
    return false;
}

bool bf_header_content_type(const char *text, bf_body_kind *ret)
{
    static const char JSON[] = "application/json", FORM[] = "multipart/form-data";
    const char *value;
    size_t size = 0;
    if (strncasecmp(text, JSON, sizeof JSON - 1) == 0) {
        const char *rest = skip_blanks(text + sizeof JSON - 1);
        *ret = BF_BODY_JSON;
        return *rest == '\0' ||
               (one_parameter(rest, "charset", &value, &size) && size == 5 && strncasecmp(value, "utf-8", size) == 0);
    }
    if (strncasecmp(text, FORM, sizeof FORM - 1) == 0) {
        const char *rest = skip_blanks(text + sizeof FORM - 1);
        *ret = BF_BODY_FORM;
        return one_parameter(rest, "boundary", &value, &size) && size > 0 && size <= BOUNDARY_MAX;
    }
    *ret = BF_BODY_RAW;
    return is_raw(text);
}

bool bf_header_content_length(const char *text, uint64_t *ret)
{
    if (!text[0] || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *ret = strtoull(text, NULL, 10);
    return errno == 0;
}

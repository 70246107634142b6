#include "evaluate/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

/* Makes room for `more` bytes and a NUL. */
static bool make_room(bf_page *text, size_t more)
{
    if (text->failed || more > BF_PAGE_BYTES_MAX - text->size - 1) {
        text->failed = true;
        return false;
    }
    if (text->size + more < text->capacity)
        return true;
    size_t capacity = text->capacity ? text->capacity : 4096;
    while (capacity <= text->size + more)
        capacity *= 2;
    char *grown = bf_realloc(text->data, capacity);
    if (!grown) {
        text->failed = true;
        return false;
    }
    text->data = grown;
    text->capacity = capacity;
    return true;
}

void bf_page_put(bf_page *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0 || !make_room(text, (size_t)size)) {
        text->failed = true;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text->data + text->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
}

static void append(bf_page *text, const char *from, size_t size)
{
    if (!make_room(text, size))
        return;
    memcpy(text->data + text->size, from, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void bf_page_escape(bf_page *text, const char *from)
{
    for (size_t size; *from; from += size > 0 ? size : 1) {
        size = bf_utf8_size((const unsigned char *)from);
        const char *entity = *from == '&'    ? "&amp;"
                             : *from == '<'  ? "&lt;"
                             : *from == '>'  ? "&gt;"
                             : *from == '"'  ? "&quot;"
                             : *from == '\'' ? "&#39;"
                                             : NULL;
        append(text, entity ? entity : from, entity ? strlen(entity) : size);
    }
}

bf_status bf_page_take(bf_page *text, bf_bytes *ret, bf_error *err)
{
    if (text->failed || !text->data)
        return bf_fail_memory(err);
    *ret = (bf_bytes){.data = (uint8_t *)text->data, .size = text->size};
    *text = (bf_page){0};
    return BF_OK;
}

void bf_page_done(bf_page *text)
{
    bf_free(text->data);
    *text = (bf_page){0};
}

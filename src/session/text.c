#include "session/text.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"

#define FIRST_BYTES 1024

void bf_text_done(bf_text *text)
{
    if (text->data)
        sodium_memzero(text->data, text->size);
    bf_free(text->data);
    *text = (bf_text){0};
}

/* Room for `more` bytes and a NUL. What is left behind is wiped: it may name a person. */
static bool make_room(bf_text *text, size_t more)
{
    if (text->failed || more > BF_ANSWER_BYTES_MAX || text->size + more > BF_ANSWER_BYTES_MAX)
        return false;
    size_t needed = text->size + more + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity > 0 ? text->capacity : FIRST_BYTES;
    while (capacity < needed)
        capacity *= 2;
    char *data = bf_malloc(capacity);
    if (!data)
        return false;
    if (text->data) {
        memcpy(data, text->data, text->size);
        sodium_memzero(text->data, text->size);
        bf_free(text->data);
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

static void append(bf_text *text, const char *data, size_t size)
{
    if (!make_room(text, size)) {
        text->failed = true;
        return;
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = 0;
}

/* The comma before and the key of the next value. */
static void begin(bf_text *text, const char *key)
{
    if (text->size > 0) {
        char last = text->data[text->size - 1];
        if (last != '{' && last != '[')
            append(text, ",", 1);
    }
    if (!key)
        return;
    append(text, "\"", 1);
    append(text, key, strlen(key));
    append(text, "\":", 2);
}

void bf_text_open(bf_text *text, const char *key)
{
    begin(text, key);
    append(text, "{", 1);
}

void bf_text_close(bf_text *text)
{
    append(text, "}", 1);
}

void bf_text_open_list(bf_text *text, const char *key)
{
    begin(text, key);
    append(text, "[", 1);
}

void bf_text_close_list(bf_text *text)
{
    append(text, "]", 1);
}

static int append_piece(const char *data, size_t size, void *text)
{
    append(text, data, size);
    return 0;
}

void bf_text_put(bf_text *text, const char *key, json_t *value)
{
    begin(text, key);
    if (!value || json_dump_callback(value, append_piece, text, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        text->failed = true;
    json_decref(value);
}

void bf_text_raw(bf_text *text, const char *key, const char *json)
{
    begin(text, key);
    if (!json)
        json = "null";
    append(text, json, strlen(json));
}

bf_status bf_text_take_string(bf_text *text, char **ret, bf_error *err)
{
    if (text->failed || !text->data)
        return bf_fail_memory(err);
    *ret = text->data;
    *text = (bf_text){0};
    return BF_OK;
}

bf_status bf_text_take(bf_text *text, bf_bytes *ret, bf_error *err)
{
    size_t size = text->size;
    char *data = NULL;
    bf_status status = bf_text_take_string(text, &data, err);
    if (status == BF_OK)
        *ret = (bf_bytes){(uint8_t *)data, size};
    return status;
}

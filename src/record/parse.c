#include "record/parse.h"

#include <string.h>

#include "base/error.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "base/yaml.h"

#define WORD_MAX 40 /* letters of a hostile word that an error message repeats */

static const char *nearest_or_empty(const char *word, const char *const known[])
{
    const char *nearest = bf_nearest_word(word, known);
    return nearest ? nearest : "";
}

static bf_status fail_unknown(const char *name, const char *what, const char *word, const char *const known[],
                              bf_error *err)
{
    const char *nearest = nearest_or_empty(word, known);
    return bf_fail(err, BF_INVALID_ARGUMENT, "%s: unknown %s '%.*s'%s%s%s", name, what, WORD_MAX, word,
                   nearest[0] ? "; did you mean '" : ".", nearest, nearest[0] ? "'?" : "");
}

bf_status bf_json_parse(const void *text, size_t size, const char *name, json_t **ret, bf_error *err)
{
    if (size > BF_JSON_BYTES_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: the document has more than %u bytes.", name, BF_JSON_BYTES_MAX);
    if (bf_json_text_is_deeper(text, size, BF_JSON_DEPTH_MAX))
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: the document has more than %d levels.", name, BF_JSON_DEPTH_MAX);
    json_error_t fault = {0};
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        /* Where memory runs out inside the parser, most of its paths say nothing at all. */
        if (json_error_code(&fault) == json_error_out_of_memory || fault.text[0] == '\0')
            return bf_fail_memory(err);
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s:%d: not valid JSON: %s.", name, fault.line, fault.text);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: an object {...} is expected.", name);
    }
    *ret = root;
    return BF_OK;
}

void bf_json_release(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}

bf_status bf_json_check_keys(const json_t *object, const char *name, const char *const known[], bf_error *err)
{
    const char *key;
    json_t *value;
    /* jansson's iterator takes a pointer without const, and does not write through it. */
    json_t *mutable_object = json_incref((json_t *)(uintptr_t)object);
    bf_status status = BF_OK;
    json_object_foreach(mutable_object, key, value)
    {
        bool found = false;
        for (size_t i = 0; known[i] && !found; i++)
            found = strcmp(key, known[i]) == 0;
        if (!found && status == BF_OK)
            status = fail_unknown(name, "key", key, known, err);
    }
    json_decref(mutable_object);
    return status;
}

/* The value under `key`; NULL when absent or null. */
static const json_t *get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

bf_status bf_json_get_text(const json_t *object, const char *name, const char *key, const char **ret, bf_error *err)
{
    const json_t *value = get(object, key);
    if (value && !json_is_string(value))
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: '%s' must be a text.", name, key);
    if (value)
        *ret = json_string_value(value);
    return BF_OK;
}

bf_status bf_json_get_bool(const json_t *object, const char *name, const char *key, bool *ret, bf_error *err)
{
    const json_t *value = get(object, key);
    if (value && !json_is_boolean(value))
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: '%s' must be true or false.", name, key);
    if (value)
        *ret = json_is_true(value);
    return BF_OK;
}

bf_status bf_json_get_number(const json_t *object, const char *name, const char *key, double min, double max,
                             double *ret, bf_error *err)
{
    const json_t *value = get(object, key);
    if (!value)
        return BF_OK;
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= min && number <= max))
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: '%s' must be a number from %g to %g.", name, key, min, max);
    *ret = number;
    return BF_OK;
}

bf_status bf_json_get_integer(const json_t *object, const char *name, const char *key, int min, int max, int *ret,
                              bf_error *err)
{
    const json_t *value = get(object, key);
    if (!value)
        return BF_OK;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < min || number > max)
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: '%s' must be a whole number from %d to %d.", name, key, min, max);
    *ret = (int)number;
    return BF_OK;
}

bf_status bf_json_get_object(const json_t *object, const char *name, const char *key, const json_t **ret, bf_error *err)
{
    const json_t *value = get(object, key);
    if (value && !json_is_object(value))
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s: '%s' must be an object {...}.", name, key);
    if (value)
        *ret = value;
    return BF_OK;
}

bf_status bf_json_get_choice(const json_t *object, const char *name, const char *key, const char *const words[],
                             int *ret, bf_error *err)
{
    const char *word = NULL;
    bf_status status = bf_json_get_text(object, name, key, &word, err);
    if (status != BF_OK || !word)
        return status;
    for (int i = 0; words[i]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret = i;
            return BF_OK;
        }
    }
    return fail_unknown(name, key, word, words, err);
}

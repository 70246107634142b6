#include "server/schema.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/yaml.h"
#include "record/parse.h"

#define PATH_SIZE 128 /* of a field's path in messages */
#define FIELDS_MAX 32 /* of one object */
#define WORD_SHOWN 40 /* characters of a hostile word that a message repeats */
#define NUMBER_DIGITS_MAX 24

const bf_field *bf_schema_field(const bf_schema *object, const char *name)
{
    for (const bf_field *field = object->fields; field && field->name; field++) {
        if (strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

bf_status bf_schema_fail_unknown(const bf_schema *object, const char *path, const char *name, bf_error *err)
{
    const char *known[FIELDS_MAX + 1] = {NULL};
    for (int i = 0; i < FIELDS_MAX && object->fields && object->fields[i].name; i++)
        known[i] = object->fields[i].name;
    const char *nearest = bf_nearest_word(name, known);
    return bf_fail(err, BF_INVALID_REQUEST, "unknown field '%s%s%.*s'%s%s%s", path, path[0] ? "." : "", WORD_SHOWN,
                   name, nearest ? "; did you mean '" : ".", nearest ? nearest : "", nearest ? "'?" : "");
}

static void join(char ret[PATH_SIZE], const char *path, const char *name)
{
    (void)snprintf(ret, PATH_SIZE, "%s%s%s", path, path[0] ? "." : "", name);
}

/* Characters of UTF-8, which jansson has checked. */
static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bf_status fail_words(const bf_schema *schema, const char *path, bf_error *err)
{
    char words[160] = "";
    size_t used = 0;
    for (int i = 0; schema->words[i] && used < sizeof words; i++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", i ? ", " : "", schema->words[i]);
    return bf_fail(err, BF_INVALID_REQUEST, "%s must be one of: %s.", path, words);
}

static bf_status check_string(const bf_schema *schema, const json_t *value, const char *path, bf_error *err)
{
    if (!json_is_string(value))
        return bf_fail(err, BF_INVALID_REQUEST, "%s must be a text.", path);
    const char *text = json_string_value(value);
    if (strlen(text) != json_string_length(value))
        return bf_fail(err, BF_INVALID_REQUEST, "%s holds a NUL character.", path);
    if (schema->words) {
        for (int i = 0; schema->words[i]; i++) {
            if (strcmp(schema->words[i], text) == 0)
                return BF_OK;
        }
        return fail_words(schema, path, err);
    }
    size_t count = count_characters(text);
    if (count < (size_t)schema->length_min || count > (size_t)schema->length_max)
        return bf_fail(err, BF_INVALID_REQUEST, "%s must have %d to %d characters.", path, schema->length_min,
                       schema->length_max);
    if (schema->alphabet && strspn(text, schema->alphabet) != strlen(text))
        return bf_fail(err, BF_INVALID_REQUEST, "%s may only have these characters: %s", path, schema->alphabet);
    return BF_OK;
}

/* "2026-11-25T19:41:57.123Z", "2026-11-25T20:41:57+01:00": digits where digits belong. */
static bool is_time(const char *text)
{
    static const char FORM[] = "dddd-dd-ddTdd:dd:dd";
    size_t i = 0;
    for (; FORM[i]; i++) {
        if (FORM[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != FORM[i])
            return false;
    }
    if (text[i] == '.') {
        size_t digits = strspn(text + i + 1, "0123456789");
        if (digits == 0)
            return false;
        i += 1 + digits;
    }
    if (text[i] == 'Z')
        return text[i + 1] == '\0';
    if (text[i] != '+' && text[i] != '-')
        return false;
    const char *zone = text + i + 1;
    return strlen(zone) == 5 && zone[2] == ':' && strspn(zone, "0123456789") == 2 &&
           strspn(zone + 3, "0123456789") == 2;
}

static bf_status check_time(const bf_schema *schema, const json_t *value, const char *path, bf_error *err)
{
    bf_status status = check_string(schema, value, path, err);
    if (status == BF_OK && !is_time(json_string_value(value)))
        return bf_fail(err, BF_INVALID_REQUEST, "%s must be a time such as 2026-11-25T19:41:57Z.", path);
    return status;
}

static bf_status check_number(const bf_schema *schema, const json_t *value, const char *path, bf_error *err)
{
    bool whole = schema->type == BF_SCHEMA_INTEGER;
    if (whole ? !json_is_integer(value) : !json_is_number(value))
        return bf_fail(err, BF_INVALID_REQUEST, "%s must be a %snumber.", path, whole ? "whole " : "");
    double number = json_number_value(value);
    if (!isfinite(number) || number < schema->min || number > schema->max)
        return bf_fail(err, BF_INVALID_REQUEST, "%s must be from %.16g to %.16g.", path, schema->min, schema->max);
    return BF_OK;
}

static bf_status check_value(const bf_schema *schema, const json_t *value, const char *path, const bf_media_seen *media,
                             bf_error *err);

static bf_status check_array(const bf_schema *schema, const json_t *value, const char *path, bf_error *err)
{
    if (!json_is_array(value))
        return bf_fail(err, BF_INVALID_REQUEST, "%s must be a list.", path);
    if (json_array_size(value) > (size_t)schema->items_max)
        return bf_fail(err, BF_INVALID_REQUEST, "%s may have at most %d entries.", path, schema->items_max);
    for (size_t i = 0; i < json_array_size(value); i++) {
        char below[PATH_SIZE];
        (void)snprintf(below, sizeof below, "%s[%zu]", path, i);
        bf_status status = check_value(schema->items, json_array_get(value, i), below, NULL, err);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

static bool media_came(const bf_media_seen *media, const char *name)
{
    return media &&
           ((media->image && strcmp(name, "image") == 0) || (media->reference && strcmp(name, "reference") == 0));
}

static bf_status check_object(const bf_schema *schema, const json_t *value, const char *path,
                              const bf_media_seen *media, bf_error *err)
{
    const char *key;
    json_t *one;
    if (!json_is_object(value))
        return bf_fail(err, BF_INVALID_REQUEST, "%s must be an object.", path[0] ? path : "the body");
    /* jansson's iterator takes a pointer without const, and does not write through it. */
    json_t *object = json_incref((json_t *)(uintptr_t)value);
    bf_status status = BF_OK;
    json_object_foreach(object, key, one)
    {
        char below[PATH_SIZE];
        const bf_field *field = bf_schema_field(schema, key);
        join(below, path, key);
        status =
            field ? check_value(field->schema, one, below, NULL, err) : bf_schema_fail_unknown(schema, path, key, err);
        if (status != BF_OK)
            break;
    }
    json_decref(object);
    for (const bf_field *field = schema->fields; status == BF_OK && field && field->name; field++) {
        if (field->required && !json_object_get(value, field->name) && !media_came(media, field->name))
            status = bf_fail(err, BF_INVALID_REQUEST, "the field '%s%s%s' is missing.", path, path[0] ? "." : "",
                             field->name);
    }
    return status;
}

static bf_status check_value(const bf_schema *schema, const json_t *value, const char *path, const bf_media_seen *media,
                             bf_error *err)
{
    switch (schema->type) {
    case BF_SCHEMA_STRING:
        return check_string(schema, value, path, err);
    case BF_SCHEMA_TIME:
        return check_time(schema, value, path, err);
    case BF_SCHEMA_INTEGER:
    case BF_SCHEMA_NUMBER:
        return check_number(schema, value, path, err);
    case BF_SCHEMA_BOOLEAN:
        return json_is_boolean(value) ? BF_OK : bf_fail(err, BF_INVALID_REQUEST, "%s must be true or false.", path);
    case BF_SCHEMA_OBJECT:
        return check_object(schema, value, path, media, err);
    case BF_SCHEMA_ARRAY:
        return check_array(schema, value, path, err);
    case BF_SCHEMA_MEDIA:
        break;
    }
    /* A picture in its right form was taken out of the body before. */
    return bf_fail(err, BF_INVALID_REQUEST, "%s must be a picture: base64 text in JSON, or a file of a form.", path);
}

bf_status bf_schema_check(const bf_schema *schema, const json_t *value, const bf_media_seen *media, bf_error *err)
{
    return check_value(schema, value, "", media, err);
}

static bf_status read_number(const bf_schema *schema, const char *name, const char *text, size_t size, json_t **ret,
                             bf_error *err)
{
    bool whole = schema->type == BF_SCHEMA_INTEGER;
    char digits[NUMBER_DIGITS_MAX + 1] = "";
    char *end = digits;
    errno = 0;
    if (size > 0 && size <= NUMBER_DIGITS_MAX) {
        memcpy(digits, text, size);
        digits[size] = '\0';
        if (strspn(digits, whole ? "-0123456789" : "-+.eE0123456789") == size)
            *ret = whole ? json_integer(strtoll(digits, &end, 10)) : json_real(strtod(digits, &end));
    }
    if (*ret && *end == '\0' && errno == 0)
        return BF_OK;
    json_decref(*ret);
    *ret = NULL;
    return bf_fail(err, BF_INVALID_REQUEST, "%s must be a %snumber.", name, whole ? "whole " : "");
}

bf_status bf_schema_read_text(const bf_schema *schema, const char *name, const char *text, size_t size, json_t **ret,
                              bf_error *err)
{
    json_t *value = NULL;
    bf_status status = BF_OK;
    if (schema->type == BF_SCHEMA_OBJECT || schema->type == BF_SCHEMA_ARRAY) {
        json_error_t fault;
        bf_error why = {0};
        if (schema->type == BF_SCHEMA_OBJECT)
            status = bf_json_parse(text, size, name, &value, &why);
        else if (!(value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault)))
            status = bf_fail(&why, BF_INVALID_ARGUMENT, "%s: a list as JSON text is expected.", name);
        if (status != BF_OK)
            return status == BF_INVALID_ARGUMENT ? bf_fail(err, BF_INVALID_REQUEST, "%s", why.message)
                                                 : bf_fail_memory(err);
    } else if (schema->type == BF_SCHEMA_INTEGER || schema->type == BF_SCHEMA_NUMBER) {
        status = read_number(schema, name, text, size, &value, err);
    } else if (schema->type == BF_SCHEMA_BOOLEAN) {
        bool yes = size == 4 && memcmp(text, "true", 4) == 0;
        if (!yes && !(size == 5 && memcmp(text, "false", 5) == 0))
            return bf_fail(err, BF_INVALID_REQUEST, "%s must be true or false.", name);
        value = json_boolean(yes);
    } else if (!(value = json_stringn(text, size))) {
        status = bf_fail(err, BF_INVALID_REQUEST, "%s is not UTF-8 text.", name);
    }
    if (status == BF_OK)
        *ret = value;
    return status;
}

#include "server/route.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "record/parse.h"

#include "server/api.inc"

#define QUERY_PARAMETERS_MAX 8

static const char UNRESERVED[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decodes %XX of printable characters. Slashes, percent signs, controls and bytes beyond ASCII stay refused: nothing in
 * this API needs them, and they are how one path is made to look like another. */
static bool decode(const char *text, size_t size, char *ret, size_t ret_size)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            if (c <= ' ' || c >= 127 || c == '/' || c == '\\' || c == '%')
                return false;
            i += 2;
        } else if (c == '\0' || !(strchr(UNRESERVED, c) || strchr(":@!$&'()*+,;=", c))) {
            return false;
        }
        if (used + 1 >= ret_size)
            return false;
        ret[used++] = c;
    }
    ret[used] = '\0';
    return true;
}

/* Whether the path is the template's, with *ret_at and *ret_size for what stands where its parameter is. */
static bool fits(const char *template, const char *path, size_t size, const char **ret_at, size_t *ret_size)
{
    const char *end = path + size;
    *ret_at = NULL;
    while (*template) {
        if (*template == '{') {
            const char *slash = memchr(path, '/', (size_t)(end - path));
            *ret_at = path;
            path = slash ? slash : end;
            *ret_size = (size_t)(path - *ret_at);
            template = strchr(template, '}') + 1;
        } else if (path == end || *path++ != *template ++) {
            return false;
        }
    }
    return path == end;
}

/* A parameter that has not the form it must have names nothing. */
static bf_status take_parameter(const bf_route *route, const char *at, size_t size, char ret[BF_PARAMETER_SIZE],
                                bf_error *err)
{
    json_t *value = NULL;
    bf_error why = {0};
    const bf_field fields[] = {{"id", true, route->parameter}, {NULL, false, NULL}};
    const bf_schema object = {.type = BF_SCHEMA_OBJECT, .fields = fields};
    BF_CLEANUP(bf_json_release) json_t *holder = json_object();
    if (!holder)
        return bf_fail_memory(err);
    if (decode(at, size, ret, BF_PARAMETER_SIZE) &&
        bf_schema_read_text(route->parameter, "id", ret, strlen(ret), &value, &why) == BF_OK &&
        json_object_set_new(holder, "id", value) == 0 && bf_schema_check(&object, holder, NULL, &why) == BF_OK)
        return BF_OK;
    return bf_fail(err, BF_NOT_FOUND, "There is nothing under this address.");
}

/* Only origin form: one slash first, and no segment that a proxy might fold away. */
static bool is_plain(const char *path, size_t size)
{
    if (size == 0 || path[0] != '/')
        return false;
    for (size_t i = 0; i < size; i++) {
        const char *rest = path + i + 1;
        size_t left = size - i - 1;
        if ((unsigned char)path[i] <= ' ' || (unsigned char)path[i] >= 127 || path[i] == '\\')
            return false;
        if (path[i] != '/')
            continue;
        size_t length = 0;
        while (length < left && rest[length] != '/')
            length++;
        bool dots = (length == 1 && rest[0] == '.') || (length == 2 && rest[0] == '.' && rest[1] == '.');
        if (dots || (length == 0 && size > 1))
            return false;
    }
    return true;
}

bf_status bf_route_find(const char *method, const char *target, bf_target *ret, char ret_allowed[BF_ALLOWED_SIZE],
                        bf_error *err)
{
    size_t length = strnlen(target, BF_TARGET_BYTES_MAX + 1);
    size_t size = strcspn(target, "?");
    size_t allowed = 0;
    bf_target found = {.query = target[size] == '?' ? target + size + 1 : NULL};
    if (length > BF_TARGET_BYTES_MAX || !is_plain(target, size))
        return bf_fail(err, BF_INVALID_REQUEST, "The target of a request must be an absolute path in plain form.");
    ret_allowed[0] = '\0';
    for (const bf_route *route = BF_ROUTES; route->operation; route++) {
        const char *at;
        size_t at_size = 0;
        if (!fits(route->path, target, size, &at, &at_size))
            continue;
        if (strcmp(route->method, method) != 0) {
            allowed += (size_t)snprintf(ret_allowed + allowed, BF_ALLOWED_SIZE - allowed, "%s%s", allowed ? ", " : "",
                                        route->method);
            continue;
        }
        found.route = route;
        bf_status status = route->parameter ? take_parameter(route, at, at_size, found.parameter, err) : BF_OK;
        if (status == BF_OK)
            *ret = found;
        return status;
    }
    if (allowed > 0)
        return bf_fail(err, BF_METHOD_NOT_ALLOWED, "This address answers %s only.", ret_allowed);
    return bf_fail(err, BF_NOT_FOUND, "There is nothing under this address.");
}

/* One "name=value". */
static bf_status take_query(const bf_schema *schema, const char *at, size_t size, json_t *object, bf_error *err)
{
    char name[BF_PARAMETER_SIZE], text[BF_PARAMETER_SIZE];
    const char *equal = memchr(at, '=', size);
    size_t name_size = equal ? (size_t)(equal - at) : size;
    json_t *value = NULL;
    if (!decode(at, name_size, name, sizeof name) ||
        !decode(equal ? equal + 1 : "", equal ? size - name_size - 1 : 0, text, sizeof text))
        return bf_fail(err, BF_INVALID_REQUEST, "The query of the target is not well-formed.");
    const bf_field *field = bf_schema_field(schema, name);
    if (!field)
        return bf_schema_fail_unknown(schema, "", name, err);
    if (json_object_get(object, name))
        return bf_fail(err, BF_INVALID_REQUEST, "the field '%s' is there twice.", name);
    bf_status status = bf_schema_read_text(field->schema, name, text, strlen(text), &value, err);
    if (status == BF_OK && json_object_set_new(object, name, value) != 0)
        return bf_fail_memory(err);
    return status;
}

bf_status bf_route_query(const bf_target *target, json_t **ret, bf_error *err)
{
    const char *at = target->query;
    if (!target->route->query)
        return at && at[0] ? bf_fail(err, BF_INVALID_REQUEST, "This address takes no query.") : BF_OK;
    BF_CLEANUP(bf_json_release) json_t *object = json_object();
    if (!object)
        return bf_fail_memory(err);
    for (int i = 0; at && at[0]; i++) {
        size_t size = strcspn(at, "&");
        if (i >= QUERY_PARAMETERS_MAX)
            return bf_fail(err, BF_INVALID_REQUEST, "The query has too many parameters.");
        bf_status status = take_query(target->route->query, at, size, object, err);
        if (status != BF_OK)
            return status;
        at += size + (at[size] == '&');
    }
    bf_status status = bf_schema_check(target->route->query, object, NULL, err);
    if (status == BF_OK)
        *ret = json_incref(object);
    return status;
}

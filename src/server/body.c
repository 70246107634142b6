#include "server/body.h"

#include <string.h>

#include <sodium.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "record/parse.h"
#include "server/base64.h"
#include "server/json_scan.h"

#define PART_NAME_SIZE 32
#define FIRST_BYTES 4096

enum { IMAGE, REFERENCE, MEDIA_COUNT };
static const char *const MEDIA[MEDIA_COUNT] = {"image", "reference"};

struct bf_body {
    bf_body_kind kind;
    const bf_schema *schema;
    bf_region media[MEDIA_COUNT];
    bool seen[MEDIA_COUNT];
    char *text; /* what is kept of JSON; of a form: the part that is being read */
    size_t size, capacity;
    bf_scan scan;
    bf_base64 base64;
    json_t *object; /* of a form: the parts that are complete */
    size_t parts_size;
    char part[PART_NAME_SIZE]; /* of a form: the part that is being read; "": none */
};

bf_status bf_body_new(bf_body_kind kind, const bf_schema *schema, bf_body **ret, bf_error *err)
{
    bf_body *body = bf_calloc(1, sizeof *body);
    if (!body)
        return bf_fail_memory(err);
    body->kind = kind;
    body->schema = schema;
    body->scan.field = -1;
    for (int i = 0; i < MEDIA_COUNT; i++)
        body->media[i] = BF_REGION_NONE;
    if (kind != BF_BODY_JSON && !(body->object = json_object())) {
        bf_body_free(&body);
        return bf_fail_memory(err);
    }
    *ret = body;
    return BF_OK;
}

static void forget_text(bf_body *body)
{
    if (body->text)
        sodium_memzero(body->text, body->capacity);
    bf_free(body->text);
    body->text = NULL;
    body->size = body->capacity = 0;
}

void bf_body_free(bf_body **body)
{
    if (!*body)
        return;
    for (int i = 0; i < MEDIA_COUNT; i++)
        bf_region_done(&(*body)->media[i]);
    forget_text(*body);
    bf_base64_done(&(*body)->base64);
    json_decref((*body)->object);
    sodium_memzero(*body, sizeof **body);
    bf_free(*body);
    *body = NULL;
}

/* Which media field of this request's schema a name is; -1: none. */
static int media_index(const bf_body *body, const char *name)
{
    const bf_field *field = bf_schema_field(body->schema, name);
    if (!field || field->schema->type != BF_SCHEMA_MEDIA)
        return -1;
    for (int i = 0; i < MEDIA_COUNT; i++) {
        if (strcmp(MEDIA[i], name) == 0)
            return i;
    }
    return -1;
}

/* Old copies of the text are wiped: it may name a person. */
static bf_status keep_text(bf_body *body, const void *data, size_t size, bf_error *err)
{
    if (body->parts_size + body->size + size > BF_JSON_BYTES_MAX)
        return bf_fail(err, BF_BODY_TOO_LARGE, "The fields other than pictures have more than %u bytes.",
                       BF_JSON_BYTES_MAX);
    if (body->size + size > body->capacity) {
        size_t capacity = body->capacity ? 2 * body->capacity : FIRST_BYTES;
        while (capacity < body->size + size)
            capacity *= 2;
        char *text = bf_malloc(capacity);
        if (!text)
            return bf_fail_memory(err);
        if (body->size > 0)
            memcpy(text, body->text, body->size);
        size_t used = body->size;
        forget_text(body);
        body->text = text;
        body->size = used;
        body->capacity = capacity;
    }
    memcpy(body->text + body->size, data, size);
    body->size += size;
    return BF_OK;
}

/* Says which picture it was. */
static bf_status named(bf_status status, int field, bf_error *err)
{
    if (status == BF_INVALID_REQUEST)
        bf_fail_prefix(err, "%s", MEDIA[field]);
    else if (status == BF_BODY_TOO_LARGE)
        status = bf_fail(err, BF_BODY_TOO_LARGE, "%s: a picture may have at most %u bytes.", MEDIA[field],
                         BF_INPUT_BYTES_MAX);
    return status;
}

static int scan_is_media(void *context, const char *key)
{
    return media_index(context, key);
}

static bf_status scan_keep(void *context, const char *text, size_t size, bf_error *err)
{
    return keep_text(context, text, size, err);
}

static bf_status scan_media(void *context, int field, const char *text, size_t size, bf_error *err)
{
    bf_body *body = context;
    if (body->seen[field])
        return bf_fail(err, BF_INVALID_REQUEST, "the field '%s' is there twice.", MEDIA[field]);
    return named(bf_base64_add(&body->base64, text, size, &body->media[field], BF_INPUT_BYTES_MAX, err), field, err);
}

static bf_status scan_media_end(void *context, int field, bf_error *err)
{
    bf_body *body = context;
    body->seen[field] = true;
    return named(bf_base64_end(&body->base64, &body->media[field], BF_INPUT_BYTES_MAX, err), field, err);
}

bf_status bf_body_add_json(bf_body *body, const void *data, size_t size, bf_error *err)
{
    static const bf_scan_handler HANDLER = {scan_is_media, scan_keep, scan_media, scan_media_end};
    return bf_scan_add(&body->scan, &HANDLER, body, data, size, err);
}

/* The part that was being read is complete. */
static bf_status end_part(bf_body *body, bf_error *err)
{
    json_t *value = NULL;
    const bf_field *field = bf_schema_field(body->schema, body->part);
    int media = media_index(body, body->part);
    if (!field || media >= 0) {
        body->part[0] = '\0';
        return BF_OK;
    }
    bf_status status =
        bf_schema_read_text(field->schema, body->part, body->text ? body->text : "", body->size, &value, err);
    body->parts_size += body->size;
    forget_text(body);
    if (status == BF_OK && json_object_set_new(body->object, body->part, value) != 0)
        status = bf_fail_memory(err);
    body->part[0] = '\0';
    return status;
}

static bf_status begin_part(bf_body *body, const char *name, bf_error *err)
{
    bf_status status = end_part(body, err);
    if (status != BF_OK)
        return status;
    if (!bf_schema_field(body->schema, name) || strlen(name) >= sizeof body->part)
        return bf_schema_fail_unknown(body->schema, "", name, err);
    int media = media_index(body, name);
    if (media >= 0 ? body->seen[media] : json_object_get(body->object, name) != NULL)
        return bf_fail(err, BF_INVALID_REQUEST, "the field '%s' is there twice.", name);
    if (media >= 0)
        body->seen[media] = true;
    memcpy(body->part, name, strlen(name) + 1);
    return BF_OK;
}

bf_status bf_body_add_part(bf_body *body, const char *name, uint64_t offset, const void *data, size_t size,
                           bf_error *err)
{
    bf_status status = BF_OK;
    if (!name || !name[0])
        return bf_fail(err, BF_INVALID_REQUEST, "A part of the form has no name.");
    if (offset == 0 || strcmp(name, body->part) != 0)
        status = begin_part(body, name, err);
    if (status != BF_OK || size == 0)
        return status;
    int media = media_index(body, name);
    if (media < 0)
        return keep_text(body, data, size, err);
    return named(bf_region_append(&body->media[media], data, size, BF_INPUT_BYTES_MAX, err), media, err);
}

bf_status bf_body_add_raw(bf_body *body, const void *data, size_t size, bf_error *err)
{
    body->seen[IMAGE] = true;
    bf_status status = bf_region_append(&body->media[IMAGE], data, size, BF_CLIP_BYTES_MAX, err);
    if (status == BF_BODY_TOO_LARGE)
        return bf_fail(err, BF_BODY_TOO_LARGE, "A capture may have at most %u bytes.", BF_CLIP_BYTES_MAX);
    return status;
}

static bf_status parse_json(bf_body *body, json_t **ret, bf_error *err)
{
    bf_error why = {0};
    if (body->scan.field >= 0)
        return bf_fail(err, BF_INVALID_REQUEST, "The body ends within '%s'.", MEDIA[body->scan.field]);
    bf_status status = bf_json_parse(body->text ? body->text : "", body->size, "body", ret, &why);
    forget_text(body);
    if (status == BF_INVALID_ARGUMENT)
        return bf_fail(err, BF_INVALID_REQUEST, "%s", why.message);
    return status == BF_OK ? BF_OK : bf_fail_memory(err);
}

/* Takes the empty texts out that stand where pictures were. */
static bf_status drop_media(bf_body *body, json_t *object, bf_error *err)
{
    for (int i = 0; i < MEDIA_COUNT; i++) {
        if (body->kind == BF_BODY_JSON && body->seen[i])
            (void)json_object_del(object, MEDIA[i]);
        if (body->seen[i] && body->media[i].size == 0) {
            bf_fail(err, BF_EMPTY_INPUT, "%s: the file is empty.", MEDIA[i]);
            return BF_EMPTY_INPUT;
        }
    }
    return BF_OK;
}

bf_status bf_body_end(bf_body *body, json_t **ret_object, const bf_region **ret_image, const bf_region **ret_reference,
                      bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *object = NULL;
    bf_status status;
    if (body->kind == BF_BODY_JSON) {
        status = parse_json(body, &object, err);
    } else {
        status = end_part(body, err);
        object = json_incref(body->object);
    }
    if (status == BF_OK)
        status = drop_media(body, object, err);
    const bf_media_seen seen = {.image = body->seen[IMAGE], .reference = body->seen[REFERENCE]};
    if (status == BF_OK)
        status = bf_schema_check(body->schema, object, &seen, err);
    if (status != BF_OK)
        return status;
    *ret_object = json_incref(object);
    *ret_image = body->seen[IMAGE] ? &body->media[IMAGE] : NULL;
    *ret_reference = body->seen[REFERENCE] ? &body->media[REFERENCE] : NULL;
    return BF_OK;
}

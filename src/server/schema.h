/* What a request may hold: tables generated from api/openapi.yaml, and the check of a value against them. */
#ifndef BF_SERVER_SCHEMA_H
#define BF_SERVER_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "bonafide/status.h"

typedef enum bf_schema_type {
    BF_SCHEMA_STRING,
    BF_SCHEMA_TIME, /* RFC 3339 text */
    BF_SCHEMA_INTEGER,
    BF_SCHEMA_NUMBER,
    BF_SCHEMA_BOOLEAN,
    BF_SCHEMA_OBJECT,
    BF_SCHEMA_ARRAY,
    BF_SCHEMA_MEDIA /* received apart from the rest, so it is never part of a checked value */
} bf_schema_type;

typedef struct bf_schema bf_schema;

typedef struct bf_field {
    const char *name; /* NULL ends a table */
    bool required;
    const bf_schema *schema;
} bf_field;

struct bf_schema {
    bf_schema_type type;
    int length_min, length_max; /* characters of a text */
    const char *alphabet;       /* the characters it may have; NULL: any */
    const char *const *words;   /* the texts it may be; NULL: any */
    double min, max;            /* of a number */
    const bf_schema *items;     /* of an array */
    int items_max;
    const bf_field *fields; /* of an object; no others are allowed */
};

/* Which media fields came, by their names; for the fields that are required. */
typedef struct bf_media_seen {
    bool image, reference;
} bf_media_seen;

/* Checks an object. INVALID_REQUEST names the field by its path ("risk_context.risk_tier"), and for an unknown field
 * the nearest known one. `media` may be NULL where there are none. Untrusted values. */
bf_status bf_schema_check(const bf_schema *schema, const json_t *value, const bf_media_seen *media, bf_error *err);

/* A value that came as text (of a part of a form, of the path or the query) as JSON of the schema's type; objects and
 * arrays are JSON text. The value is not checked beyond its form. The caller releases *ret. INVALID_REQUEST naming
 * `name`. Untrusted text. */
bf_status bf_schema_read_text(const bf_schema *schema, const char *name, const char *text, size_t size, json_t **ret,
                              bf_error *err);

/* The field of that name, or NULL. */
const bf_field *bf_schema_field(const bf_schema *object, const char *name);

/* INVALID_REQUEST "unknown field 'x'; did you mean 'y'?" */
bf_status bf_schema_fail_unknown(const bf_schema *object, const char *path, const char *name, bf_error *err);

#endif

/* A request's body, taken apart while it arrives: pictures go straight into regions, everything else becomes one JSON
 * object. So no body is ever held whole, and a picture in base64 costs no more memory than one in a form. */
#ifndef BF_SERVER_BODY_H
#define BF_SERVER_BODY_H

#include <jansson.h>

#include "server/schema.h"
#include "worker/region.h"

typedef struct bf_body bf_body;

typedef enum bf_body_kind {
    BF_BODY_JSON,
    BF_BODY_FORM,
    BF_BODY_RAW /* the capture itself, and nothing else */
} bf_body_kind;

/* Begins a body of the given kind. The caller frees *ret. OUT_OF_MEMORY. */
bf_status bf_body_new(bf_body_kind kind, const bf_schema *schema, bf_body **ret, bf_error *err);
void bf_body_free(bf_body **body); /* wipes; accepts NULL */

/* JSON in pieces of any size. INVALID_REQUEST, BODY_TOO_LARGE (a picture of more than BF_INPUT_BYTES_MAX, or more
 * than BF_JSON_BYTES_MAX of the rest), OUT_OF_MEMORY. Untrusted bytes. */
bf_status bf_body_add_json(bf_body *body, const void *data, size_t size, bf_error *err);

/* A piece of the part `name` of a form; `offset` is 0 where the part begins. Errors as above; a part that comes twice
 * is refused. Untrusted bytes. */
bf_status bf_body_add_part(bf_body *body, const char *name, uint64_t offset, const void *data, size_t size,
                           bf_error *err);

/* A piece of a body that is the capture: of at most BF_CLIP_BYTES_MAX bytes. BODY_TOO_LARGE, OUT_OF_MEMORY. */
bf_status bf_body_add_raw(bf_body *body, const void *data, size_t size, bf_error *err);

/* Ends the body and checks it against the schema. The object (without pictures) is the caller's to release; the
 * regions stay the body's, and are NULL for pictures that did not come. EMPTY_INPUT for a picture without a byte. */
bf_status bf_body_end(bf_body *body, json_t **ret_object, const bf_region **ret_image, const bf_region **ret_reference,
                      bf_error *err);

#endif

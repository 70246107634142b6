/* The capture page's files, which the program carries: made by web/ and compressed when it was built. */
#ifndef BF_SERVER_WEB_H
#define BF_SERVER_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "server/route.h"

typedef struct bf_web_file {
    const char *path; /* "/demo/demo.js" */
    const char *type; /* media type */
    const char *tag;  /* of the bytes: another file has another */
    const char *bytes;
    size_t size;
    const char *packed; /* the same by gzip */
    size_t packed_size;
} bf_web_file;

/* The route of every file, for the log; metrics count it as "other". */
extern const bf_route BF_WEB_ROUTE;

/* The file that a request's target names, or NULL. Without `demo`, nothing of the demonstration is found. */
const bf_web_file *bf_web_find(const char *target, bool demo);
/* Whether the file may be used by pages of other origins, who embed the element. */
bool bf_web_is_public(const bf_web_file *file);
/* Whether Accept-Encoding (may be NULL) allows gzip. Untrusted text. */
bool bf_web_accepts_gzip(const char *accepted);
/* Whether If-None-Match (may be NULL) names the file's tag, written as `"TAG"`. Untrusted text. */
bool bf_web_is_fresh(const bf_web_file *file, const char *known);

/* What the pages may do: their own scripts, styles and pictures, the camera's pictures, and nothing inline. */
extern const char BF_WEB_POLICY[];

#endif

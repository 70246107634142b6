/* Values of headers, read strictly. All text is untrusted. */
#ifndef BF_SERVER_HEADER_H
#define BF_SERVER_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/body.h"

#define BF_REQUEST_ID_SIZE 65
#define BF_IDEMPOTENCY_NAME_MAX 128

/* Whether a caller's request id has the form that the API allows: 1 to 64 of A-Z a-z 0-9 . _ : -. */
bool bf_header_is_request_id(const char *text);
/* "r-" and 128 random bits. */
void bf_header_make_request_id(char ret[BF_REQUEST_ID_SIZE]);

bool bf_header_is_idempotency_key(const char *text);

/* "application/json" (charset utf-8 or none), "multipart/form-data; boundary=...", or a capture itself:
 * "application/octet-stream", "video/mp4", "video/webm"; false for anything else. */
bool bf_header_content_type(const char *text, bf_body_kind *ret);

/* Digits only. */
bool bf_header_content_length(const char *text, uint64_t *ret);

#endif

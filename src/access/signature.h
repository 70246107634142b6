/* Signed requests: for keys that demand it, possession of the key's signing secret is shown anew by each request.
 *
 * Header "Bonafide-Signature: t=MS, n=NONCE, v1=HEX" with HEX = HMAC-SHA-256(signing secret, "bonafide-request-v1\n"
 * METHOD "\n" PATH-WITH-QUERY "\n" t "\n" n "\n" hex(SHA-256(body))). t may be off by at most BF_SIGNATURE_SKEW_MS;
 * n is
 * 16 to 64 characters of A-Z a-z 0-9 _ -, used once per key. */
#ifndef BF_ACCESS_SIGNATURE_H
#define BF_ACCESS_SIGNATURE_H

#include "access/access.h"
#include "access/master.h"

#define BF_SIGNATURE_SKEW_MS 300000

typedef struct bf_signed_request {
    const char *header; /* NULL: there was none */
    const char *method, *target;
    const uint8_t *body_sha256; /* 32 bytes */
    int64_t now_ms;
} bf_signed_request;

/* SIGNATURE_INVALID unless the request is signed by the key's secret, fresh, and its nonce unused, which is then used
 * up. In a write transaction. Untrusted text. */
bf_status bf_signature_check(bf_db *db, const bf_master *master, const bf_principal *who,
                             const bf_signed_request *request, bf_error *err);

/* The header's value for a request; for tests, the client example and webhooks' counterpart. */
#define BF_SIGNATURE_SIZE 192
void bf_signature_write(const uint8_t secret[BF_SECRET_SIZE], const bf_signed_request *request, const char *nonce,
                        char ret[BF_SIGNATURE_SIZE]);

#endif

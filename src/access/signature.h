/* Signed requests: for keys that demand it, possession of the key's signing secret is shown anew by each request.
 *
 * Header "Bonafide-Signature: t=MS, n=NONCE, v1=HEX" with HEX = HMAC-SHA-256(signing secret, "bonafide-request-v1\n"
 * METHOD "\n" PATH-WITH-QUERY "\n" t "\n" n "\n" hex(SHA-256(body))), in lower-case hex and exactly so spaced. t may be
 * off by at most BF_SIGNATURE_SKEW_MS; n is 16 to 64 characters of A-Z a-z 0-9 _ -, used once per key. */
#ifndef BF_ACCESS_SIGNATURE_H
#define BF_ACCESS_SIGNATURE_H

#include "access/access.h"
#include "access/master.h"

#define BF_SIGNATURE_SKEW_MS 300000
#define BF_SIGNATURE_NONCE_MIN 16
#define BF_SIGNATURE_NONCE_MAX 64
#define BF_SIGNATURE_SIZE 192 /* the header's value, with its NUL */

typedef struct bf_signed_request {
    const char *header; /* NULL: there was none */
    const char *method, *target;
    const uint8_t *body_sha256; /* 32 bytes */
    int64_t now_ms;
} bf_signed_request;

/* SIGNATURE_INVALID unless the request is signed by the key's secret, fresh, and its nonce unused, which is then used
 * up. To be asked when the key must sign, and also when a request has the header though its key need not: a wrong
 * signature is never ignored. In a write transaction. Untrusted text. Other errors: VAULT_LOCKED, STORE_UNAVAILABLE. */
bf_status bf_signature_check(bf_db *db, const bf_master *master, const bf_principal *who,
                             const bf_signed_request *request, bf_error *err);

/* The header's value for a request at request->now_ms (0..10^15 - 1) with a nonce of the form above; for tests, the
 * client example and webhooks' counterpart. */
void bf_signature_write(const uint8_t secret[BF_SECRET_SIZE], const bf_signed_request *request, const char *nonce,
                        char ret[BF_SIGNATURE_SIZE]);

/* The header in its parts. */
typedef struct bf_signature {
    int64_t at_ms;
    char nonce[BF_SIGNATURE_NONCE_MAX + 1];
    uint8_t mac[32];
} bf_signature;

/* False when the text is no signature; untrusted text. */
bool bf_signature_read(const char *text, bf_signature *ret);

#endif

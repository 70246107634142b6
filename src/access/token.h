/* A session's client token: what a phone or browser holds. It names one attempt of one session and when it ends, and
 * carries a MAC, so a forged or changed one is refused without a look into the store. It is good for one attempt: the
 * claim on the attempt (session/) is what makes it single-use. */
#ifndef BF_ACCESS_TOKEN_H
#define BF_ACCESS_TOKEN_H

#include "access/access.h"
#include "access/master.h"

#define BF_TOKEN_SIZE 256

typedef struct bf_token {
    char session_id[BF_NAME_MAX];
    char client[BF_NAME_MAX];
    int attempt; /* from 1 */
    int64_t expires_ms;
} bf_token;

/* "bft_" and base64url text. */
void bf_token_write(const bf_master *master, const bf_token *token, char ret[BF_TOKEN_SIZE]);

/* Reads the value of an Authorization header "Bearer bft_...". UNAUTHENTICATED for a token that is not ours;
 * SESSION_EXPIRED for one that was and whose time is over (*ret is filled then too). Untrusted text. */
bf_status bf_token_read(const bf_master *master, const char *authorization, int64_t now_ms, bf_token *ret,
                        bf_error *err);

#endif

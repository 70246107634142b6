/* API keys: "bf_ID_SECRET". The store holds a hash of the secret only. */
#ifndef BF_ACCESS_KEYS_H
#define BF_ACCESS_KEYS_H

#include "access/access.h"
#include "access/master.h"

#define BF_API_KEY_SIZE 96   /* as text, with its NUL */
#define BF_KEY_LABEL_MAX 128 /* bytes, with the NUL */
#define BF_KEYS_MAX 10000    /* that are listed */

typedef struct bf_key_request {
    const char *client;  /* whose key: 1..63 characters of a-z 0-9 _ - */
    bf_access_role role; /* one role; not PERSON */
    const char *label;   /* for people: UTF-8 without control characters; may be "" */
    bool must_sign;
    int64_t now_ms;
    int64_t expires_ms; /* 0: never; else after now_ms */
} bf_key_request;

/* Wipe it with bf_new_key_done. */
typedef struct bf_new_key {
    char id[BF_KEY_ID_SIZE];
    char key[BF_API_KEY_SIZE];            /* shown once, then wiped */
    char signing_secret[BF_API_KEY_SIZE]; /* "bfs_HEX": for request signatures and webhooks; shown once */
    int64_t expires_ms;                   /* 0: never */
} bf_new_key;
void bf_new_key_done(bf_new_key *key);

/* Inside a write transaction; each also appends to the audit log under `actor`. INVALID_ARGUMENT: the request is not as
 * described above. */
bf_status bf_key_create(bf_db *db, const bf_master *master, const bf_key_request *request, const char *actor,
                        bf_new_key *ret, bf_error *err);
/* A new key for the same client, role and label, which lives as long as the old one was to; the old one ends at
 * `old_ends_ms`, or when it would have anyway. NOT_FOUND: there is no such key, or it has ended. INVALID_ARGUMENT: it
 * was rotated before. */
bf_status bf_key_rotate(bf_db *db, const bf_master *master, const char *id, int64_t now_ms, int64_t old_ends_ms,
                        const char *actor, bf_new_key *ret, bf_error *err);
/* Ends a key at once. Revoking a revoked key changes nothing. NOT_FOUND. */
bf_status bf_key_revoke(bf_db *db, const char *id, int64_t now_ms, const char *actor, bf_error *err);

/* What may be told about a key. */
typedef struct bf_key_facts {
    char id[BF_KEY_ID_SIZE];
    char client[BF_NAME_MAX];
    bf_access_role role;
    char label[BF_KEY_LABEL_MAX];
    bool must_sign;
    int64_t created_ms;
    int64_t expires_ms, revoked_ms;  /* 0: never; not */
    char rotated_to[BF_KEY_ID_SIZE]; /* "": not rotated */
} bf_key_facts;

/* One key. NOT_FOUND. In any transaction. */
bf_status bf_key_get(bf_db *db, const char *id, bf_key_facts *ret, bf_error *err);

/* All keys, by client and age. The caller frees *ret (NULL when there is none) with bf_free. In any transaction. */
bf_status bf_key_list(bf_db *db, bf_key_facts **ret, size_t *ret_count, bf_error *err);

/* Checks the value of an Authorization header, "Bearer bf_..." (an API key). UNAUTHENTICATED for whatever is wrong, in
 * the same words and in a time that does not tell which part was; untrusted text. In a read or write transaction. */
bf_status bf_key_authenticate(bf_db *db, const char *authorization, int64_t now_ms, bf_principal *ret, bf_error *err);

/* The signing secret of a key (32 bytes). VAULT_LOCKED when the master key is another one; NOT_FOUND. */
bf_status bf_key_signing_secret(bf_db *db, const bf_master *master, const char *id, uint8_t ret[BF_SECRET_SIZE],
                                bf_error *err);

/* Role names "integrator", ... */
const char *bf_access_role_name(bf_access_role role);
bool bf_access_role_from_name(const char *name, bf_access_role *ret);

#endif

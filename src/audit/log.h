/* The append-only log of everything that must be provable later. A leaf is one line of JSON that holds hashes, codes
 * and
 * identifiers made by bonafide, never media or what names a person, so erasure leaves the log whole. */
#ifndef BF_AUDIT_LOG_H
#define BF_AUDIT_LOG_H

#include <jansson.h>

#include "audit/note.h"
#include "store/store.h"

/* What a leaf tells. The words are stable: "decision", "session_created", ... */
typedef enum bf_audit_kind {
    BF_AUDIT_DECISION, /* a judgement was decided and stored */
    BF_AUDIT_SESSION_CREATED,
    BF_AUDIT_SESSION_ENDED, /* completed, expired or cancelled */
    BF_AUDIT_REFERENCE_SET,
    BF_AUDIT_ERASED,      /* media and personal data of a session */
    BF_AUDIT_MEDIA_READ,  /* who looked at stored media */
    BF_AUDIT_RECORD_READ, /* who looked at a decision's record */
    BF_AUDIT_KEY_CHANGED, /* an API key was made, rotated, revoked */
    BF_AUDIT_KILL_SWITCH,
    BF_AUDIT_POLICY_CHANGED, /* the policies in force are others than before */
    BF_AUDIT_VAULT_ROTATED,
    BF_AUDIT_SECURITY, /* replayed or stale upload, quarantined input */
    BF_AUDIT_KIND_COUNT
} bf_audit_kind;

const char *bf_audit_kind_name(bf_audit_kind kind);

typedef struct bf_audit_entry {
    bf_audit_kind kind;
    int64_t at_ms;
    const char *actor;   /* "key:ID", "session:ID", "uid:0", "server" */
    const json_t *facts; /* an object; borrowed; its keys stand beside "kind", "at", "actor", "index" and "previous" in
                            the leaf */
} bf_audit_entry;

/* Appends inside a write transaction; *ret_index (may be NULL) becomes the leaf's number, from 0. A leaf's time is
 * never
 * before its predecessor's: a clock that was set back does not reorder the log. */
bf_status bf_audit_append(bf_db *db, const bf_audit_entry *entry, int64_t *ret_index, bf_error *err);

/* The hook for bf_store_before_commit; `key` is a `const bf_log_key *`. Signs the head when leaves were added, so no
 * leaf is committed without a signature over it. */
bf_status bf_audit_seal(bf_db *db, void *key, bf_error *err);

/* The newest signed checkpoint ("" while the log is empty). The caller frees *ret_note with bf_free. */
bf_status bf_audit_checkpoint(bf_db *db, char **ret_note, bf_error *err);

/* A leaf and the proof that it is in the tree of the newest checkpoint. */
typedef struct bf_audit_proof {
    int64_t index, size;
    bf_hash leaf_hash, root;
    bf_proof path;
    char *leaf; /* the leaf's line of JSON */
    char note[BF_NOTE_SIZE];
} bf_audit_proof;

/* NOT_FOUND when there is no such leaf. Free what *ret holds with bf_audit_proof_done. */
bf_status bf_audit_prove(bf_db *db, int64_t index, bf_audit_proof *ret, bf_error *err);
void bf_audit_proof_done(bf_audit_proof *proof);
/* {"index", "tree_size", "leaf", "leaf_hash", "root_hash", "hashes": [base64...], "checkpoint"}; NULL without
 * memory. */
json_t *bf_audit_proof_json(const bf_audit_proof *proof);

/* That the tree of `old_size` leaves is a prefix of the newest one. */
bf_status bf_audit_prove_growth(bf_db *db, int64_t old_size, bf_proof *ret, bf_checkpoint *ret_now, bf_error *err);

#endif

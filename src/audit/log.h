/* The append-only log of everything that must be provable later. A leaf is one line of JSON that holds hashes, codes
 * and identifiers made by bonafide, never media or what names a person, so erasure leaves the log whole.
 * docs/reference/audit.md names the facts of each kind of leaf. */
#ifndef BF_AUDIT_LOG_H
#define BF_AUDIT_LOG_H

#include <jansson.h>

#include "audit/note.h"
#include "store/store.h"

#define BF_LEAF_BYTES_MAX 16384 /* the JSON of one leaf */
#define BF_CHECKPOINT_EVERY 256 /* leaves after which a signed checkpoint is kept for good */
#define BF_AUDIT_ACTOR_SIZE 128 /* of an actor, with its NUL */

/* What a leaf tells. The words are stable: "decision", "session_created", ... */
typedef enum bf_audit_kind {
    BF_AUDIT_DECISION, /* a judgement was decided and stored; facts: see below */
    BF_AUDIT_SESSION_CREATED,
    BF_AUDIT_SESSION_ENDED, /* completed, expired or cancelled */
    BF_AUDIT_REFERENCE_SET,
    BF_AUDIT_PLAN_CHANGED, /* the person asked for another plan */
    BF_AUDIT_ERASED,       /* media and personal data of a session or a decision */
    BF_AUDIT_MEDIA_READ,   /* who looked at stored media */
    BF_AUDIT_RECORD_READ,  /* who looked at a decision's record */
    BF_AUDIT_KEY_CHANGED,  /* an API key was made, rotated, revoked */
    BF_AUDIT_KILL_SWITCH,
    BF_AUDIT_POLICY_CHANGED, /* the policies in force are others than before */
    BF_AUDIT_VAULT_ROTATED,
    BF_AUDIT_SECURITY,   /* replayed or stale upload, quarantined input */
    BF_AUDIT_CHECKPOINT, /* a signed checkpoint was kept; written by bf_audit_seal itself */
    BF_AUDIT_KIND_COUNT
} bf_audit_kind;

const char *bf_audit_kind_name(bf_audit_kind kind);

/* The facts by which a row of table `decision` is checked against its leaf, each the value of a column: "client",
 * "request_id", "judgement" (column kind), "session" (session_id), "attempt" (null or absent when NULL), "decided_ms"
 * (at_ms), "decision", "reason", "record_sha256" (of the record's text), "report_sha256" (of client_report's text; null
 * or absent when NULL), "plan_sha256" (of plan's text; likewise). A row whose record, report or plan is gone needs a
 * leaf of kind "erased" that names its "session", or its "client" and "request_id" when it has none. */

typedef struct bf_audit_entry {
    bf_audit_kind kind;
    int64_t at_ms;
    const char *actor;   /* "key:ID", "session:ID", "uid:0", "server" */
    const json_t *facts; /* an object; borrowed; its keys stand beside "index", "previous", "at", "kind" and "actor" in
                            the leaf */
} bf_audit_entry;

/* Appends inside a write transaction; *ret_index (may be NULL) becomes the leaf's number, from 0. A leaf's time is
 * never before its predecessor's: a clock that was set back does not reorder the log. INTERNAL for facts that no leaf
 * can hold, AUDIT_TAMPERED when the head of the log is damaged. */
bf_status bf_audit_append(bf_db *db, const bf_audit_entry *entry, int64_t *ret_index, bf_error *err);

/* The hook for bf_store_before_commit; `key` is a `const bf_log_key *`. Signs the head when leaves were added, so no
 * leaf is committed without a signature over it. */
bf_status bf_audit_seal(bf_db *db, void *key, bf_error *err);

/* To be asked once at the start: whether the log that the store holds was signed by this key up to its head, so that
 * nobody continues it with another one. `key` is a `const bf_log_key *`. AUDIT_TAMPERED. */
bf_status bf_audit_check_head(bf_db *db, void *key, bf_error *err);

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

/* NOT_FOUND when there is no such leaf; AUDIT_TAMPERED when what is stored gives no proof that holds. Free what *ret
 * holds with bf_audit_proof_done. */
bf_status bf_audit_prove(bf_db *db, int64_t index, bf_audit_proof *ret, bf_error *err);
void bf_audit_proof_done(bf_audit_proof *proof);
/* {"index", "tree_size", "leaf", "leaf_hash", "root_hash", "hashes": [base64...], "checkpoint"}; NULL without
 * memory. */
json_t *bf_audit_proof_json(const bf_audit_proof *proof);

/* That the tree of `old_size` leaves is a prefix of the newest one. INVALID_ARGUMENT when that is smaller,
 * AUDIT_TAMPERED when what is stored gives no proof that holds. */
bf_status bf_audit_prove_growth(bf_db *db, int64_t old_size, bf_proof *ret, bf_checkpoint *ret_now, bf_error *err);

#endif

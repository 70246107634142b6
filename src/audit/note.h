/* Signed checkpoints in the form of C2SP tlog-checkpoint and signed-note, Ed25519 by libsodium; sodium_init() comes
 * first. */
#ifndef BF_AUDIT_NOTE_H
#define BF_AUDIT_NOTE_H

#include "audit/merkle.h"
#include "bonafide/status.h"

#define BF_ORIGIN_SIZE 128          /* printable ASCII without blanks and '+', with its NUL */
#define BF_NOTE_SIZE 1024           /* a checkpoint as this log writes it, with its NUL */
#define BF_NOTE_BYTES_MAX 65536     /* of a note that is read: others may have added signatures and lines */
#define BF_NOTE_SIGNATURES_MAX 100  /* lines of signatures of a note that is read */
#define BF_LOG_SIZE_MAX (1LL << 53) /* leaves: every JSON reader knows whole numbers up to here */

/* The log's identity. `origin` is its name in checkpoints and the name of its key. Wipe it with bf_log_key_done. */
typedef struct bf_log_key {
    char origin[BF_ORIGIN_SIZE];
    uint8_t public_key[32];
    uint8_t secret_key[64]; /* zero when only verifying */
    bool can_sign;
} bf_log_key;

/* Reads the signing key's file (base/secret_file.h; made when it is not there and `create`); one line
 * "bonafide-log-key-v1 ORIGIN BASE64(seed)". IO_ERROR, CONFIG_INVALID (also: open to others, or an origin that cannot
 * be one), OUT_OF_MEMORY. */
bf_status bf_log_key_read(const char *path, const char *origin_when_created, bool create, bf_log_key *ret,
                          bf_error *err);
void bf_log_key_done(bf_log_key *key);

/* Whether `text` can be a log's origin. */
bool bf_origin_is_valid(const char *text);

/* The verifier key as C2SP signed-note writes it: "ORIGIN+HEX8+BASE64(0x01 || public key)", and back. What is read may
 * end with a newline; INVALID_ARGUMENT when it is no such key. Untrusted text. */
#define BF_VERIFIER_KEY_SIZE 256
void bf_log_verifier_key(const bf_log_key *key, char ret[BF_VERIFIER_KEY_SIZE]);
bf_status bf_log_verifier_key_read(const char *text, bf_log_key *ret, bf_error *err);

/* The four bytes by which signature lines name a key: SHA-256(origin || "\n" || 0x01 || public key) cut short. */
#define BF_LOG_KEY_ID_SIZE 4
void bf_log_key_id(const bf_log_key *key, uint8_t ret[BF_LOG_KEY_ID_SIZE]);

typedef struct bf_checkpoint {
    int64_t size;
    bf_hash root;
} bf_checkpoint;

/* The key must be able to sign. */
void bf_note_sign(const bf_log_key *key, const bf_checkpoint *checkpoint, char ret[BF_NOTE_SIZE]);

/* Reads a checkpoint and checks origin and signature. AUDIT_TAMPERED when the signature is not the key's or the origin
 * another, INVALID_ARGUMENT when the text is no checkpoint. Lines after the root and signatures of other keys are
 * passed over, as C2SP asks. Untrusted text. */
bf_status bf_note_verify(const bf_log_key *key, const char *text, size_t size, bf_checkpoint *ret, bf_error *err);

/* Reads size and root without looking at signatures, for a note from the own store. INVALID_ARGUMENT. */
bf_status bf_note_read(const char *text, size_t size, bf_checkpoint *ret, bf_error *err);

#endif

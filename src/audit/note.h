/* Signed checkpoints in the form of C2SP tlog-checkpoint and signed-note, Ed25519 by libsodium. */
#ifndef BF_AUDIT_NOTE_H
#define BF_AUDIT_NOTE_H

#include "audit/merkle.h"
#include "base/limits.h"
#include "bonafide/status.h"

#define BF_ORIGIN_SIZE 128
#define BF_NOTE_SIZE 1024 /* a checkpoint as text, with its NUL */

/* The log's identity. `origin` is its name in checkpoints and the name of its key. Wipe it with bf_log_key_done. */
typedef struct bf_log_key {
    char origin[BF_ORIGIN_SIZE];
    uint8_t public_key[32];
    uint8_t secret_key[64]; /* zero when only verifying */
    bool can_sign;
} bf_log_key;

/* Reads the signing key file (made with mode 0600 when it is not there and `create`); one line
 * "bonafide-log-key-v1 ORIGIN BASE64(seed)". Errors: IO_ERROR, CONFIG_INVALID (also: readable by others). */
bf_status bf_log_key_read(const char *path, const char *origin_when_created, bool create, bf_log_key *ret,
                          bf_error *err);
void bf_log_key_done(bf_log_key *key);

/* The verifier key as C2SP signed-note writes it: "ORIGIN+HEX8+BASE64(0x01 || public key)", and back. */
#define BF_VERIFIER_KEY_SIZE 256
void bf_log_verifier_key(const bf_log_key *key, char ret[BF_VERIFIER_KEY_SIZE]);
bf_status bf_log_verifier_key_read(const char *text, bf_log_key *ret, bf_error *err);

typedef struct bf_checkpoint {
    int64_t size;
    bf_hash root;
} bf_checkpoint;

void bf_note_sign(const bf_log_key *key, const bf_checkpoint *checkpoint, char ret[BF_NOTE_SIZE]);

/* Reads a checkpoint and checks origin and signature. AUDIT_TAMPERED when the signature is not the key's,
 * INVALID_ARGUMENT when the text is no checkpoint. Untrusted text. */
bf_status bf_note_verify(const bf_log_key *key, const char *text, size_t size, bf_checkpoint *ret, bf_error *err);

#endif

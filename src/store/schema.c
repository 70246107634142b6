#include "store/schema.h"

const char BF_SCHEMA_TABLE_SQL[] =
    "CREATE TABLE " BF_SCHEMA_TABLE "(one INTEGER PRIMARY KEY CHECK(one = 1), version INTEGER NOT NULL,"
    " migrated_ms INTEGER NOT NULL, probed_ms INTEGER NOT NULL);"
    "INSERT INTO " BF_SCHEMA_TABLE "(one, version, migrated_ms, probed_ms) VALUES(1, 0, 0, 0);";

const bf_migration BF_MIGRATIONS[] = {
    {1,
     /* Single values: the kill switch, the policies that were last seen. */
     "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL, changed_ms INTEGER NOT NULL);"

     /* access/: who may ask. Secrets are kept as hashes; signing secrets sealed by the master key. */
     "CREATE TABLE api_key(id TEXT PRIMARY KEY, client TEXT NOT NULL, role TEXT NOT NULL, label TEXT NOT NULL,"
     " secret_hash BLOB NOT NULL, signing_secret BLOB, must_sign INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
     " expires_ms INTEGER, revoked_ms INTEGER, rotated_to TEXT);"
     "CREATE TABLE request_nonce(key_id TEXT NOT NULL, nonce TEXT NOT NULL, expires_ms INTEGER NOT NULL,"
     " PRIMARY KEY(key_id, nonce));"
     "CREATE INDEX request_nonce_expires ON request_nonce(expires_ms);"
     "CREATE TABLE idempotency(client TEXT NOT NULL, name TEXT NOT NULL, request_hash BLOB NOT NULL,"
     " claimed_until_ms INTEGER NOT NULL, http_status INTEGER, body BLOB, created_ms INTEGER NOT NULL,"
     " session_id TEXT, PRIMARY KEY(client, name));"
     "CREATE INDEX idempotency_created ON idempotency(created_ms);"
     "CREATE INDEX idempotency_session ON idempotency(session_id);"
     "CREATE TABLE rate_bucket(name TEXT PRIMARY KEY, millitokens INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
     " full_ms INTEGER NOT NULL);"
     "CREATE INDEX rate_bucket_full ON rate_bucket(full_ms);"

     /* session/: sessions and decisions. What names a person is NULL once erased. */
     "CREATE TABLE session(id TEXT PRIMARY KEY, client TEXT NOT NULL, key_id TEXT NOT NULL,"
     " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL, state TEXT NOT NULL,"
     " flow TEXT NOT NULL, channel TEXT NOT NULL, mode TEXT NOT NULL, retain TEXT NOT NULL,"
     " subject TEXT, consent TEXT, risk TEXT, webhook TEXT, nonce BLOB NOT NULL, plan TEXT NOT NULL,"
     " attempt INTEGER NOT NULL, claimed_until_ms INTEGER NOT NULL, claim TEXT,"
     " quality_retries INTEGER NOT NULL, uncertain_retries INTEGER NOT NULL, replays INTEGER NOT NULL,"
     " reference_sha256 TEXT, decision TEXT, reason TEXT, decided_by TEXT, finished_ms INTEGER, erased_ms INTEGER);"
     "CREATE INDEX session_subject ON session(client, subject);"
     "CREATE INDEX session_state ON session(state, expires_ms);"
     "CREATE TABLE decision(client TEXT NOT NULL, request_id TEXT NOT NULL, kind TEXT NOT NULL, session_id TEXT,"
     " attempt INTEGER, at_ms INTEGER NOT NULL, decision TEXT NOT NULL, reason TEXT NOT NULL, record TEXT,"
     " record_sha256 TEXT NOT NULL, client_report TEXT, audit_index INTEGER NOT NULL,"
     " PRIMARY KEY(client, request_id));"
     "CREATE INDEX decision_request ON decision(request_id, at_ms);"
     "CREATE INDEX decision_session ON decision(session_id, attempt);"
     "CREATE INDEX decision_audit ON decision(audit_index);"
     "CREATE TABLE quarantine(sha256 TEXT PRIMARY KEY, losses INTEGER NOT NULL, last_ms INTEGER NOT NULL);"

     /* audit/: a Merkle tree over the leaves; audit_head has exactly one row, whose lock orders all writers, with the
      * tree's right edge and the hash of the last leaf. */
     "CREATE TABLE audit_head(one INTEGER PRIMARY KEY CHECK(one = 1), size INTEGER NOT NULL, edge BLOB NOT NULL,"
     " last BLOB NOT NULL, signed_size INTEGER NOT NULL, note TEXT NOT NULL, at_ms INTEGER NOT NULL);"
     "INSERT INTO audit_head(one, size, edge, last, signed_size, note, at_ms) VALUES(1, 0, '', '', 0, '', 0);"
     "CREATE TABLE audit_leaf(idx INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,"
     " hash BLOB NOT NULL);"
     "CREATE INDEX audit_leaf_kind ON audit_leaf(kind, idx);"
     "CREATE TABLE audit_node(level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL,"
     " PRIMARY KEY(level, idx));"
     "CREATE TABLE audit_checkpoint(size INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, note TEXT NOT NULL);"

     /* vault/: the key of each session, wrapped by the master key, what is kept under it as files, and the files of
      * what was forgotten, which are still to be deleted. */
     "CREATE TABLE vault_key(session_id TEXT PRIMARY KEY, wrapped BLOB NOT NULL, master_id TEXT NOT NULL,"
     " created_ms INTEGER NOT NULL);"
     "CREATE INDEX vault_key_master ON vault_key(master_id);"
     "CREATE TABLE vault_object(session_id TEXT NOT NULL, name TEXT NOT NULL, file TEXT NOT NULL,"
     " bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, stored_ms INTEGER NOT NULL, delete_after_ms INTEGER,"
     " PRIMARY KEY(session_id, name));"
     "CREATE INDEX vault_object_due ON vault_object(delete_after_ms);"
     "CREATE INDEX vault_object_file ON vault_object(file);"
     "CREATE TABLE vault_trash(file TEXT PRIMARY KEY, session_id TEXT NOT NULL);"
     "CREATE INDEX vault_trash_session ON vault_trash(session_id);"

     /* notify/: webhooks that wait for delivery. */
     "CREATE TABLE webhook(id TEXT PRIMARY KEY, key_id TEXT NOT NULL, session_id TEXT NOT NULL, url TEXT NOT NULL,"
     " body TEXT NOT NULL, created_ms INTEGER NOT NULL, tries INTEGER NOT NULL, next_ms INTEGER NOT NULL,"
     " claimed_until_ms INTEGER NOT NULL, finished_ms INTEGER, outcome TEXT);"
     "CREATE INDEX webhook_next ON webhook(finished_ms, next_ms);"
     "CREATE INDEX webhook_session ON webhook(session_id);"},
    {2,
     /* session/: plans with steps. Sessions that are open meanwhile have a plan that no judge understands; their next
      * capture is taken as one that nothing was asked of. */
     "ALTER TABLE session ADD COLUMN wish TEXT;"
     "ALTER TABLE session ADD COLUMN active INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE session ADD COLUMN challenges INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE session ADD COLUMN plans_changed INTEGER NOT NULL DEFAULT 0;"
     "UPDATE session SET plan = '' WHERE state IN ('CREATED', 'IN_PROGRESS');"
     "ALTER TABLE decision ADD COLUMN plan TEXT;"

     /* What captures of other sessions showed: keyed hashes of the file and of some frames, and the bands of
      * fingerprints, so that the same capture is known again. Gone with the session, and by age. */
     "CREATE TABLE capture_seen(client TEXT NOT NULL, kind TEXT NOT NULL, hash BLOB NOT NULL,"
     " session_id TEXT NOT NULL, attempt INTEGER NOT NULL, fingerprint BLOB, at_ms INTEGER NOT NULL,"
     " PRIMARY KEY(client, kind, hash, session_id, attempt));"
     "CREATE INDEX capture_seen_session ON capture_seen(session_id);"
     "CREATE INDEX capture_seen_at ON capture_seen(at_ms);"},
    {0, NULL},
};

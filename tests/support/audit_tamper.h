/* Damaging the store of an audit log, and what the verifier says about it. */
#ifndef TEST_SUPPORT_AUDIT_TAMPER_H
#define TEST_SUPPORT_AUDIT_TAMPER_H

#include "audit/verify.h"
#include "support/audit_place.h"

/* What was found last, one sentence a line. */
extern char test_told[65536];

/* Verifies bytes (key and checkpoint may be NULL); what was found is in test_told. */
bf_status test_audit_verify(const bf_bytes *all, const bf_log_key *key, const char *against, bf_verify_summary *ret);

/* The file of a SQLite store, which must be closed; and the store put back as that file was, closed. */
bf_bytes test_audit_file(const test_audit_place *place);
void test_audit_restore(test_audit_place *place, const bf_bytes *file);

/* Restores the store, runs SQL, exports, and verifies with the right key. The store is open afterwards. */
void test_audit_tamper(test_audit_place *place, const bf_bytes *file, const char *sql);

#endif

/* A small audit log with everything in it: decisions with and without records, an erased session, kept checkpoints. */
#ifndef TEST_SUPPORT_AUDIT_PLACE_H
#define TEST_SUPPORT_AUDIT_PLACE_H

#include "audit/note.h"
#include "base/bytes.h"
#include "store/store.h"
#include "support/store_place.h"

typedef struct test_audit_place {
    test_store_place place;
    bf_log_key key;
    bf_store *store; /* open, writable */
    int number_from; /* 0; else names of what is filled in go on from that number */
    int forged_from; /* 0; else leaves from that one on tell something else */
} test_audit_place;

/* All end the program when something cannot be done. A log begins empty. */
void test_audit_place_new(test_audit_place *ret, bool postgres);
void test_audit_place_done(test_audit_place *place);
void test_audit_place_open(test_audit_place *place);
void test_audit_place_close(test_audit_place *place);

/* Appends so many leaves, one write each: every fifth a decision ("client-N" has request "r-I" of session "s-I", or of
 * none; I is the leaf's number), the others of kind "security". */
void test_audit_place_fill(test_audit_place *place, int count);
/* Removes the record of the decision of that leaf; `logged`: with a leaf of kind "erased". */
void test_audit_place_erase(test_audit_place *place, int64_t leaf, bool logged);

/* The export's bytes; bf_bytes_done. */
bf_bytes test_audit_place_export(test_audit_place *place);

#endif

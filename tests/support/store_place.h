/* A fresh, empty place for a store, in SQLite or in PostgreSQL, so that one test runs over both. */
#ifndef TEST_SUPPORT_STORE_PLACE_H
#define TEST_SUPPORT_STORE_PLACE_H

#include <stdbool.h>

#define TEST_URL_SIZE 512

typedef struct test_store_place {
    char url[TEST_URL_SIZE];    /* for bf_store_options */
    char folder[TEST_URL_SIZE]; /* of the SQLite file store.db; empty for PostgreSQL */
    char database[64];          /* of PostgreSQL */
} test_store_place;

/* Whether tests/support/with_postgres (or somebody else) named a cluster in BONAFIDE_TEST_POSTGRES: a URI with "%s"
 * where the database's name belongs. */
bool test_has_postgres(void);

/* Ends the program when it cannot be made. */
void test_store_place_new(test_store_place *ret, bool postgres);
void test_store_place_done(test_store_place *place);

/* Runs SQL past the store, over a connection of its own. */
void test_store_place_run(const test_store_place *place, const char *sql);

#endif

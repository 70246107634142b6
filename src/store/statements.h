/* Prepared statements of one connection, found by the address of their SQL. Private to src/store. */
#ifndef BF_STORE_STATEMENTS_H
#define BF_STORE_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BF_STATEMENTS_MAX 384 /* prepared at once; when they are as many, all are dropped and prepared anew */

typedef struct bf_statement {
    const char *sql; /* NULL: the place is free */
    void *prepared;  /* of SQLite */
    unsigned number; /* of PostgreSQL, which knows them by name */
} bf_statement;

/* Zero-initialised. */
typedef struct bf_statements {
    bf_statement place[512];
    int count;
} bf_statements;

/* The place of `sql`, or the free one where it belongs: the caller fills that in and counts it. */
bf_statement *bf_statements_find(bf_statements *statements, const char *sql);

#endif

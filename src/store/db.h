/* SQL over either store. A bf_db is one connection inside one transaction, as the functions given to bf_store_write and
 * bf_store_read see it; it is never kept beyond their call and never shared between threads.
 *
 * One text of SQL serves both databases: parameters are $1, $2, ... in order of their first use; types are integers of
 * 64 bits, text (UTF-8) and blobs; "INSERT ... ON CONFLICT" and "RETURNING" are available, "RANDOM()", dates and
 * database-specific functions are not used. SQL is static text: a statement is prepared once per connection and found
 * again by its address. Values never become part of the text. A parameter that may be NULL and is not text is written
 * CAST($1 AS BIGINT) where it meets nothing that has a type, as in "$1 IS NULL". */
#ifndef BF_STORE_DB_H
#define BF_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"

typedef struct bf_db bf_db;

typedef enum bf_value_kind { BF_VALUE_NULL, BF_VALUE_INTEGER, BF_VALUE_TEXT, BF_VALUE_BLOB } bf_value_kind;

/* A parameter; what it points to is borrowed for the call. */
typedef struct bf_value {
    bf_value_kind kind;
    int64_t integer;
    const void *data; /* text or blob; NULL counts as NULL */
    size_t size;      /* bytes of a blob; a text's is found by strlen */
} bf_value;

static inline bf_value bf_value_integer(int64_t integer)
{
    return (bf_value){.kind = BF_VALUE_INTEGER, .integer = integer};
}

static inline bf_value bf_value_null(void)
{
    return (bf_value){.kind = BF_VALUE_NULL};
}

/* NULL for a NULL pointer. */
static inline bf_value bf_value_text(const char *text)
{
    return (bf_value){.kind = text ? BF_VALUE_TEXT : BF_VALUE_NULL, .data = text};
}

/* NULL for a NULL pointer. */
static inline bf_value bf_value_blob(const void *data, size_t size)
{
    return (bf_value){.kind = data ? BF_VALUE_BLOB : BF_VALUE_NULL, .data = data, .size = size};
}

/* The parameters of one statement: BF_VALUES(bf_value_text(id), bf_value_integer(now)). */
#define BF_VALUES(...) (const bf_value[]){__VA_ARGS__}, sizeof((const bf_value[]){__VA_ARGS__}) / sizeof(bf_value)
#define BF_NO_VALUES NULL, 0

/* Runs a statement whose rows, if any, are of no interest. *ret_changed (may be NULL) becomes the number of rows
 * inserted, updated or deleted. Errors: STORE_UNAVAILABLE (with the database's own words as detail; also a constraint
 * that does not hold), OUT_OF_MEMORY, INTERNAL (a text that is not UTF-8, a value of more than 64 MB, parameters that
 * do not fit the text). After an error the function given to bf_store_write or bf_store_read fails as well, whatever it
 * returns. */
bf_status bf_db_run(bf_db *db, const char *sql, const bf_value *values, size_t count, int64_t *ret_changed,
                    bf_error *err);

/* The rows of a query, all of them in memory. Columns count from 0. */
typedef struct bf_rows bf_rows;

#define BF_ROWS_MAX 100000 /* more is STORE_UNAVAILABLE: page through large tables with LIMIT */

/* On success the caller frees *ret with bf_rows_free. Errors as bf_db_run. */
bf_status bf_db_query(bf_db *db, const char *sql, const bf_value *values, size_t count, bf_rows **ret, bf_error *err);
void bf_rows_free(bf_rows **rows); /* wipes; accepts NULL */

/* Steps to the next row, at first to the first; false when there is none. */
bool bf_rows_next(bf_rows *rows);
size_t bf_rows_count(const bf_rows *rows);

/* Values of the current row, borrowed from `rows`. A NULL or a value of another type is 0, NULL, or an empty blob
 * (whose address is NULL only for a NULL). Columns are integers, text or blobs; another type (AVG) is INTERNAL. */
bool bf_rows_is_null(const bf_rows *rows, int column);
int64_t bf_rows_integer(const bf_rows *rows, int column);
const char *bf_rows_text(const bf_rows *rows, int column);
const void *bf_rows_blob(const bf_rows *rows, int column, size_t *ret_size);

#endif

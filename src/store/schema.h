/* The tables, as a list of forward migrations; nothing else creates or alters a table. */
#ifndef BF_STORE_SCHEMA_H
#define BF_STORE_SCHEMA_H

#include "store/db.h"

#define BF_SCHEMA_VERSION 2

/* One step. Statements end with ";". The words INTEGER and BLOB are written as SQLite has them; the PostgreSQL driver
 * reads BIGINT and BYTEA for them. */
typedef struct bf_migration {
    int version;
    const char *sql;
} bf_migration;

/* The one row of this table says which version the others have. */
#define BF_SCHEMA_TABLE "schema_version"
extern const char BF_SCHEMA_TABLE_SQL[];

extern const bf_migration BF_MIGRATIONS[]; /* ends with version 0 */

#endif

/* Filling bf_rows. Private to src/store. */
#ifndef BF_STORE_ROWS_H
#define BF_STORE_ROWS_H

#include "store/db.h"

#define BF_ROWS_BYTES_MAX (256u << 20) /* texts and blobs of one answer */

bf_rows *bf_rows_new(void);                       /* NULL without memory */
void bf_rows_columns(bf_rows *rows, int columns); /* to be told before the first cell */

/* Appends the next cell, from left to right and row by row. Errors: OUT_OF_MEMORY, STORE_UNAVAILABLE (past a
 * ceiling). */
bf_status bf_rows_add(bf_rows *rows, const bf_value *value, bf_error *err);

#endif

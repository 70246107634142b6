/* Tables in CSV files (RFC 4180, UTF-8, first row names the columns), read row by row in constant memory and written so
 * that nobody ever sees half a file. Lines may end with LF or CR LF; LF is written. A byte order mark is passed over.
 * Hardened for hostile input: every limit below is enforced, and a broken row is named by its number. */
#ifndef BF_DATASET_CSV_H
#define BF_DATASET_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "bonafide/status.h"

#define BF_CSV_COLUMNS_MAX 1024
#define BF_CSV_FIELD_BYTES_MAX 65536
#define BF_CSV_ROW_BYTES_MAX (1u << 20) /* with line ends inside quotes */
#define BF_CSV_ROWS_MAX 100000000u
#define BF_CSV_NAME_BYTES_MAX 128 /* of a column's name, without the NUL */

/* One value: valid UTF-8 with a NUL behind it and none inside. Lives until the next row is read. */
typedef struct bf_csv_field {
    const char *text;
    size_t size;
} bf_csv_field;

typedef struct bf_csv_reader bf_csv_reader;

/* Opens a file ("-": standard input) and reads its header. On success the caller frees *ret. IO_ERROR: no such file.
 * INVALID_ARGUMENT: the header is missing, or a column has no name or the name of another. OUT_OF_MEMORY. */
bf_status bf_csv_open(const char *path, bf_csv_reader **ret, bf_error *err);
void bf_csv_free(bf_csv_reader **reader);

size_t bf_csv_column_count(const bf_csv_reader *reader);
const char *bf_csv_column(const bf_csv_reader *reader, size_t index);
/* The column of that name; -1 when there is none. */
int bf_csv_find(const bf_csv_reader *reader, const char *name);

/* Reads the next row: *ret gets as many fields as there are columns, or NULL at the end. Empty lines are passed over.
 * INVALID_ARGUMENT names file, row and remedy; IO_ERROR; after a failure the reader can only be freed. */
bf_status bf_csv_next(bf_csv_reader *reader, const bf_csv_field **ret, bf_error *err);

/* Number of the row read last, as a spreadsheet counts: the header is row 1, and empty lines count. */
uint64_t bf_csv_row(const bf_csv_reader *reader);
/* Bytes from the file's beginning to the end of the row read last. */
uint64_t bf_csv_offset(const bf_csv_reader *reader);
/* The file's name, as it stands in messages. */
const char *bf_csv_name(const bf_csv_reader *reader);

/* "NAME, row N: message" as INVALID_ARGUMENT, about the row read last. */
bf_status bf_csv_fail(const bf_csv_reader *reader, bf_error *err, const char *format, ...) BF_PRINTF(3, 4);

/* Reads a decimal number such as "-1.5e-3", the nearest double; false (and *ret untouched) for anything else, also for
 * "nan", "inf", an empty field and a number that is too large. */
bool bf_csv_number(bf_csv_field field, double *ret);

/* The row's value in a column that bf_csv_find gave; an empty one for -1. */
static inline bf_csv_field bf_csv_at(const bf_csv_field *row, int column)
{
    return column < 0 ? (bf_csv_field){"", 0} : row[column];
}

/* The place of `text` among `words`; -1 when it is none of them. */
int bf_csv_word(const char *text, const char *const *words, int count);

typedef struct bf_csv_writer bf_csv_writer;

/* Starts a file beside `path`, which takes that name in bf_csv_commit. The caller frees *ret. IO_ERROR. */
bf_status bf_csv_create(const char *path, bf_csv_writer **ret, bf_error *err);

/* Appends one value to the row; NULL counts as empty, and quotes are put where they must be. What fails is said by
 * bf_csv_commit. */
void bf_csv_put(bf_csv_writer *writer, const char *text);
/* Appends text that is already written as CSV: values with the commas between them. */
void bf_csv_put_raw(bf_csv_writer *writer, const char *text, size_t size);
void bf_csv_end_row(bf_csv_writer *writer);

/* Completes the file under its name. IO_ERROR: some write failed; then no file was made or changed. */
bf_status bf_csv_commit(bf_csv_writer *writer, bf_error *err);
/* Frees; what was not committed is removed. */
void bf_csv_writer_free(bf_csv_writer **writer);

#endif

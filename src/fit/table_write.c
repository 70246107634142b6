#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"
#include "evaluate/sort.h"
#include "fit/table.h"

typedef struct rewriting {
    bf_csv_reader *csv;
    bf_csv_writer *writer;
    bf_sort_item *rows; /* by their place in the file */
    const bf_fit_column *columns;
    size_t count;
} rewriting;

static void rewriting_done(rewriting *w)
{
    bf_csv_free(&w->csv);
    bf_csv_writer_free(&w->writer);
    bf_free(w->rows);
}

static bf_status order_rows(rewriting *w, const bf_fit_table *table, bf_error *err)
{
    size_t count = table->scores.count;
    w->rows = bf_malloc(count * sizeof *w->rows + 1);
    if (!w->rows)
        return bf_fail_memory(err);
    for (size_t i = 0; i < count; i++)
        w->rows[i] = (bf_sort_item){table->file_row[i], (uint32_t)i};
    return bf_sort(w->rows, count, err);
}

static const bf_fit_column *column_named(const rewriting *w, const char *name)
{
    for (size_t c = 0; c < w->count; c++) {
        if (strcmp(w->columns[c].name, name) == 0)
            return &w->columns[c];
    }
    return NULL;
}

static void put_value(bf_csv_writer *writer, const bf_fit_column *column, size_t row)
{
    char text[32] = "";
    double value = column->value[row * column->stride];
    if (!isnan(value))
        (void)snprintf(text, sizeof text, "%.17g", value);
    bf_csv_put(writer, text);
}

static void put_header(rewriting *w)
{
    for (size_t c = 0; c < bf_csv_column_count(w->csv); c++)
        bf_csv_put(w->writer, bf_csv_column(w->csv, c));
    for (size_t c = 0; c < w->count; c++) {
        if (bf_csv_find(w->csv, w->columns[c].name) < 0)
            bf_csv_put(w->writer, w->columns[c].name);
    }
    bf_csv_end_row(w->writer);
}

static void put_row(rewriting *w, const bf_csv_field *field, size_t row)
{
    for (size_t c = 0; c < bf_csv_column_count(w->csv); c++) {
        const bf_fit_column *column = column_named(w, bf_csv_column(w->csv, c));
        if (column)
            put_value(w->writer, column, row);
        else
            bf_csv_put(w->writer, field[c].text);
    }
    for (size_t c = 0; c < w->count; c++) {
        if (bf_csv_find(w->csv, w->columns[c].name) < 0)
            put_value(w->writer, &w->columns[c], row);
    }
    bf_csv_end_row(w->writer);
}

bf_status bf_fit_table_rewrite(const bf_fit_table *table, const char *from, const char *to,
                               const bf_fit_column *columns, size_t count, bf_error *err)
{
    BF_CLEANUP(rewriting_done) rewriting w = {.columns = columns, .count = count};
    bf_status status = order_rows(&w, table, err);
    if (status == BF_OK)
        status = bf_csv_open(from, &w.csv, err);
    if (status == BF_OK)
        status = bf_csv_create(to, &w.writer, err);
    if (status != BF_OK)
        return status;
    put_header(&w);
    size_t written = 0;
    while (written < table->scores.count) {
        const bf_csv_field *field = NULL;
        if ((status = bf_csv_next(w.csv, &field, err)) != BF_OK)
            return status;
        if (!field)
            return bf_fail(err, BF_INVALID_ARGUMENT, "%s has changed while it was read.", bf_csv_name(w.csv));
        if (bf_csv_row(w.csv) == w.rows[written].key)
            put_row(&w, field, w.rows[written++].index);
    }
    return bf_csv_commit(w.writer, err);
}

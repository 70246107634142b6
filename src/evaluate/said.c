#include "evaluate/said.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define PREFIX_SIZE 4 /* of "raw." and "llr." */
#define VALUE_MOST 1e30

static int by_name(const void *a, const void *b)
{
    const bf_said_column *x = a, *y = b;
    int order = strcmp(x->detector, y->detector);
    return order != 0 ? order : (int)x->llr - (int)y->llr;
}

static bf_status find_columns(bf_said *said, const bf_csv_reader *csv, bf_error *err)
{
    char state[BF_CSV_NAME_BYTES_MAX + 8];
    for (size_t c = 0; c < bf_csv_column_count(csv); c++) {
        const char *name = bf_csv_column(csv, c);
        bool llr = strncmp(name, "llr.", PREFIX_SIZE) == 0;
        if (!llr && strncmp(name, "raw.", PREFIX_SIZE) != 0)
            continue;
        if (said->columns == BF_SAID_MAX) {
            bf_fail(err, BF_INVALID_ARGUMENT, "%s, row 1: There are more than %d columns raw.NAME and llr.NAME.",
                    bf_csv_name(csv), BF_SAID_MAX);
            bf_fail_hint(err, "Leave out detectors that matter less.");
            return BF_INVALID_ARGUMENT;
        }
        (void)snprintf(state, sizeof state, "state.%s", name + PREFIX_SIZE);
        bf_said_column *column = &said->column[said->columns];
        *column = (bf_said_column){bf_strdup(name + PREFIX_SIZE), llr, (int)c, bf_csv_find(csv, state)};
        if (!column->detector)
            return bf_fail_memory(err);
        said->columns++;
    }
    qsort(said->column, said->columns, sizeof *said->column, by_name);
    said->ready = true;
    return BF_OK;
}

static bf_status make_room(bf_said *said, bf_error *err)
{
    if (said->rows < said->capacity)
        return BF_OK;
    size_t capacity = said->capacity ? said->capacity + said->capacity / 2 : 1024;
    float *grown = bf_realloc(said->value, capacity * said->columns * sizeof *grown);
    if (!grown)
        return bf_fail_memory(err);
    said->value = grown;
    said->capacity = capacity;
    return BF_OK;
}

static bf_status take_value(const bf_said_column *column, const bf_csv_reader *csv, const bf_csv_field *field,
                            float *ret, bf_error *err)
{
    double value = NAN;
    bf_csv_field is = field[column->place];
    *ret = NAN;
    if (is.size == 0 || (column->state >= 0 && strcmp(field[column->state].text, "present") != 0))
        return BF_OK;
    if (!bf_csv_number(is, &value) || fabs(value) > VALUE_MOST) {
        bf_status status =
            bf_csv_fail(csv, err, "%s.%.60s is '%.60s'.", column->llr ? "llr" : "raw", column->detector, is.text);
        bf_fail_hint(err, "It must be a number, or empty when the detector said nothing. Score this sample again.");
        return status;
    }
    *ret = (float)value;
    return BF_OK;
}

bf_status bf_said_take(void *context, const bf_csv_reader *csv, const bf_csv_field *field, bf_error *err)
{
    bf_said *said = context;
    bf_status status = said->ready ? BF_OK : find_columns(said, csv, err);
    if (status != BF_OK || said->columns == 0)
        return status;
    status = make_room(said, err);
    float *value = status == BF_OK ? said->value + said->rows * said->columns : NULL;
    for (size_t c = 0; status == BF_OK && c < said->columns; c++)
        status = take_value(&said->column[c], csv, field, &value[c], err);
    said->rows += status == BF_OK;
    return status;
}

void bf_said_done(bf_said *said)
{
    for (size_t c = 0; c < said->columns; c++)
        bf_free(said->column[c].detector);
    bf_free(said->value);
    *said = (bf_said){0};
}

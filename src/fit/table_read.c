/* From the columns of each detector to numbers, beside the reading of an evaluation. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"
#include "fit/table.h"

#define VALUE_MAX 1e12
#define PREFIX_SIZE 4 /* of "raw." and "llr." */

typedef struct reading {
    bf_fit_table *table;
    bf_ids samples; /* those that count: their numbers are those of the rows */
    bool ready;     /* the columns are known */
    int id, quality, raw[BF_FIT_DETECTORS_MAX], llr[BF_FIT_DETECTORS_MAX], state[BF_FIT_DETECTORS_MAX];
    size_t capacity;
} reading;

static void reading_done(reading *r)
{
    bf_ids_done(&r->samples);
}

static bf_status add_detector(bf_fit_table *table, const char *name, bf_error *err)
{
    if (bf_fit_detector(table, name) >= 0)
        return BF_OK;
    if (table->detectors == BF_FIT_DETECTORS_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The table has more than %d detectors.", BF_FIT_DETECTORS_MAX);
    /* Sorted by name, so that the order of the columns does not matter. */
    size_t at = table->detectors;
    for (; at > 0 && strcmp(table->detector[at - 1], name) > 0; at--)
        table->detector[at] = table->detector[at - 1];
    table->detectors++;
    table->detector[at] = bf_strdup(name);
    return table->detector[at] ? BF_OK : bf_fail_memory(err);
}

static int find_column(const bf_csv_reader *csv, const char *prefix, const char *detector)
{
    char name[BF_CSV_NAME_BYTES_MAX + 16];
    (void)snprintf(name, sizeof name, "%s%s", prefix, detector);
    return bf_csv_find(csv, name);
}

static bf_status find_columns(reading *r, const bf_csv_reader *csv, bf_error *err)
{
    bf_status status = BF_OK;
    for (size_t c = 0; status == BF_OK && c < bf_csv_column_count(csv); c++) {
        const char *name = bf_csv_column(csv, c);
        if (strncmp(name, "raw.", PREFIX_SIZE) == 0 || strncmp(name, "llr.", PREFIX_SIZE) == 0)
            status = add_detector(r->table, name + PREFIX_SIZE, err);
    }
    for (size_t d = 0; d < r->table->detectors; d++) {
        r->raw[d] = find_column(csv, "raw.", r->table->detector[d]);
        r->llr[d] = find_column(csv, "llr.", r->table->detector[d]);
        r->state[d] = find_column(csv, "state.", r->table->detector[d]);
    }
    r->id = bf_csv_find(csv, "sample_id");
    r->quality = bf_csv_find(csv, "quality_passed");
    r->ready = status == BF_OK;
    return status;
}

/* `list` is the address of a pointer to anything. */
static bool enlarge(void *list, size_t size)
{
    void *old, *larger;
    memcpy(&old, list, sizeof old);
    larger = bf_realloc(old, size + 1);
    if (larger)
        memcpy(list, &larger, sizeof larger);
    return larger != NULL;
}

static bf_status grow(reading *r, bf_error *err)
{
    bf_fit_table *table = r->table;
    size_t capacity = r->capacity ? r->capacity + r->capacity / 2 : 1024;
    size_t values = capacity * table->detectors * sizeof *table->raw;
    if (!enlarge(&table->raw, values) || !enlarge(&table->llr, values) ||
        !enlarge(&table->file_row, capacity * sizeof *table->file_row) ||
        !enlarge(&table->quality_passed, capacity * sizeof *table->quality_passed))
        return bf_fail_memory(err);
    r->capacity = capacity;
    return BF_OK;
}

/* A detector's value; NaN where there is none. */
static bf_status read_value(const bf_csv_reader *csv, const bf_csv_field *field, int column, bool present, double *ret,
                            bf_error *err)
{
    *ret = NAN;
    if (column < 0 || !present || field[column].size == 0)
        return BF_OK;
    if (bf_csv_number(field[column], ret) && fabs(*ret) <= VALUE_MAX)
        return BF_OK;
    bf_status status = bf_csv_fail(csv, err, "%s is '%.60s'.", bf_csv_column(csv, (size_t)column), field[column].text);
    bf_fail_hint(err, "It must be a number, or empty where the detector said nothing.");
    return status;
}

static bf_status read_present(const bf_csv_reader *csv, const bf_csv_field *field, int column, bool *ret, bf_error *err)
{
    static const char *const others[] = {"not_applicable", "failed", "absent", ""};
    *ret = column < 0 || strcmp(field[column].text, "present") == 0;
    for (size_t i = 0; !*ret && i < sizeof others / sizeof *others; i++) {
        if (strcmp(field[column].text, others[i]) == 0)
            return BF_OK;
    }
    if (*ret)
        return BF_OK;
    bf_status status = bf_csv_fail(csv, err, "%s is '%.60s'.", bf_csv_column(csv, (size_t)column), field[column].text);
    bf_fail_hint(err, "It must be present, not_applicable, failed or absent. Score again.");
    return status;
}

static bf_status read_detectors(const reading *r, const bf_csv_reader *csv, const bf_csv_field *field, size_t row,
                                bf_error *err)
{
    bf_fit_table *table = r->table;
    for (size_t d = 0; d < table->detectors; d++) {
        size_t at = row * table->detectors + d;
        bool present;
        bf_status status = read_present(csv, field, r->state[d], &present, err);
        if (status == BF_OK)
            status = read_value(csv, field, r->raw[d], present, &table->raw[at], err);
        if (status == BF_OK)
            status = read_value(csv, field, r->llr[d], present, &table->llr[at], err);
        if (status != BF_OK)
            return status;
        if (present && r->state[d] >= 0 && r->raw[d] >= 0 && isnan(table->raw[at])) {
            status = bf_csv_fail(csv, err, "state.%s is present, but raw.%s is empty.", table->detector[d],
                                 table->detector[d]);
            bf_fail_hint(err, "Score this sample again.");
            return status;
        }
    }
    return BF_OK;
}

static bf_status read_row(void *context, const bf_csv_reader *csv, const bf_csv_field *field, bf_error *err)
{
    reading *r = context;
    uint32_t row;
    bool is_new;
    bf_status status = r->ready ? BF_OK : find_columns(r, csv, err);
    if (status == BF_OK)
        status = bf_ids_add(&r->samples, field[r->id].text, field[r->id].size, &row, &is_new, err);
    if (status == BF_OK && row == r->capacity)
        status = grow(r, err);
    if (status != BF_OK)
        return status;
    const char *passed = r->quality < 0 ? "" : field[r->quality].text;
    r->table->file_row[row] = bf_csv_row(csv);
    r->table->quality_passed[row] = strcmp(passed, "true") == 0    ? 1
                                    : strcmp(passed, "false") == 0 ? 0
                                                                   : BF_QUALITY_UNKNOWN;
    if (passed[0] && r->table->quality_passed[row] == BF_QUALITY_UNKNOWN)
        return bf_csv_fail(csv, err, "quality_passed is '%.60s'; it must be true, false or empty.", passed);
    return read_detectors(r, csv, field, row, err);
}

/* Moves each thing of `size` bytes to the place that `rank` gives it. `list` is the address of a pointer to them. */
static bool permute(void *list, size_t size, const uint32_t *rank, size_t count)
{
    char *from, *to = bf_malloc(count * size + 1);
    if (!to)
        return false;
    memcpy(&from, list, sizeof from);
    for (size_t i = 0; size > 0 && i < count; i++)
        memcpy(to + rank[i] * size, from + i * size, size);
    bf_free(from);
    memcpy(list, &to, sizeof to);
    return true;
}

static bf_status settle(reading *r, bf_error *err)
{
    bf_fit_table *table = r->table;
    size_t count = table->scores.count, values = table->detectors * sizeof *table->raw;
    uint32_t *rank = NULL;
    bf_status status = bf_ids_ranks(&r->samples, &rank, err);
    if (status != BF_OK)
        return status;
    if (!permute(&table->scores.row, sizeof *table->scores.row, rank, count) ||
        !permute(&table->scores.stage_ms, table->scores.stages * sizeof *table->scores.stage_ms, rank, count) ||
        !permute(&table->raw, values, rank, count) || !permute(&table->llr, values, rank, count) ||
        !permute(&table->file_row, sizeof *table->file_row, rank, count) ||
        !permute(&table->quality_passed, sizeof *table->quality_passed, rank, count))
        status = bf_fail_memory(err);
    bf_free(rank);
    table->scores.capacity = count;
    for (size_t i = 0; i < count; i++)
        table->classes[table->scores.row[i].kind > 0]++;
    return status;
}

static bf_status check_split(const char *split, bf_error *err)
{
    if (!split || strcasecmp(split, BF_FIT_REFUSED) != 0)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "Nothing is fitted on a split called '%s'.", split);
    bf_fail_hint(err, "What was fitted on it could not be tested on it any more. Fit on '%s' or 'validation'.",
                 BF_FIT_SPLIT);
    return BF_INVALID_ARGUMENT;
}

static bf_status check_persons(const bf_fit_table *table, const char *path, bf_error *err)
{
    if (table->scores.persons > 1)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "%s has presentations of one person only.", path);
    bf_fail_hint(err, "A fit to one person says nothing about others. Capture more people, or fill in person_id.");
    return BF_INVALID_ARGUMENT;
}

bf_status bf_fit_table_read(bf_fit_table *ret, const char *path, const bf_fit_options *options, bf_error *err)
{
    bf_fit_table table = {0};
    BF_CLEANUP(reading_done) reading r = {.table = &table};
    const bf_scores_options scores = {
        .split = options->split ? options->split : BF_FIT_SPLIT,
        .split_if_any = !options->split,
        .row = read_row,
        .row_context = &r,
        .progress = options->progress,
        .context = options->context,
    };
    bf_status status = check_split(options->split, err);
    if (status == BF_OK)
        status = bf_scores_read(&table.scores, path, &scores, err);
    if (status == BF_OK)
        status = settle(&r, err);
    if (status == BF_OK)
        status = check_persons(&table, path, err);
    if (status != BF_OK) {
        bf_fit_table_done(&table);
        return status;
    }
    *ret = table;
    return BF_OK;
}

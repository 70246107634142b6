#include "review/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"

#define PROGRESS_ROWS 20000
#define REQUIRED 3 /* texts that the table must have, from the first; and the score */

static const char *const TEXTS[BF_TEXTS] = {
    "sample_id",       "label",         "status",           "sha256",         "attack_type", "attack_family",
    "person_id",       "session_id",    "platform",         "device_class",   "channel",     "capture_type",
    "lighting_bucket", "review_status", "source",           "split",          "code",        "band",
    "decision",        "reason",        "evidence_reasons", "quality_passed", "flow",        "stack"};

enum { SCORE, LLR, IOD, TOTAL_MS, FACE, NUMBERS = FACE + 4 };
static const char *const NUMBER_NAMES[NUMBERS] = {"score",   "live_llr", "face_iod_px", "ms.total",
                                                  "face_x0", "face_y0",  "face_x1",     "face_y1"};

typedef struct reading {
    bf_csv_reader *csv;
    const bf_scored_options *options;
    bf_scored_table *table;
    int text[BF_TEXTS], number[NUMBERS];
    int raw[BF_REVIEW_DETECTORS_MAX], llr[BF_REVIEW_DETECTORS_MAX], state[BF_REVIEW_DETECTORS_MAX];
    int value[BF_REVIEW_MEASURES_MAX], native[BF_REVIEW_MEASURES_MAX], flow[BF_REVIEW_FLOWS_MAX];
    const bf_csv_field *field;
    const char *stack; /* of the first row */
} reading;

static bf_status fail_value(const reading *r, const char *name, int column, const char *allowed, bf_error *err)
{
    bf_status status = bf_csv_fail(r->csv, err, "%s is '%.60s'.", name, bf_csv_at(r->field, column).text);
    bf_fail_hint(err, "It must be %s. Correct the manifest and score again, or correct this row.", allowed);
    return status;
}

static bf_status read_word(const reading *r, bf_scored_text column, const char *const *words, int count,
                           const char *allowed, uint8_t *ret, bf_error *err)
{
    int word = bf_csv_word(bf_csv_at(r->field, r->text[column]).text, words, count);
    if (word < 0)
        return fail_value(r, TEXTS[column], r->text[column], allowed, err);
    *ret = (uint8_t)word;
    return BF_OK;
}

/* NaN where the field is empty. */
static bf_status read_number(const reading *r, int column, double min, double max, double *ret, bf_error *err)
{
    bf_csv_field field = bf_csv_at(r->field, column);
    double value = NAN;
    if (field.size > 0 && (!bf_csv_number(field, &value) || value < min || value > max)) {
        bf_status status =
            bf_csv_fail(r->csv, err, "%s is '%.60s'.", bf_csv_column(r->csv, (size_t)column), field.text);
        bf_fail_hint(err, "It must be a number from %g to %g, or empty when there is none.", min, max);
        return status;
    }
    *ret = value;
    return BF_OK;
}

static bf_status read_float(const reading *r, int column, float *ret, bf_error *err)
{
    double value = NAN;
    bf_status status = read_number(r, column, -1e30, 1e30, &value, err);
    *ret = (float)value;
    return status;
}

static bf_status read_words(const reading *r, bf_scored *row, bf_error *err)
{
    static const char *const labels[] = {"live", "bona_fide", "spoof", "attack"};
    static const char *const states[] = {"ok", "could_not_judge", "error"};
    static const char *const reviews[] = {"confirmed", "uncertain", "disputed", "excluded", ""};
    static const char *const gates[] = {"", "true", "false"};
    static const char *const decisions[] = {"", "approve", "retry", "challenge", "review", "reject"};
    uint8_t label = 0, decision;
    bf_status status = read_word(r, BF_TEXT_LABEL, labels, 4, "live (or bona_fide) or spoof (or attack)", &label, err);
    if (status == BF_OK)
        status = read_word(r, BF_TEXT_STATUS, states, 3, "ok, could_not_judge or error", &row->status, err);
    if (status == BF_OK)
        status =
            read_word(r, BF_TEXT_REVIEW, reviews, 5, "confirmed, uncertain, disputed or excluded", &row->review, err);
    if (status == BF_OK)
        status = read_word(r, BF_TEXT_GATE, gates, 3, "true, false or empty", &row->gate, err);
    if (status == BF_OK)
        status =
            read_word(r, BF_TEXT_DECISION, decisions, 6, "approve, retry, challenge, review or reject", &decision, err);
    row->attack = label >= 2;
    if (row->review == 4)
        row->review = BF_REVIEW_CONFIRMED;
    return status;
}

static bf_status read_values(const reading *r, bf_scored *row, bf_error *err)
{
    bf_status status = read_number(r, r->number[SCORE], 0, BF_SCORE_TOP, &row->score, err);
    if (status == BF_OK)
        status = read_number(r, r->number[LLR], -1e6, 1e6, &row->llr, err);
    if (status == BF_OK)
        status = read_number(r, r->number[IOD], 0, 1e6, &row->iod_px, err);
    if (status == BF_OK)
        status = read_number(r, r->number[TOTAL_MS], 0, 1e9, &row->total_ms, err);
    float *const side[4] = {&row->face.x0, &row->face.y0, &row->face.x1, &row->face.y1};
    for (int i = 0; status == BF_OK && i < 4; i++) {
        double value = NAN;
        status = read_number(r, r->number[FACE + i], -1e6, 1e6, &value, err);
        *side[i] = (float)value;
    }
    if (status == BF_OK && row->status == BF_SCORE_OK && isnan(row->score)) {
        status = bf_csv_fail(r->csv, err, "status is ok, but there is no score.");
        bf_fail_hint(err, "Score this sample again; if it cannot be judged, its status is could_not_judge.");
    }
    if (row->status != BF_SCORE_OK)
        row->score = row->llr = NAN;
    return status;
}

static bf_status read_evidence(const reading *r, bf_scored *row, bf_error *err)
{
    static const char *const states[] = {"present", "not_applicable", "failed", "absent", ""};
    const bf_scored_table *table = r->table;
    bf_status status = BF_OK;
    for (size_t d = 0; status == BF_OK && d < table->detectors; d++) {
        bf_opinion *opinion = &row->opinion[d];
        status = read_float(r, r->raw[d], &opinion->raw, err);
        if (status == BF_OK)
            status = read_float(r, r->llr[d], &opinion->llr, err);
        int state = bf_csv_word(bf_csv_at(r->field, r->state[d]).text, states, 5);
        if (status == BF_OK && state < 0)
            return fail_value(r, bf_csv_column(r->csv, (size_t)r->state[d]), r->state[d],
                              "present, not_applicable, failed or absent", err);
        if (state == 4) /* a table without states */
            state = isnan(opinion->llr) ? BF_DETECTOR_ABSENT : BF_DETECTOR_PRESENT;
        opinion->state = (uint8_t)state;
        if (state != BF_DETECTOR_PRESENT)
            opinion->raw = opinion->llr = NAN;
    }
    for (size_t m = 0; status == BF_OK && m < table->measures; m++) {
        status = read_float(r, r->value[m], &row->quality[m].value, err);
        if (status == BF_OK)
            status = read_float(r, r->native[m], &row->quality[m].native, err);
    }
    return status;
}

static bf_status keep_texts(reading *r, bf_scored *row, bf_error *err)
{
    bool good = true;
    for (int t = 0; t < BF_TEXTS; t++) {
        bf_csv_field field = bf_csv_at(r->field, r->text[t]);
        row->text[t] = bf_texts_keep(&r->table->texts, field.text, field.size);
        good = good && row->text[t];
    }
    for (size_t f = 0; f < r->table->flows; f++) {
        bf_csv_field field = bf_csv_at(r->field, r->flow[f]);
        row->flow[f] = bf_texts_keep(&r->table->texts, field.text, field.size);
        good = good && row->flow[f];
    }
    return good ? BF_OK : bf_fail_memory(err);
}

static bf_status check_stack(reading *r, const bf_scored *row, bf_error *err)
{
    const char *stack = row->text[BF_TEXT_STACK];
    if (!r->stack)
        r->stack = stack;
    if (stack == r->stack)
        return BF_OK;
    bf_status status =
        bf_csv_fail(r->csv, err, "This row was scored by stack '%.16s', those before by '%.16s'.", stack, r->stack);
    bf_fail_hint(err, "Errors of several versions have several causes. Score again with one release, or keep the rows "
                      "of one stack.");
    return status;
}

static bf_status grow(bf_scored_table *table, bf_error *err)
{
    if (table->count < table->capacity)
        return BF_OK;
    size_t capacity = table->capacity ? table->capacity * 2 : 1024;
    bf_scored *grown = bf_realloc(table->row, capacity * sizeof *grown);
    if (!grown)
        return bf_fail_memory(err);
    table->row = grown;
    table->capacity = capacity;
    return BF_OK;
}

/* Makes room for the values of a row, in one piece: a table has many rows. */
static bf_status add_row(reading *r, bf_error *err)
{
    bf_scored_table *table = r->table;
    bf_status status = grow(table, err);
    if (status != BF_OK)
        return status;
    size_t flows = table->flows * sizeof(const char *), opinions = table->detectors * sizeof(bf_opinion);
    char *values = bf_calloc(1, flows + opinions + table->measures * sizeof(bf_quality_value) + 1);
    if (!values)
        return bf_fail_memory(err);
    table->row[table->count++] = (bf_scored){.flow = (const char **)(void *)values,
                                             .opinion = (bf_opinion *)(void *)(values + flows),
                                             .quality = (bf_quality_value *)(void *)(values + flows + opinions)};
    return BF_OK;
}

static void drop_last(bf_scored_table *table)
{
    bf_free((void *)table->row[--table->count].flow);
}

static bf_status read_row(reading *r, bf_error *err)
{
    bf_csv_field id = bf_csv_at(r->field, r->text[BF_TEXT_SAMPLE_ID]);
    if (id.size == 0) {
        bf_status status = bf_csv_fail(r->csv, err, "sample_id is empty.");
        bf_fail_hint(err, "Give every sample an id of its own.");
        return status;
    }
    if (r->table->count == BF_REVIEW_ROWS_MAX)
        return bf_csv_fail(r->csv, err, "There are more than %u rows.", BF_REVIEW_ROWS_MAX);
    bf_status status = add_row(r, err);
    if (status != BF_OK)
        return status;
    bf_scored *row = &r->table->row[r->table->count - 1];
    if ((status = keep_texts(r, row, err)) != BF_OK || (status = read_words(r, row, err)) != BF_OK ||
        (status = read_values(r, row, err)) != BF_OK || (status = read_evidence(r, row, err)) != BF_OK)
        return status;
    row->listed = !r->options->split || strcmp(row->text[BF_TEXT_SPLIT], r->options->split) == 0;
    if (row->review == BF_REVIEW_EXCLUDED) {
        r->table->excluded++;
        drop_last(r->table);
        return BF_OK;
    }
    r->table->listed += row->listed;
    return check_stack(r, row, err);
}

/* Columns of one prefix: their names without it go to names[], their places to place[]. */
static bf_status find_prefixed(reading *r, const char *prefix, size_t max, const char **names, int *place, size_t *ret,
                               bf_error *err)
{
    size_t size = strlen(prefix);
    for (size_t c = 0; c < bf_csv_column_count(r->csv) && *ret < max; c++) {
        const char *name = bf_csv_column(r->csv, c);
        if (strncmp(name, prefix, size) != 0)
            continue;
        place[*ret] = (int)c;
        names[*ret] = bf_texts_keep(&r->table->texts, name + size, strlen(name + size));
        if (!names[(*ret)++])
            return bf_fail_memory(err);
    }
    return BF_OK;
}

static int find_beside(const reading *r, const char *prefix, const char *name)
{
    size_t size = strlen(prefix);
    for (size_t c = 0; c < bf_csv_column_count(r->csv); c++) {
        const char *column = bf_csv_column(r->csv, c);
        if (strncmp(column, prefix, size) == 0 && strcmp(column + size, name) == 0)
            return (int)c;
    }
    return -1;
}

static bf_status find_columns(reading *r, bf_error *err)
{
    bf_scored_table *table = r->table;
    for (int t = 0; t < BF_TEXTS; t++) {
        r->text[t] = bf_csv_find(r->csv, TEXTS[t]);
        table->has[t] = r->text[t] >= 0;
    }
    for (int n = 0; n < NUMBERS; n++)
        r->number[n] = bf_csv_find(r->csv, NUMBER_NAMES[n]);
    const char *missing = r->number[SCORE] < 0 ? NUMBER_NAMES[SCORE] : NULL;
    for (int t = REQUIRED - 1; t >= 0; t--)
        missing = table->has[t] ? missing : TEXTS[t];
    if (!missing && r->options->split && !table->has[BF_TEXT_SPLIT])
        missing = TEXTS[BF_TEXT_SPLIT];
    if (missing) {
        bf_fail(err, BF_INVALID_ARGUMENT, "%s, row 1: There is no column '%s'.", bf_csv_name(r->csv), missing);
        bf_fail_hint(err, "The table is the scores.csv that `bonafide score` writes; it needs at least the columns "
                          "sample_id, label, status and score, and split where one is asked for.");
        return BF_INVALID_ARGUMENT;
    }
    bf_status status =
        find_prefixed(r, "llr.", BF_REVIEW_DETECTORS_MAX, table->detector, r->llr, &table->detectors, err);
    if (status == BF_OK)
        status = find_prefixed(r, "q.", BF_REVIEW_MEASURES_MAX, table->measure, r->value, &table->measures, err);
    if (status == BF_OK)
        status = find_prefixed(r, "decision.", BF_REVIEW_FLOWS_MAX, table->flow, r->flow, &table->flows, err);
    for (size_t d = 0; status == BF_OK && d < table->detectors; d++) {
        r->raw[d] = find_beside(r, "raw.", table->detector[d]);
        r->state[d] = find_beside(r, "state.", table->detector[d]);
    }
    for (size_t m = 0; status == BF_OK && m < table->measures; m++)
        r->native[m] = find_beside(r, "n.", table->measure[m]);
    return status;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const bf_scored *)a)->text[BF_TEXT_SAMPLE_ID], ((const bf_scored *)b)->text[BF_TEXT_SAMPLE_ID]);
}

/* In the order of the ids, so that the order of the table's rows does not matter; and no id twice. */
static bf_status settle(reading *r, bf_error *err)
{
    bf_scored_table *table = r->table;
    if (table->listed == 0) {
        bf_fail(err, BF_INVALID_ARGUMENT, "%s has no row that counts%s%.60s.", bf_csv_name(r->csv),
                r->options->split ? " in the split " : "", r->options->split ? r->options->split : "");
        bf_fail_hint(err, "Score a dataset with `bonafide score`; rows whose review excludes them do not count.");
        return BF_INVALID_ARGUMENT;
    }
    qsort(table->row, table->count, sizeof *table->row, by_id);
    for (size_t i = 1; i < table->count; i++) {
        if (by_id(&table->row[i - 1], &table->row[i]) != 0)
            continue;
        bf_fail(err, BF_INVALID_ARGUMENT, "%s: The sample_id '%.80s' stands in several rows.", bf_csv_name(r->csv),
                table->row[i].text[BF_TEXT_SAMPLE_ID]);
        bf_fail_hint(err, "Remove all of these rows but one; review journeys one at a time.");
        return BF_INVALID_ARGUMENT;
    }
    return BF_OK;
}

bf_status bf_scored_read(bf_scored_table *ret, const char *path, const bf_scored_options *options, bf_error *err)
{
    BF_CLEANUP(bf_scored_done) bf_scored_table table = {0};
    BF_CLEANUP(bf_csv_free) bf_csv_reader *csv = NULL;
    bf_status status = bf_csv_open(path, &csv, err);
    reading r = {.csv = csv, .options = options, .table = &table};
    if (status == BF_OK)
        status = find_columns(&r, err);
    for (uint64_t rows = 0; status == BF_OK; rows++) {
        status = bf_csv_next(csv, &r.field, err);
        if (status != BF_OK || !r.field)
            break;
        status = read_row(&r, err);
        if (options->progress && rows % PROGRESS_ROWS == 0)
            options->progress(options->context, bf_csv_offset(csv));
    }
    if (status == BF_OK)
        status = settle(&r, err);
    if (status != BF_OK)
        return status;
    *ret = table;
    table = (bf_scored_table){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

void bf_scored_done(bf_scored_table *table)
{
    while (table->count > 0)
        drop_last(table);
    bf_free(table->row);
    bf_texts_done(&table->texts);
    *table = (bf_scored_table){0};
}

const bf_scored *bf_scored_find(const bf_scored_table *table, const char *sample_id)
{
    bf_scored key = {.text[BF_TEXT_SAMPLE_ID] = sample_id};
    return bsearch(&key, table->row, table->count, sizeof key, by_id);
}

bool bf_scored_right(const bf_scored *row, double threshold)
{
    return row->status == BF_SCORE_OK && (row->score >= threshold) != row->attack;
}

/* reviews.csv as reviewers send it back, and the manifest that takes it over. */
#include "review/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"
#include "dataset/text.h"
#include "review/remark.h"
#include "review/review.h"

enum { SAMPLE_ID, VERDICT, REVIEWER, CAUSE, NOTE, COLUMNS };
static const char *const NAMES[COLUMNS] = {"sample_id", "verdict", "reviewer", "cause", "note"};
#define REQUIRED 3

/* The columns that are brought up to date. */
enum { STATUS, WRITTEN, REVIEWERS, REVIEWED_AT, KEPT };
static const char *const KEPT_NAMES[KEPT] = {"review_status", "review_note", "reviewer", "reviewed_at"};

typedef struct note {
    const char *sample_id;
    bf_remark said;
    uint64_t row; /* of the reviews */
    bool found;   /* the manifest has the sample */
} note;

typedef struct importing {
    bf_texts texts;
    note *note; /* by sample_id, then reviewer, then row */
    size_t count, capacity;
    const char *reviews; /* the table's name */
    const char *now;
    bf_notes_counts counts;
} importing;

static void importing_done(importing *im)
{
    bf_free(im->note);
    bf_texts_done(&im->texts);
}

static bf_status fail_word(const bf_csv_reader *csv, const char *column, const char *text, const char *allowed,
                           bf_error *err)
{
    bf_status status = bf_csv_fail(csv, err, "%s is '%.60s'.", column, text);
    bf_fail_hint(err, "It must be %s.", allowed);
    return status;
}

static const char *keep(importing *im, const char *text)
{
    return bf_texts_keep(&im->texts, text, strlen(text));
}

static bf_status add_note(importing *im, note added, bf_error *err)
{
    if (im->count == im->capacity) {
        size_t capacity = im->capacity ? im->capacity * 2 : 256;
        note *grown = bf_realloc(im->note, capacity * sizeof *grown);
        if (!grown)
            return bf_fail_memory(err);
        im->note = grown;
        im->capacity = capacity;
    }
    im->note[im->count++] = added;
    return BF_OK;
}

static bf_status take_note(importing *im, const bf_csv_reader *csv, const char *const value[COLUMNS], bf_error *err)
{
    char text[BF_NOTE_BYTES_MAX + 1];
    note n = {.row = bf_csv_row(csv)};
    if (!bf_verdict_parse(value[VERDICT], &n.said.verdict))
        return fail_word(csv, NAMES[VERDICT], value[VERDICT], "agreed, label wrong or unclear, or empty", err);
    if (!bf_remark_cause_known(value[CAUSE]))
        return fail_word(csv, NAMES[CAUSE], value[CAUSE],
                         "infrastructure, data, capture_ux, security, threshold, model or unclear, or empty", err);
    if (!bf_remark_reviewer_valid(value[REVIEWER]))
        return fail_word(csv, NAMES[REVIEWER], value[REVIEWER],
                         "who wrote the verdict: up to 60 bytes without , ; : | and control characters", err);
    if (!bf_remark_tidy(value[NOTE], text, sizeof text)) {
        bf_status status = bf_csv_fail(csv, err, "The note is longer than %d bytes.", BF_NOTE_BYTES_MAX);
        bf_fail_hint(err, "Say it in a sentence.");
        return status;
    }
    n.sample_id = keep(im, value[SAMPLE_ID]);
    n.said.reviewer = keep(im, value[REVIEWER]);
    n.said.cause = keep(im, value[CAUSE]);
    n.said.text = keep(im, text);
    if (!n.sample_id || !n.said.reviewer || !n.said.cause || !n.said.text)
        return bf_fail_memory(err);
    im->counts.reviews++;
    return add_note(im, n, err);
}

static bf_status read_notes(importing *im, bf_csv_reader *csv, bf_error *err)
{
    int column[COLUMNS];
    const bf_csv_field *field = NULL;
    for (int c = 0; c < COLUMNS; c++) {
        column[c] = bf_csv_find(csv, NAMES[c]);
        if (column[c] < 0 && c < REQUIRED) {
            bf_fail(err, BF_INVALID_ARGUMENT, "%s, row 1: There is no column '%s'.", bf_csv_name(csv), NAMES[c]);
            bf_fail_hint(err, "Reviews are the reviews.csv of a package that `bonafide errors --package` makes, filled "
                              "in.");
            return BF_INVALID_ARGUMENT;
        }
    }
    for (;;) {
        const char *value[COLUMNS];
        bf_status status = bf_csv_next(csv, &field, err);
        if (status != BF_OK || !field)
            return status;
        for (int c = 0; c < COLUMNS; c++)
            value[c] = column[c] < 0 ? "" : field[column[c]].text;
        if (value[VERDICT][0] == '\0') {
            im->counts.without++;
            continue;
        }
        if (im->count == BF_NOTES_MAX)
            return bf_csv_fail(csv, err, "There are more than %d reviews.", BF_NOTES_MAX);
        status = take_note(im, csv, value, err);
        if (status != BF_OK)
            return status;
    }
}

static int by_sample(const void *a, const void *b)
{
    const note *x = a, *y = b;
    int order = strcmp(x->sample_id, y->sample_id);
    if (order == 0)
        order = strcmp(x->said.reviewer, y->said.reviewer);
    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

/* A reviewer may say the same twice, but not two things. */
static bf_status settle(importing *im, bf_error *err)
{
    size_t kept = 0;
    if (im->count > 0)
        qsort(im->note, im->count, sizeof *im->note, by_sample);
    for (size_t i = 0; i < im->count; i++) {
        note *n = &im->note[i], *before = kept > 0 ? &im->note[kept - 1] : NULL;
        bool again = before && strcmp(before->sample_id, n->sample_id) == 0 &&
                     strcmp(before->said.reviewer, n->said.reviewer) == 0;
        bool same = again && before->said.verdict == n->said.verdict && before->said.cause == n->said.cause &&
                    before->said.text == n->said.text;
        if (again && !same) {
            bf_fail(err, BF_INVALID_ARGUMENT,
                    "%s, row %llu: '%.60s' has reviewed the sample '%.80s' in row %llu already, "
                    "otherwise.",
                    im->reviews, (unsigned long long)n->row, n->said.reviewer, n->sample_id,
                    (unsigned long long)before->row);
            bf_fail_hint(err, "Keep one of the rows; different reviewers need different names.");
            return BF_INVALID_ARGUMENT;
        }
        if (!again)
            im->note[kept++] = *n;
    }
    im->count = kept;
    return BF_OK;
}

/* The first note about the sample; NULL when there is none. */
static note *find_notes(const importing *im, const char *sample_id)
{
    size_t low = 0, high = im->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(im->note[middle].sample_id, sample_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < im->count && strcmp(im->note[low].sample_id, sample_id) == 0 ? &im->note[low] : NULL;
}

static void count(bf_notes_counts *counts, const char *status)
{
    size_t *place = strcmp(status, "confirmed") == 0   ? &counts->confirmed
                    : strcmp(status, "uncertain") == 0 ? &counts->uncertain
                    : strcmp(status, "excluded") == 0  ? &counts->excluded
                                                       : &counts->disputed;
    ++*place;
}

/* Replaces what the row says of its review; value[] points into `merged` or stays. */
static bf_status review_row(importing *im, note *notes, const char *value[KEPT], bf_remarks *merged, bf_error *err)
{
    bf_remarks_read(merged, value[WRITTEN]);
    for (note *n = notes; n < im->note + im->count && strcmp(n->sample_id, notes->sample_id) == 0; n++) {
        n->found = true;
        if (!bf_remarks_add(merged, &n->said))
            return bf_fail(err, BF_INVALID_ARGUMENT, "%s, row %llu: The sample '%.80s' has more reviewers than %d.",
                           im->reviews, (unsigned long long)n->row, n->sample_id, BF_REMARKS_MAX);
    }
    if (!bf_remarks_write(merged))
        return bf_fail(err, BF_INVALID_ARGUMENT,
                       "%s, row %llu: All notes about the sample '%.80s' are too long together.", im->reviews,
                       (unsigned long long)notes->row, notes->sample_id);
    bool changed = strcmp(value[WRITTEN], merged->written) != 0 || strcmp(value[STATUS], merged->status) != 0 ||
                   strcmp(value[REVIEWERS], merged->reviewers) != 0;
    count(&im->counts, merged->status);
    if (!changed)
        return BF_OK;
    im->counts.changed++;
    value[STATUS] = merged->status;
    value[WRITTEN] = merged->written;
    value[REVIEWERS] = merged->reviewers;
    value[REVIEWED_AT] = im->now;
    return BF_OK;
}

/* Copies the manifest row by row. The columns of reviews that it lacks are put behind the others. */
static bf_status copy_rows(importing *im, bf_csv_reader *csv, bf_csv_writer *writer, bf_remarks *merged, bf_error *err)
{
    int place[KEPT], id = bf_csv_find(csv, "sample_id"), path = bf_csv_find(csv, "path");
    size_t columns = bf_csv_column_count(csv);
    const bf_csv_field *field = NULL;
    if (path < 0)
        return bf_fail(err, BF_INVALID_ARGUMENT, "%s has no column 'path'.", bf_csv_name(csv));
    for (size_t c = 0; c < columns; c++)
        bf_csv_put(writer, bf_csv_column(csv, c));
    for (int k = 0; k < KEPT; k++) {
        place[k] = bf_csv_find(csv, KEPT_NAMES[k]);
        if (place[k] < 0)
            bf_csv_put(writer, KEPT_NAMES[k]);
    }
    bf_csv_end_row(writer);
    for (;;) {
        const char *value[KEPT];
        bf_status status = bf_csv_next(csv, &field, err);
        if (status != BF_OK || !field)
            return status;
        for (int k = 0; k < KEPT; k++)
            value[k] = place[k] < 0 ? "" : field[place[k]].text;
        note *notes = find_notes(im, id < 0 ? field[path].text : field[id].text);
        if (notes && (status = review_row(im, notes, value, merged, err)) != BF_OK)
            return status;
        for (size_t c = 0; c < columns; c++) {
            const char *text = field[c].text;
            for (int k = 0; k < KEPT; k++)
                text = place[k] == (int)c ? value[k] : text;
            bf_csv_put(writer, text);
        }
        for (int k = 0; k < KEPT; k++) {
            if (place[k] < 0)
                bf_csv_put(writer, value[k]);
        }
        bf_csv_end_row(writer);
    }
}

static bf_status check_found(const importing *im, const char *manifest, bf_error *err)
{
    const note *first = NULL;
    for (size_t i = 0; i < im->count; i++) {
        if (!im->note[i].found && (!first || im->note[i].row < first->row))
            first = &im->note[i];
    }
    if (!first)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "%s, row %llu: The dataset has no sample '%.80s'.", im->reviews,
            (unsigned long long)first->row, first->sample_id);
    bf_fail_hint(err, "Is %.120s the manifest that was scored? Nothing was changed.", manifest);
    return BF_INVALID_ARGUMENT;
}

bf_status bf_notes_import(const char *reviews, const char *manifest, const char *now, bf_notes_counts *ret,
                          bf_error *err)
{
    BF_CLEANUP(importing_done) importing im = {.now = now};
    BF_CLEANUP(bf_csv_free) bf_csv_reader *csv = NULL, *old = NULL;
    BF_CLEANUP(bf_csv_writer_free) bf_csv_writer *writer = NULL;
    bf_remarks *merged = bf_calloc(1, sizeof *merged);
    bf_status status = merged ? bf_csv_open(reviews, &csv, err) : bf_fail_memory(err);
    if (status == BF_OK) {
        im.reviews = bf_csv_name(csv);
        status = read_notes(&im, csv, err);
    }
    if (status == BF_OK)
        status = settle(&im, err);
    if (status == BF_OK)
        status = bf_csv_open(manifest, &old, err);
    if (status == BF_OK)
        status = bf_csv_create(manifest, &writer, err);
    if (status == BF_OK)
        status = copy_rows(&im, old, writer, merged, err);
    bf_free(merged);
    if (status == BF_OK)
        status = check_found(&im, manifest, err);
    if (status == BF_OK && im.counts.changed > 0)
        status = bf_csv_commit(writer, err);
    if (status == BF_OK)
        *ret = im.counts;
    return status;
}

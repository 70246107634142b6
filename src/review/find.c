/* Which rows are errors, and looking at each. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/words.h"
#include "dataset/parallel.h"
#include "review/review.h"

static bool decided(const bf_scored *row, const char *decision)
{
    return strcmp(row->text[BF_TEXT_DECISION], decision) == 0;
}

/* An error before it is looked at. */
typedef struct found {
    bf_slip_kind kind;
    bool policy;
    const bf_scored *row;
} found;

/* Whether the row is an error; then what kind it is. */
static bool is_slip(const bf_scored *row, double threshold, found *ret)
{
    bool judged = row->status == BF_SCORE_OK, accepted = judged && row->score >= threshold;
    found slip = {.row = row, .policy = decided(row, row->attack ? "approve" : "reject")};
    if (row->attack)
        slip.kind = accepted ? BF_SLIP_FALSE_ACCEPT : BF_SLIP_APPROVED_ATTACK;
    else
        slip.kind = !judged ? BF_SLIP_NO_RESPONSE : accepted ? BF_SLIP_REJECTED_LIVE : BF_SLIP_FALSE_REJECT;
    bool only_policy = slip.kind == BF_SLIP_APPROVED_ATTACK || slip.kind == BF_SLIP_REJECTED_LIVE;
    *ret = slip;
    return row->listed && (slip.policy || !only_policy);
}

/* The furthest on the wrong side first; without a score, by id. */
static int by_gravity(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    double p = x->row->score, q = y->row->score;
    if (p != q && !isnan(p) && !isnan(q))
        return (p < q) == x->row->attack ? 1 : -1;
    if (isnan(p) != isnan(q))
        return isnan(p) ? 1 : -1;
    return strcmp(x->row->text[BF_TEXT_SAMPLE_ID], y->row->text[BF_TEXT_SAMPLE_ID]);
}

/* Keeps the worst of each kind, as many as are shown. */
static bf_status keep(bf_review_report *r, const found *all, size_t count, bf_error *err)
{
    size_t kept = 0;
    for (int k = 0; k < BF_SLIP_KINDS; k++) {
        r->shown[k] = r->found[k] < r->options.limit ? r->found[k] : r->options.limit;
        kept += r->shown[k];
    }
    r->slip = bf_calloc(kept + 1, sizeof *r->slip);
    if (!r->slip)
        return bf_fail_memory(err);
    for (size_t i = 0, of_kind = 0; i < count; i++) {
        of_kind = i > 0 && all[i].kind == all[i - 1].kind ? of_kind + 1 : 0;
        if (of_kind < r->options.limit)
            r->slip[r->count++] = (bf_slip){.kind = all[i].kind, .policy = all[i].policy, .row = all[i].row};
    }
    return BF_OK;
}

static bf_status collect(bf_review_report *r, bf_error *err)
{
    size_t count = 0;
    found *all = bf_calloc(r->table->count, sizeof *all);
    if (!all)
        return bf_fail_memory(err);
    for (size_t i = 0; i < r->table->count; i++) {
        const bf_scored *row = &r->table->row[i];
        r->presentations[row->attack] += row->listed;
        if (is_slip(row, r->options.threshold, &all[count]))
            r->found[all[count++].kind]++;
    }
    qsort(all, count, sizeof *all, by_gravity);
    bf_status status = keep(r, all, count, err);
    bf_free(all);
    return status;
}

static bf_status look(void *data, void *state, size_t index, bf_error *err)
{
    (void)state;
    (void)err;
    bf_review_report *r = data;
    bf_slip *slip = &r->slip[index];
    bf_surroundings_look(&slip->around, r, slip->row);
    bf_diagnose(slip, r);
    return BF_OK;
}

static bool show(void *data, size_t done)
{
    const bf_review_report *r = data;
    return !r->options.progress || r->options.progress(r->options.progress_data, done, r->count);
}

bool bf_weighed_next(const char **at, bf_reason *ret)
{
    for (const char *word = *at + strspn(*at, " "); *word; word = *at + strspn(*at, " ")) {
        char name[BF_NAME_MAX];
        size_t length = strcspn(word, " ");
        (void)snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : 0), word);
        *at = word + length;
        if (bf_reason_from_name(name, ret) && bf_reason_is_evidence(*ret))
            return true;
    }
    return false;
}

static void tally(bf_review_report *r, const bf_slip *slip)
{
    const char *at = slip->row->text[BF_TEXT_WEIGHED];
    r->cause[slip->diagnosis.cause][slip->kind]++;
    for (bf_reason reason; bf_weighed_next(&at, &reason);)
        r->weighed[reason][slip->kind]++;
}

bf_status bf_review_find(bf_review_report *ret, const bf_scored_table *table, const bf_review_options *options,
                         bool *ret_complete, bf_error *err)
{
    BF_CLEANUP(bf_review_done) bf_review_report r = {.table = table, .options = *options};
    size_t done = 0;
    bf_status status = bf_background_measure(&r.background, table, options->threshold, err);
    if (status == BF_OK)
        status = collect(&r, err);
    const bf_parallel parallel = {.count = r.count, .jobs = options->jobs, .data = &r, .work = look, .progress = show};
    if (status == BF_OK)
        status = bf_parallel_run(&parallel, &done, err);
    if (status != BF_OK)
        return status;
    for (size_t i = 0; i < r.count; i++)
        tally(&r, &r.slip[i]);
    *ret_complete = done == r.count;
    *ret = r;
    r = (bf_review_report){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

void bf_review_done(bf_review_report *report)
{
    bf_free(report->slip);
    bf_free(report->background.evidence);
    *report = (bf_review_report){0};
}

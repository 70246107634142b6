/* What the other rows say about an error. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "review/review.h"

#define LOW_PERCENT 5
#define LEAST_VARIANCE 1e-12 /* a detector that always says the same */

static int by_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static bool accepted_live(const bf_scored *row, double threshold)
{
    return !row->attack && bf_scored_right(row, threshold);
}

/* The standard deviation of a detector's llr over the table; 0 when it gave no evidence. */
static double deviation_of(const bf_scored_table *table, size_t d)
{
    double sum = 0, squares = 0, count = 0;
    for (size_t i = 0; i < table->count; i++) {
        double llr = table->row[i].opinion[d].llr;
        if (isnan(llr))
            continue;
        sum += llr;
        squares += llr * llr;
        count++;
    }
    double variance = count > 0 ? squares / count - sum / count * (sum / count) : 0;
    return count == 0 ? 0 : variance > LEAST_VARIANCE ? sqrt(variance) : 1;
}

/* Side by side in memory, since it is gone through once for each error. */
static bf_status lay_out_evidence(bf_background *b, const bf_scored_table *table, bf_error *err)
{
    for (size_t d = 0; d < table->detectors; d++) {
        double deviation = deviation_of(table, d);
        b->deviation[b->used] = (float)deviation;
        b->detector[b->used] = d;
        b->used += deviation > 0;
    }
    b->evidence = bf_calloc(table->count * b->used + 1, sizeof *b->evidence);
    if (!b->evidence)
        return bf_fail_memory(err);
    for (size_t i = 0; i < table->count; i++) {
        for (size_t u = 0; u < b->used; u++)
            b->evidence[i * b->used + u] = table->row[i].opinion[b->detector[u]].llr / b->deviation[u];
    }
    return BF_OK;
}

/* Sorts what `value` holds; NaN for both when it is empty. */
static void take_percentiles(float *value, size_t count, float *ret_low, float *ret_median)
{
    *ret_low = *ret_median = NAN;
    if (count == 0)
        return;
    qsort(value, count, sizeof *value, by_float);
    *ret_low = value[count * LOW_PERCENT / 100];
    *ret_median = value[count / 2];
}

bf_status bf_background_measure(bf_background *ret, const bf_scored_table *table, double threshold, bf_error *err)
{
    bf_background b = {.ms_median = NAN};
    float *value = bf_calloc(table->count, sizeof *value), unused, median;
    if (!value)
        return bf_fail_memory(err);
    for (size_t i = 0; i < table->count; i++) {
        b.accepted_live += accepted_live(&table->row[i], threshold);
        b.has_train = b.has_train || strcmp(table->row[i].text[BF_TEXT_SPLIT], "train") == 0;
        if (!isnan(table->row[i].total_ms))
            value[b.timed++] = (float)table->row[i].total_ms;
    }
    take_percentiles(value, b.timed, &unused, &median);
    b.ms_median = median;
    for (size_t m = 0; m < table->measures; m++) {
        size_t count = 0;
        for (size_t i = 0; i < table->count; i++) {
            float quality = table->row[i].quality[m].value;
            if (accepted_live(&table->row[i], threshold) && !isnan(quality))
                value[count++] = quality;
        }
        take_percentiles(value, count, &b.low[m], &b.median[m]);
    }
    bf_free(value);
    bf_status status = lay_out_evidence(&b, table, err);
    if (status == BF_OK)
        *ret = b;
    return status;
}

/* Mean squared distance over the detectors that gave evidence for `from`; NaN when one of them gave none for `to`, or
 * none did. */
static float distance_of(const float *from, const float *to, size_t used)
{
    float sum = 0, count = 0;
    for (size_t u = 0; u < used; u++) {
        if (isnan(from[u]))
            continue;
        sum += (from[u] - to[u]) * (from[u] - to[u]);
        count++;
    }
    return sum / count;
}

static void keep_nearer(bf_near *near, const bf_scored *row, double distance)
{
    if (!near->row || distance < near->distance)
        *near = (bf_near){row, distance};
}

/* The BF_NEAREST closest so far, by distance. */
typedef struct nearest {
    double distance[BF_NEAREST];
    bool attack[BF_NEAREST];
    size_t count;
} nearest;

static void keep_nearest(nearest *kept, bool attack, double distance)
{
    size_t at = kept->count < BF_NEAREST ? kept->count++ : BF_NEAREST;
    while (at > 0 && kept->distance[at - 1] > distance) {
        if (at < BF_NEAREST) {
            kept->distance[at] = kept->distance[at - 1];
            kept->attack[at] = kept->attack[at - 1];
        }
        at--;
    }
    if (at < BF_NEAREST) {
        kept->distance[at] = distance;
        kept->attack[at] = attack;
    }
}

/* Whether anything that is kept is further away. */
static bool is_near(const bf_surroundings *s, const nearest *kept, double distance)
{
    return kept->count < BF_NEAREST || distance < kept->distance[BF_NEAREST - 1] || !s->evidence[0].row ||
           !s->evidence[1].row || distance < s->evidence[0].distance || distance < s->evidence[1].distance;
}

static void look_at_evidence(bf_surroundings *s, const bf_review_report *report, const bf_scored *row)
{
    const bf_background *b = &report->background;
    const bf_scored_table *table = report->table;
    const float *mine = &b->evidence[(size_t)(row - table->row) * b->used];
    nearest kept = {0};
    for (size_t i = 0; i < table->count; i++) {
        double distance = distance_of(mine, &b->evidence[i * b->used], b->used);
        const bf_scored *other = &table->row[i];
        if (isnan(distance) || other == row || !is_near(s, &kept, distance))
            continue;
        keep_nearest(&kept, other->attack, distance);
        if (bf_scored_right(other, report->options.threshold))
            keep_nearer(&s->evidence[other->attack], other, distance);
    }
    s->evidence[0].distance = sqrt(s->evidence[0].distance);
    s->evidence[1].distance = sqrt(s->evidence[1].distance);
    s->nearest = kept.count;
    for (size_t i = 0; i < kept.count; i++)
        s->nearest_agree += kept.attack[i] == row->attack;
}

static void look_at_picture(bf_surroundings *s, const bf_review_report *report, const bf_scored *row,
                            const bf_scored *other)
{
    const bf_print *mine = &report->options.print[row - report->table->row];
    const bf_print *theirs = &report->options.print[other - report->table->row];
    if (!mine->present || !theirs->present)
        return;
    int distance = bf_print_distance(mine, theirs);
    if (distance <= BF_PRINT_NEAR && other->attack != row->attack)
        keep_nearer(&s->twin, other, distance);
    if (distance <= BF_PICTURE_FAR && bf_scored_right(other, report->options.threshold))
        keep_nearer(&s->picture[other->attack], other, distance);
}

static void count_species(bf_surroundings *s, const bf_review_report *report, const bf_scored *other)
{
    const bf_background *b = &report->background;
    const float *evidence = &b->evidence[(size_t)(other - report->table->row) * b->used];
    s->species++;
    s->species_accepted += other->score >= report->options.threshold;
    s->species_silent += other->status != BF_SCORE_OK;
    s->species_trained += strcmp(other->text[BF_TEXT_SPLIT], "train") == 0;
    for (size_t u = 0; u < b->used; u++) {
        s->spoke[b->detector[u]] += isnan(evidence[u]) ? 0 : 1;
        s->against[b->detector[u]] += evidence[u] < 0;
    }
}

/* Texts are kept once, so that equal ones have equal addresses. */
static bool same_text(const bf_scored *a, const bf_scored *b, bf_scored_text text)
{
    return a->text[text] == b->text[text] && a->text[text][0] != 0;
}

void bf_surroundings_look(bf_surroundings *ret, const bf_review_report *report, const bf_scored *row)
{
    bf_surroundings s = {0};
    look_at_evidence(&s, report, row);
    for (size_t i = 0; i < report->table->count; i++) {
        const bf_scored *other = &report->table->row[i];
        s.session += same_text(row, other, BF_TEXT_SESSION);
        s.device += same_text(row, other, BF_TEXT_DEVICE);
        if (row->attack && other->attack && row->text[BF_TEXT_SPECIES] == other->text[BF_TEXT_SPECIES])
            count_species(&s, report, other);
        if (!s.copy && row->attack != other->attack && same_text(row, other, BF_TEXT_SHA256))
            s.copy = other;
        if (report->options.print && other != row)
            look_at_picture(&s, report, row, other);
    }
    *ret = s;
}

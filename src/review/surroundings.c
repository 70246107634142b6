/* What the other rows say about an error. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "review/review.h"

#define LOW_PERCENT 5

static int by_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static bool accepted_live(const bf_scored *row, double threshold)
{
    return !row->attack && bf_scored_right(row, threshold);
}

static void measure_llr(bf_background *b, const bf_scored_table *table, size_t d)
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
    double mean = count > 0 ? sum / count : 0, variance = count > 0 ? squares / count - mean * mean : 0;
    b->mean[d] = (float)mean;
    b->deviation[d] = variance > 1e-12 ? (float)sqrt(variance) : 1;
}

/* Sorts what `value` holds; NaN for both when it is empty. */
static void take_percentiles(float *value, size_t count, float *ret_low, float *ret_median)
{
    *ret_low = *ret_median = NAN;
    if (count == 0)
        return;
    qsort(value, count, sizeof *value, by_float);
    if (ret_low)
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
    for (size_t d = 0; d < table->detectors; d++)
        measure_llr(&b, table, d);
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
    *ret = b;
    return BF_OK;
}

/* Root of the mean squared distance over the detectors that gave evidence for `from`, in standard deviations; infinite
 * when one of them gave none for `to`. */
static double evidence_distance(const bf_review_report *report, const bf_scored *from, const bf_scored *to)
{
    double sum = 0;
    size_t count = 0;
    for (size_t d = 0; d < report->table->detectors; d++) {
        float a = from->opinion[d].llr, b = to->opinion[d].llr;
        if (isnan(a))
            continue;
        if (isnan(b))
            return INFINITY;
        double step = (a - b) / report->background.deviation[d];
        sum += step * step;
        count++;
    }
    return count > 0 ? sqrt(sum / (double)count) : INFINITY;
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

static void look_at_evidence(bf_surroundings *s, nearest *kept, const bf_review_report *report, const bf_scored *row,
                             const bf_scored *other)
{
    double distance = evidence_distance(report, row, other);
    if (isinf(distance))
        return;
    keep_nearest(kept, other->attack, distance);
    if (bf_scored_right(other, report->options.threshold))
        keep_nearer(&s->evidence[other->attack], other, distance);
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
    s->species++;
    s->species_accepted += other->score >= report->options.threshold;
    s->species_silent += other->status != BF_SCORE_OK;
    s->species_trained += strcmp(other->text[BF_TEXT_SPLIT], "train") == 0;
    for (size_t d = 0; d < report->table->detectors; d++) {
        s->spoke[d] += isnan(other->opinion[d].llr) ? 0 : 1;
        s->against[d] += other->opinion[d].llr < 0;
    }
}

/* Texts are kept once, so that equal ones have equal addresses. */
static bool same_text(const bf_scored *a, const bf_scored *b, bf_scored_text text)
{
    return a->text[text] == b->text[text] && a->text[text][0];
}

void bf_surroundings_look(bf_surroundings *ret, const bf_review_report *report, const bf_scored *row)
{
    bf_surroundings s = {0};
    nearest kept = {0};
    for (size_t i = 0; i < report->table->count; i++) {
        const bf_scored *other = &report->table->row[i];
        s.session += same_text(row, other, BF_TEXT_SESSION);
        s.device += same_text(row, other, BF_TEXT_DEVICE);
        if (row->attack && other->attack && row->text[BF_TEXT_SPECIES] == other->text[BF_TEXT_SPECIES])
            count_species(&s, report, other);
        if (other == row)
            continue;
        if (!s.copy && row->attack != other->attack && same_text(row, other, BF_TEXT_SHA256))
            s.copy = other;
        look_at_evidence(&s, &kept, report, row, other);
        if (report->options.print)
            look_at_picture(&s, report, row, other);
    }
    s.nearest = kept.count;
    for (size_t i = 0; i < kept.count; i++)
        s.nearest_agree += kept.attack[i] == row->attack;
    *ret = s;
}

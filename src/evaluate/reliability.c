#include "evaluate/reliability.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/sort.h"

static void free_items(bf_sort_item **items)
{
    bf_free(*items);
}

/* Sums of one class, over the probabilities in rising order: so the order of the rows cannot change a last digit. */
typedef struct class_sums {
    uint64_t count, in_bin[BF_RELIABILITY_BINS];
    double square, logarithm, probability[BF_RELIABILITY_BINS];
} class_sums;

static bf_status sum_class(class_sums *sums, bf_sort_item *items, const bf_scores *scores, bool attacks, bf_error *err)
{
    bf_status status = bf_sort(items, sums->count, err);
    for (size_t i = 0; status == BF_OK && i < sums->count; i++) {
        double p = scores->row[items[i].index].probability, right = attacks ? 1 - p : p;
        size_t bin = (size_t)(p * BF_RELIABILITY_BINS);
        bin = bin < BF_RELIABILITY_BINS ? bin : BF_RELIABILITY_BINS - 1;
        sums->square += (1 - right) * (1 - right);
        sums->logarithm -= log(fmax(right, BF_PROBABILITY_LEAST));
        sums->probability[bin] += p;
        sums->in_bin[bin]++;
    }
    return status;
}

static bf_calibration_error combine(const class_sums *live, const class_sums *attacks, double live_weight,
                                    double attack_weight)
{
    double total = live_weight * (double)live->count + attack_weight * (double)attacks->count;
    bf_calibration_error error = {
        .brier = (live_weight * live->square + attack_weight * attacks->square) / total,
        .log_loss = (live_weight * live->logarithm + attack_weight * attacks->logarithm) / total,
    };
    for (int b = 0; b < BF_RELIABILITY_BINS; b++) {
        double stated = live_weight * live->probability[b] + attack_weight * attacks->probability[b];
        error.ece += fabs(stated - live_weight * (double)live->in_bin[b]) / total;
    }
    return error;
}

static void finish(bf_reliability *ret, const class_sums *live, const class_sums *attacks)
{
    ret->live = live->count;
    ret->attacks = attacks->count;
    for (int b = 0; b < BF_RELIABILITY_BINS; b++) {
        uint64_t count = live->in_bin[b] + attacks->in_bin[b];
        ret->bin[b].live = bf_rate_of(live->in_bin[b], count);
        ret->bin[b].mean = count > 0 ? (live->probability[b] + attacks->probability[b]) / (double)count : (double)NAN;
    }
    ret->as_is = ret->balanced = (bf_calibration_error){NAN, NAN, NAN};
    if (live->count == 0 || attacks->count == 0)
        return;
    ret->as_is = combine(live, attacks, 1, 1);
    ret->balanced = combine(live, attacks, 1 / (double)live->count, 1 / (double)attacks->count);
}

bf_status bf_reliability_measure(bf_reliability *ret, const bf_scores *scores, const bool *beside, bf_error *err)
{
    class_sums sums[2] = {0};
    BF_CLEANUP(free_items) bf_sort_item *items = bf_malloc((scores->count + 1) * sizeof *items);
    if (!items)
        return bf_fail_memory(err);
    for (int attacks = 0; attacks < 2; attacks++) {
        for (size_t i = 0; i < scores->count; i++) {
            const bf_score_row *row = &scores->row[i];
            if ((row->kind > 0) != attacks || isnan(row->probability) || (attacks && beside && beside[row->kind - 1]))
                continue;
            items[sums[attacks].count++] = (bf_sort_item){.key = bf_sort_key(row->probability), .index = (uint32_t)i};
        }
        bf_status status = sum_class(&sums[attacks], items, scores, attacks, err);
        if (status != BF_OK)
            return status;
    }
    finish(ret, &sums[0], &sums[1]);
    return BF_OK;
}

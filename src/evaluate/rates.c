#include "evaluate/rates.h"

#include <string.h>

static bool accepts(const bf_score_row *row, double threshold)
{
    return row->status == BF_SCORE_OK && row->score >= threshold;
}

static void count_row(bf_kind_figures *kind, const bf_score_row *row, double threshold)
{
    kind->presentations++;
    kind->could_not_judge += row->status == BF_SCORE_COULD_NOT_JUDGE;
    kind->errors += row->status == BF_SCORE_ERROR;
    if (row->match != BF_MATCH_NOT_REQUESTED) {
        kind->full_system.total++;
        kind->full_system.count += accepts(row, threshold) && row->match == BF_MATCH_STRONG;
    }
    if (row->status != BF_SCORE_OK)
        return;
    kind->responses++;
    kind->error.count += (row->kind > 0) == accepts(row, threshold);
    size_t bin = (size_t)(row->score / BF_SCORE_TOP * BF_HISTOGRAM_BINS);
    kind->histogram[bin < BF_HISTOGRAM_BINS ? bin : BF_HISTOGRAM_BINS - 1]++;
}

void bf_rates_measure(bf_kind_figures *ret, const bf_scores *scores, double threshold)
{
    size_t kinds = 1 + bf_names_count(&scores->species);
    memset(ret, 0, kinds * sizeof *ret);
    for (size_t i = 0; i < scores->count; i++)
        count_row(&ret[scores->row[i].kind], &scores->row[i], threshold);
    for (size_t k = 0; k < kinds; k++) {
        bf_rate *full = &ret[k].full_system;
        ret[k].error = bf_rate_of(ret[k].error.count, ret[k].responses);
        ret[k].silent = bf_rate_of(ret[k].presentations - ret[k].responses, ret[k].presentations);
        *full = bf_rate_of(k == 0 ? full->total - full->count : full->count, full->total);
    }
}

void bf_rates_accepted(uint64_t *ret, const bf_scores *scores, double threshold)
{
    memset(ret, 0, (1 + bf_names_count(&scores->species)) * sizeof *ret);
    for (size_t i = 0; i < scores->count; i++)
        ret[scores->row[i].kind] += accepts(&scores->row[i], threshold);
}

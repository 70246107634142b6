#include "evaluate/segments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

typedef struct tally {
    uint32_t presentations, responses, accepted;
} tally;

static void free_tallies(tally **tallies)
{
    bf_free(*tallies);
}

/* Whether `a` is worse: more surely so, then by figure. */
static bool is_worse(const bf_rate *a, const bf_rate *b)
{
    if (a->total == 0 || b->total == 0)
        return a->total > 0;
    return a->low > b->low || (a->low == b->low && a->value > b->value);
}

static bf_segment_cell measure_cell(const tally *of_kind, size_t kinds, const bool *beside)
{
    bf_segment_cell cell = {.bpcer = bf_rate_of(of_kind[0].responses - of_kind[0].accepted, of_kind[0].responses)};
    uint64_t attacks = 0, silent = 0;
    cell.bpnrr = bf_rate_of(of_kind[0].presentations - of_kind[0].responses, of_kind[0].presentations);
    cell.apcer = bf_rate_of(0, 0);
    for (size_t k = 1; k < kinds; k++) {
        if ((beside && beside[k - 1]) || of_kind[k].presentations == 0)
            continue;
        attacks += of_kind[k].presentations;
        silent += of_kind[k].presentations - of_kind[k].responses;
        bf_rate apcer = bf_rate_of(of_kind[k].accepted, of_kind[k].responses);
        /* Of equal rates the one on fewer presentations is the less certain, as in the headline. */
        if (cell.worst_kind == 0 || apcer.value > cell.apcer.value || isnan(cell.apcer.value) ||
            (apcer.value == cell.apcer.value && apcer.total < cell.apcer.total)) {
            cell.apcer = apcer;
            cell.worst_kind = (uint16_t)k;
        }
    }
    cell.apnrr = bf_rate_of(silent, attacks);
    const bf_rate *worse = is_worse(&cell.apcer, &cell.bpcer) ? &cell.apcer : &cell.bpcer;
    cell.surely = worse->total > 0 ? worse->low : 0;
    cell.small = cell.bpcer.total < BF_FEW_SAMPLES || cell.apcer.total < BF_FEW_SAMPLES;
    return cell;
}

static double figure_of(const bf_segment_cell *cell)
{
    double a = cell->apcer.total > 0 ? cell->apcer.value : 0, b = cell->bpcer.total > 0 ? cell->bpcer.value : 0;
    return a > b ? a : b;
}

static int worst_first(const void *a, const void *b)
{
    const bf_segment_cell *x = a, *y = b;
    if (x->surely != y->surely)
        return x->surely < y->surely ? 1 : -1;
    if (figure_of(x) != figure_of(y))
        return figure_of(x) < figure_of(y) ? 1 : -1;
    return strcmp(x->value, y->value);
}

static bf_status measure_column(bf_segments *segments, const bf_scores *scores, const bool *beside, double threshold,
                                bf_segment column, bf_error *err)
{
    const bf_names *names = &scores->segment[column];
    size_t kinds = 1 + bf_names_count(&scores->species), values = bf_names_count(names);
    BF_CLEANUP(free_tallies) tally *tallies = bf_calloc(kinds * (values + 1), sizeof *tallies);
    bf_segment_cell *grown = bf_realloc(segments->cell, (segments->count + values + 1) * sizeof *grown);
    if (grown)
        segments->cell = grown;
    if (!grown || !tallies)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++) {
        const bf_score_row *row = &scores->row[i];
        tally *t = &tallies[row->segment[column] * kinds + row->kind];
        t->presentations++;
        t->responses += row->status == BF_SCORE_OK;
        t->accepted += row->status == BF_SCORE_OK && row->score >= threshold;
    }
    bf_segment_cell *first = segments->cell + segments->count;
    for (size_t v = 0; v < values; v++) {
        first[v] = measure_cell(tallies + v * kinds, kinds, beside);
        first[v].column = column;
        first[v].value = names->text[v];
    }
    qsort(first, values, sizeof *first, worst_first);
    segments->count += values;
    return BF_OK;
}

bf_status bf_segments_measure(bf_segments *ret, const bf_scores *scores, const bool *beside, double threshold,
                              bf_error *err)
{
    bf_segments segments = {0};
    bf_status status = BF_OK;
    for (int s = 0; status == BF_OK && s < BF_SEGMENTS; s++) {
        if (scores->has_segment[s])
            status = measure_column(&segments, scores, beside, threshold, (bf_segment)s, err);
    }
    if (status != BF_OK) {
        bf_segments_done(&segments);
        return status;
    }
    *ret = segments;
    return BF_OK;
}

void bf_segments_done(bf_segments *segments)
{
    bf_free(segments->cell);
    *segments = (bf_segments){0};
}

bf_status bf_coverage_measure(bf_coverage *ret, const bf_scores *scores, bf_segment column, bf_error *err)
{
    bf_coverage coverage = {.column = column,
                            .kinds = 1 + bf_names_count(&scores->species),
                            .values = bf_names_count(&scores->segment[column])};
    size_t cells = coverage.kinds * coverage.values;
    coverage.count = bf_calloc(cells + 1, sizeof *coverage.count);
    if (!coverage.count)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++)
        coverage.count[scores->row[i].kind * coverage.values + scores->row[i].segment[column]]++;
    for (size_t i = 0; i < cells; i++) {
        coverage.none += coverage.count[i] == 0;
        coverage.few += coverage.count[i] > 0 && coverage.count[i] < BF_FEW_SAMPLES;
    }
    *ret = coverage;
    return BF_OK;
}

void bf_coverage_done(bf_coverage *coverage)
{
    bf_free(coverage->count);
    *coverage = (bf_coverage){0};
}

/* What becomes of yesterday's decisions and bands. */
#include <math.h>

#include "base/attr.h"
#include "compare/compare.h"

void bf_compare_decisions(bf_comparison *c)
{
    for (size_t i = 0; i < c->pairs->a.count; i++) {
        const bf_score_row *a = &c->pairs->a.row[i], *b = &c->pairs->b.row[i];
        int from = a->decision == BF_DECISION_ABSENT ? BF_DECISIONS : a->decision;
        int to = b->decision == BF_DECISION_ABSENT ? BF_DECISIONS : b->decision;
        c->decision[a->kind > 0][from][to]++;
    }
}

static void count_move(bf_moves *moves, bool above_a, bool above_b)
{
    moves->stay_above += above_a && above_b;
    moves->stay_below += !above_a && !above_b;
    moves->up += !above_a && above_b;
    moves->down += above_a && !above_b;
}

static bf_band_choice choose(const bf_comparison *c, double threshold, bf_curve_point point)
{
    const bf_pairs *pairs = c->pairs;
    bf_band_choice choice = {.point = point};
    for (size_t i = 0; i < pairs->a.count; i++) {
        const bf_score_row *a = &pairs->a.row[i], *b = &pairs->b.row[i];
        if (a->status == BF_SCORE_OK && b->status == BF_SCORE_OK && bf_compared_counts(c, a->kind))
            count_move(a->kind > 0 ? &choice.attacks : &choice.bona_fide, a->score >= threshold,
                       b->score >= point.threshold);
    }
    return choice;
}

/* The rates at a threshold, told as that threshold and not as the nearest score above it. */
static bf_curve_point at(const bf_curve *curve, double threshold)
{
    bf_curve_point point = bf_curve_at(curve, threshold);
    point.threshold = threshold;
    return point;
}

bf_status bf_compare_bands(bf_comparison *c, bf_error *err)
{
    BF_CLEANUP(bf_curve_done) bf_curve a = {0};
    BF_CLEANUP(bf_curve_done) bf_curve b = {0};
    bf_status status = bf_curve_build(&a, &c->pairs->a, c->beside, c->experiment.threshold[0], err);
    if (status == BF_OK)
        status = bf_curve_build(&b, &c->pairs->b, c->beside, c->experiment.threshold[1], err);
    for (size_t i = 0; status == BF_OK && i < c->experiment.bands; i++) {
        bf_band_migration *band = &c->band[i];
        band->threshold = c->experiment.band[i];
        band->a = at(&a, band->threshold);
        band->same = choose(c, band->threshold, at(&b, band->threshold));
        band->same_bpcer = choose(c, band->threshold, bf_curve_at_bpcer(&b, band->a.bpcer));
        band->same_apcer = choose(c, band->threshold, bf_curve_at_apcer(&b, band->a.apcer));
    }
    return status;
}

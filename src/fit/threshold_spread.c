/* How stable a choice is: the same choice for other persons. */
#include <math.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "fit/threshold.h"

typedef struct spreading {
    bf_draw draw;
    double *pass, *uncertain; /* by replicate; NaN where there is none */
} spreading;

static void spreading_done(spreading *s)
{
    bf_draw_done(&s->draw);
    bf_free(s->pass);
    bf_free(s->uncertain);
}

static bf_status start(spreading *s, const bf_curve *curve, size_t replicates, uint64_t seed, bf_error *err)
{
    bf_status status = bf_draw_start(&s->draw, curve->persons, seed, err);
    if (status != BF_OK)
        return status;
    s->pass = bf_malloc((replicates + 1) * sizeof *s->pass);
    s->uncertain = bf_malloc((replicates + 1) * sizeof *s->uncertain);
    if (!s->pass || !s->uncertain)
        return bf_fail_memory(err);
    for (size_t i = 0; i < curve->cells; i++) {
        if (i == 0 || curve->cell[i].person != curve->cell[i - 1].person)
            s->draw.drawn[s->draw.drawn_count++] = curve->cell[i].person;
    }
    return BF_OK;
}

/* What the choice would be; false when there would be none. A lower band that is only kept does not spread. */
static bool choose_again(const spreading *s, const bf_curve *curve, const bf_targets *targets, double *ret_pass,
                         double *ret_uncertain)
{
    bf_bands_allowed allowed = bf_bands_find(curve, s->draw.weight, targets);
    double pass = isnan(targets->apcer) ? allowed.pass_most : fmax(allowed.pass_least, BF_PASS_LEAST);
    bool made = isfinite(pass) && pass <= allowed.pass_most && pass >= BF_PASS_LEAST;
    bool lower = made && isfinite(allowed.uncertain_most) && allowed.uncertain_most >= BF_UNCERTAIN_LEAST;
    *ret_pass = made ? pass : (double)NAN;
    *ret_uncertain = lower ? fmin(allowed.uncertain_most, pass - BF_BAND_WIDTH) : (double)NAN;
    return made;
}

bf_status bf_bands_spread(bf_choice_spread *ret, const bf_curve *curve, const bf_targets *targets, size_t replicates,
                          uint64_t seed, bf_error *err)
{
    BF_CLEANUP(spreading_done) spreading s = {0};
    replicates = bf_replicates_affordable(replicates, BF_RATES_WORK, curve->cells + curve->entries + curve->persons,
                                          BF_WHOLE_MIN);
    bf_status status = start(&s, curve, replicates, seed, err);
    if (status != BF_OK)
        return status;
    *ret = (bf_choice_spread){.pass = {NAN, NAN}, .uncertain = {NAN, NAN}};
    if (s.draw.drawn_count < 2)
        return BF_OK;
    for (size_t i = 0; i < replicates; i++) {
        bf_draw_next(&s.draw);
        ret->unsupported += !choose_again(&s, curve, targets, &s.pass[i], &s.uncertain[i]);
    }
    ret->replicates = replicates;
    ret->pass = bf_span_of(s.pass, replicates, BF_CONFIDENCE);
    ret->uncertain = bf_span_of(s.uncertain, replicates, BF_CONFIDENCE);
    return BF_OK;
}

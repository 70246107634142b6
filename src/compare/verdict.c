/* From a measured difference to a verdict. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare/compare.h"

#define EPSILON 1e-12  /* a difference of 0.01 meets a margin of 0.01 */
#define NEEDED_MAX 1e6 /* more would be said of no table */
#define EVERYBODY 3    /* persons who, when all of them fare worse, are no accident */

const char *bf_outcome_word(bf_outcome outcome)
{
    static const char *const words[] = {"pass", "fail", "inconclusive"};
    return words[outcome];
}

/* How much worse B is: a figure, and its bounds. */
typedef struct worsening {
    double value, low, high;
} worsening;

static worsening worsening_of(const bf_criterion *c, const bf_contrast *contrast)
{
    if (bf_metric_more_is_better(c->metric.kind))
        return (worsening){-contrast->difference, -contrast->interval.high, -contrast->interval.low};
    return (worsening){contrast->difference, contrast->interval.low, contrast->interval.high};
}

/* Why nothing can be decided whatever was measured; false when there is no such reason. */
static bool is_too_little(const bf_criterion *c, const bf_contrast *contrast, const bf_experiment *e,
                          const char *least_name, char *ret, size_t size)
{
    uint64_t bona_fide = c->in_segment ? e->segment_least : e->bona_fide_least;
    uint64_t attacks = c->in_segment ? e->segment_least : e->attacks_least;
    if (isnan(contrast->difference))
        (void)snprintf(ret, size, "It could not be measured in both tables.");
    else if (contrast->persons < e->persons_least)
        (void)snprintf(ret, size, "Persons: %zu, fewer than the %llu that the experiment asks for.", contrast->persons,
                       (unsigned long long)e->persons_least);
    else if (bf_metric_of_bona_fide(c->metric.kind) && contrast->bona_fide < bona_fide)
        (void)snprintf(ret, size,
                       "Bona fide presentations that count: %llu, fewer than the %llu that the experiment asks for.",
                       (unsigned long long)contrast->bona_fide, (unsigned long long)bona_fide);
    else if (bf_metric_of_attacks(c->metric.kind) && contrast->attacks_least < attacks)
        (void)snprintf(
            ret, size,
            "Attacks of the species %.60s that count: %llu, fewer than the %llu that the experiment asks for.",
            least_name, (unsigned long long)contrast->attacks_least, (unsigned long long)attacks);
    else
        return false;
    return true;
}

/* Too little data never passes, but harm that is plain fails: the figure is beyond the margin, B is no better in it,
 * and persons fare worse with B by more than chance (the sign test over persons, exact), or all of them do. */
static bool is_plain_harm(const bf_contrast *contrast, worsening w, double limit, double confidence, char *ret,
                          size_t size)
{
    const bf_paired *heads = &contrast->by_head;
    double p = bf_mcnemar(heads->worse, heads->better);
    bool sure = heads->worse > heads->better && p <= 1 - confidence;
    bool all = heads->worse >= EVERYBODY && heads->worse == heads->pairs;
    if (!(w.value > fmax(limit, 0) + EPSILON) || (!sure && !all))
        return false;
    (void)snprintf(
        ret, size,
        "Too little data for a pass, but plain harm: of %llu persons B is worse for %llu and better for %llu "
        "(sign test over persons, p = %.2g).",
        (unsigned long long)heads->pairs, (unsigned long long)heads->worse, (unsigned long long)heads->better, p);
    return true;
}

/* About how many presentations of the kind would decide, were the figures the same; 0 when no number would. */
static double needed(const bf_contrast *contrast, worsening w, double limit, double confidence)
{
    double z = bf_normal_quantile(1 - (1 - confidence) / 2), n = (double)contrast->paired.pairs;
    double room = limit - w.value, half = w.value < limit ? w.high - w.value : w.value - w.low;
    if (n <= 0 || fabs(room) < EPSILON)
        return 0;
    if (contrast->paired.worse + contrast->paired.better == 0)
        return limit > 0 ? z * z * (1 - limit) / limit : 0;
    return n * (half / room) * (half / room);
}

/* With two digits: it is an estimate. */
static double rounded_up(double number)
{
    double step = fmax(1, pow(10, floor(log10(number)) - 1));
    return step * ceil(number / step);
}

static void tell_undecided(const bf_contrast *contrast, worsening w, double limit, double confidence, char *ret,
                           size_t size)
{
    double number = needed(contrast, w, limit, confidence);
    if (isnan(w.low))
        (void)snprintf(ret, size, "No draw of the persons shows a difference, so there is no interval to decide by.");
    else if (number > 0 && number < NEEDED_MAX)
        (void)snprintf(ret, size,
                       "The interval reaches to both sides of the margin: too few samples. About %.0f of this kind "
                       "would decide, if the figures stay as they are; there are %llu.",
                       rounded_up(number), (unsigned long long)contrast->paired.pairs);
    else
        (void)snprintf(ret, size, "The interval reaches to both sides of the margin: too few samples.");
}

bf_outcome bf_judge_criterion(const bf_criterion *c, const bf_contrast *contrast, const bf_experiment *e,
                              const char *least_name, char *ret, size_t size)
{
    worsening w = worsening_of(c, contrast);
    /* Both rules are one: how much worse B may be. Better by nothing is not better. */
    bool superior = c->rule == BF_RULE_SUPERIOR;
    double limit = superior ? -c->margin : c->margin, strict = superior && c->margin <= 0 ? -2 * EPSILON : 0;
    if (is_too_little(c, contrast, e, least_name, ret, size))
        return is_plain_harm(contrast, w, limit, e->confidence, ret, size) ? BF_OUTCOME_FAIL : BF_OUTCOME_INCONCLUSIVE;
    if (c->by_estimate) {
        bool held = w.value <= limit + EPSILON + strict;
        (void)snprintf(ret, size, "The figures alone decide, as the experiment states; their interval does not count.");
        return held ? BF_OUTCOME_PASS : BF_OUTCOME_FAIL;
    }
    if (w.high <= limit + EPSILON + strict) {
        (void)snprintf(ret, size, "The whole interval keeps to the margin.");
        return BF_OUTCOME_PASS;
    }
    if (w.low > limit + EPSILON) {
        (void)snprintf(ret, size, "The whole interval is beyond the margin.");
        return BF_OUTCOME_FAIL;
    }
    tell_undecided(contrast, w, limit, e->confidence, ret, size);
    return BF_OUTCOME_INCONCLUSIVE;
}

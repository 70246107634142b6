/* Levels that are commonly cited, beside our figures. Sources disagree on some counts, and keeping to a number is not
 * conformance: the report says so. */
#include <math.h>
#include <stdio.h>

#include "evaluate/evaluate.h"

/* A species that was not measured leaves open what the others keep to. */
static bf_level_result against(const bf_rate *rate, double level)
{
    if (rate->total > 0 && rate->value > level)
        return BF_LEVEL_BEYOND;
    return rate->total > 0 && rate->high <= level ? BF_LEVEL_WITHIN : BF_LEVEL_FIGURE_ONLY;
}

static bf_level_result worse_of(bf_level_result a, bf_level_result b)
{
    return a < b ? a : b;
}

/* Every species of the headline with at least 150 attacks, as many species as asked for, and the rates. */
static void penetration(bf_evaluation *e, bf_level *level, double apcer, size_t species)
{
    size_t large = 0, counted = 0;
    bf_level_result result = against(&e->kind[0].error, 0.15);
    for (size_t k = 1; k < e->kinds; k++) {
        if (!bf_kind_counts(e, k))
            continue;
        counted++;
        large += e->kind[k].presentations >= 150;
        bf_level_result one = against(&e->kind[k].error, apcer);
        /* No number of attacks puts the upper bound at 0: there the level asks for the figure only. */
        bool none = apcer <= 0 && one == BF_LEVEL_FIGURE_ONLY && e->kind[k].responses > 0;
        result = worse_of(result, none ? BF_LEVEL_WITHIN : one);
    }
    if (result == BF_LEVEL_WITHIN && (large < species || large < counted))
        result = BF_LEVEL_FIGURE_ONLY;
    level->result = result;
    (void)snprintf(level->measured, sizeof level->measured,
                   "highest APCER %.2f %%, BPCER %.2f %%; %zu species, %zu of them with 150 attacks or more",
                   100 * e->kind[e->worst_kind].error.value, 100 * e->kind[0].error.value, counted, large);
}

/* The highest IAPAR over the species, which must be below a number: at most the one before it. */
static void impostors(bf_evaluation *e, bf_level *level, double iapar)
{
    bf_rate worst = {0};
    size_t counted = 0, compared = 0;
    bf_level_result result = BF_LEVEL_WITHIN;
    for (size_t k = 1; k < e->kinds; k++) {
        const bf_rate *rate = &e->kind[k].full_system;
        if (!bf_kind_counts(e, k))
            continue;
        counted++;
        compared += rate->total > 0;
        result = worse_of(result, against(rate, nextafter(iapar, 0)));
        if (rate->total > 0 && (worst.total == 0 || rate->value > worst.value))
            worst = *rate;
    }
    level->result = worst.total > 0 ? result : BF_LEVEL_NOT_MEASURED;
    if (worst.total > 0)
        (void)snprintf(level->measured, sizeof level->measured,
                       "highest IAPAR %.2f %% (%.2f to %.2f %%), %zu of %zu species", 100 * worst.value,
                       100 * worst.low, 100 * worst.high, compared, counted);
    else
        (void)snprintf(level->measured, sizeof level->measured, "no attack was compared with a reference");
}

/* Figures that the evaluations of NIST report without a pass mark. */
static void figure(bf_level *level, const char *name, const bf_rate *rate, double threshold)
{
    level->result = BF_LEVEL_NO_MARK;
    char where[40] = "only by rejecting everything";
    if (isfinite(threshold))
        (void)snprintf(where, sizeof where, "at threshold %.4g", threshold);
    (void)snprintf(level->measured, sizeof level->measured, "%s %.2f %% (%.2f to %.2f %%), %s", name, 100 * rate->value,
                   100 * rate->low, 100 * rate->high, where);
}

void bf_evaluate_levels(bf_evaluation *e)
{
    static const struct {
        const char *name, *criterion;
    } text[BF_LEVELS] = {
        {"iBeta level 1", "No attack accepted, over 6 species of 150 attacks each; BPCER at most 15 %"},
        {"iBeta level 2", "At most 1 % accepted of each of 5 species, 150 attacks each; BPCER at most 15 %"},
        {"FIDO, stricter", "IAPAR under 7 % for each species"},
        {"FIDO, earlier", "IAPAR under 15 % for each species"},
        {"NIST SP 800-63A-4", "IAPAR under 7 % for remote identity proofing"},
        {"NIST FATE PAD, convenience", "APCER where BPCER is 1 %; no pass mark"},
        {"NIST FATE PAD, security", "BPCER where APCER is 1 %; no pass mark"},
    };
    for (int i = 0; i < BF_LEVELS; i++)
        e->level[i] = (bf_level){.name = text[i].name, .criterion = text[i].criterion};
    penetration(e, &e->level[0], 0, 6);
    penetration(e, &e->level[1], 0.01, 5);
    impostors(e, &e->level[2], 0.07);
    impostors(e, &e->level[3], 0.15);
    impostors(e, &e->level[4], 0.07);
    figure(&e->level[5], "APCER", &e->apcer_at, e->figures.apcer_at.threshold);
    figure(&e->level[6], "BPCER", &e->bpcer_at[2], e->figures.bpcer_at[2].threshold);
}

#include "fit/threshold.h"

#include <math.h>

#define TAIL (1 - BF_CONFIDENCE)
#define SAMPLES_MOST UINT64_C(1000000000)
#define FINE_FROM 99.0    /* scores crowd at the top: bands are written with more digits there */
#define COARSE_GRID 100.0 /* steps to a point */
#define FINE_GRID 10000.0

double bf_rate_bound(uint64_t count, uint64_t total)
{
    if (total == 0)
        return NAN;
    double k = (double)count, n = (double)total;
    return count == total ? 1 : bf_beta_inverse(k + 1, n - k, BF_CONFIDENCE);
}

/* Whether the bound of `count` errors keeps to the target, without looking for the bound. */
static bool bound_keeps(uint64_t count, uint64_t total, double target)
{
    return count < total && bf_beta((double)count + 1, (double)(total - count), target) >= BF_CONFIDENCE;
}

int64_t bf_errors_allowed(uint64_t total, double target, bool point)
{
    if (total < bf_samples_least(target, point))
        return -1;
    /* A share such as 0.07 of 100 must count as 7, though the product is a little less. */
    int64_t most = (int64_t)floor(target * (double)total * (1 + 1e-12)), low = 0, high = most + 1;
    if (point)
        return most;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (bound_keeps((uint64_t)middle, total, target))
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint64_t bf_samples_least(double target, bool point)
{
    double samples = point ? 1 / target : log(TAIL) / log1p(-target);
    return (uint64_t)ceil(samples * (1 - 1e-12));
}

uint64_t bf_samples_at_rate(double rate, double target)
{
    if (rate >= target)
        return 0;
    uint64_t high = bf_samples_least(target, false), low = high - 1;
    while (high < SAMPLES_MOST && !bound_keeps((uint64_t)ceil(rate * (double)high), high, target)) {
        low = high;
        high *= 2;
    }
    if (high >= SAMPLES_MOST)
        return 0;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (bound_keeps((uint64_t)ceil(rate * (double)middle), middle, target))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* The lowest band above a score. */
static double band_above(double score)
{
    double grid = score >= FINE_FROM ? FINE_GRID : COARSE_GRID, band = (floor(score * grid) + 1) / grid;
    if (band <= score) /* the division rounded down */
        band += 1 / grid;
    return band > BF_SCORE_TOP ? (double)INFINITY : band;
}

/* The highest band that a score still reaches. */
static double band_below(double score)
{
    double grid = score >= FINE_FROM ? FINE_GRID : COARSE_GRID, band = floor(score * grid) / grid;
    return band > score ? band - 1 / grid : band;
}

static uint64_t times_of(const uint32_t *weight, uint32_t person)
{
    return weight ? weight[person] : 1;
}

static void count_responses(const bf_curve *curve, const uint32_t *weight, uint64_t ret[BF_KINDS_MAX])
{
    for (size_t k = 0; k < curve->kinds; k++)
        ret[k] = 0;
    for (size_t i = 0; i < curve->cells; i++)
        ret[curve->cell[i].kind] += curve->cell[i].responses * times_of(weight, curve->cell[i].person);
}

/* Going down the scores until some species has more errors than it may have. */
static void find_pass_least(const bf_curve *curve, const uint32_t *weight, const uint64_t *responses,
                            const bf_targets *targets, bf_bands_allowed *ret)
{
    int64_t left[BF_KINDS_MAX];
    ret->pass_least = -INFINITY;
    if (isnan(targets->apcer))
        return;
    for (size_t k = 1; k < curve->kinds; k++) {
        left[k] = curve->beside[k] ? INT64_MAX : bf_errors_allowed(responses[k], targets->apcer, targets->point);
        /* A drawing of persons may leave a species out; one that the table has none of is none of the headline. */
        if (left[k] < 0 && (responses[k] > 0 || !weight)) {
            ret->pass_least = INFINITY;
            ret->bounding = (uint16_t)k;
            return;
        }
    }
    for (size_t i = 0; i < curve->entries; i++) {
        const bf_curve_entry *entry = &curve->entry[i];
        uint64_t times = times_of(weight, entry->person);
        if (entry->kind == 0 || times == 0)
            continue;
        left[entry->kind] -= (int64_t)(entry->count * times);
        if (left[entry->kind] < 0) {
            ret->pass_least = band_above(entry->score);
            ret->bounding = entry->kind;
            return;
        }
    }
}

/* Going up the scores until more bona fide presentations lie below than may. */
static double find_most(const bf_curve *curve, const uint32_t *weight, uint64_t responses, double target, bool point)
{
    if (isnan(target))
        return INFINITY;
    int64_t left = bf_errors_allowed(responses, target, point);
    if (left < 0)
        return -INFINITY;
    for (size_t i = curve->entries; i-- > 0;) {
        const bf_curve_entry *entry = &curve->entry[i];
        uint64_t times = times_of(weight, entry->person);
        if (entry->kind != 0 || times == 0)
            continue;
        left -= (int64_t)(entry->count * times);
        if (left < 0)
            return band_below(entry->score);
    }
    return BF_SCORE_TOP;
}

bf_bands_allowed bf_bands_find(const bf_curve *curve, const uint32_t *weight, const bf_targets *targets)
{
    uint64_t responses[BF_KINDS_MAX] = {0};
    bf_bands_allowed allowed = {0};
    count_responses(curve, weight, responses);
    find_pass_least(curve, weight, responses, targets, &allowed);
    allowed.pass_most = find_most(curve, weight, responses[0], targets->bpcer, targets->point);
    allowed.uncertain_most = find_most(curve, weight, responses[0], targets->reject, targets->point);
    return allowed;
}

/* Whether any bona fide presentation reaches the band. */
static bool accepts_some(const bf_curve *curve, double pass)
{
    for (size_t i = 0; i < curve->entries && curve->entry[i].score >= pass; i++) {
        if (curve->entry[i].kind == 0)
            return true;
    }
    return false;
}

static bf_choice_result choose_pass(bf_choice *choice, const bf_targets *targets, uint64_t bona_fide, bool few_attacks)
{
    const bf_bands_allowed *allowed = &choice->allowed;
    if (few_attacks)
        return BF_CHOICE_TOO_FEW_ATTACKS;
    if (!isnan(targets->bpcer) && bona_fide < bf_samples_least(targets->bpcer, targets->point))
        return BF_CHOICE_TOO_FEW_BONA_FIDE;
    if (!isnan(targets->bpcer) && allowed->pass_most < BF_PASS_LEAST)
        return BF_CHOICE_BPCER_UNREACHABLE;
    if (isnan(targets->apcer)) {
        choice->pass = allowed->pass_most;
        return BF_CHOICE_MADE;
    }
    if (isinf(allowed->pass_least) && allowed->pass_least > 0)
        return BF_CHOICE_REJECTS_EVERYBODY;
    choice->pass = fmax(allowed->pass_least, BF_PASS_LEAST);
    choice->bounding = allowed->pass_least >= BF_PASS_LEAST ? allowed->bounding : 0;
    return choice->pass > allowed->pass_most ? BF_CHOICE_TARGETS_CONFLICT : BF_CHOICE_MADE;
}

static bf_choice_result choose_uncertain(bf_choice *choice, const bf_targets *targets, uint64_t bona_fide, bool needed,
                                         double today)
{
    bool few = isnan(targets->reject) || bona_fide < bf_samples_least(targets->reject, targets->point);
    bool supported = !few && choice->allowed.uncertain_most >= BF_UNCERTAIN_LEAST;
    if (!supported && needed)
        return few ? BF_CHOICE_TOO_FEW_BONA_FIDE : BF_CHOICE_BPCER_UNREACHABLE;
    choice->uncertain_kept = !supported;
    choice->uncertain = supported ? choice->allowed.uncertain_most : today;
    if (choice->uncertain > choice->pass - BF_BAND_WIDTH) {
        choice->uncertain = choice->pass - BF_BAND_WIDTH;
        choice->uncertain_capped = true;
    }
    return BF_CHOICE_MADE;
}

bf_choice bf_bands_choose(const bf_curve *curve, const uint64_t *responses, const bf_targets *targets,
                          bool reject_needed, double uncertain_today)
{
    bf_choice choice = {.allowed = bf_bands_find(curve, NULL, targets)};
    bool few_attacks = false;
    for (size_t k = 1; k < curve->kinds && !isnan(targets->apcer); k++)
        few_attacks |= !curve->beside[k] && responses[k] < bf_samples_least(targets->apcer, targets->point);
    choice.result = choose_pass(&choice, targets, responses[0], few_attacks);
    if (choice.result == BF_CHOICE_MADE && !accepts_some(curve, choice.pass))
        choice.result = BF_CHOICE_REJECTS_EVERYBODY;
    if (choice.result == BF_CHOICE_MADE)
        choice.result = choose_uncertain(&choice, targets, responses[0], reject_needed, uncertain_today);
    return choice;
}

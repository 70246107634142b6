#include "fit/maps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "fit/logistic.h"
#include "fit/pav.h"

#define BANDS_MAX 10
#define BLOCK_ROWS_MIN 10
#define BLOCKS_MAX 30
#define PRIOR_VARIANCE 2.0
#define SLOPE_LEAST 1e-3 /* of the ratio, over one standard deviation of raw */
#define COEFFICIENT_MAX 1e6
#define MIN_MAX_KNOTS 31

static const char *const NAMES[BF_FIT_METHODS] = {"platt", "bands", "isotonic", "min-max", "z-score"};

const char *bf_fit_method_name(bf_fit_method method)
{
    return NAMES[method];
}

bool bf_fit_method_from_name(const char *name, bf_fit_method *ret)
{
    for (int m = 0; m < BF_FIT_METHODS; m++) {
        if (strcmp(NAMES[m], name) == 0) {
            *ret = (bf_fit_method)m;
            return true;
        }
    }
    return false;
}

/* The number that a file will hold. */
static double rounded(double value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.9g", value);
    return strtod(text, NULL);
}

static double within(double llr)
{
    return fmin(BF_LLR_LIMIT_MAX, fmax(-BF_LLR_LIMIT_MAX, llr));
}

/* Adds a knot, unless its raw cannot be told from that of the last one. */
static void add_knot(bf_calibration_map *map, double raw, double llr)
{
    bf_knot knot = {rounded(raw), rounded(within(llr))};
    bool apart = map->knots == 0 || knot.raw > map->knot[map->knots - 1].raw;
    if (apart && map->knots < BF_KNOTS_MAX)
        map->knot[map->knots++] = knot;
}

/* Maps have two knots at least. */
static void finish_knots(bf_calibration_map *map)
{
    if (map->knots == 1) {
        double step = fmax(1, fabs(map->knot[0].raw));
        add_knot(map, map->knot[0].raw + step, map->knot[0].llr);
    }
}

static bf_status take_line(bf_calibration_map *ret, double slope, double intercept, bf_error *err)
{
    *ret = (bf_calibration_map){.slope = rounded(slope), .intercept = rounded(intercept)};
    if (ret->slope > 0 && ret->slope <= COEFFICIENT_MAX && fabs(ret->intercept) <= COEFFICIENT_MAX)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "The raw values have a scale that no calibration file can hold.");
    bf_fail_hint(err, "Let the detector give values of the order of 1, such as log-odds.");
    return BF_INVALID_ARGUMENT;
}

typedef struct moments {
    double mean, deviation, weight[2]; /* attack, live */
} moments;

static moments measure(const bf_fit_sample *s, size_t count)
{
    moments m = {0};
    double square = 0;
    for (size_t i = 0; i < count; i++) {
        m.weight[s[i].live] += s[i].weight;
        m.mean += s[i].weight * s[i].raw;
    }
    double total = m.weight[0] + m.weight[1];
    m.mean /= total;
    for (size_t i = 0; i < count; i++)
        square += s[i].weight * (s[i].raw - m.mean) * (s[i].raw - m.mean);
    m.deviation = sqrt(square / total);
    return m;
}

static void free_numbers(double **numbers)
{
    bf_free(*numbers);
}

/* Photos of a person repeat each other: counted singly they would overrule any prior. */
static bf_status fit_platt(bf_calibration_map *ret, const bf_fit_sample *s, size_t count, size_t persons,
                           const moments *m, bf_error *err)
{
    BF_CLEANUP(free_numbers) double *numbers = bf_malloc(3 * count * sizeof *numbers);
    if (!numbers)
        return bf_fail_memory(err);
    double *x = numbers, *target = numbers + count, *weight = numbers + 2 * count;
    for (size_t i = 0; i < count; i++) {
        x[i] = s[i].raw;
        target[i] = s[i].live;
        weight[i] = s[i].weight;
    }
    bf_logistic model;
    const bf_logistic_data data = {.x = x, .target = target, .weight = weight, .rows = count, .columns = 1};
    bf_logistic_options options = bf_logistic_ridge((double)count / (double)persons / PRIOR_VARIANCE);
    options.lower[0] = SLOPE_LEAST / m->deviation;
    bf_status status = bf_logistic_fit(&model, &data, &options, err);
    return status == BF_OK ? take_line(ret, model.coefficient[0], model.intercept, err) : status;
}

/* Samples between two raw values, with what they weigh. */
typedef struct band {
    size_t rows;
    double weight[2], raw; /* attack, live; sum of weight x raw */
} band;

static void add_band(band *to, const band *from)
{
    to->rows += from->rows;
    to->weight[0] += from->weight[0];
    to->weight[1] += from->weight[1];
    to->raw += from->raw;
}

static double total(const band *b)
{
    return b->weight[0] + b->weight[1];
}

/* The share of bona fide, with one more counted on either side, so that few presentations claim little. */
static double share(const band *b)
{
    return (b->weight[1] + 1) / (total(b) + 2);
}

/* The samples of one raw value from `at` on, which no band divides; returns where the next begin. */
static size_t take_equal(const bf_fit_sample *s, size_t count, size_t at, band *ret)
{
    *ret = (band){0};
    size_t first = at;
    for (; at < count && s[at].raw == s[first].raw; at++) {
        ret->rows++;
        ret->weight[s[at].live] += s[at].weight;
        ret->raw += s[at].weight * s[at].raw;
    }
    return at;
}

/* Bands whose shares do not rise are pooled; the rest become knots. */
static void bands_to_map(bf_calibration_map *ret, const band *bands, size_t count)
{
    bf_pav_block blocks[BF_KNOTS_MAX];
    for (size_t b = 0; b < count; b++)
        blocks[b] = (bf_pav_block){b, 1, total(&bands[b]), total(&bands[b]) * share(&bands[b])};
    count = bf_pav(blocks, count);
    *ret = (bf_calibration_map){0};
    double last = -INFINITY;
    for (size_t b = 0; b < count; b++) {
        band whole = {0};
        for (size_t i = 0; i < blocks[b].count; i++)
            add_band(&whole, &bands[blocks[b].first + i]);
        /* Shares of pools rise as those of their bands do, but for the one that is counted more. */
        double p = share(&whole);
        last = fmax(last, log(p / (1 - p)));
        add_knot(ret, whole.raw / total(&whole), last);
    }
    finish_knots(ret);
}

static void fit_bands(bf_calibration_map *ret, const bf_fit_sample *s, size_t count)
{
    band bands[BANDS_MAX] = {0};
    size_t wanted = count / (2 * BLOCK_ROWS_MIN);
    wanted = wanted < 2 ? 2 : wanted > BANDS_MAX ? BANDS_MAX : wanted;
    size_t used = 0;
    double seen = 0;
    for (size_t at = 0; at < count;) {
        band equal;
        at = take_equal(s, count, at, &equal);
        add_band(&bands[used], &equal);
        seen += total(&equal);
        /* The weights sum to the count. */
        if (at < count && seen >= (double)(count * (used + 1)) / (double)wanted && used + 1 < wanted)
            used++;
    }
    bands_to_map(ret, bands, used + 1);
}

/* Joins the smallest band with the neighbour whose share is nearer, until all are large enough. */
static size_t merge_small(band *bands, size_t count, size_t rows_min)
{
    while (count > 1) {
        size_t least = 0;
        for (size_t b = 1; b < count; b++)
            least = bands[b].rows < bands[least].rows ? b : least;
        if (bands[least].rows >= rows_min)
            break;
        size_t into = least == 0 ? 1 : least - 1;
        if (least > 0 && least + 1 < count &&
            fabs(share(&bands[least + 1]) - share(&bands[least])) <
                fabs(share(&bands[least - 1]) - share(&bands[least])))
            into = least + 1;
        size_t low = into < least ? into : least;
        add_band(&bands[low], &bands[low + 1]);
        memmove(&bands[low + 1], &bands[low + 2], (count - low - 2) * sizeof *bands);
        count--;
    }
    return count;
}

typedef struct isotonic {
    bf_pav_block *blocks;
    band *bands;
} isotonic;

static void isotonic_done(isotonic *w)
{
    bf_free(w->blocks);
    bf_free(w->bands);
}

static bf_status fit_isotonic(bf_calibration_map *ret, const bf_fit_sample *s, size_t count, bf_error *err)
{
    BF_CLEANUP(isotonic_done)
    isotonic w = {bf_malloc(count * sizeof *w.blocks), bf_malloc(count * sizeof *w.bands)};
    size_t used = 0, rows_min = (count + BLOCKS_MAX - 1) / BLOCKS_MAX;
    if (!w.blocks || !w.bands)
        return bf_fail_memory(err);
    for (size_t at = 0; at < count; used++) {
        at = take_equal(s, count, at, &w.bands[used]);
        w.blocks[used] = (bf_pav_block){used, 1, total(&w.bands[used]), w.bands[used].weight[1]};
    }
    used = bf_pav(w.blocks, used);
    for (size_t b = 0; b < used; b++) {
        band whole = {0};
        for (size_t i = 0; i < w.blocks[b].count; i++)
            add_band(&whole, &w.bands[w.blocks[b].first + i]);
        w.bands[b] = whole;
    }
    used = merge_small(w.bands, used, rows_min > BLOCK_ROWS_MIN ? rows_min : BLOCK_ROWS_MIN);
    bands_to_map(ret, w.bands, used);
    return BF_OK;
}

static void fit_min_max(bf_calibration_map *ret, double least, double most)
{
    *ret = (bf_calibration_map){0};
    for (int i = 1; i <= MIN_MAX_KNOTS; i++) {
        double p = (double)i / (MIN_MAX_KNOTS + 1);
        add_knot(ret, least + p * (most - least), log(p / (1 - p)));
    }
    finish_knots(ret);
}

bf_status bf_fit_map(bf_calibration_map *ret, bf_fit_method method, const bf_fit_sample *s, size_t count,
                     size_t persons, bf_error *err)
{
    moments m = measure(s, count);
    if (!(m.weight[0] > 0) || !(m.weight[1] > 0))
        return bf_fail(err, BF_INVALID_ARGUMENT, "There are presentations of one class only.");
    if (s[0].raw == s[count - 1].raw) { /* nothing to tell the classes apart by */
        *ret = (bf_calibration_map){0};
        add_knot(ret, s[0].raw, 0);
        finish_knots(ret);
        return BF_OK;
    }
    switch (method) {
    case BF_FIT_PLATT:
        return fit_platt(ret, s, count, persons, &m, err);
    case BF_FIT_BANDS:
        fit_bands(ret, s, count);
        return BF_OK;
    case BF_FIT_ISOTONIC:
        return fit_isotonic(ret, s, count, err);
    case BF_FIT_MIN_MAX:
        fit_min_max(ret, s[0].raw, s[count - 1].raw);
        return BF_OK;
    default:
        return take_line(ret, 1 / m.deviation, -m.mean / m.deviation, err);
    }
}

void bf_fit_map_bend(bf_calibration_map *map, double slope, double intercept)
{
    for (int k = 0; k < map->knots; k++)
        map->knot[k].llr = rounded(within(slope * map->knot[k].llr + intercept));
    map->intercept = rounded(slope * (map->intercept - map->prior_log_odds) + intercept);
    map->slope = rounded(fmin(COEFFICIENT_MAX, slope * map->slope));
    map->prior_log_odds = 0;
}

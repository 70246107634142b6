#include "evaluate/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/interval.h"

#define FIXED 9 /* figures besides the species' */

uint64_t bf_random_next(bf_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t bf_random_below(bf_random *random, uint32_t below)
{
    /* Of the 2^32 draws the first 2^32 mod below would make some results likelier than others. */
    uint32_t uneven = (uint32_t)(-below) % below;
    for (;;) {
        uint64_t product = (bf_random_next(random) >> 32) * below;
        if ((uint32_t)product >= uneven)
            return (uint32_t)(product >> 32);
    }
}

size_t bf_replicates_affordable(size_t asked, size_t work, size_t each, size_t least)
{
    size_t number = work / (each + 1);
    number = number < least ? least : number;
    return number < asked ? number : asked;
}

bf_status bf_draw_start(bf_draw *ret, size_t persons, uint64_t seed, bf_error *err)
{
    bf_draw draw = {.persons = persons, .random = {seed}};
    draw.weight = bf_calloc(persons + 1, sizeof *draw.weight);
    draw.drawn = bf_malloc((persons + 1) * sizeof *draw.drawn);
    if (!draw.weight || !draw.drawn) {
        bf_draw_done(&draw);
        return bf_fail_memory(err);
    }
    *ret = draw;
    return BF_OK;
}

void bf_draw_next(bf_draw *draw)
{
    memset(draw->weight, 0, draw->persons * sizeof *draw->weight);
    for (size_t i = 0; i < draw->drawn_count; i++)
        draw->weight[draw->drawn[bf_random_below(&draw->random, (uint32_t)draw->drawn_count)]]++;
}

void bf_draw_number(bf_draw *draw, uint64_t seed, size_t number)
{
    bf_random start = {seed + number * UINT64_C(0xd1342543de82ef95)};
    draw->random = (bf_random){bf_random_next(&start)};
    bf_draw_next(draw);
}

void bf_draw_done(bf_draw *draw)
{
    bf_free(draw->weight);
    bf_free(draw->drawn);
    *draw = (bf_draw){0};
}

typedef struct drawing {
    const bf_curve *curve;
    bf_draw draw;
    double *value; /* figure x replicate */
    size_t replicates, whole;
} drawing;

static void drawing_done(drawing *d)
{
    bf_draw_done(&d->draw);
    bf_free(d->value);
}

/* Only persons that have a response at all are drawn from. */
static bf_status start(drawing *d, uint64_t seed, bf_error *err)
{
    const bf_curve *curve = d->curve;
    d->replicates = bf_replicates_affordable(d->replicates, BF_RATES_WORK, curve->cells + curve->persons, BF_RATES_MIN);
    d->whole = bf_replicates_affordable(d->replicates, BF_WHOLE_WORK, curve->entries, BF_WHOLE_MIN);
    d->value = bf_malloc((curve->kinds + FIXED) * d->replicates * sizeof *d->value);
    if (!d->value)
        return bf_fail_memory(err);
    bf_status status = bf_draw_start(&d->draw, curve->persons, seed, err);
    for (size_t i = 0; status == BF_OK && i < curve->cells; i++) {
        if (i == 0 || curve->cell[i].person != curve->cell[i - 1].person)
            d->draw.drawn[d->draw.drawn_count++] = curve->cell[i].person;
    }
    return status;
}

static double *values_of(const drawing *d, size_t figure)
{
    return d->value + figure * d->replicates;
}

/* The figures in the order of their places: first by kind, then these. */
static void keep(const drawing *d, size_t at, bool measured, const bf_curve_figures *f)
{
    size_t kinds = d->curve->kinds;
    const double fixed[FIXED] = {
        f->max_apcer,        f->bpcer,        f->acer, f->auc, f->eer, f->bpcer_at[0].rate, f->bpcer_at[1].rate,
        f->bpcer_at[2].rate, f->apcer_at.rate};
    for (size_t k = 1; k < kinds; k++)
        values_of(d, k)[at] = f->apcer[k];
    for (size_t i = 0; i < FIXED; i++)
        values_of(d, kinds + i)[at] = measured && (i < 3 || at < d->whole) ? fixed[i] : NAN;
}

static void measure_all(drawing *d)
{
    for (size_t at = 0; at < d->replicates; at++) {
        bf_curve_figures figures = {0};
        bf_draw_next(&d->draw);
        bool measured = bf_curve_measure(d->curve, d->draw.weight, at < d->whole, &figures);
        keep(d, at, measured, &figures);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the sorted values, by a straight line. */
static double quantile(const double *sorted, size_t count, double p)
{
    double at = p * (double)(count - 1), below = floor(at);
    size_t i = (size_t)below, next = i + 1 < count ? i + 1 : i;
    return sorted[i] + (at - below) * (sorted[next] - sorted[i]);
}

bf_span bf_span_of(double *values, size_t count, double confidence)
{
    double tail = (1 - confidence) / 2;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(values[i]))
            values[known++] = values[i];
    }
    if (known < 2)
        return (bf_span){NAN, NAN};
    qsort(values, known, sizeof *values, by_value);
    return (bf_span){quantile(values, known, tail), quantile(values, known, 1 - tail)};
}

static bf_span span_of(const drawing *d, size_t figure)
{
    return bf_span_of(values_of(d, figure), d->replicates, BF_CONFIDENCE);
}

static void summarise(const drawing *d, bf_bootstrap *ret)
{
    size_t kinds = d->curve->kinds;
    for (size_t k = 1; k < kinds; k++)
        ret->apcer[k] = span_of(d, k);
    ret->max_apcer = span_of(d, kinds);
    ret->bpcer = span_of(d, kinds + 1);
    ret->acer = span_of(d, kinds + 2);
    ret->auc = span_of(d, kinds + 3);
    ret->eer = span_of(d, kinds + 4);
    for (size_t i = 0; i < BF_TARGETS; i++)
        ret->bpcer_at[i] = span_of(d, kinds + 5 + i);
    ret->apcer_at = span_of(d, kinds + 8);
}

bf_status bf_bootstrap_run(bf_bootstrap *ret, const bf_curve *curve, size_t replicates, uint64_t seed, bf_error *err)
{
    BF_CLEANUP(drawing_done) drawing d = {.curve = curve, .replicates = replicates};
    bf_status status = start(&d, seed, err);
    if (status != BF_OK)
        return status;
    *ret = (bf_bootstrap){.persons = d.draw.drawn_count};
    if (d.draw.drawn_count >= 2) {
        measure_all(&d);
        ret->replicates = d.replicates;
        ret->whole = d.whole;
    } else {
        for (size_t i = 0; i < curve->kinds + FIXED; i++)
            values_of(&d, i)[0] = NAN;
        d.replicates = 1;
    }
    summarise(&d, ret);
    return BF_OK;
}

/* One fit of one detector. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/sort.h"
#include "fit/calibration.h"
#include "fit/logistic.h"

#define BEND_LEAST 0.01 /* a channel may flatten what all others say, but not turn it round */

typedef struct fitting {
    const bf_fit_table *table;
    size_t detector;
    bool *in;               /* by row: is fitted on */
    double *weight;         /* by row */
    bf_sort_item *items;    /* the rows that are, by raw */
    bf_fit_sample *samples; /* likewise */
    double *columns;        /* of a channel's logistic model */
    size_t count;
    uint64_t rows[2], persons[2];
} fitting;

static void fitting_done(fitting *f)
{
    bf_free(f->in);
    bf_free(f->weight);
    bf_free(f->items);
    bf_free(f->samples);
    bf_free(f->columns);
}

static double raw_of(const fitting *f, size_t row)
{
    return f->table->raw[row * f->table->detectors + f->detector];
}

static bf_status make(fitting *f, bf_error *err)
{
    size_t rows = f->table->scores.count;
    f->in = bf_calloc(rows, sizeof *f->in);
    f->weight = bf_malloc(rows * sizeof *f->weight);
    f->items = bf_malloc(rows * sizeof *f->items);
    f->samples = bf_malloc(rows * sizeof *f->samples);
    f->columns = bf_malloc(3 * rows * sizeof *f->columns);
    return f->in && f->weight && f->items && f->samples && f->columns ? BF_OK : bf_fail_memory(err);
}

/* Counts the rows that are fitted on, and their persons. */
static bf_status count_rows(fitting *f, bf_error *err)
{
    const bf_scores *scores = &f->table->scores;
    bool *seen = bf_calloc(2 * scores->persons, sizeof *seen);
    if (!seen)
        return bf_fail_memory(err);
    memset(f->rows, 0, sizeof f->rows);
    memset(f->persons, 0, sizeof f->persons);
    for (size_t i = 0; i < scores->count; i++) {
        bool attack = scores->row[i].kind > 0, *person = &seen[2 * scores->row[i].person + attack];
        f->rows[attack] += f->in[i];
        f->persons[attack] += f->in[i] && !*person;
        *person = *person || f->in[i];
    }
    bf_free(seen);
    return BF_OK;
}

/* Weighs the rows that are `in` and lines them up by raw. */
static bf_status gather(fitting *f, bf_error *err)
{
    bf_status status = count_rows(f, err);
    if (status == BF_OK)
        status = bf_fit_weights(f->table, f->in, f->weight, err);
    if (status != BF_OK)
        return status;
    f->count = 0;
    for (size_t i = 0; i < f->table->scores.count; i++) {
        if (f->in[i])
            f->items[f->count++] = (bf_sort_item){bf_sort_key(raw_of(f, i)), (uint32_t)i};
    }
    if ((status = bf_sort(f->items, f->count, err)) != BF_OK)
        return status;
    for (size_t i = 0; i < f->count; i++) {
        size_t row = f->items[i].index;
        f->samples[i] = (bf_fit_sample){raw_of(f, row), f->weight[row], f->table->scores.row[row].kind == 0};
    }
    return BF_OK;
}

/* How the ratios of all channels together have to be bent for one: a logistic regression on them. */
static bf_status fit_bend(fitting *f, const bf_calibration_map *map, bf_logistic *ret, bool *ret_fitted, bf_error *err)
{
    double *x = f->columns, *target = x + f->count, *weight = target + f->count;
    double side = (double)f->count / 2; /* what each class weighs */
    *ret_fitted = false;
    for (size_t i = 0; i < f->count; i++) {
        x[i] = bf_calibration_map_llr(map, f->samples[i].raw);
        target[i] = f->samples[i].live ? (side + 1) / (side + 2) : 1 / (side + 2);
        weight[i] = f->samples[i].weight;
    }
    if (x[0] == x[f->count - 1])
        return BF_OK;
    const bf_logistic_data data = {.x = x, .target = target, .weight = weight, .rows = f->count, .columns = 1};
    bf_logistic_options options = bf_logistic_ridge(0);
    options.lower[0] = BEND_LEAST;
    *ret_fitted = true;
    return bf_logistic_fit(ret, &data, &options, err);
}

static bf_status fit_channel(fitting *f, bf_calibration *ret, bf_channel channel, double *ret_share, bf_error *err)
{
    bf_logistic bend;
    bool fitted = false;
    double least = (double)(f->persons[0] < f->persons[1] ? f->persons[0] : f->persons[1]);
    if (least < 2 || f->rows[0] < BF_FIT_ROWS_LEAST || f->rows[1] < BF_FIT_ROWS_LEAST)
        return BF_OK;
    bf_status status = fit_bend(f, &ret->map, &bend, &fitted, err);
    if (status != BF_OK || !fitted)
        return status;
    double share = least / (least + BF_FIT_SHRINK_PERSONS);
    ret->has_channel[channel] = true;
    ret->by_channel[channel] = ret->map;
    bf_fit_map_bend(&ret->by_channel[channel], 1 + share * (bend.coefficient[0] - 1), share * bend.intercept);
    *ret_share = share;
    return BF_OK;
}

/* The channel that a value of the column names; UNSPECIFIED where policies know none of that name. */
static bf_channel channel_of(const bf_fit_table *table, size_t row)
{
    bf_channel channel = BF_CHANNEL_UNSPECIFIED;
    uint16_t value = table->scores.row[row].segment[BF_SEGMENT_CHANNEL];
    (void)bf_channel_from_name(table->scores.segment[BF_SEGMENT_CHANNEL].text[value], &channel);
    return channel;
}

static bf_status fit_channels(fitting *f, const bool *use, bf_calibration *ret, double *ret_share, bf_error *err)
{
    bf_status status = BF_OK;
    for (int c = BF_CHANNEL_UNSPECIFIED + 1; status == BF_OK && c < BF_CHANNEL_COUNT; c++) {
        for (size_t i = 0; i < f->table->scores.count; i++)
            f->in[i] = use[i] && !isnan(raw_of(f, i)) && channel_of(f->table, i) == (bf_channel)c;
        status = gather(f, err);
        if (status == BF_OK)
            status = fit_channel(f, ret, (bf_channel)c, &ret_share[c], err);
    }
    return status;
}

bf_status bf_calibration_fit(bf_calibration *ret, const bf_fit_table *table, size_t detector, bf_fit_method method,
                             const bf_calibrating_options *options, const bool *use, double *ret_share, bf_error *err)
{
    BF_CLEANUP(fitting_done) fitting f = {.table = table, .detector = detector};
    double share[BF_CHANNEL_COUNT] = {0};
    bf_calibration fit = {0};
    bf_status status = make(&f, err);
    for (size_t i = 0; status == BF_OK && i < table->scores.count; i++)
        f.in[i] = use[i] && !isnan(raw_of(&f, i));
    if (status == BF_OK)
        status = gather(&f, err);
    if (status != BF_OK)
        return status;
    if (f.rows[0] < BF_FIT_ROWS_LEAST || f.rows[1] < BF_FIT_ROWS_LEAST)
        return bf_fail(err, BF_INVALID_ARGUMENT, "Of %s there are %llu bona fide and %llu attack values to fit on.",
                       table->detector[detector], (unsigned long long)f.rows[0], (unsigned long long)f.rows[1]);
    fit.llr_max = fmin(options->llr_max, log((double)f.rows[1] + 2));
    fit.llr_min = fmax(options->llr_min, -log((double)f.rows[0] + 2));
    status = bf_fit_map(&fit.map, method, f.samples, f.count, f.persons[0] + f.persons[1], err);
    if (status == BF_OK && options->by_channel)
        status = fit_channels(&f, use, &fit, share, err);
    if (status != BF_OK)
        return status;
    *ret = fit;
    if (ret_share)
        memcpy(ret_share, share, sizeof share);
    return BF_OK;
}

bf_status bf_calibration_held_out(double *ret, const bf_fit_table *table, size_t detector, bf_fit_method method,
                                  const bf_calibrating_options *options, const bf_folds *folds, bf_error *err)
{
    bf_status status = BF_OK;
    size_t rows = table->scores.count;
    bool *use = bf_malloc(rows * sizeof *use);
    if (!use)
        return bf_fail_memory(err);
    for (size_t i = 0; i < rows; i++)
        ret[i] = NAN;
    for (size_t fold = 0; fold < folds->count && status != BF_OUT_OF_MEMORY; fold++) {
        bf_calibration fit;
        for (size_t i = 0; i < rows; i++)
            use[i] = options->use[i] && folds->fold[i] != fold;
        status = bf_calibration_fit(&fit, table, detector, method, options, use, NULL, err);
        for (size_t i = 0; status == BF_OK && i < rows; i++) {
            double raw = table->raw[i * table->detectors + detector];
            if (folds->fold[i] == fold && !isnan(raw))
                ret[i] = bf_calibration_llr(&fit, channel_of(table, i), raw);
        }
    }
    bf_free(use);
    return status == BF_OUT_OF_MEMORY ? status : BF_OK;
}

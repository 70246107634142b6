/* Trying methods on persons they have not seen, and choosing one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/sort.h"
#include "fit/calibration.h"

#define DRAWS_MAX 10000000.0 /* persons x replicates of one interval */
#define REPLICATES_MIN 200
#define AGAINST_MIN 0.01 /* files hold a maximum above 0 */
#define AGAINST_MAX 0.25 /* of a detector that only speaks against; as in fusing */

typedef struct trying {
    const bf_fit_table *table;
    bf_calibrating_options options;
    bf_folds persons, sources;
    bf_score_row *rows; /* scratch, for measuring */
    double *llr;        /* scratch */
} trying;

static void trying_done(trying *t)
{
    bf_folds_done(&t->persons);
    bf_folds_done(&t->sources);
    bf_free(t->rows);
    bf_free(t->llr);
}

/* Over the rows in use that have a ratio, stated at these prior log-odds. */
static bf_status measure_at(trying *t, const double *llr, size_t stride, double prior, bf_reliability *ret,
                            bf_error *err)
{
    bf_scores scores = {.row = t->rows};
    for (size_t i = 0; i < t->table->scores.count; i++) {
        double ratio = llr[i * stride];
        if (!t->options.use[i] || isnan(ratio))
            continue;
        bf_score_row *row = &t->rows[scores.count++];
        *row = t->table->scores.row[i];
        row->probability = 1 / (1 + exp(-ratio - prior));
    }
    return bf_reliability_measure(ret, &scores, NULL, err);
}

/* Figures with both classes weighing alike, at even odds; bins of the rows as they are, at the odds that they have. */
static bf_status measure(trying *t, const double *llr, size_t stride, bf_reliability *ret, bf_error *err)
{
    bf_reliability as_is;
    bf_status status = measure_at(t, llr, stride, 0, ret, err);
    if (status != BF_OK || ret->live == 0 || ret->attacks == 0)
        return status;
    status = measure_at(t, llr, stride, log((double)ret->live / (double)ret->attacks), &as_is, err);
    if (status == BF_OK)
        memcpy(ret->bin, as_is.bin, sizeof ret->bin);
    return status;
}

/* What a person's presentations add to the difference of two calibrations; by class. */
typedef struct person_sums {
    double log_loss[2], brier[2];
    uint32_t count[2];
} person_sums;

static double log_loss(double llr, bool attack)
{
    double x = attack ? llr : -llr;
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double brier(double llr, bool attack)
{
    double wrong = 1 / (1 + exp(attack ? -llr : llr));
    return wrong * wrong;
}

static void free_sums(person_sums **sums)
{
    bf_free(*sums);
}

static void add_sums(person_sums *to, const person_sums *from)
{
    for (int c = 0; c < 2; c++) {
        to->log_loss[c] += from->log_loss[c];
        to->brier[c] += from->brier[c];
        to->count[c] += from->count[c];
    }
}

static double balanced(const double sum[2], const uint32_t count[2])
{
    return (sum[0] / count[0] + sum[1] / count[1]) / 2;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bf_span middle(double *values, size_t count)
{
    if (count < REPLICATES_MIN / 2)
        return (bf_span){NAN, NAN};
    qsort(values, count, sizeof *values, by_value);
    size_t beyond = (size_t)((1 - BF_CONFIDENCE) / 2 * (double)count);
    return (bf_span){values[beyond], values[count - 1 - beyond]};
}

static bf_status draw_persons(const trying *t, const person_sums *sums, size_t persons, bf_difference *ret_log_loss,
                              bf_difference *ret_brier, bf_error *err)
{
    size_t replicates = t->options.replicates, got = 0;
    double most = DRAWS_MAX / (double)persons;
    if ((double)replicates > most)
        replicates = most < REPLICATES_MIN ? REPLICATES_MIN : (size_t)most;
    double *values = bf_malloc(2 * replicates * sizeof *values);
    if (!values)
        return bf_fail_memory(err);
    bf_random random = {t->options.seed};
    for (size_t r = 0; r < replicates; r++) {
        person_sums drawn = {0};
        for (size_t p = 0; p < persons; p++)
            add_sums(&drawn, &sums[bf_random_below(&random, (uint32_t)persons)]);
        if (drawn.count[0] == 0 || drawn.count[1] == 0)
            continue;
        values[got] = balanced(drawn.log_loss, drawn.count);
        values[replicates + got++] = balanced(drawn.brier, drawn.count);
    }
    ret_log_loss->span = middle(values, got);
    ret_brier->span = middle(values + replicates, got);
    bf_free(values);
    return BF_OK;
}

/* `a` less `b`, over the rows in use that have both; classes weigh alike. */
static bf_status compare(const trying *t, const double *a, const double *b, size_t stride, bf_difference *ret_log_loss,
                         bf_difference *ret_brier, bf_error *err)
{
    const bf_scores *scores = &t->table->scores;
    BF_CLEANUP(free_sums) person_sums *sums = bf_calloc(scores->persons, sizeof *sums);
    person_sums whole = {0};
    size_t persons = 0;
    if (!sums)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++) {
        double x = a[i], y = b[i * stride];
        if (!t->options.use[i] || isnan(x) || isnan(y))
            continue;
        bool attack = scores->row[i].kind > 0;
        person_sums *person = &sums[scores->row[i].person];
        person->log_loss[attack] += log_loss(x, attack) - log_loss(y, attack);
        person->brier[attack] += brier(x, attack) - brier(y, attack);
        person->count[attack]++;
    }
    for (size_t p = 0; p < scores->persons; p++) {
        if (sums[p].count[0] + sums[p].count[1] > 0)
            sums[persons++] = sums[p];
    }
    for (size_t p = 0; p < persons; p++)
        add_sums(&whole, &sums[p]);
    ret_log_loss->value = balanced(whole.log_loss, whole.count);
    ret_brier->value = balanced(whole.brier, whole.count);
    return draw_persons(t, sums, persons, ret_log_loss, ret_brier, err);
}

static bf_status try_method(trying *t, size_t detector, bf_fit_method method, bool by_channel, bf_fit_trial *ret,
                            bf_error *err)
{
    bf_calibrating_options options = t->options;
    bf_reliability by_source;
    options.by_channel = by_channel;
    ret->by_channel = by_channel;
    ret->by_source = (bf_calibration_error){NAN, NAN, NAN};
    ret->llr = bf_malloc(t->table->scores.count * sizeof *ret->llr);
    if (!ret->llr)
        return bf_fail_memory(err);
    bf_status status = bf_calibration_held_out(ret->llr, t->table, detector, method, &options, &t->persons, err);
    if (status == BF_OK)
        status = measure(t, ret->llr, 1, &ret->held_out, err);
    if (status == BF_OK && t->sources.count > 0) {
        status = bf_calibration_held_out(t->llr, t->table, detector, method, &options, &t->sources, err);
        if (status == BF_OK)
            status = measure(t, t->llr, 1, &by_source, err);
        if (status == BF_OK)
            ret->by_source = by_source.balanced;
    }
    return status;
}

static bf_status choose(trying *t, bf_calibrated *c, bf_error *err)
{
    bf_status status = BF_OK;
    bf_difference unused;
    int best = 0;
    for (int m = 1; m < BF_FIT_CANDIDATES; m++) {
        if (c->trial[m].held_out.balanced.log_loss < c->trial[best].held_out.balanced.log_loss)
            best = m;
    }
    for (int m = 0; status == BF_OK && m < BF_FIT_METHODS; m++) {
        bf_fit_trial *trial = &c->trial[m];
        status = compare(t, trial->llr, c->trial[best].llr, 1, &trial->over_best, &unused, err);
        trial->worse = trial->over_best.span.low > 0;
    }
    c->chosen = (bf_fit_method)best;
    for (int m = best; m >= 0; m--) {
        if (!c->trial[m].worse)
            c->chosen = (bf_fit_method)m;
    }
    if (t->options.method)
        c->chosen = *t->options.method;
    return status;
}

static bf_status try_channels(trying *t, bf_calibrated *c, bf_error *err)
{
    bf_difference unused;
    bf_fit_trial *trial = &c->channels;
    bf_status status = try_method(t, c->detector, c->chosen, true, trial, err);
    if (status == BF_OK)
        status = compare(t, trial->llr, c->trial[c->chosen].llr, 1, &trial->over_best, &unused, err);
    trial->worse = status == BF_OK && trial->over_best.span.low > 0;
    return status;
}

const bf_fit_trial *bf_calibrated_after(const bf_calibrated *c)
{
    return c->channels.llr ? &c->channels : &c->trial[c->chosen];
}

/* Looks at the table's own ratios. There is a calibration before where every row that is fitted on has one. What never
 * spoke for bona fide by much was made so: that nothing is seen there is no evidence. It stays so, unless asked for. */
static void look_before(trying *t, bf_calibrated *c)
{
    const bf_fit_table *table = t->table;
    double highest = -INFINITY;
    c->has_before = true;
    for (size_t i = 0; i < table->scores.count; i++) {
        size_t at = i * table->detectors + c->detector;
        if (!t->options.use[i] || isnan(table->raw[at]))
            continue;
        c->has_before = c->has_before && !isnan(table->llr[at]);
        highest = fmax(highest, table->llr[at]);
    }
    c->only_against = c->has_before && highest <= AGAINST_MAX && t->options.llr_max == BF_LLR_LIMIT_MAX;
    if (c->only_against)
        t->options.llr_max = fmax(highest, AGAINST_MIN);
}

static bf_status compare_before(trying *t, bf_calibrated *c, bf_error *err)
{
    const bf_fit_table *table = t->table;
    const double *before = table->llr + c->detector;
    if (!c->has_before)
        return BF_OK;
    bf_status status = measure(t, before, table->detectors, &c->before, err);
    if (status == BF_OK)
        status = compare(t, bf_calibrated_after(c)->llr, before, table->detectors, &c->log_loss, &c->brier, err);
    return status;
}

static void count_classes(const trying *t, bf_calibrated *c, bool *seen)
{
    const bf_fit_table *table = t->table;
    for (size_t i = 0; i < table->scores.count; i++) {
        if (!t->options.use[i] || isnan(table->raw[i * table->detectors + c->detector]))
            continue;
        const bf_score_row *row = &table->scores.row[i];
        bool attack = row->kind > 0, *person = &seen[2 * row->person + attack];
        bf_channel channel = BF_CHANNEL_UNSPECIFIED;
        (void)bf_channel_from_name(table->scores.segment[BF_SEGMENT_CHANNEL].text[row->segment[BF_SEGMENT_CHANNEL]],
                                   &channel);
        c->rows[attack]++;
        c->persons[attack] += !*person;
        c->channel[channel].rows[attack]++;
        *person = true;
    }
}

static bf_status check_classes(const trying *t, bf_calibrated *c, bf_error *err)
{
    bool *seen = bf_calloc(2 * t->table->scores.persons, sizeof *seen);
    if (!seen)
        return bf_fail_memory(err);
    count_classes(t, c, seen);
    bf_free(seen);
    if (c->rows[0] >= BF_FIT_ROWS_LEAST && c->rows[1] >= BF_FIT_ROWS_LEAST && c->persons[0] > 1 && c->persons[1] > 1)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT,
            "Of %s there are raw values of %llu bona fide presentations by %llu persons and of %llu attacks by %llu.",
            c->name, (unsigned long long)c->rows[0], (unsigned long long)c->persons[0], (unsigned long long)c->rows[1],
            (unsigned long long)c->persons[1]);
    bf_fail_hint(err, "At least %d of each by 2 persons are needed, and many more to rely on it.", BF_FIT_ROWS_LEAST);
    return BF_INVALID_ARGUMENT;
}

static bf_status take_quantiles(const trying *t, bf_calibrated *c, bf_error *err)
{
    static const double at[5] = {0.05, 0.25, 0.5, 0.75, 0.95};
    const bf_fit_table *table = t->table;
    bf_sort_item *items = bf_malloc(table->scores.count * sizeof *items);
    bf_status status = items ? BF_OK : bf_fail_memory(err);
    for (int attack = 0; status == BF_OK && attack < 2; attack++) {
        size_t count = 0;
        for (size_t i = 0; i < table->scores.count; i++) {
            double raw = table->raw[i * table->detectors + c->detector];
            if (t->options.use[i] && !isnan(raw) && (table->scores.row[i].kind > 0) == attack)
                items[count++] = (bf_sort_item){bf_sort_key(raw), (uint32_t)i};
        }
        status = bf_sort(items, count, err);
        for (int q = 0; status == BF_OK && q < 5; q++) {
            size_t place = (size_t)(at[q] * (double)(count - 1) + 0.5);
            c->quantile[attack][q] = table->raw[items[place].index * table->detectors + c->detector];
        }
    }
    bf_free(items);
    return status;
}

/* Every row must have been held out once: else folds were too small, and figures would be of some rows only. */
static bf_status check_held_out(const trying *t, const bf_calibrated *c, bf_error *err)
{
    const bf_reliability *found = &c->trial[0].held_out;
    if (found->live == c->rows[0] && found->attacks == c->rows[1])
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "Too few persons have values of %s to hold some out and fit to the rest.",
            c->name);
    bf_fail_hint(err, "Capture more people, or ask for fewer folds than %zu.", t->persons.count);
    return BF_INVALID_ARGUMENT;
}

static bf_status try_all(trying *t, bf_calibrated *c, bf_error *err)
{
    double share[BF_CHANNEL_COUNT] = {0};
    bf_status status = check_classes(t, c, err);
    look_before(t, c);
    /* What fails on all rows is said before anything is held out. */
    if (status == BF_OK)
        status =
            bf_calibration_fit(&c->fit, t->table, c->detector, BF_FIT_PLATT, &t->options, t->options.use, NULL, err);
    for (int m = 0; status == BF_OK && m < BF_FIT_METHODS; m++)
        status = try_method(t, c->detector, (bf_fit_method)m, false, &c->trial[m], err);
    if (status == BF_OK)
        status = check_held_out(t, c, err);
    if (status == BF_OK)
        status = choose(t, c, err);
    if (status == BF_OK && t->options.by_channel)
        status = try_channels(t, c, err);
    if (status == BF_OK)
        status = compare_before(t, c, err);
    if (status == BF_OK)
        status = take_quantiles(t, c, err);
    if (status == BF_OK)
        status = bf_calibration_fit(&c->fit, t->table, c->detector, c->chosen, &t->options, t->options.use, share, err);
    for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++)
        c->channel[channel].share = share[channel];
    return status;
}

static bf_status make(trying *t, bf_error *err)
{
    size_t rows = t->table->scores.count;
    t->rows = bf_malloc(rows * sizeof *t->rows);
    t->llr = bf_malloc(rows * sizeof *t->llr);
    if (!t->rows || !t->llr)
        return bf_fail_memory(err);
    bf_status status = bf_folds_by_person(&t->persons, t->table, t->options.folds, t->options.seed, err);
    if (status == BF_OK && bf_folds_by_source(&t->sources, t->table, err) == BF_OUT_OF_MEMORY)
        status = BF_OUT_OF_MEMORY;
    return status;
}

bf_status bf_calibrate_detector(bf_calibrated *ret, const bf_fit_table *table, size_t detector,
                                const bf_calibrating_options *options, bf_error *err)
{
    BF_CLEANUP(trying_done) trying t = {.table = table, .options = *options};
    bf_calibrated c = {.detector = detector, .name = table->detector[detector]};
    bf_status status = make(&t, err);
    if (status == BF_OK)
        status = try_all(&t, &c, err);
    if (status != BF_OK) {
        bf_calibrated_done(&c);
        return status;
    }
    bf_calibrated_warn(&c, options);
    *ret = c;
    return BF_OK;
}

void bf_calibrated_done(bf_calibrated *c)
{
    for (int m = 0; m < BF_FIT_METHODS; m++)
        bf_free(c->trial[m].llr);
    bf_free(c->channels.llr);
    *c = (bf_calibrated){0};
}

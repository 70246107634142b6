#include "fit/fusion.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "fit/fusion_model.h"

static const uint32_t NOTHING = 0; /* no detector is missing */
static const char *const NAMES[] = {"minimum", "sum", "logistic", "trees"};
static const char *const TITLES[] = {"Rule: the weakest decides", "Weighted sum, one weight", "Logistic regression",
                                     "Boosted trees"};

const char *bf_fusing_name(bf_fusing method)
{
    return NAMES[method];
}

const char *bf_fusing_title(bf_fusing method)
{
    return TITLES[method];
}

const char *bf_fusion_kind_name(const bf_fusion_fit *fit, size_t kind)
{
    return kind == 0 ? "Bona fide" : fit->table->scores.species.text[kind - 1];
}

/* What fitting takes besides its result. */
typedef struct work {
    bf_fusion_fit *fit;
    bf_fusion_set set;
    bf_folds persons, sources;
    bf_fusion_recalibrated by_person, by_source;
    bf_fusion_kept kept;
    double *llr; /* methods x rows */
    size_t rows, done, total;
} work;

static void work_done(work *w)
{
    bf_free(w->set.llr);
    bf_free(w->set.fitted);
    bf_free(w->llr);
    bf_fusion_recalibrated_done(&w->by_person);
    bf_fusion_recalibrated_done(&w->by_source);
    bf_folds_done(&w->persons);
    bf_folds_done(&w->sources);
    bf_fusion_kept_done(&w->kept);
}

static void step(work *w)
{
    w->done++;
    if (w->fit->options.progress)
        w->fit->options.progress(w->fit->options.context, w->done, w->total);
}

void bf_fusion_fit_free(bf_fusion_fit **fit)
{
    if (!*fit)
        return;
    bf_free((*fit)->held_llr);
    bf_bytes_done(&(*fit)->yaml);
    bf_free(*fit);
    *fit = NULL;
}

/* ---- preparing ---- */

static void count_persons(const work *w, bool *seen)
{
    bf_fusion_fit *fit = w->fit;
    const bf_scores *scores = &fit->table->scores;
    for (size_t i = 0; i < scores->count; i++) {
        const bf_score_row *row = &scores->row[i];
        size_t class = row->kind > 0, at = row->person * 2 + class;
        bool heard = false;
        for (size_t d = 0; d < w->set.count; d++)
            heard = heard || !isnan(w->set.llr[i * w->set.count + d]);
        w->set.fitted[i] = row->kind == 0 || !fit->beside[row->kind - 1];
        if (!heard || !w->set.fitted[i])
            continue;
        fit->fitted[class]++;
        fit->persons[class] += !seen[at];
        seen[at] = true;
    }
}

static void free_flags(bool **flags)
{
    bf_free(*flags);
}

static bf_status prepare(work *w, bf_error *err)
{
    bf_fusion_fit *fit = w->fit;
    const bf_fit_table *table = fit->table;
    w->rows = table->scores.count;
    w->set = (bf_fusion_set){.table = table,
                             .detector = fit->detector,
                             .count = fit->detectors,
                             .seed = fit->options.seed,
                             .as_calibrated = fit->options.as_calibrated,
                             .jobs = fit->options.jobs};
    w->set.llr = bf_malloc((w->rows * w->set.count + 1) * sizeof *w->set.llr);
    w->set.fitted = bf_calloc(w->rows + 1, sizeof *w->set.fitted);
    w->llr = bf_malloc((BF_FUSINGS * w->rows + 1) * sizeof *w->llr);
    fit->held_llr = bf_malloc((w->rows + 1) * sizeof *fit->held_llr);
    BF_CLEANUP(free_flags) bool *seen = bf_calloc(2 * table->scores.persons + 1, sizeof *seen);
    if (!w->set.llr || !w->set.fitted || !w->llr || !fit->held_llr || !seen)
        return bf_fail_memory(err);
    for (size_t d = 0; d < w->set.count; d++) {
        size_t column = (size_t)bf_fit_detector(table, fit->detector[d].name);
        for (size_t i = 0; i < w->rows; i++)
            w->set.llr[i * w->set.count + d] = table->llr[i * table->detectors + column];
        fit->detector[d].ms = bf_fusion_time_of(&table->scores, fit->detector[d].name, w->llr);
    }
    count_persons(w, seen);
    bf_status status = bf_folds_by_person(&w->persons, table, fit->options.folds, fit->options.seed, err);
    if (status != BF_OK)
        return status;
    fit->folds = w->persons.count;
    bf_error none = {0};
    status = bf_folds_by_source(&w->sources, table, &none);
    fit->sources = w->sources.count;
    if (status == BF_OUT_OF_MEMORY)
        return bf_fail_memory(err);
    status = bf_fusion_recalibrate(&w->by_person, &w->set, &w->persons, err);
    return status == BF_OK ? bf_fusion_recalibrate(&w->by_source, &w->set, &w->sources, err) : status;
}

/* ---- the methods ---- */

static size_t parameters_of(const bf_fusion_fit *fit, bf_fusing method)
{
    size_t needed = 0;
    for (size_t d = 0; d < fit->detectors; d++)
        needed += !fit->detector[d].against;
    switch (method) {
    case BF_FUSING_LOGISTIC:
        return needed + 1;
    case BF_FUSING_TREES: /* thresholds and leaves of a few splits on each */
        return 3 * fit->detectors + 1;
    default:
        return 2;
    }
}

static size_t fewer_persons(const bf_fusion_fit *fit)
{
    return fit->persons[0] < fit->persons[1] ? fit->persons[0] : fit->persons[1];
}

/* Whether a method can be fitted; why not stands in the candidate. */
static bool can_fit(bf_fusion_fit *fit, bf_fusing method)
{
    bf_fusion_candidate *c = &fit->candidate[method];
    bf_error why = {0};
    c->parameters = parameters_of(fit, method);
    c->scarce = fewer_persons(fit) < c->parameters * BF_PARAMETER_LEAST;
    if (method == BF_FUSING_TREES && bf_boost_available(&why) != BF_OK)
        (void)snprintf(c->refused, sizeof c->refused, "%.140s %.140s", why.message, why.hint);
    return c->refused[0] == '\0';
}

static bf_status fit_whole(const work *w, bf_fusing method, uint32_t heard, bf_fusion_model *ret, bf_error *err)
{
    const bf_fusion_task task = {.set = &w->set,
                                 .method = method,
                                 .heard = heard,
                                 .use = w->set.fitted,
                                 .trees = w->fit->candidate[method].trees};
    return bf_fusion_model_fit(ret, &task, err);
}

/* On the rows that it was fitted on: what held-out figures must be compared with to see overfitting. */
static bf_status measure_apparent(const work *w, bf_fusing method, double *room, bf_error *err)
{
    bf_fusion_candidate *c = &w->fit->candidate[method];
    BF_CLEANUP(bf_fusion_model_done) bf_fusion_model model = {0};
    for (size_t i = 0; i < w->rows; i++)
        room[i] = NAN;
    bf_status status = fit_whole(w, method, bf_fusion_all(&w->set), &model, err);
    if (status == BF_OK)
        status = bf_fusion_model_apply(&w->set, &model, 0, w->set.fitted, room, err);
    return status == BF_OK ? bf_fusion_measure_plain(w->fit, room, &c->apparent_cllr, &c->apparent_auc, err) : status;
}

static bf_status try_method(work *w, bf_fusing method, bf_error *err)
{
    bf_fusion_candidate *c = &w->fit->candidate[method];
    double *held = w->llr + (size_t)method * w->rows, *room = w->fit->held_llr;
    bf_fusion_cross cross = {.set = &w->set,
                             .folds = &w->persons,
                             .recalibrated = &w->by_person,
                             .inner = &w->persons,
                             .method = method,
                             .heard = bf_fusion_all(&w->set),
                             .missing = &NOTHING,
                             .cases = 1};
    bf_status status = bf_fusion_cross_run(&cross, held, &c->trees, err);
    step(w);
    if (status == BF_OK)
        status = measure_apparent(w, method, room, err);
    c->source_cllr = c->source_auc = NAN;
    cross.folds = &w->sources;
    cross.recalibrated = &w->by_source;
    if (status == BF_OK && w->sources.count > 0)
        status = bf_fusion_cross_run(&cross, room, NULL, err);
    if (status == BF_OK && w->sources.count > 0)
        status = bf_fusion_measure_plain(w->fit, room, &c->source_cllr, &c->source_auc, err);
    step(w);
    return status;
}

/* Of the methods that were fitted, those with enough persons; the first when none has. */
static size_t best_of(const bf_fusion_fit *fit, const bf_fusion_run *run, const size_t *of, size_t runs)
{
    size_t best = 0;
    for (size_t r = 1; r < runs; r++) {
        if (!fit->candidate[of[r]].scarce &&
            run[r].ret->value[BF_MEASURED_CLLR] < run[best].ret->value[BF_MEASURED_CLLR])
            best = r;
    }
    return best;
}

/* The best has the least Cllr. A method is worse when in Cllr or AUC the whole interval of the difference is. */
static bf_status compare_methods(work *w, bf_error *err)
{
    bf_fusion_fit *fit = w->fit;
    bf_fusion_run run[BF_FUSINGS];
    size_t runs = 0, of[BF_FUSINGS] = {0};
    for (size_t m = 0; m < BF_FUSINGS; m++) {
        if (fit->candidate[m].refused[0])
            continue;
        of[runs] = m;
        run[runs++] = (bf_fusion_run){w->llr + m * w->rows, &fit->candidate[m].held};
    }
    bf_status status = bf_fusion_measure_runs(fit, run, runs, BF_NO_REFERENCE, &fit->compared, NULL, err);
    size_t best = best_of(fit, run, of, runs);
    if (status == BF_OK)
        status = bf_fusion_measure_runs(fit, run, runs, best, &fit->compared, &fit->replicates, err);
    step(w);
    if (status == BF_OK && isnan(run[best].ret->value[BF_MEASURED_CLLR]))
        status = bf_fail(err, BF_INVALID_ARGUMENT,
                         "No fusion can be measured: too few presentations of either class have evidence.");
    fit->best = (bf_fusing)of[best];
    for (size_t r = 0; r < runs; r++)
        fit->candidate[of[r]].worse = r != best && (run[r].ret->more_span[BF_MEASURED_CLLR].low > 0 ||
                                                    run[r].ret->more_span[BF_MEASURED_AUC].high < 0);
    return status;
}

static bf_status choose_method(bf_fusion_fit *fit, bf_error *err)
{
    int asked = fit->options.method;
    if (asked >= 0 && fit->candidate[asked].refused[0])
        return bf_fail(err, BF_MODEL_UNAVAILABLE, "%s", fit->candidate[asked].refused);
    fit->chosen = asked >= 0 ? (bf_fusing)asked : fit->best;
    for (size_t m = 0; m < fit->best && asked < 0; m++) {
        if (!fit->candidate[m].refused[0] && !fit->candidate[m].scarce && !fit->candidate[m].worse) {
            fit->chosen = (bf_fusing)m;
            break;
        }
    }
    return BF_OK;
}

static bf_status try_methods(work *w, bf_error *err)
{
    bf_status status = BF_OK;
    for (size_t m = 0; m < BF_FUSINGS && status == BF_OK; m++) {
        if (can_fit(w->fit, (bf_fusing)m))
            status = try_method(w, (bf_fusing)m, err);
    }
    if (status == BF_OK)
        status = compare_methods(w, err);
    return status == BF_OK ? choose_method(w->fit, err) : status;
}

/* ---- each detector ---- */

static bf_status measure_detector(work *w, size_t d, const double *missing, double *without, bf_error *err)
{
    bf_fusion_fit *fit = w->fit;
    bf_fusion_detector *one = &fit->detector[d];
    const bf_fusion_cross cross = {.set = &w->set,
                                   .folds = &w->persons,
                                   .recalibrated = &w->by_person,
                                   .inner = &w->persons,
                                   .method = fit->chosen,
                                   .heard = bf_fusion_all(&w->set) & ~(UINT32_C(1) << d),
                                   .missing = &NOTHING,
                                   .cases = 1};
    for (size_t i = 0; i < w->rows; i++)
        without[i] = w->set.llr[i * w->set.count + d];
    const bf_fusion_run single = {without, &one->single};
    bf_status status = bf_fusion_measure_runs(fit, &single, 1, 0, NULL, NULL, err);
    one->can_do_without = bf_fusion_can_judge(&w->set, cross.heard);
    if (status != BF_OK || !one->can_do_without)
        return status;
    status = bf_fusion_cross_run(&cross, without, NULL, err);
    bf_fusion_figures whole;
    const bf_fusion_run runs[] = {{fit->held_llr, &whole}, {without, &one->without}, {missing, &one->missing}};
    return status == BF_OK ? bf_fusion_measure_runs(fit, runs, 3, 0, NULL, NULL, err) : status;
}

static void free_numbers(double **numbers)
{
    bf_free(*numbers);
}

/* Each detector missing from what was fitted with it, all at once; then each left out. */
static bf_status measure_detectors(work *w, bf_error *err)
{
    uint32_t missing[BF_DETECTORS_MAX];
    const bf_fusion_cross cross = {.set = &w->set,
                                   .folds = &w->persons,
                                   .recalibrated = &w->by_person,
                                   .inner = &w->persons,
                                   .method = w->fit->chosen,
                                   .heard = bf_fusion_all(&w->set),
                                   .missing = missing,
                                   .cases = w->fit->detectors};
    BF_CLEANUP(free_numbers) double *room = bf_malloc((cross.cases * w->rows + 1) * sizeof *room);
    if (!room)
        return bf_fail_memory(err);
    memcpy(w->fit->held_llr, w->llr + (size_t)w->fit->chosen * w->rows, w->rows * sizeof *w->llr);
    for (size_t d = 0; d < cross.cases; d++)
        missing[d] = UINT32_C(1) << d;
    bf_status status = bf_fusion_cross_run(&cross, room, NULL, err);
    for (size_t d = 0; d < cross.cases && status == BF_OK; d++) {
        status = measure_detector(w, d, room + d * w->rows, w->llr, err);
        step(w);
    }
    return status;
}

/* ---- the file ---- */

static bf_status write_file(work *w, bf_error *err)
{
    bf_fusion_fit *fit = w->fit;
    size_t dropped = 0;
    char dataset[96];
    BF_CLEANUP(bf_fusion_model_done) bf_fusion_model model = {0};
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    BF_CLEANUP(bf_fusion_free) bf_fusion *fusion = NULL;
    bf_status status = fit_whole(w, fit->chosen, bf_fusion_all(&w->set), &model, err);
    if (status != BF_OK)
        return status;
    (void)snprintf(dataset, sizeof dataset, "%zu bona fide and %zu attack presentations (%s)", fit->fitted[0],
                   fit->fitted[1], bf_fusing_name(fit->chosen));
    bf_fusion_write(&page, &w->set, &model, &w->kept, fit->options.name, fit->options.version, dataset, &fit->kept,
                    &dropped);
    status = bf_page_take(&page, &fit->yaml, err);
    if (status == BF_OK)
        status = bf_fusion_parse(fit->yaml.data, fit->yaml.size, "the fitted fusion", &fusion, err);
    if (status == BF_OK && dropped > 0) {
        bf_warning *warning = &fit->warning[fit->warnings++];
        warning->gravity = BF_GRAVITY_CAUTION;
        (void)snprintf(
            warning->text, sizeof warning->text,
            "A fusion file holds %d configurations. %zu of the smallest that were fitted had no place beside "
            "those that were kept, so that fewer detectors may fail before nothing is judged.",
            BF_FUSION_CONFIGURATIONS_MAX, dropped);
    }
    return status;
}

static bf_status run(work *w, bf_error *err)
{
    bf_fusion_fit *fit = w->fit;
    bf_status status = bf_fusion_find_beside(fit, err);
    if (status == BF_OK)
        status = bf_fusion_choose_detectors(fit, err);
    fit->live_prior = BF_LIVE_PRIOR;
    if (status == BF_OK && fit->options.keep)
        status = bf_fusion_kept_read(&w->kept, fit->options.keep, err);
    if (w->kept.doc)
        fit->live_prior = w->kept.live_prior;
    if (status == BF_OK)
        status = prepare(w, err);
    w->total = 2 * BF_FUSINGS + 1 + fit->detectors;
    if (status == BF_OK)
        status = try_methods(w, err);
    if (status == BF_OK)
        status = measure_detectors(w, err);
    if (status == BF_OK)
        status = write_file(w, err);
    if (status == BF_OK)
        bf_fusion_warn(fit);
    return status;
}

bf_status bf_fusion_fit_new(bf_fusion_fit **ret, const bf_fit_table *table, const bf_fusion_options *options,
                            bf_error *err)
{
    BF_CLEANUP(bf_fusion_fit_free) bf_fusion_fit *fit = bf_calloc(1, sizeof *fit);
    if (!fit)
        return bf_fail_memory(err);
    BF_CLEANUP(work_done) work w = {.fit = fit};
    fit->table = table;
    fit->options = *options;
    bf_status status = run(&w, err);
    if (status != BF_OK)
        return status;
    *ret = fit;
    fit = NULL;
    return BF_OK;
}

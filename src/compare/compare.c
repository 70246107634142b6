#include "compare/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"

#define METRICS_MAX (BF_EXPERIMENT_METRICS_MAX + BF_EXPERIMENT_CRITERIA_MAX + BF_KINDS_MAX)

const char *bf_compared_kind(const bf_comparison *c, size_t kind)
{
    return kind == 0 ? "Bona fide" : c->pairs->a.species.text[kind - 1];
}

bool bf_compared_counts(const bf_comparison *c, size_t kind)
{
    return kind == 0 || !c->beside[kind - 1];
}

/* What the experiment asks for must be in the tables: a slip of the pen would protect nothing. */
static bf_status fail_missing(const bf_experiment *e, const char *what, const char *name, const char *hint,
                              bf_error *err)
{
    bf_fail(err, BF_INVALID_ARGUMENT, "%s: the tables have no %s '%.80s'.", e->file, what, name);
    bf_fail_hint(err, "%s", hint);
    return BF_INVALID_ARGUMENT;
}

static bool has_stage(const bf_scores *scores, const char *stage)
{
    for (size_t s = 0; s < scores->stages; s++) {
        if (strcmp(scores->stage[s], stage) == 0)
            return true;
    }
    return false;
}

static bf_status find_species(const bf_comparison *c, const char *name, uint16_t *ret_kind, bf_error *err)
{
    const bf_names *species = &c->pairs->a.species;
    for (size_t s = 0; s < bf_names_count(species); s++) {
        if (strcmp(species->text[s], name) == 0) {
            *ret_kind = (uint16_t)(s + 1);
            return BF_OK;
        }
    }
    return fail_missing(&c->experiment, "attack species", name, "Species are the values of the column attack_type.",
                        err);
}

static bf_status resolve_metric(const bf_comparison *c, bf_metric *metric, bf_error *err)
{
    const bf_pairs *pairs = c->pairs;
    if (bf_metric_unit_of(metric->kind) == BF_UNIT_MS &&
        !(has_stage(&pairs->a, metric->of) && has_stage(&pairs->b, metric->of)))
        return fail_missing(&c->experiment, "stage", metric->of,
                            "Stages are the columns ms.STAGE, which both tables must have; score without --no-timing.",
                            err);
    if (metric->kind != BF_METRIC_APCER)
        return BF_OK;
    return find_species(c, metric->of, &metric->species, err);
}

static bf_status resolve_beside(bf_comparison *c, bf_error *err)
{
    const bf_experiment *e = &c->experiment;
    uint16_t kind = 0;
    bf_status status = BF_OK;
    for (size_t i = 0; status == BF_OK && i < e->besides; i++) {
        status = find_species(c, e->beside[i], &kind, err);
        if (status == BF_OK)
            c->beside[kind - 1] = true;
    }
    return status;
}

/* The number of a value among those of its column; as many as there are when it is none. */
static size_t value_number(const bf_pairs *pairs, const bf_criterion *criterion)
{
    const bf_names *names = &pairs->a.segment[criterion->column];
    size_t v = 0;
    while (v < bf_names_count(names) && strcmp(names->text[v], criterion->value) != 0)
        v++;
    return v;
}

static bf_status resolve(bf_comparison *c, bf_error *err)
{
    bf_experiment *e = &c->experiment;
    bf_status status = resolve_beside(c, err);
    for (size_t m = 0; status == BF_OK && m < e->metrics; m++)
        status = resolve_metric(c, &e->metric[m], err);
    for (size_t i = 0; status == BF_OK && i < e->criteria; i++) {
        bf_criterion *criterion = &e->criterion[i];
        status = resolve_metric(c, &criterion->metric, err);
        if (status != BF_OK || !criterion->in_segment)
            continue;
        bool all = strcmp(criterion->value, "*") == 0, stated = c->pairs->a.has_segment[criterion->column];
        if (!stated ||
            (!all && value_number(c->pairs, criterion) == bf_names_count(&c->pairs->a.segment[criterion->column])))
            status = fail_missing(e, bf_segment_column(criterion->column), criterion->value,
                                  "A protected segment must be there to be protected. Correct the experiment, or the "
                                  "dataset.",
                                  err);
    }
    return status;
}

static bf_status judge(bf_comparison *c, const bf_criterion *criterion, const bf_contrast *contrast, bf_error *err)
{
    if (c->judged_count == BF_JUDGED_MAX) {
        bf_fail(err, BF_INVALID_ARGUMENT, "%s: there are more than %d criteria, with each protected value.",
                c->experiment.file, BF_JUDGED_MAX);
        bf_fail_hint(err, "Protect the values that matter instead of '*'.");
        return BF_INVALID_ARGUMENT;
    }
    bf_judged *judged = &c->judged[c->judged_count++];
    *judged = (bf_judged){.criterion = *criterion, .contrast = *contrast};
    judged->outcome = bf_judge_criterion(criterion, contrast, &c->experiment,
                                         contrast->least_kind > 0 ? bf_compared_kind(c, contrast->least_kind) : "",
                                         judged->reason, sizeof judged->reason);
    bf_utf8_repair(judged->reason); /* names are cut at a number of bytes */
    return BF_OK;
}

/* Everything that is measured on all samples, in the same draws. */
static bf_status contrast_all(bf_comparison *c, bf_contrast *contrasts, bf_metric *metrics, bf_error *err)
{
    const bf_experiment *e = &c->experiment;
    size_t count = 0, at = 0;
    for (size_t m = 0; m < e->metrics; m++)
        metrics[count++] = e->metric[m];
    for (size_t i = 0; i < e->criteria; i++) {
        if (!e->criterion[i].in_segment)
            metrics[count++] = e->criterion[i].metric;
    }
    metrics[count++] = (bf_metric){.kind = BF_METRIC_BPCER};
    for (size_t k = 1; k < c->kinds; k++)
        metrics[count++] = (bf_metric){.kind = BF_METRIC_APCER, .species = (uint16_t)k};
    bf_status status = bf_contrast_run(contrasts, c->pairs, metrics, count, &c->drawing, err);
    if (status != BF_OK)
        return status;
    for (size_t m = 0; m < e->metrics; m++)
        c->metric[m] = contrasts[at++];
    for (size_t i = 0; status == BF_OK && i < e->criteria; i++) {
        if (!e->criterion[i].in_segment)
            status = judge(c, &e->criterion[i], &contrasts[at++], err);
    }
    memcpy(c->kind, contrasts + at, c->kinds * sizeof *c->kind);
    return status;
}

static void free_contrasts(bf_contrast **contrasts)
{
    bf_free(*contrasts);
}

static void free_metrics(bf_metric **metrics)
{
    bf_free(*metrics);
}

/* Whether the metric has anything to be measured on in these rows. */
static bool has_class_of(bf_metric_kind kind, const bf_pairs *pairs)
{
    bool has[2] = {false, false};
    for (size_t i = 0; i < pairs->a.count; i++)
        has[pairs->a.row[i].kind > 0] = true;
    return (has[0] || !bf_metric_of_bona_fide(kind)) && (has[1] || !bf_metric_of_attacks(kind));
}

/* The criteria of a value of a column. Of all values, those without anything to protect are passed over. */
static size_t criteria_of(const bf_experiment *e, bf_segment column, const char *value, const bf_pairs *part,
                          const bf_criterion *ret[BF_EXPERIMENT_CRITERIA_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < e->criteria; i++) {
        const bf_criterion *criterion = &e->criterion[i];
        if (!criterion->in_segment || criterion->column != column)
            continue;
        bool all = strcmp(criterion->value, "*") == 0;
        if (all ? has_class_of(criterion->metric.kind, part) : strcmp(criterion->value, value) == 0)
            ret[count++] = criterion;
    }
    return count;
}

static bf_status judge_part(bf_comparison *c, bf_segment column, uint16_t value, bf_error *err)
{
    bf_metric metrics[BF_EXPERIMENT_CRITERIA_MAX];
    bf_contrast contrasts[BF_EXPERIMENT_CRITERIA_MAX];
    const bf_criterion *of[BF_EXPERIMENT_CRITERIA_MAX];
    const char *name = c->pairs->a.segment[column].text[value];
    BF_CLEANUP(bf_pairs_part_done) bf_pairs part = {0};
    bf_status status = bf_pairs_part(&part, c->pairs, column, value, err);
    if (status != BF_OK)
        return status;
    size_t count = criteria_of(&c->experiment, column, name, &part, of);
    for (size_t i = 0; i < count; i++)
        metrics[i] = of[i]->metric;
    if (count > 0)
        status = bf_contrast_run(contrasts, &part, metrics, count, &c->drawing, err);
    for (size_t i = 0; status == BF_OK && i < count; i++) {
        bf_criterion criterion = *of[i];
        (void)snprintf(criterion.value, sizeof criterion.value, "%s", name[0] ? name : "(not stated)");
        status = judge(c, &criterion, &contrasts[i], err);
    }
    return status;
}

static bf_status judge_segments(bf_comparison *c, bf_error *err)
{
    bf_status status = BF_OK;
    for (int s = 0; s < BF_SEGMENTS; s++) {
        const bf_names *names = &c->pairs->a.segment[s];
        for (size_t v = 0; status == BF_OK && v < bf_names_count(names); v++) {
            if (bf_experiment_protects(&c->experiment, (bf_segment)s, names->text[v]))
                status = judge_part(c, (bf_segment)s, (uint16_t)v, err);
        }
    }
    return status;
}

static int worst_first(const void *a, const void *b)
{
    static const int order[] = {[BF_OUTCOME_FAIL] = 0, [BF_OUTCOME_INCONCLUSIVE] = 1, [BF_OUTCOME_PASS] = 2};
    const bf_judged *x = a, *y = b;
    if (x->outcome != y->outcome)
        return order[x->outcome] - order[y->outcome];
    if (x->criterion.in_segment != y->criterion.in_segment)
        return (int)x->criterion.in_segment - (int)y->criterion.in_segment;
    if (x->criterion.line != y->criterion.line)
        return x->criterion.line - y->criterion.line;
    if (x->criterion.metric.kind != y->criterion.metric.kind)
        return (int)x->criterion.metric.kind - (int)y->criterion.metric.kind;
    return strcmp(x->criterion.value, y->criterion.value);
}

/* All criteria must hold. One that fails decides; else one that is open does. */
static void conclude(bf_comparison *c)
{
    c->verdict = BF_OUTCOME_PASS;
    for (size_t i = 0; i < c->judged_count; i++) {
        if (c->judged[i].outcome == BF_OUTCOME_FAIL)
            c->verdict = BF_OUTCOME_FAIL;
        else if (c->judged[i].outcome == BF_OUTCOME_INCONCLUSIVE && c->verdict == BF_OUTCOME_PASS)
            c->verdict = BF_OUTCOME_INCONCLUSIVE;
    }
    qsort(c->judged, c->judged_count, sizeof *c->judged, worst_first);
}

/* What both classes need before anything can be said. */
static bf_status check_responses(const bf_comparison *c, bf_error *err)
{
    const bf_pairs *pairs = c->pairs;
    size_t answered[2] = {0};
    for (size_t i = 0; i < pairs->a.count; i++)
        answered[pairs->a.row[i].kind > 0] += pairs->a.row[i].status == BF_SCORE_OK &&
                                              pairs->b.row[i].status == BF_SCORE_OK &&
                                              bf_compared_counts(c, pairs->a.row[i].kind);
    if (answered[0] > 0 && answered[1] > 0)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "No %s presentation got a response from both releases.",
            answered[0] == 0 ? "bona fide" : "attack");
    bf_fail_hint(err, "A comparison needs confirmed samples of both labels, live and spoof, that both releases could "
                      "judge. The column code says why there was no response.");
    return BF_INVALID_ARGUMENT;
}

static bf_status compare(bf_comparison *c, bf_error *err)
{
    BF_CLEANUP(free_contrasts) bf_contrast *contrasts = bf_malloc(METRICS_MAX * sizeof *contrasts);
    BF_CLEANUP(free_metrics) bf_metric *metrics = bf_calloc(METRICS_MAX, sizeof *metrics);
    c->drawing.beside = c->beside;
    c->judged = bf_malloc(BF_JUDGED_MAX * sizeof *c->judged);
    if (!contrasts || !metrics || !c->judged)
        return bf_fail_memory(err);
    bf_status status = resolve(c, err);
    if (status == BF_OK)
        status = check_responses(c, err);
    if (status == BF_OK)
        status = contrast_all(c, contrasts, metrics, err);
    if (status == BF_OK)
        status = judge_segments(c, err);
    if (status == BF_OK)
        status = bf_compare_segments(c, err);
    if (status == BF_OK)
        status = bf_compare_shifts(c, err);
    if (status == BF_OK)
        status = bf_compare_bands(c, err);
    if (status == BF_OK)
        status = bf_compare_flips(c, err);
    return status == BF_OK ? bf_compare_latency(c, err) : status;
}

bf_status bf_compare(bf_comparison *ret, const bf_pairs *pairs, const bf_experiment *experiment,
                     const bf_comparison_options *options, bf_error *err)
{
    bf_comparison c = {.pairs = pairs,
                       .experiment = *experiment,
                       .drawing = {.threshold = {experiment->threshold[0], experiment->threshold[1]},
                                   .confidence = experiment->confidence,
                                   .replicates = options->replicates,
                                   .seed = options->seed,
                                   .jobs = options->jobs,
                                   .progress = options->progress,
                                   .context = options->context},
                       .kinds = 1 + bf_names_count(&pairs->a.species)};
    bf_status status = compare(&c, err);
    if (status != BF_OK) {
        bf_comparison_done(&c);
        return status;
    }
    c.drawing.beside = NULL; /* it moves with the comparison */
    bf_compare_decisions(&c);
    conclude(&c);
    bf_compare_notes(&c);
    *ret = c;
    return BF_OK;
}

void bf_comparison_done(bf_comparison *c)
{
    bf_free(c->judged);
    bf_free(c->segment);
    bf_free(c->flip);
    *c = (bf_comparison){0};
}

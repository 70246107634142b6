/* report.json, part by part in the order of the schema. */
#include "evaluate/json.h"
#include "evaluate/report.h"
#include "policy/policy.h"
#include "record/build.h"

static json_t *crossing(const bf_rate *r, double threshold, bf_span by_person)
{
    json_t *json = bf_json_rate_by_person(r, by_person);
    if (!json || json_object_set_new(json, "threshold", bf_json_number(threshold)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *build_input(const bf_evaluation *e, const bf_report_facts *facts)
{
    const bf_scores *s = e->scores;
    json_t *aside = json_pack("{s:o, s:o, s:o}", "uncertain", bf_json_integer(s->set_aside[BF_REVIEW_UNCERTAIN]),
                              "disputed", bf_json_integer(s->set_aside[BF_REVIEW_DISPUTED]), "excluded",
                              bf_json_integer(s->set_aside[BF_REVIEW_EXCLUDED]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "table",
                     bf_build_text(facts->table), "rows", bf_json_integer(s->count), "persons",
                     bf_json_integer(s->persons), "rows_without_person", bf_json_integer(s->without_person), "split",
                     bf_build_text_or_null(s->split), "rows_of_other_splits", bf_json_integer(s->other_split),
                     "set_aside", aside, "stack", bf_build_text_or_null(s->stack), "stacks", bf_json_integer(s->stacks),
                     "policy_version", bf_build_text_or_null(s->policy_version), "fusion_version",
                     bf_build_text_or_null(s->fusion_version), "flow", bf_build_text_or_null(s->flow));
}

static json_t *build_convention(const bf_evaluation *e)
{
    return json_pack("{s:s, s:o, s:s, s:o, s:{s:o, s:o, s:o, s:o}}", "accept", "score >= threshold", "threshold",
                     bf_json_number(e->options.threshold), "denominator_of_apcer_and_bpcer",
                     "presentations with a response", "confidence", bf_json_number(BF_CONFIDENCE), "bootstrap", "seed",
                     bf_json_integer(e->options.seed), "persons", bf_json_integer(e->bootstrap.persons), "replicates",
                     bf_json_integer(e->bootstrap.replicates), "replicates_of_the_curve",
                     bf_json_integer(e->bootstrap.whole));
}

static json_t *build_headline(const bf_evaluation *e)
{
    return json_pack("{s:s, s:o, s:o, s:{s:o, s:o, s:s, s:o}}", "species", bf_kind_name(e, e->worst_kind), "max_apcer",
                     bf_json_rate_by_person(&e->kind[e->worst_kind].error, e->bootstrap.max_apcer), "bpcer",
                     bf_json_rate_by_person(&e->kind[0].error, e->bootstrap.bpcer), "acer", "value",
                     bf_json_number(e->figures.acer), "by_person", bf_json_span(e->bootstrap.acer), "note",
                     "ACER is not an ISO/IEC 30107-3 metric", "iso", json_false());
}

static json_t *build_warnings(const bf_evaluation *e)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < e->warnings; i++)
        good = bf_json_append(array, json_pack("{s:s, s:s}", "gravity", bf_gravity_word(e->warning[i].gravity), "text",
                                               e->warning[i].text));
    return bf_json_kept_if(good, array);
}

static json_t *build_kind(const bf_evaluation *e, size_t k)
{
    const bf_kind_figures *kind = &e->kind[k];
    json_t *histogram = json_array();
    bool good = histogram != NULL;
    for (int b = 0; good && b < BF_HISTOGRAM_BINS; b++)
        good = bf_json_append(histogram, bf_json_integer(kind->histogram[b]));
    histogram = bf_json_kept_if(good, histogram);
    bf_span by_person = k == 0 ? e->bootstrap.bpcer : e->bootstrap.apcer[k];
    json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "presentations",
                             bf_json_integer(kind->presentations), "responses", bf_json_integer(kind->responses),
                             "could_not_judge", bf_json_integer(kind->could_not_judge), "errors",
                             bf_json_integer(kind->errors), "persons", bf_json_integer(kind->persons),
                             k == 0 ? "bpcer" : "apcer", bf_json_rate_by_person(&kind->error, by_person),
                             k == 0 ? "bpnrr" : "apnrr", bf_json_rate(&kind->silent), "histogram", histogram);
    if (json && kind->full_system.total > 0)
        good = json_object_set_new(json, k == 0 ? "frr" : "iapar", bf_json_rate(&kind->full_system)) == 0;
    if (json && good && k > 0 && kind->full_system.total > 0 && e->kind[0].full_system.total > 0)
        good = json_object_set_new(json, "riapar",
                                   bf_json_number(kind->full_system.value + e->kind[0].full_system.value)) == 0;
    if (json && good && k > 0)
        good = json_object_set_new(json, "species", json_string(bf_kind_name(e, k))) == 0 &&
               json_object_set_new(json, "in_headline", json_boolean(bf_kind_counts(e, k))) == 0;
    return bf_json_kept_if(good, json);
}

static json_t *build_species(const bf_evaluation *e)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t k = 1; good && k < e->kinds; k++)
        good = bf_json_append(array, build_kind(e, k));
    return bf_json_kept_if(good, array);
}

static json_t *build_points(const bf_evaluation *e, size_t kind)
{
    bf_curve_point points[BF_POINTS_MAX];
    size_t count = bf_curve_points(&e->curve, (uint16_t)kind, points);
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < count; i++)
        good = bf_json_append(array, json_pack("[ooo]", bf_json_number(points[i].threshold),
                                               bf_json_number(points[i].apcer), bf_json_number(points[i].bpcer)));
    return bf_json_kept_if(good, array);
}

static json_t *build_det(const bf_evaluation *e)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t k = 0; good && k < e->kinds; k++) {
        if (k > 0 && !bf_kind_counts(e, k))
            continue;
        good = bf_json_append(array,
                              json_pack("{s:o, s:o}", "species", k == 0 ? json_null() : json_string(bf_kind_name(e, k)),
                                        "points", build_points(e, k)));
    }
    return bf_json_kept_if(good, array);
}

static json_t *build_curve(const bf_evaluation *e)
{
    const bf_curve_figures *f = &e->figures;
    const bf_bootstrap *b = &e->bootstrap;
    return json_pack("{s:{s:o, s:o}, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o}", "auc", "value", bf_json_number(f->auc),
                     "by_person", bf_json_span(b->auc), "eer", "value", bf_json_number(f->eer), "by_person",
                     bf_json_span(b->eer), "bpcer10",
                     crossing(&e->bpcer_at[0], f->bpcer_at[0].threshold, b->bpcer_at[0]), "bpcer20",
                     crossing(&e->bpcer_at[1], f->bpcer_at[1].threshold, b->bpcer_at[1]), "bpcer100",
                     crossing(&e->bpcer_at[2], f->bpcer_at[2].threshold, b->bpcer_at[2]), "apcer_at_bpcer_1_percent",
                     crossing(&e->apcer_at, f->apcer_at.threshold, b->apcer_at), "det", build_det(e));
}

static json_t *build_thresholds(const bf_evaluation *e)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (int i = 0; good && i < BF_NEIGHBOURS; i++) {
        const bf_neighbour *n = &e->neighbour[i];
        good = bf_json_append(array, json_pack("{s:o, s:s, s:o, s:o}", "threshold", bf_json_number(n->threshold),
                                               "species", bf_kind_name(e, n->worst_kind), "max_apcer",
                                               bf_json_rate(&n->apcer), "bpcer", bf_json_rate(&n->bpcer)));
    }
    return bf_json_kept_if(good, array);
}

static json_t *calibration_error(const bf_calibration_error *error)
{
    return json_pack("{s:o, s:o, s:o}", "brier", bf_json_number(error->brier), "log_loss",
                     bf_json_number(error->log_loss), "ece", bf_json_number(error->ece));
}

static json_t *build_calibration(const bf_evaluation *e)
{
    const bf_reliability *r = &e->reliability;
    if (r->live == 0 || r->attacks == 0)
        return json_null();
    json_t *array = json_array();
    bool good = array != NULL;
    for (int b = 0; good && b < BF_RELIABILITY_BINS; b++)
        good = bf_json_append(array, json_pack("{s:o, s:o}", "mean_probability", bf_json_number(r->bin[b].mean),
                                               "bona_fide", bf_json_rate(&r->bin[b].live)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "bona_fide", bf_json_integer(r->live), "attacks",
                     bf_json_integer(r->attacks), "as_is", calibration_error(&r->as_is), "balanced",
                     calibration_error(&r->balanced), "bins", bf_json_kept_if(good, array));
}

static json_t *build_cell(const bf_evaluation *e, const bf_segment_cell *cell)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "value", bf_build_text_or_null(cell->value), "bpcer",
                     bf_json_rate(&cell->bpcer), "bpnrr", bf_json_rate(&cell->bpnrr), "worst_species",
                     cell->worst_kind > 0 ? json_string(bf_kind_name(e, cell->worst_kind)) : json_null(), "apcer",
                     bf_json_rate(&cell->apcer), "small", json_boolean(cell->small), "apnrr",
                     bf_json_rate(&cell->apnrr));
}

static json_t *build_segments(const bf_evaluation *e)
{
    json_t *object = json_object();
    bool good = object != NULL;
    for (size_t i = 0; good && i < e->segments.count; i++) {
        const bf_segment_cell *cell = &e->segments.cell[i];
        const char *column = bf_segment_column(cell->column);
        if (!json_object_get(object, column))
            good = json_object_set_new(object, column, json_array()) == 0;
        good = good && bf_json_append(json_object_get(object, column), build_cell(e, cell));
    }
    return bf_json_kept_if(good, object);
}

static json_t *build_coverage_of(const bf_evaluation *e, const bf_coverage *c)
{
    json_t *values = json_array(), *counts = json_object();
    bool good = values && counts;
    for (size_t v = 0; good && v < c->values; v++)
        good = bf_json_append(values, bf_build_text_or_null(e->scores->segment[c->column].text[v]));
    for (size_t k = 0; good && k < c->kinds; k++) {
        json_t *row = json_array();
        for (size_t v = 0; good && v < c->values; v++)
            good = bf_json_append(row, bf_json_integer(c->count[k * c->values + v]));
        good = json_object_set_new(counts, k == 0 ? "bona fide" : bf_kind_name(e, k), row) == 0 && good;
    }
    if (!good) {
        json_decref(values);
        json_decref(counts);
        return NULL;
    }
    return json_pack("{s:b, s:o, s:o, s:o, s:o}", "stated", e->scores->has_segment[c->column], "cells_without_any",
                     bf_json_integer(c->none), "cells_with_few", bf_json_integer(c->few), "values", values,
                     "presentations", counts);
}

static json_t *build_coverage(const bf_evaluation *e)
{
    json_t *object = json_object();
    bool good = object != NULL;
    for (int i = 0; good && i < BF_COVERAGES; i++)
        good = json_object_set_new(object, bf_segment_column(e->coverage[i].column),
                                   build_coverage_of(e, &e->coverage[i])) == 0;
    return bf_json_kept_if(good, object);
}

static json_t *build_latency(const bf_evaluation *e)
{
    json_t *object = json_object();
    bool good = object != NULL;
    for (size_t s = 0; good && s < e->scores->stages; s++) {
        const bf_latency *l = &e->latency[s];
        good = json_object_set_new(object, e->scores->stage[s],
                                   json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "count", bf_json_integer(l->count),
                                             "p50", bf_json_number(l->p50), "p90", bf_json_number(l->p90), "p95",
                                             bf_json_number(l->p95), "p99", bf_json_number(l->p99), "max",
                                             bf_json_number(l->max))) == 0;
    }
    return bf_json_kept_if(good, object);
}

static json_t *build_detector(const bf_evaluation *e, const bf_detector_figures *f)
{
    static const char *const names[BF_TARGETS] = {"bpcer10", "bpcer20", "bpcer100"};
    json_t *species = json_array();
    bool good = species != NULL;
    for (size_t k = 1; k < e->kinds; k++) {
        if (bf_kind_counts(e, k))
            good = bf_json_append(species, json_pack("{s:s, s:o}", "species", bf_kind_name(e, k), "apcer",
                                                     bf_json_rate(&f->apcer[k]))) &&
                   good;
    }
    json_t *json = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "detector",
                             bf_build_text(f->column->detector), "value", f->column->llr ? "llr" : "raw", "present",
                             bf_json_rate(&f->present), "auc", bf_json_number(f->auc), "eer", bf_json_number(f->eer),
                             "cllr", bf_json_number(f->cllr), "ms_mean", bf_json_number(f->ms), "at_bpcer_5_percent",
                             "threshold", bf_json_number(f->threshold), "bpcer", bf_json_number(f->bpcer), "species",
                             bf_json_kept_if(good, species));
    good = json != NULL;
    for (int i = 0; good && i < BF_TARGETS; i++)
        good = json_object_set_new(json, names[i],
                                   json_pack("{s:o, s:o}", "value", bf_json_number(f->bpcer_at[i].rate), "threshold",
                                             bf_json_number(f->bpcer_at[i].threshold))) == 0;
    return bf_json_kept_if(good, json);
}

static json_t *build_detectors(const bf_evaluation *e)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; i < e->detectors.count; i++)
        good = bf_json_append(array, build_detector(e, &e->detectors.figures[i])) && good;
    return bf_json_kept_if(good, array);
}

static json_t *build_journey(const bf_journey *j)
{
    json_t *shares = json_object(), *after = json_array();
    bool good = shares && after;
    for (int d = 0; good && d < BF_DECISIONS; d++)
        good = json_object_set_new(shares, bf_decision_name((bf_decision)d), bf_json_rate(&j->decision[d])) == 0;
    for (int a = 0; good && a < BF_ATTEMPTS_MAX; a++) {
        const bf_journey_state *s = &j->after[a];
        good = bf_json_append(after, json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "attempts", a + 1, "approved",
                                               bf_json_number(s->approved), "in_review", bf_json_number(s->reviewed),
                                               "challenged", bf_json_number(s->challenged), "rejected",
                                               bf_json_number(s->rejected), "waiting", bf_json_number(s->waiting)));
    }
    if (!good) {
        json_decref(shares);
        json_decref(after);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "decided", bf_json_integer(j->decided), "persons",
                     bf_json_integer(j->persons), "captures_per_person_median", bf_json_integer(j->captures_median),
                     "decisions", shares, "after_retries", after);
}

static json_t *build_decisions(const bf_evaluation *e)
{
    if (!e->scores->has_decision)
        return json_null();
    return json_pack("{s:o, s:o}", "bona_fide", build_journey(&e->journey[0]), "attacks",
                     build_journey(&e->journey[1]));
}

static json_t *build_levels(const bf_evaluation *e)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (int i = 0; good && i < BF_LEVELS; i++) {
        const bf_level *l = &e->level[i];
        good = bf_json_append(array, json_pack("{s:s, s:s, s:s, s:s}", "name", l->name, "criterion", l->criterion,
                                               "result", bf_level_word(l->result), "measured", l->measured));
    }
    return json_pack("{s:s, s:o}", "caution", BF_LEVELS_CAUTION, "levels", bf_json_kept_if(good, array));
}

static json_t *build_report(const bf_evaluation *e, const bf_report_facts *facts)
{
    const struct {
        const char *name;
        json_t *part;
    } parts[] = {
        {"report_version", json_integer(BF_REPORT_VERSION)},
        {"title", bf_build_text_or_null(e->options.title)},
        {"made_by", json_string(facts->program)},
        {"made_at", bf_build_text_or_null(facts->made_at)},
        {"input", build_input(e, facts)},
        {"convention", build_convention(e)},
        {"headline", build_headline(e)},
        {"warnings", build_warnings(e)},
        {"bona_fide", build_kind(e, 0)},
        {"species", build_species(e)},
        {"curve", build_curve(e)},
        {"thresholds", build_thresholds(e)},
        {"calibration", build_calibration(e)},
        {"segments", build_segments(e)},
        {"coverage", build_coverage(e)},
        {"detectors", build_detectors(e)},
        {"latency_ms", build_latency(e)},
        {"decisions", build_decisions(e)},
        {"commonly_cited_levels", build_levels(e)},
    };
    json_t *report = json_object();
    bool good = report != NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        good = json_object_set_new(report, parts[i].name, parts[i].part) == 0 && good;
    return bf_json_kept_if(good, report);
}

bf_status bf_report_json(bf_bytes *ret, const bf_evaluation *e, const bf_report_facts *facts, bf_error *err)
{
    return bf_json_text(ret, build_report(e, facts), err);
}

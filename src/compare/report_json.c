/* compare.json, part by part in the order of the schema. */
#include "evaluate/json.h"

#include <math.h>

#include "compare/report.h"
#include "policy/policy.h"
#include "record/build.h"

const char *bf_verdict_phrase(bf_outcome verdict)
{
    static const char *const phrases[] = {"B keeps to every criterion.", "B breaks a criterion.",
                                          "There is too little data to tell."};
    return phrases[verdict];
}

static json_t *build_table(const bf_scores *s, const char *name, size_t alone)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "table", bf_build_text(name), "only_here",
                     bf_json_integer(alone), "stack", bf_build_text_or_null(s->stack), "policy_version",
                     bf_build_text_or_null(s->policy_version), "fusion_version",
                     bf_build_text_or_null(s->fusion_version), "flow", bf_build_text_or_null(s->flow));
}

static json_t *build_input(const bf_comparison *c, const bf_compare_facts *facts)
{
    const bf_pairs *pairs = c->pairs;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "a", build_table(&pairs->a, facts->table[0], pairs->only_a), "b",
                     build_table(&pairs->b, facts->table[1], pairs->only_b), "pairs", bf_json_integer(pairs->a.count),
                     "persons", bf_json_integer(c->kind[0].drawn), "pairs_without_sha256",
                     bf_json_integer(pairs->unchecked), "split", bf_build_text_or_null(pairs->a.split));
}

static json_t *build_metric_name(const bf_metric *metric)
{
    char text[BF_METRIC_TEXT_MAX];
    bf_metric_text(metric, text);
    return bf_build_text(text);
}

static json_t *build_experiment(const bf_comparison *c)
{
    const bf_experiment *e = &c->experiment;
    json_t *bands = json_array();
    bool good = bands != NULL;
    for (size_t i = 0; good && i < e->bands; i++)
        good = bf_json_append(bands, bf_json_number(e->band[i]));
    return json_pack("{s:s, s:o, s:o, s:{s:o, s:o}, s:o, s:{s:o, s:o, s:o, s:o}}", "id", e->id, "objective",
                     bf_build_text_or_null(e->objective), "hypothesis", bf_build_text_or_null(e->hypothesis),
                     "thresholds", "a", bf_json_number(e->threshold[0]), "b", bf_json_number(e->threshold[1]), "bands",
                     bf_json_kept_if(good, bands), "minimum", "bona_fide", bf_json_integer(e->bona_fide_least),
                     "attacks_per_species", bf_json_integer(e->attacks_least), "persons",
                     bf_json_integer(e->persons_least), "segment", bf_json_integer(e->segment_least));
}

static json_t *build_convention(const bf_comparison *c)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:{s:o, s:o}}", "accept", "score >= threshold", "difference", "b - a",
                     "confidence", bf_json_number(c->experiment.confidence), "all_criteria_must", "hold", "bootstrap",
                     "seed", bf_json_integer(c->drawing.seed), "persons", bf_json_integer(c->kind[0].drawn));
}

static json_t *build_paired(const bf_paired *paired, double mcnemar, bf_span interval)
{
    if (paired->pairs == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pairs", bf_json_integer(paired->pairs), "only_b_wrong",
                     bf_json_integer(paired->worse), "only_a_wrong", bf_json_integer(paired->better), "mcnemar_p",
                     bf_json_number(mcnemar), "interval", bf_json_span(interval));
}

static json_t *build_rates(const bf_paired *paired, const bf_rate rate[2], bf_span interval)
{
    return json_pack("{s:o, s:o, s:o}", "a", bf_json_rate(&rate[0]), "b", bf_json_rate(&rate[1]), "paired",
                     build_paired(paired, bf_mcnemar(paired->worse, paired->better), interval));
}

static json_t *build_contrast(const bf_contrast *contrast)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "a", bf_json_number(contrast->a), "b",
                     bf_json_number(contrast->b), "difference", bf_json_number(contrast->difference), "interval",
                     bf_json_span(contrast->interval), "by_person", bf_json_span(contrast->by_person), "paired",
                     build_paired(&contrast->paired, contrast->mcnemar, contrast->by_pair), "persons",
                     bf_json_integer(contrast->persons), "replicates", bf_json_integer(contrast->replicates),
                     "threshold_a", bf_json_number(contrast->threshold[0]), "threshold_b",
                     bf_json_number(contrast->threshold[1]));
}

static json_t *build_criteria(const bf_comparison *c)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < c->judged_count; i++) {
        const bf_judged *j = &c->judged[i];
        const bf_criterion *criterion = &j->criterion;
        char text[512];
        bf_criterion_text(criterion, text, sizeof text);
        json_t *segment = criterion->in_segment
                              ? json_pack("{s:s, s:o}", "column", bf_segment_column(criterion->column), "value",
                                          bf_build_text(criterion->value))
                              : json_null();
        good = bf_json_append(
            array, json_pack("{s:o, s:o, s:s, s:o, s:s, s:o, s:s, s:o, s:o}", "criterion", bf_build_text(text),
                             "metric", build_metric_name(&criterion->metric), "rule",
                             criterion->rule == BF_RULE_SUPERIOR ? "superior" : "non_inferior", "margin",
                             bf_json_number(criterion->margin), "by", criterion->by_estimate ? "estimate" : "bound",
                             "segment", segment, "outcome", bf_outcome_word(j->outcome), "reason",
                             bf_build_text(j->reason), "contrast", build_contrast(&j->contrast)));
    }
    return bf_json_kept_if(good, array);
}

static json_t *build_metrics(const bf_comparison *c)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t m = 0; good && m < c->experiment.metrics; m++)
        good = bf_json_append(array, json_pack("{s:o, s:b, s:o}", "metric", build_metric_name(&c->experiment.metric[m]),
                                               "primary", (int)(m < c->experiment.primary), "contrast",
                                               build_contrast(&c->metric[m])));
    return bf_json_kept_if(good, array);
}

static json_t *build_shift(const bf_shift *s)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (int q = 0; good && q < BF_SHIFT_QUANTILES; q++)
        good = bf_json_append(array, bf_json_number(s->quantile[q]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pairs", bf_json_integer(s->pairs), "same", bf_json_integer(s->same),
                     "mean", bf_json_number(s->mean), "quantiles", bf_json_kept_if(good, array), "ks",
                     bf_json_number(s->ks));
}

static json_t *build_kinds(const bf_comparison *c)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t k = 0; good && k < c->kinds; k++) {
        json_t *species = k == 0 ? json_null() : bf_build_text(bf_compared_kind(c, k));
        good = bf_json_append(array, json_pack("{s:o, s:b, s:o, s:o}", "species", species, "beside",
                                               (int)!bf_compared_counts(c, k), "error", build_contrast(&c->kind[k]),
                                               "score_shift", build_shift(&c->shift[k])));
    }
    return bf_json_kept_if(good, array);
}

static json_t *build_segments(const bf_comparison *c)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < c->segments; i++) {
        const bf_compared_segment *s = &c->segment[i];
        json_t *species = s->worst_kind > 0 ? bf_build_text(bf_compared_kind(c, s->worst_kind)) : json_null();
        good = bf_json_append(array, json_pack("{s:s, s:o, s:b, s:b, s:o, s:o, s:o}", "column",
                                               bf_segment_column(s->column), "value", bf_build_text_or_null(s->value),
                                               "protected", (int)s->is_protected, "small", (int)s->small, "bpcer",
                                               build_rates(&s->bona_fide, s->bpcer, s->bona_fide_span), "worst_species",
                                               species, "apcer", build_rates(&s->attacks, s->apcer, s->attacks_span)));
    }
    return bf_json_kept_if(good, array);
}

static const char *decision_name(int place)
{
    return place < BF_DECISIONS ? bf_decision_name((bf_decision)place) : "none";
}

static json_t *build_decisions_of(const uint64_t count[BF_DECISIONS_AND_NONE][BF_DECISIONS_AND_NONE])
{
    json_t *object = json_object();
    bool good = object != NULL;
    for (int from = 0; good && from < BF_DECISIONS_AND_NONE; from++) {
        json_t *row = json_object();
        good = row != NULL;
        for (int to = 0; good && to < BF_DECISIONS_AND_NONE; to++)
            good = json_object_set_new(row, decision_name(to), bf_json_integer(count[from][to])) == 0;
        good = json_object_set_new(object, decision_name(from), row) == 0 && good;
    }
    return bf_json_kept_if(good, object);
}

static json_t *build_decisions(const bf_comparison *c)
{
    if (!c->pairs->a.has_decision || !c->pairs->b.has_decision)
        return json_null();
    return json_pack("{s:o, s:o}", "bona_fide", build_decisions_of(c->decision[0]), "attacks",
                     build_decisions_of(c->decision[1]));
}

static json_t *build_moves(const bf_moves *m)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "stay_above", bf_json_integer(m->stay_above), "stay_below",
                     bf_json_integer(m->stay_below), "up", bf_json_integer(m->up), "down", bf_json_integer(m->down));
}

static json_t *build_choice(const bf_band_choice *choice)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "threshold", bf_json_number(choice->point.threshold), "max_apcer",
                     bf_json_number(choice->point.apcer), "bpcer", bf_json_number(choice->point.bpcer), "bona_fide",
                     build_moves(&choice->bona_fide), "attacks", build_moves(&choice->attacks));
}

static json_t *build_bands(const bf_comparison *c)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < c->experiment.bands; i++) {
        const bf_band_migration *band = &c->band[i];
        good = bf_json_append(
            array, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "threshold_of_a", bf_json_number(band->threshold),
                             "max_apcer_of_a", bf_json_number(band->a.apcer), "bpcer_of_a",
                             bf_json_number(band->a.bpcer), "same_threshold", build_choice(&band->same), "same_bpcer",
                             build_choice(&band->same_bpcer), "same_max_apcer", build_choice(&band->same_apcer)));
    }
    return bf_json_kept_if(good, array);
}

static json_t *build_flips(const bf_comparison *c)
{
    uint64_t count[BF_FLIP_RANKS] = {0};
    json_t *object = json_object();
    bool good = object != NULL;
    for (size_t i = 0; i < c->flips; i++)
        count[c->flip[i].rank]++;
    for (uint8_t r = 0; good && r < BF_FLIP_RANKS; r++)
        good = json_object_set_new(object, bf_flip_phrase(r), bf_json_integer(count[r])) == 0;
    return bf_json_kept_if(good, object);
}

static json_t *build_latency_of(const bf_latency *l)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "count", bf_json_integer(l->count), "p50", bf_json_number(l->p50), "p95",
                     bf_json_number(l->p95), "p99", bf_json_number(l->p99));
}

static json_t *build_latency(const bf_comparison *c)
{
    json_t *object = json_object();
    bool good = object != NULL;
    for (size_t s = 0; good && s < c->stages; s++)
        good = json_object_set_new(object, c->stage[s].stage,
                                   json_pack("{s:o, s:o}", "a", build_latency_of(&c->stage[s].latency[0]), "b",
                                             build_latency_of(&c->stage[s].latency[1]))) == 0;
    return bf_json_kept_if(good, object);
}

static json_t *build_notes(const bf_comparison *c)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < c->notes; i++)
        good = bf_json_append(array, bf_build_text(c->note[i]));
    return bf_json_kept_if(good, array);
}

bf_status bf_compare_json(bf_bytes *ret, const bf_comparison *c, const bf_compare_facts *facts, bf_error *err)
{
    const struct {
        const char *name;
        json_t *part;
    } parts[] = {
        {"report_version", json_integer(BF_COMPARE_REPORT_VERSION)},
        {"verdict", json_string(bf_outcome_word(c->verdict))},
        {"made_by", json_string(facts->program)},
        {"made_at", bf_build_text_or_null(facts->made_at ? facts->made_at : "")},
        {"input", build_input(c, facts)},
        {"experiment", build_experiment(c)},
        {"convention", build_convention(c)},
        {"criteria", build_criteria(c)},
        {"notes", build_notes(c)},
        {"metrics", build_metrics(c)},
        {"kinds", build_kinds(c)},
        {"segments", build_segments(c)},
        {"decisions", build_decisions(c)},
        {"bands", build_bands(c)},
        {"flips", build_flips(c)},
        {"latency_ms", build_latency(c)},
    };
    json_t *report = json_object();
    bool good = report != NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        good = json_object_set_new(report, parts[i].name, parts[i].part) == 0 && good;
    return bf_json_text(ret, bf_json_kept_if(good, report), err);
}

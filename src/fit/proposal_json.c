/* threshold.json, part by part in the order of the schema. */
#include <math.h>

#include "evaluate/json.h"
#include "fit/proposal.h"
#include "record/build.h"

static const char *const RESULTS[] = {
    [BF_CHOICE_MADE] = "made",
    [BF_CHOICE_TOO_FEW_ATTACKS] = "too_few_attacks",
    [BF_CHOICE_TOO_FEW_BONA_FIDE] = "too_few_bona_fide",
    [BF_CHOICE_REJECTS_EVERYBODY] = "rejects_everybody",
    [BF_CHOICE_TARGETS_CONFLICT] = "targets_conflict",
    [BF_CHOICE_BPCER_UNREACHABLE] = "bpcer_unreachable",
};

static const char *const CHECKS[] = {
    [BF_CHECK_NONE] = "none",
    [BF_CHECK_CONFIRMED] = "confirmed",
    [BF_CHECK_COMPATIBLE] = "compatible",
    [BF_CHECK_CONTRADICTED] = "contradicted",
};

static json_t *build_targets(const bf_proposal *p)
{
    const bf_targets *t = &p->options.targets;
    return json_pack("{s:o, s:o, s:o, s:b, s:s, s:s, s:o, s:s}", "apcer", bf_json_number(t->apcer), "bpcer",
                     bf_json_number(t->bpcer), "reject_bpcer", bf_json_number(t->reject), "reject_bpcer_required",
                     p->options.reject_asked, "met_by", t->point ? "point" : "upper_bound", "attacks_counted_by",
                     p->options.by_person ? "person" : "presentation", "confidence", bf_json_number(BF_CONFIDENCE),
                     "bound", "one-sided, Clopper-Pearson");
}

static json_t *build_input(const bf_proposal *p, const bf_proposal_facts *facts)
{
    const bf_scores *s = &p->table->scores;
    json_t *beside = json_array();
    bool good = beside != NULL;
    for (size_t i = 0; i < p->options.beside_count; i++)
        good = bf_json_append(beside, bf_build_text(p->options.beside[i])) && good;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "table", bf_build_text(facts->table), "split",
                     bf_build_text_or_null(p->split), "validate_split",
                     bf_build_text_or_null(p->options.validate_split ? p->options.validate_split : ""), "stack",
                     bf_build_text_or_null(s->stack), "flow", bf_build_text(bf_policy_flow(p->policy)),
                     "policy_version", bf_build_text(bf_policy_version(p->policy)), "beside",
                     bf_json_kept_if(good, beside), "seed", bf_json_integer(p->options.seed));
}

static json_t *build_band_rate(const bf_band_rate *is)
{
    json_t *json = bf_json_rate(&is->rate);
    if (!json || json_object_set_new(json, "upper_bound", bf_json_number(is->bound)) != 0 ||
        json_object_set_new(json, "persons", bf_json_rate(&is->by_person)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *build_kind(const bf_proposal *p, const bf_scope_kind *kind, size_t k)
{
    json_t *json = json_pack(
        "{s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "species", k > 0 ? bf_build_text(bf_proposal_kind(p, k)) : json_null(),
        "counts", k == 0 || bf_proposal_counts(p, k), "responses", bf_json_integer(kind->responses), "persons",
        bf_json_integer(kind->persons), "samples_at_least", bf_json_integer(kind->least), "error_today",
        build_band_rate(&kind->today), "error_proposed", build_band_rate(&kind->proposed));
    if (k > 0 || !json)
        return json;
    bool good = json_object_set_new(json, "rejected_today", build_band_rate(&kind->rejected_today)) == 0;
    good = json_object_set_new(json, "rejected_proposed", build_band_rate(&kind->rejected)) == 0 && good;
    return bf_json_kept_if(good, json);
}

static json_t *build_kinds(const bf_proposal *p, const bf_scope_kind *kind)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t k = 0; kind && k < p->kinds; k++)
        good = bf_json_append(array, build_kind(p, &kind[k], k)) && good;
    return bf_json_kept_if(good, array);
}

static json_t *build_band(const bf_policy_band *band)
{
    return json_pack("{s:o, s:o}", "pass", bf_json_number(band->pass), "uncertain", bf_json_number(band->uncertain));
}

static json_t *build_scope(const bf_proposal *p, const bf_scope *s)
{
    json_t *spread = json_pack("{s:o, s:o, s:o, s:o}", "replicates", bf_json_integer(s->spread.replicates),
                               "unsupported", bf_json_integer(s->spread.unsupported), "pass",
                               s->spread.replicates ? bf_json_span(s->spread.pass) : json_null(), "uncertain",
                               s->spread.replicates ? bf_json_span(s->spread.uncertain) : json_null());
    bool all = s->channel == BF_CHANNEL_UNSPECIFIED;
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:b, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "channel",
        all ? json_null() : bf_build_text(bf_channel_name(s->channel)), "rows", bf_json_integer(s->rows), "persons",
        bf_json_integer(s->persons), "result", RESULTS[s->choice.result], "own_bands", s->own, "bounding_species",
        s->own && s->choice.bounding ? bf_build_text(bf_proposal_kind(p, s->choice.bounding)) : json_null(),
        "lower_band_kept", s->choice.uncertain_kept, "lower_band_capped", s->choice.uncertain_capped, "today",
        build_band(&s->today), "proposed", p->refused ? json_null() : build_band(&s->proposed), "by_person", spread,
        "kinds", build_kinds(p, s->kind));
}

static json_t *build_scopes(const bf_proposal *p)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; i < p->scopes; i++)
        good = bf_json_append(array, build_scope(p, &p->scope[i])) && good;
    return bf_json_kept_if(good, array);
}

static json_t *build_trades(const bf_proposal *p)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; i < BF_TRADES; i++) {
        const bf_trade *t = &p->trade[i];
        good = bf_json_append(array, json_pack("[oooo]", bf_json_number(t->threshold), bf_json_number(t->apcer),
                                               bf_json_number(t->bound), bf_json_number(t->bpcer))) &&
               good;
    }
    return bf_json_kept_if(good, array);
}

static json_t *build_retries(const bf_retries *r)
{
    if (!r)
        return json_null();
    json_t *array = json_array();
    bool good = array != NULL;
    for (int a = 0; a < BF_ATTEMPTS_MAX; a++) {
        const bf_journey_state *s = &r->after[a];
        good = bf_json_append(array, json_pack("{s:o, s:o, s:o, s:o, s:o}", "approved", bf_json_number(s->approved),
                                               "reviewed", bf_json_number(s->reviewed), "challenged",
                                               bf_json_number(s->challenged), "rejected", bf_json_number(s->rejected),
                                               "waiting", bf_json_number(s->waiting))) &&
               good;
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "persons", bf_json_integer(r->persons), "captures",
                     bf_json_number(r->captures), "match_assumed", bf_json_integer(r->assumed), "after_attempts",
                     bf_json_kept_if(good, array));
}

static json_t *build_costs(const bf_proposal *p)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t k = 0; k < p->kinds; k++)
        good = bf_json_append(array, json_pack("{s:o, s:o, s:o}", "species",
                                               k > 0 ? bf_build_text(bf_proposal_kind(p, k)) : json_null(), "today",
                                               build_retries(&p->before[k]), "proposed",
                                               build_retries(p->after ? &p->after[k] : NULL))) &&
               good;
    return bf_json_kept_if(good, array);
}

static json_t *build_refusals(const bf_proposal *p)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; i < p->refusals; i++)
        good = bf_json_append(array, bf_build_text(p->refusal[i])) && good;
    return bf_json_kept_if(good, array);
}

static json_t *build_patch(const bf_proposal *p)
{
    const bf_policy_patch *patch = &p->patch;
    if (!patch->policy)
        return json_null();
    json_t *cases = json_array();
    bool good = cases != NULL;
    for (size_t i = 0; i < patch->broken_count && i < BF_PATCH_CASES_MAX; i++)
        good = bf_json_append(cases, bf_build_text(patch->broken[i] ? patch->broken[i] : "")) && good;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "file", bf_build_text(patch->name), "version",
                     bf_build_text(bf_policy_version(patch->policy)), "why", bf_build_text(p->why),
                     "test_cases_to_change", bf_json_integer(patch->broken_count), "cases",
                     bf_json_kept_if(good, cases));
}

bf_status bf_proposal_json(bf_bytes *ret, const bf_proposal *p, const bf_proposal_facts *facts, bf_error *err)
{
    const struct {
        const char *name;
        json_t *part;
    } parts[] = {
        {"threshold_version", json_integer(BF_PROPOSAL_VERSION)},
        {"made_by", json_string(facts->program)},
        {"made_at", bf_build_text_or_null(facts->made_at ? facts->made_at : "")},
        {"verdict", json_string(p->refused ? "refused" : "proposed")},
        {"refusals", build_refusals(p)},
        {"input", build_input(p, facts)},
        {"targets", build_targets(p)},
        {"worst_species", p->worst_kind ? bf_build_text(bf_proposal_kind(p, p->worst_kind)) : json_null()},
        {"scopes", build_scopes(p)},
        {"validation", json_pack("{s:s, s:o, s:o}", "result", CHECKS[p->check], "rows",
                                 bf_json_integer(p->checked_rows), "kinds", build_kinds(p, p->checked))},
        {"trade_off", build_trades(p)},
        {"costs", build_costs(p)},
        {"patch", build_patch(p)},
    };
    json_t *report = json_object();
    bool good = report != NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        good = json_object_set_new(report, parts[i].name, parts[i].part) == 0 && good;
    return bf_json_text(ret, bf_json_kept_if(good, report), err);
}

/* fusion.json, in the order of its schema. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "evaluate/json.h"
#include "evaluate/report.h"
#include "fit/fusion_model.h"

static const char *const MEASURES[BF_MEASURED] = {"cllr", "auc", "eer", "bpcer10", "bpcer20", "bpcer100"};

/* Each measure with its interval, and with `compared` how much more it is than what it is compared with. */
static json_t *build_measures(const bf_fusion_figures *f, bool compared)
{
    json_t *object = json_object();
    bool good = object != NULL;
    for (size_t m = 0; good && m < BF_MEASURED; m++) {
        json_t *value =
            json_pack("{s:o, s:o}", "value", bf_json_number(f->value[m]), "by_person", bf_json_span(f->span[m]));
        if (value && compared)
            good = json_object_set_new(value, "more", bf_json_number(f->more[m])) == 0 &&
                   json_object_set_new(value, "more_by_person", bf_json_span(f->more_span[m])) == 0;
        good = json_object_set_new(object, MEASURES[m], value) == 0 && good;
    }
    return bf_json_kept_if(good, object);
}

static json_t *build_species(const bf_fusion_fit *fit, const bf_fusion_figures *f)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t k = 1; good && k <= bf_names_count(&fit->table->scores.species); k++)
        good = bf_json_append(array, json_pack("{s:s, s:b, s:o}", "species", bf_fusion_kind_name(fit, k), "beside",
                                               (int)fit->beside[k - 1], "apcer", bf_json_rate(&f->error[k])));
    return bf_json_kept_if(good, array);
}

static json_t *build_figures(const bf_fusion_fit *fit, const bf_fusion_figures *f, bool compared)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "judged", bf_json_integer(f->judged), "measures",
                     build_measures(f, compared), "bpcer", bf_json_rate(&f->error[0]), "species",
                     build_species(fit, f));
}

static json_t *build_method(const bf_fusion_fit *fit, bf_fusing method)
{
    const bf_fusion_candidate *c = &fit->candidate[method];
    if (c->refused[0])
        return json_pack("{s:s, s:o, s:s}", "method", bf_fusing_name(method), "parameters",
                         bf_json_integer(c->parameters), "refused", c->refused);
    return json_pack("{s:s, s:o, s:n, s:b, s:b, s:o, s:o, s:{s:o, s:o}, s:{s:o, s:o}}", "method",
                     bf_fusing_name(method), "parameters", bf_json_integer(c->parameters), "refused", "scarce",
                     (int)c->scarce, "worse", (int)c->worse, "trees",
                     method == BF_FUSING_TREES ? bf_json_integer(c->trees) : json_null(), "persons_held_out",
                     build_figures(fit, &c->held, true), "apparent", "cllr", bf_json_number(c->apparent_cllr), "auc",
                     bf_json_number(c->apparent_auc), "sources_held_out", "cllr", bf_json_number(c->source_cllr), "auc",
                     bf_json_number(c->source_auc));
}

static json_t *build_methods(const bf_fusion_fit *fit)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t m = 0; good && m < BF_FUSINGS; m++)
        good = bf_json_append(array, build_method(fit, (bf_fusing)m));
    return bf_json_kept_if(good, array);
}

static json_t *build_detectors(const bf_fusion_fit *fit)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t d = 0; good && d < fit->detectors; d++) {
        const bf_fusion_detector *one = &fit->detector[d];
        bool can = one->can_do_without;
        good = bf_json_append(array, json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "detector", one->name,
                                               "heard", one->against ? "against" : "both ways", "alone",
                                               (int)one->alone, "bona_fide", bf_json_integer(one->rows[0]), "attacks",
                                               bf_json_integer(one->rows[1]), "ms_median", bf_json_number(one->ms),
                                               "single", build_figures(fit, &one->single, false), "without",
                                               can ? build_figures(fit, &one->without, true) : json_null(), "missing",
                                               can ? build_figures(fit, &one->missing, true) : json_null()));
    }
    return bf_json_kept_if(good, array);
}

static json_t *build_warnings(const bf_fusion_fit *fit)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < fit->warnings; i++)
        good = bf_json_append(array, json_pack("{s:s, s:s}", "gravity", bf_gravity_word(fit->warning[i].gravity),
                                               "text", fit->warning[i].text));
    return bf_json_kept_if(good, array);
}

static json_t *build_input(const bf_fusion_fit *fit, const char *table)
{
    const bf_scores *s = &fit->table->scores;
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "table", table, "split",
                     s->split[0] ? json_string(s->split) : json_null(), "rows", bf_json_integer(s->count), "stack",
                     s->stack[0] ? json_string(s->stack) : json_null(), "bona_fide", bf_json_integer(fit->fitted[0]),
                     "attacks", bf_json_integer(fit->fitted[1]), "persons_bona_fide", bf_json_integer(fit->persons[0]),
                     "persons_attacks", bf_json_integer(fit->persons[1]), "rows_without_person",
                     bf_json_integer(s->without_person));
}

bf_status bf_fusion_json(bf_bytes *ret, const bf_fusion_fit *fit, const char *table, bf_error *err)
{
    json_t *how =
        json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "calibrated_in_folds", (int)!fit->options.as_calibrated,
                  "threshold", bf_json_number(fit->options.threshold), "live_prior", bf_json_number(fit->live_prior),
                  "folds", bf_json_integer(fit->folds), "sources_held_out", bf_json_integer(fit->sources),
                  "rows_compared", bf_json_integer(fit->compared), "replicates", bf_json_integer(fit->replicates),
                  "seed", bf_json_integer(fit->options.seed));
    return bf_json_text(ret,
                        json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "format", 1, "name",
                                  fit->options.name, "version", fit->options.version, "chosen",
                                  bf_fusing_name(fit->chosen), "best", bf_fusing_name(fit->best), "input",
                                  build_input(fit, table), "how", how, "warnings", build_warnings(fit), "methods",
                                  build_methods(fit), "detectors", build_detectors(fit), "configurations_kept",
                                  bf_json_integer(fit->kept)),
                        err);
}

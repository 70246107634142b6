/* calibration.json, part by part in the order of the schema. */
#include "evaluate/json.h"
#include "fit/calibration_report.h"
#include "record/build.h"

static json_t *error_figures(const bf_calibration_error *e)
{
    const double ln2 = 0.69314718055994531;
    return json_pack("{s:o, s:o, s:o, s:o}", "brier", bf_json_number(e->brier), "log_loss", bf_json_number(e->log_loss),
                     "cllr", bf_json_number(e->log_loss / ln2), "ece", bf_json_number(e->ece));
}

static json_t *difference(const bf_difference *d)
{
    return json_pack("{s:o, s:o}", "value", bf_json_number(d->value), "by_person", bf_json_span(d->span));
}

static json_t *counts(const uint64_t count[2])
{
    return json_pack("{s:o, s:o}", "live", bf_json_integer(count[0]), "attack", bf_json_integer(count[1]));
}

static json_t *bins(const bf_reliability *r)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (int b = 0; good && b < BF_RELIABILITY_BINS; b++)
        good = bf_json_append(array, json_pack("{s:o, s:o}", "stated", bf_json_number(r->bin[b].mean), "live",
                                               bf_json_rate(&r->bin[b].live)));
    return bf_json_kept_if(good, array);
}

static json_t *trial(const bf_fit_trial *t, const char *method, bool candidate)
{
    json_t *by_source = t->by_source.log_loss >= 0 ? error_figures(&t->by_source) : json_null();
    return json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:b}", "method", method, "by_channel", t->by_channel, "candidate",
                     candidate, "held_out", error_figures(&t->held_out.balanced), "by_source", by_source, "over_best",
                     difference(&t->over_best), "significantly_worse", t->worse);
}

static json_t *trials(const bf_calibrated *c)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (int m = 0; good && m < BF_FIT_METHODS; m++)
        good = bf_json_append(array, trial(&c->trial[m], bf_fit_method_name((bf_fit_method)m), m < BF_FIT_CANDIDATES));
    if (good && c->channels.llr)
        good = bf_json_append(array, trial(&c->channels, bf_fit_method_name(c->chosen), false));
    return bf_json_kept_if(good, array);
}

static json_t *channels(const bf_calibrated *c)
{
    json_t *object = json_object();
    bool good = object != NULL;
    for (int i = BF_CHANNEL_UNSPECIFIED + 1; good && i < BF_CHANNEL_COUNT; i++) {
        const bf_channel_fit *channel = &c->channel[i];
        if (channel->rows[0] + channel->rows[1] > 0)
            good = json_object_set_new(object, bf_channel_name((bf_channel)i),
                                       json_pack("{s:o, s:o}", "rows", counts(channel->rows), "share",
                                                 bf_json_number(channel->share))) == 0;
    }
    return bf_json_kept_if(good, object);
}

static json_t *texts(const char *first, size_t stride, size_t count)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < count; i++)
        good = bf_json_append(array, bf_build_text(first + i * stride));
    return bf_json_kept_if(good, array);
}

static json_t *quantiles(const double quantile[5])
{
    return json_pack("[ooooo]", bf_json_number(quantile[0]), bf_json_number(quantile[1]), bf_json_number(quantile[2]),
                     bf_json_number(quantile[3]), bf_json_number(quantile[4]));
}

static json_t *before(const bf_calibrated *c)
{
    if (!c->has_before)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "figures", error_figures(&c->before.balanced), "log_loss",
                     difference(&c->log_loss), "brier", difference(&c->brier), "bins", bins(&c->before));
}

static json_t *detector(const bf_calibrated *c)
{
    const bf_fit_trial *after = bf_calibrated_after(c);
    json_t *raw = json_pack("{s:o, s:o}", "live", quantiles(c->quantile[0]), "attack", quantiles(c->quantile[1]));
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:{s:o, s:o}, s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:o}",
                     "detector", bf_build_text(c->name), "version", bf_build_text(c->fit.version), "detector_version",
                     bf_build_text(c->fit.detector_version), "model_sha256", bf_build_text_or_null(c->fit.model_sha256),
                     "method", bf_fit_method_name(c->chosen), "rows", counts(c->rows), "persons", counts(c->persons),
                     "llr", "min", bf_json_number(c->fit.llr_min), "max", bf_json_number(c->fit.llr_max), "methods",
                     trials(c), "after", "figures", error_figures(&after->held_out.balanced), "bins",
                     bins(&after->held_out), "before", before(c), "channels", channels(c), "raw_quantiles", raw,
                     "warnings", texts(c->warning[0], sizeof c->warning[0], c->warnings));
}

static json_t *detectors(const bf_calibration_report *r)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < r->detectors; i++)
        good = bf_json_append(array, detector(&r->detector[i]));
    return bf_json_kept_if(good, array);
}

static json_t *skipped(const bf_calibration_report *r)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < r->skipped_count; i++)
        good = bf_json_append(array, json_pack("{s:o, s:o}", "detector", bf_build_text(r->skipped[i].name), "why",
                                               bf_build_text(r->skipped[i].why)));
    return bf_json_kept_if(good, array);
}

static json_t *beside(const bf_calibration_report *r)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < r->beside_count; i++)
        good = bf_json_append(array, bf_build_text(r->beside[i]));
    return bf_json_kept_if(good, array);
}

static json_t *input(const bf_calibration_report *r, const bf_report_facts *facts)
{
    const bf_scores *s = &r->table->scores;
    json_t *aside = json_pack("{s:o, s:o, s:o}", "uncertain", bf_json_integer(s->set_aside[BF_REVIEW_UNCERTAIN]),
                              "disputed", bf_json_integer(s->set_aside[BF_REVIEW_DISPUTED]), "excluded",
                              bf_json_integer(s->set_aside[BF_REVIEW_EXCLUDED]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "table", bf_build_text(facts->table), "rows",
                     bf_json_integer(s->count), "persons", bf_json_integer(s->persons), "rows_without_person",
                     bf_json_integer(s->without_person), "split", bf_build_text_or_null(s->split),
                     "rows_of_other_splits", bf_json_integer(s->other_split), "set_aside", aside, "stack",
                     bf_build_text_or_null(s->stack), "species_left_out", beside(r));
}

bf_status bf_calibration_report_json(bf_bytes *ret, const bf_calibration_report *r, const bf_report_facts *facts,
                                     bf_error *err)
{
    const bf_calibrating_options *o = r->options;
    json_t *convention =
        json_pack("{s:o, s:o, s:o, s:b, s:b, s:s}", "folds", bf_json_integer(o->folds), "seed",
                  bf_json_integer(o->seed), "replicates", bf_json_integer(o->replicates), "method_was_asked_for",
                  o->method != NULL, "by_channel", o->by_channel, "weights_of_figures", "both classes alike");
    return bf_json_text(ret,
                        json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "report_version",
                                  BF_CALIBRATION_REPORT_VERSION, "made_by", bf_build_text(facts->program), "made_at",
                                  facts->made_at ? json_string(facts->made_at) : json_null(), "input", input(r, facts),
                                  "convention", convention, "detectors", detectors(r), "skipped", skipped(r)),
                        err);
}

/* errors.json, in the order of the schema. */
#include <jansson.h>

#include "bonafide/words.h"
#include "evaluate/json.h"
#include "record/build.h"
#include "review/form.h"
#include "review/write.h"

static json_t *text(const bf_scored *row, bf_scored_text which)
{
    return bf_build_text_or_null(row->text[which]);
}

static json_t *build_near(const bf_near *near)
{
    if (!near->row)
        return json_null();
    return json_pack("{s:o, s:s, s:o, s:o}", "sample_id", text(near->row, BF_TEXT_SAMPLE_ID), "label",
                     near->row->attack ? "spoof" : "live", "score", bf_json_number(near->row->score), "distance",
                     bf_json_number(near->distance));
}

static json_t *build_weighed(const bf_scored *row, bf_build *build)
{
    json_t *array = json_array();
    const char *at = row->text[BF_TEXT_WEIGHED];
    for (bf_reason reason; bf_weighed_next(&at, &reason);)
        bf_build_add(build, array, json_string(bf_reason_name(reason)));
    return array;
}

static json_t *build_findings(const bf_diagnosis *d, bf_build *build)
{
    json_t *array = json_array();
    for (size_t i = 0; i < d->count; i++)
        bf_build_add(build, array,
                     json_pack("{s:s, s:b, s:o}", "cause", bf_cause_word(d->clue[i].cause), "strong",
                               (int)d->clue[i].strong, "text", bf_build_text(d->clue[i].text)));
    return array;
}

static json_t *build_detectors(const bf_review_report *r, const bf_scored *row, bf_build *build)
{
    static const char *const states[] = {"present", "not_applicable", "failed", "absent"};
    json_t *array = json_array();
    for (size_t d = 0; d < r->table->detectors; d++)
        bf_build_add(build, array,
                     json_pack("{s:o, s:s, s:o, s:o}", "name", bf_build_text(r->table->detector[d]), "state",
                               states[row->opinion[d].state], "raw", bf_json_number(row->opinion[d].raw), "llr",
                               bf_json_number(row->opinion[d].llr)));
    return array;
}

static json_t *build_form(const bf_review_report *r, const bf_slip *slip, bf_build *build)
{
    char value[BF_FORM_VALUE_SIZE];
    json_t *object = json_object();
    for (int f = 0; f < BF_FORM_FIELDS; f++) {
        if (!bf_form_has(slip->kind, (bf_form_field)f))
            continue;
        bf_form_fill(slip, r, (bf_form_field)f, value);
        bf_build_put(build, object, bf_form_word((bf_form_field)f), bf_build_text_or_null(value));
    }
    return object;
}

static json_t *build_nearest(const bf_surroundings *a)
{
    const bf_near copy = {a->copy, 0};
    return json_pack("{s:{s:o, s:o}, s:{s:o, s:o}, s:o}", "by_evidence", "bona_fide", build_near(&a->evidence[0]),
                     "attack", build_near(&a->evidence[1]), "by_picture", "bona_fide", build_near(&a->picture[0]),
                     "attack", build_near(&a->picture[1]), "same_picture_other_label",
                     build_near(a->copy ? &copy : &a->twin));
}

static json_t *build_slip(const bf_review_report *r, const bf_slip *slip, bf_build *build)
{
    const bf_scored *row = slip->row;
    json_t *object = json_object();
    bf_build_put(build, object, "sample_id", text(row, BF_TEXT_SAMPLE_ID));
    bf_build_put(build, object, "error", json_string(bf_slip_word(slip->kind)));
    bf_build_put(build, object, "policy_erred", json_boolean(slip->policy));
    bf_build_put(build, object, "likely_cause", json_string(bf_cause_word(slip->diagnosis.cause)));
    bf_build_put(build, object, "evidence", build_findings(&slip->diagnosis, build));
    bf_build_put(build, object, "label", json_string(row->attack ? "spoof" : "live"));
    bf_build_put(build, object, "attack_type", text(row, BF_TEXT_SPECIES));
    bf_build_put(build, object, "person_id", text(row, BF_TEXT_PERSON));
    bf_build_put(build, object, "status", text(row, BF_TEXT_STATUS));
    bf_build_put(build, object, "code", text(row, BF_TEXT_CODE));
    bf_build_put(build, object, "score", bf_json_number(row->score));
    bf_build_put(build, object, "live_llr", bf_json_number(row->llr));
    bf_build_put(build, object, "band", text(row, BF_TEXT_BAND));
    bf_build_put(build, object, "decision", text(row, BF_TEXT_DECISION));
    bf_build_put(build, object, "reason", text(row, BF_TEXT_REASON));
    bf_build_put(build, object, "evidence_reasons", build_weighed(row, build));
    bf_build_put(build, object, "detectors", build_detectors(r, row, build));
    bf_build_put(build, object, "nearest", build_nearest(&slip->around));
    bf_build_put(build, object, "form", build_form(r, slip, build));
    return object;
}

static json_t *build_input(const bf_review_report *r, const bf_review_facts *facts)
{
    const bf_scored *first = &r->table->row[0];
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "table", bf_build_text(facts->table), "rows",
                     bf_json_integer(r->table->count), "excluded", bf_json_integer(r->table->excluded), "split",
                     facts->split ? bf_build_text(facts->split) : json_null(), "dataset",
                     facts->dataset ? bf_build_text(facts->dataset) : json_null(), "stack", text(first, BF_TEXT_STACK),
                     "flow", text(first, BF_TEXT_FLOW), "pictures", json_boolean(facts->pictures));
}

static json_t *build_counts(const bf_review_report *r, bf_build *build)
{
    json_t *object = json_object();
    for (int k = 0; k < BF_SLIP_KINDS; k++) {
        json_t *causes = json_object(), *weighed = json_object();
        for (int c = 0; c < BF_CAUSES; c++)
            bf_build_put(build, causes, bf_cause_word((bf_cause)c), bf_json_integer(r->cause[c][k]));
        for (int i = 0; i < BF_REASON_COUNT; i++) {
            if (r->weighed[i][k] > 0)
                bf_build_put(build, weighed, bf_reason_name((bf_reason)i), bf_json_integer(r->weighed[i][k]));
        }
        bf_build_put(build, object, bf_slip_word((bf_slip_kind)k),
                     json_pack("{s:o, s:o, s:o, s:o, s:o}", "found", bf_json_integer(r->found[k]), "shown",
                               bf_json_integer(r->shown[k]), "of",
                               bf_json_integer(r->presentations[bf_slip_of_attack((bf_slip_kind)k)]), "likely_causes",
                               causes, "evidence_reasons", weighed));
    }
    return object;
}

static json_t *build_root(bf_build *build, const bf_review_report *r, const bf_review_facts *facts)
{
    json_t *root = json_object(), *array = json_array();
    bf_build_put(build, root, "errors_version", json_integer(BF_REVIEW_VERSION));
    bf_build_put(build, root, "made_by", json_string(facts->program));
    bf_build_put(build, root, "made_at", facts->made_at ? json_string(facts->made_at) : json_null());
    bf_build_put(build, root, "input", build_input(r, facts));
    bf_build_put(build, root, "threshold", bf_json_number(r->options.threshold));
    bf_build_put(build, root, "proposed_threshold", bf_json_number(r->options.proposed));
    bf_build_put(build, root, "counts", build_counts(r, build));
    for (size_t i = 0; i < r->count; i++)
        bf_build_add(build, array, build_slip(r, &r->slip[i], build));
    bf_build_put(build, root, "errors", array);
    return root;
}

bf_status bf_review_json(bf_bytes *ret, const bf_review_report *report, const bf_review_facts *facts, bf_error *err)
{
    bf_build build = {0};
    json_t *root = build_root(&build, report, facts);
    return bf_json_text(ret, bf_json_kept_if(!build.failed, root), err);
}

/* The record as one JSON document, as api/record.schema.json describes it. */
#ifndef BF_RECORD_JSON_H
#define BF_RECORD_JSON_H

#include <jansson.h>

#include "record/build.h"
#include "record/record.h"

/* Version of the document's format: it changes when a reader of older records could misread a new one. */
#define BF_RECORD_FORMAT "1"

/* Builds the document; `flags` are the BF_JSON_ flags of bonafide/engine.h. Keys stand in the order of the schema;
 * numbers are rounded (scores to 2 decimals, similarities and likelihood ratios to 4, milliseconds to 3, native
 * measures to 6 significant digits), so that the text is the same on every run. The caller owns the value and
 * releases it with json_decref; NULL when memory ran out. Any thread, as long as the record does not change.
 * bf_record_json (bonafide/engine.h) is this as text. */
json_t *bf_record_build(const bf_record *record, unsigned flags);

/* The parts that are lists of facts: "integrity", "versions", "input" (also "reference"), "request", "capture",
 * "diagnostics". */
json_t *bf_record_build_integrity(bf_build *build, const bf_media_facts *media);
json_t *bf_record_build_versions(bf_build *build, const bf_record_versions *versions);
json_t *bf_record_build_input(bf_build *build, const bf_record_input *input, const char *kind, bf_container container);
json_t *bf_record_build_request(bf_build *build, const bf_record_request *request);
json_t *bf_record_build_capture(bf_build *build, const bf_record *record);
/* The plan that was asked for; null without one. */
json_t *bf_record_build_plan(bf_build *build, const bf_record_request *request);
json_t *bf_record_build_diagnostics(bf_build *build, const bf_record *record, unsigned flags);

#endif

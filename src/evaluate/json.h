/* Pieces of the reports for programs. Each returns NULL when memory is out; json_pack and bf_json_append take that
 * for a failure, so that it is asked for once, at the end. */
#ifndef BF_EVALUATE_JSON_H
#define BF_EVALUATE_JSON_H

#include <stdbool.h>

#include <jansson.h>

#include "base/bytes.h"
#include "evaluate/bootstrap.h"
#include "evaluate/interval.h"

/* null when the number is not finite. */
json_t *bf_json_number(double value);
json_t *bf_json_integer(uint64_t value);
/* [low, high], or null. */
json_t *bf_json_span(bf_span span);
json_t *bf_json_rate(const bf_rate *rate);
json_t *bf_json_rate_by_person(const bf_rate *rate, bf_span by_person);

/* Appends to an array that may already be lost; false once anything is. Takes over `value`. */
bool bf_json_append(json_t *array, json_t *value);
/* The value, or nothing when a part of it is missing. */
json_t *bf_json_kept_if(bool good, json_t *value);

/* The text of a report, which is taken over and may be NULL. The caller gives *ret to bf_bytes_done. OUT_OF_MEMORY. */
bf_status bf_json_text(bf_bytes *ret, json_t *report, bf_error *err);

#endif

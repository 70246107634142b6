/* From a row of scores.csv to a row of the table, and what is wrong with it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"
#include "evaluate/scores.h"
#include "policy/policy.h"

#define PROGRESS_ROWS 20000
#define STAGE_PREFIX "ms."

enum {
    SAMPLE_ID,
    LABEL,
    STATUS,
    SCORE,
    PROBABILITY,
    SPECIES,
    PERSON,
    REVIEW,
    SPLIT,
    DECISION,
    MATCH,
    FACE,
    STACK,
    POLICY,
    FUSION,
    FLOW,
    SHA256,
    COLUMNS
};

static const char *const NAMES[COLUMNS] = {
    "sample_id",      "label", "status",   "score",         "live_probability", "attack_type", "person_id",
    "review_status",  "split", "decision", "match_outcome", "face_iod_px",      "stack",       "policy_version",
    "fusion_version", "flow",  "sha256"};
#define REQUIRED 4 /* of them, from the first */

typedef struct reading {
    bf_csv_reader *csv;
    const bf_scores_options *options;
    bf_scores *scores;
    bf_ids samples, persons, stacks;
    int column[COLUMNS], segment[BF_SEGMENTS], stage[BF_STAGES_MAX];
    const char *split;         /* the one whose rows count; NULL: all */
    const bf_csv_field *field; /* of the present row */
} reading;

static void reading_done(reading *r)
{
    bf_csv_free(&r->csv);
    bf_ids_done(&r->samples);
    bf_ids_done(&r->persons);
    bf_ids_done(&r->stacks);
}

static int decision_of(const char *text)
{
    int decision = BF_DECISIONS - 1;
    while (decision >= 0 && strcmp(bf_decision_name((bf_decision)decision), text) != 0)
        decision--;
    return decision;
}

static int match_of(const char *text)
{
    int match = BF_MATCH_NOT_JUDGED;
    while (match >= 0 && strcmp(bf_match_outcome_name((bf_match_outcome)match), text) != 0)
        match--;
    return match;
}

static bf_status fail_word(const reading *r, int column, const char *allowed, bf_error *err)
{
    bf_status status =
        bf_csv_fail(r->csv, err, "%s is '%.60s'.", NAMES[column], bf_csv_at(r->field, r->column[column]).text);
    bf_fail_hint(err, "It must be %s. Correct the manifest and score again, or correct this row.", allowed);
    return status;
}

/* A number from `min` to `max`; NaN where the field is empty. */
static bf_status read_number(const reading *r, int column, const char *name, double min, double max, double *ret,
                             bf_error *err)
{
    bf_csv_field field = bf_csv_at(r->field, column);
    double value = NAN;
    if (field.size > 0 && (!bf_csv_number(field, &value) || value < min || value > max)) {
        bf_status status = bf_csv_fail(r->csv, err, "%s is '%.60s'.", name, field.text);
        bf_fail_hint(err, "It must be a number from %g to %g, or empty when there is none.", min, max);
        return status;
    }
    *ret = value;
    return BF_OK;
}

static bf_status read_label(const reading *r, bf_score_row *row, bf_error *err)
{
    static const char *const labels[] = {"live", "bona_fide", "spoof", "attack"};
    int label = bf_csv_word(bf_csv_at(r->field, r->column[LABEL]).text, labels, 4);
    if (label < 0)
        return fail_word(r, LABEL, "live (or bona_fide) or spoof (or attack)", err);
    if (label < 2)
        return BF_OK;
    bf_csv_field species = bf_csv_at(r->field, r->column[SPECIES]);
    if (species.size == 0) {
        species = (bf_csv_field){"(not stated)", strlen("(not stated)")};
        r->scores->without_species++;
    }
    uint32_t number = 0;
    bf_status status = bf_names_add(&r->scores->species, species.text, species.size, &number, err);
    if (status == BF_OK && number >= BF_SPECIES_MAX) {
        status = bf_csv_fail(r->csv, err, "This is the attack species number %d.", BF_SPECIES_MAX + 1);
        bf_fail_hint(err, "A species is a way of attacking, not a single attack: give attack_type fewer values.");
    }
    row->kind = (uint16_t)(number + 1);
    return status;
}

static bf_status read_outcome(const reading *r, bf_score_row *row, bf_error *err)
{
    static const char *const states[] = {"ok", "could_not_judge", "error"};
    int status = bf_csv_word(bf_csv_at(r->field, r->column[STATUS]).text, states, 3);
    if (status < 0)
        return fail_word(r, STATUS, "ok, could_not_judge or error", err);
    row->status = (uint8_t)status;
    bf_csv_field decision = bf_csv_at(r->field, r->column[DECISION]), match = bf_csv_at(r->field, r->column[MATCH]);
    int which = decision.size > 0 ? decision_of(decision.text) : BF_DECISION_ABSENT;
    if (which < 0)
        return fail_word(r, DECISION, "approve, retry, challenge, review or reject", err);
    row->decision = (uint8_t)which;
    which = match.size > 0 ? match_of(match.text) : BF_MATCH_NOT_REQUESTED;
    if (which < 0)
        return fail_word(r, MATCH, "strong, weak, none, not_requested or not_judged", err);
    row->match = (uint8_t)which;
    bf_status done = read_number(r, r->column[SCORE], "score", 0, BF_SCORE_TOP, &row->score, err);
    if (done == BF_OK)
        done = read_number(r, r->column[PROBABILITY], "live_probability", 0, 1, &row->probability, err);
    if (done == BF_OK && row->status == BF_SCORE_OK && isnan(row->score)) {
        done = bf_csv_fail(r->csv, err, "status is ok, but there is no score.");
        bf_fail_hint(err, "Score this sample again; if it cannot be judged, its status is could_not_judge.");
    }
    if (row->status != BF_SCORE_OK)
        row->score = row->probability = NAN;
    return done;
}

static const char *face_size(double iod_px)
{
    if (isnan(iod_px))
        return "";
    return iod_px < 60 ? "eyes under 60 px apart" : iod_px < 90 ? "eyes 60 to 90 px apart" : "eyes 90 px apart or more";
}

static bf_status read_segments(const reading *r, bf_score_row *row, bf_error *err)
{
    double iod_px = NAN;
    bf_status status = read_number(r, r->column[FACE], "face_iod_px", 0, 1e6, &iod_px, err);
    for (int s = 0; status == BF_OK && s < BF_SEGMENTS; s++) {
        uint32_t number = 0;
        bf_csv_field value = bf_csv_at(r->field, r->segment[s]);
        if (s == BF_SEGMENT_FACE_SIZE)
            value = (bf_csv_field){face_size(iod_px), strlen(face_size(iod_px))};
        r->scores->has_segment[s] = r->scores->has_segment[s] || value.size > 0;
        status = bf_names_add(&r->scores->segment[s], value.text, value.size, &number, err);
        row->segment[s] = (uint16_t)number;
    }
    return status;
}

/* Rows without a person count as a person of their own: a prefix keeps them apart from those of that name. */
static bf_status read_person(reading *r, bf_score_row *row, bf_error *err)
{
    bool is_new;
    char alone[300];
    bf_csv_field person = bf_csv_at(r->field, r->column[PERSON]), sample = r->field[r->column[SAMPLE_ID]];
    if (person.size == 0) {
        int size = snprintf(alone, sizeof alone, "%s%.256s", "\x01", sample.text);
        person = (bf_csv_field){alone, (size_t)size};
        r->scores->without_person++;
    }
    return bf_ids_add(&r->persons, person.text, person.size, &row->person, &is_new, err);
}

static void keep_version(char *kept, size_t kept_size, bf_csv_field now, bool first)
{
    if (first)
        (void)snprintf(kept, kept_size, "%s", now.text);
    else if (strncmp(kept, now.text, kept_size - 1) != 0)
        (void)snprintf(kept, kept_size, "several");
}

static bf_status read_versions(reading *r, bf_error *err)
{
    bf_scores *scores = r->scores;
    uint32_t number;
    bool is_new, first = scores->count == 0;
    bf_csv_field stack = bf_csv_at(r->field, r->column[STACK]);
    bf_status status = bf_ids_add(&r->stacks, stack.text, stack.size, &number, &is_new, err);
    if (status != BF_OK)
        return status;
    if (number > 0 && !r->options->allow_mixed_stacks) {
        status = bf_csv_fail(r->csv, err, "This row was scored by stack '%.16s', those before by '%.16s'.", stack.text,
                             scores->stack);
        bf_fail_hint(err, "Figures of several versions together describe none of them. Score again with one release, "
                          "or keep the rows of one stack.");
        return status;
    }
    scores->stacks = r->stacks.count;
    keep_version(scores->stack, sizeof scores->stack, stack, first);
    keep_version(scores->policy_version, sizeof scores->policy_version, bf_csv_at(r->field, r->column[POLICY]), first);
    keep_version(scores->fusion_version, sizeof scores->fusion_version, bf_csv_at(r->field, r->column[FUSION]), first);
    keep_version(scores->flow, sizeof scores->flow, bf_csv_at(r->field, r->column[FLOW]), first);
    return BF_OK;
}

/* Where the table itself says whether it has splits, its first row does, and all others must agree. */
static bf_status settle_split(reading *r, bool first, bf_error *err)
{
    bool has = bf_csv_at(r->field, r->column[SPLIT]).size > 0;
    if (!r->options->split_if_any)
        return BF_OK;
    if (first && !has)
        r->split = NULL;
    if (has == (r->split != NULL))
        return BF_OK;
    bf_status status = bf_csv_fail(r->csv, err, "This row has %s split, other than those before.", has ? "a" : "no");
    bf_fail_hint(err, "Name the split with --split, or split the whole dataset with `bonafide dataset split`.");
    return status;
}

/* Whether the row counts; what does not is counted apart. */
static bf_status sort_out(reading *r, bool *ret_counts, bf_error *err)
{
    static const char *const reviews[] = {"confirmed", "uncertain", "disputed", "excluded"};
    bf_csv_field id = r->field[r->column[SAMPLE_ID]], review = bf_csv_at(r->field, r->column[REVIEW]);
    uint32_t number;
    bool is_new;
    *ret_counts = false;
    if (id.size == 0) {
        bf_status status = bf_csv_fail(r->csv, err, "sample_id is empty.");
        bf_fail_hint(err, "Give every sample an id of its own.");
        return status;
    }
    bf_status status = bf_ids_add(&r->samples, id.text, id.size, &number, &is_new, err);
    if (status != BF_OK)
        return status;
    if (!is_new) {
        status = bf_csv_fail(r->csv, err, "The sample_id '%.80s' stands in an earlier row already.", id.text);
        bf_fail_hint(err,
                     "A sample that counts twice makes intervals too narrow. Remove one of the rows; evaluate flows "
                     "one at a time.");
        return status;
    }
    if ((status = settle_split(r, number == 0, err)) != BF_OK)
        return status;
    int state = review.size > 0 ? bf_csv_word(review.text, reviews, BF_REVIEWS) : BF_REVIEW_CONFIRMED;
    if (state < 0)
        return fail_word(r, REVIEW, "confirmed, uncertain, disputed or excluded", err);
    if (r->split && strcmp(bf_csv_at(r->field, r->column[SPLIT]).text, r->split) != 0) {
        r->scores->other_split++;
        return BF_OK;
    }
    if (state != BF_REVIEW_CONFIRMED) {
        r->scores->set_aside[state]++;
        return BF_OK;
    }
    *ret_counts = true;
    return BF_OK;
}

static uint64_t hash_of(bf_csv_field field)
{
    uint64_t hash[2];
    bf_hash_text(field.text, field.size, hash);
    return field.size > 0 ? hash[0] : 0;
}

static bf_status keep_sample(const reading *r, bf_error *err)
{
    const bf_score_sample sample = {.sha256 = hash_of(bf_csv_at(r->field, r->column[SHA256])),
                                    .person = hash_of(bf_csv_at(r->field, r->column[PERSON])),
                                    .split = hash_of(bf_csv_at(r->field, r->column[SPLIT])),
                                    .csv_row = bf_csv_row(r->csv)};
    return bf_scores_add_sample(r->scores, sample, r->field[r->column[SAMPLE_ID]].text, err);
}

static bf_status read_row(reading *r, bf_error *err)
{
    bool counts;
    bf_score_row row = {0};
    float stage_ms[BF_STAGES_MAX];
    bf_status status = sort_out(r, &counts, err);
    if (status != BF_OK || !counts)
        return status;
    if ((status = read_versions(r, err)) != BF_OK || (status = read_label(r, &row, err)) != BF_OK ||
        (status = read_outcome(r, &row, err)) != BF_OK || (status = read_segments(r, &row, err)) != BF_OK ||
        (status = read_person(r, &row, err)) != BF_OK)
        return status;
    for (size_t i = 0; i < r->scores->stages; i++) {
        double ms = NAN;
        if ((status = read_number(r, r->stage[i], r->scores->stage[i], 0, 1e9, &ms, err)) != BF_OK)
            return status;
        stage_ms[i] = (float)ms;
    }
    r->scores->has_probability = r->scores->has_probability || !isnan(row.probability);
    r->scores->has_decision = r->scores->has_decision || row.decision != BF_DECISION_ABSENT;
    r->scores->has_match = r->scores->has_match || row.match != BF_MATCH_NOT_REQUESTED;
    if (r->options->row && (status = r->options->row(r->options->row_context, r->csv, r->field, err)) != BF_OK)
        return status;
    status = bf_scores_add(r->scores, &row, stage_ms, err);
    return status == BF_OK && r->options->keep_samples ? keep_sample(r, err) : status;
}

static bf_status find_columns(reading *r, bf_error *err)
{
    for (int c = 0; c < COLUMNS; c++) {
        r->column[c] = bf_csv_find(r->csv, NAMES[c]);
        if (r->column[c] < 0 && c < REQUIRED) {
            bf_fail(err, BF_INVALID_ARGUMENT, "%s, row 1: There is no column '%s'.", bf_csv_name(r->csv), NAMES[c]);
            bf_fail_hint(err, "The table is the scores.csv that `bonafide score` writes; it needs at least the columns "
                              "sample_id, label, status and score.");
            return BF_INVALID_ARGUMENT;
        }
    }
    for (int s = 0; s < BF_SEGMENTS; s++)
        r->segment[s] = bf_csv_find(r->csv, bf_segment_column((bf_segment)s));
    size_t prefix = strlen(STAGE_PREFIX);
    for (size_t c = 0; c < bf_csv_column_count(r->csv) && r->scores->stages < BF_STAGES_MAX; c++) {
        const char *name = bf_csv_column(r->csv, c);
        if (strncmp(name, STAGE_PREFIX, prefix) != 0)
            continue;
        r->stage[r->scores->stages] = (int)c;
        if (!(r->scores->stage[r->scores->stages] = bf_strdup(name + prefix)))
            return bf_fail_memory(err);
        r->scores->stages++;
    }
    r->scores->has_split = r->column[SPLIT] >= 0;
    if (r->split && r->column[SPLIT] < 0 && !r->options->split_if_any) {
        bf_fail(err, BF_INVALID_ARGUMENT, "%s, row 1: There is no column 'split'.", bf_csv_name(r->csv));
        bf_fail_hint(err, "Split the dataset with `bonafide dataset split` and score it again, or leave --split out.");
        return BF_INVALID_ARGUMENT;
    }
    return BF_OK;
}

/* What makes every figure meaningless is an error, not a warning. */
static bf_status check_classes(const reading *r, bf_error *err)
{
    size_t classes[2] = {0};
    for (size_t i = 0; i < r->scores->count; i++)
        classes[r->scores->row[i].kind > 0]++;
    if (classes[0] > 0 && classes[1] > 0)
        return BF_OK;
    const char *path = bf_csv_name(r->csv), *split = r->split;
    if (r->scores->count == 0)
        bf_fail(err, BF_INVALID_ARGUMENT, "%s has no row that counts%s%.60s.", path, split ? " in the split " : "",
                split ? split : "");
    else
        bf_fail(err, BF_INVALID_ARGUMENT, "%s has %s presentations only.", path,
                classes[0] > 0 ? "bona fide" : "attack");
    bf_fail_hint(err, "Confirmed samples of both labels are needed, live and spoof%s.",
                 split ? ", in the split that is asked for" : "");
    return BF_INVALID_ARGUMENT;
}

static bf_status read_all(reading *r, bf_error *err)
{
    bf_status status = find_columns(r, err);
    for (uint64_t rows = 0; status == BF_OK; rows++) {
        status = bf_csv_next(r->csv, &r->field, err);
        if (status != BF_OK || !r->field)
            break;
        status = read_row(r, err);
        if (r->options->progress && rows % PROGRESS_ROWS == 0)
            r->options->progress(r->options->context, bf_csv_offset(r->csv));
    }
    if (status == BF_OK)
        status = check_classes(r, err);
    if (status == BF_OK)
        status = bf_scores_settle(r->scores, &r->persons, err);
    return status;
}

bf_status bf_scores_read(bf_scores *ret, const char *path, const bf_scores_options *options, bf_error *err)
{
    bf_scores scores = {0};
    BF_CLEANUP(reading_done) reading r = {.options = options, .split = options->split, .scores = &scores};
    bf_status status = bf_csv_open(path, &r.csv, err);
    if (status == BF_OK)
        status = read_all(&r, err);
    if (status != BF_OK) {
        bf_scores_done(&scores);
        return status;
    }
    (void)snprintf(scores.split, sizeof scores.split, "%s", r.split ? r.split : "");
    *ret = scores;
    return BF_OK;
}

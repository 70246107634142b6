#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "compare/compare.h"
#include "dataset/csv.h"
#include "policy/policy.h"

const char *bf_answer_word(bf_answer answer)
{
    static const char *const words[] = {"accepted", "rejected", "no_response"};
    return words[answer];
}

const char *bf_flip_phrase(uint8_t rank)
{
    static const char *const phrases[BF_FLIP_RANKS] = {
        "attack now accepted",           "bona fide now rejected", "bona fide now without a response",
        "attack now without a response", "attack now rejected",    "bona fide now accepted"};
    return phrases[rank];
}

static uint8_t answer_of(const bf_score_row *row, double threshold)
{
    if (row->status != BF_SCORE_OK)
        return BF_ANSWER_NONE;
    return row->score >= threshold ? BF_ANSWER_ACCEPTED : BF_ANSWER_REJECTED;
}

/* How bad the new answer is; the places of bf_flip_phrase. */
static uint8_t rank_of(bool attack, uint8_t to)
{
    static const uint8_t ranks[2][3] = {
        {[BF_ANSWER_ACCEPTED] = 5, [BF_ANSWER_REJECTED] = 1, [BF_ANSWER_NONE] = 2},
        {[BF_ANSWER_ACCEPTED] = 0, [BF_ANSWER_REJECTED] = 4, [BF_ANSWER_NONE] = 3},
    };
    return ranks[attack][to];
}

/* By rank; in each by how far the score moved, those that have no two scores first. The pairs' own order, which does
 * not depend on the files', settles the rest. */
static int worst_first(const void *a, const void *b)
{
    const bf_flip *x = a, *y = b;
    double move_x = isnan(x->change) ? INFINITY : fabs(x->change);
    double move_y = isnan(y->change) ? INFINITY : fabs(y->change);
    if (x->rank != y->rank)
        return (int)x->rank - (int)y->rank;
    if (move_x != move_y)
        return move_x < move_y ? 1 : -1;
    return x->row < y->row ? -1 : x->row > y->row;
}

bf_status bf_compare_flips(bf_comparison *c, bf_error *err)
{
    const bf_pairs *pairs = c->pairs;
    const double *threshold = c->experiment.threshold;
    for (int pass = 0; pass < 2; pass++) {
        size_t count = 0;
        for (size_t i = 0; i < pairs->a.count; i++) {
            const bf_score_row *a = &pairs->a.row[i], *b = &pairs->b.row[i];
            uint8_t from = answer_of(a, threshold[0]), to = answer_of(b, threshold[1]);
            if (from == to)
                continue;
            if (pass == 1)
                c->flip[count] = (bf_flip){.row = (uint32_t)i,
                                           .answer = {from, to},
                                           .rank = rank_of(a->kind > 0, to),
                                           .change = b->score - a->score};
            count++;
        }
        c->flips = count;
        if (pass == 0 && !(c->flip = bf_malloc((count + 1) * sizeof *c->flip)))
            return bf_fail_memory(err);
    }
    if (c->flips > 0)
        qsort(c->flip, c->flips, sizeof *c->flip, worst_first);
    return BF_OK;
}

static void put_number(bf_csv_writer *csv, double value)
{
    char text[32] = "";
    if (!isnan(value))
        (void)snprintf(text, sizeof text, "%.6g", value);
    bf_csv_put(csv, text);
}

static void put_decision(bf_csv_writer *csv, uint8_t decision)
{
    bf_csv_put(csv, decision == BF_DECISION_ABSENT ? "" : bf_decision_name((bf_decision)decision));
}

static void put_flip(bf_csv_writer *csv, const bf_comparison *c, const bf_flip *flip)
{
    const bf_score_row *a = &c->pairs->a.row[flip->row], *b = &c->pairs->b.row[flip->row];
    bf_csv_put(csv, bf_scores_sample_id(&c->pairs->a, flip->row));
    bf_csv_put(csv, a->kind > 0 ? "spoof" : "live");
    bf_csv_put(csv, a->kind > 0 ? bf_compared_kind(c, a->kind) : "");
    bf_csv_put(csv, bf_flip_phrase(flip->rank));
    bf_csv_put(csv, bf_answer_word((bf_answer)flip->answer[0]));
    bf_csv_put(csv, bf_answer_word((bf_answer)flip->answer[1]));
    put_number(csv, a->score);
    put_number(csv, b->score);
    put_number(csv, flip->change);
    put_decision(csv, a->decision);
    put_decision(csv, b->decision);
    for (int s = 0; s < BF_SEGMENTS; s++) {
        if (c->pairs->a.has_segment[s])
            bf_csv_put(csv, c->pairs->a.segment[s].text[a->segment[s]]);
    }
    bf_csv_end_row(csv);
}

bf_status bf_flips_write(const bf_comparison *c, const char *path, bf_error *err)
{
    static const char *const columns[] = {"sample_id", "label",   "attack_type", "change",     "answer_a",  "answer_b",
                                          "score_a",   "score_b", "difference",  "decision_a", "decision_b"};
    BF_CLEANUP(bf_csv_writer_free) bf_csv_writer *csv = NULL;
    bf_status status = bf_csv_create(path, &csv, err);
    if (status != BF_OK)
        return status;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        bf_csv_put(csv, columns[i]);
    for (int s = 0; s < BF_SEGMENTS; s++) {
        if (c->pairs->a.has_segment[s])
            bf_csv_put(csv, s == BF_SEGMENT_FACE_SIZE ? "face_size" : bf_segment_column((bf_segment)s));
    }
    bf_csv_end_row(csv);
    for (size_t i = 0; i < c->flips; i++)
        put_flip(csv, c, &c->flip[i]);
    return bf_csv_commit(csv, err);
}

#include "fit/retries.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/sort.h"

#define MATCH_ASSUMED 7 /* beside the values of bf_match_outcome */

/* All that the policy looks at in a row, so that equal rows are decided once. */
typedef struct situation {
    bf_channel channel;
    bf_status judging;
    int match; /* bf_match_outcome, or MATCH_ASSUMED */
    bf_band band;
} situation;

/* What becomes of a situation at an attempt. */
typedef struct answer {
    bool known, unclear;
    bf_decision decision;
} answer;

/* A situation, and its answer when so many attempts were made before, so many of them not clear. */
typedef struct decided {
    uint32_t key;
    answer answer[BF_ATTEMPTS_MAX][BF_ATTEMPTS_MAX];
} decided;

typedef struct deciding {
    const bf_policy *policy;
    const bf_rows *rows;
    bf_sort_item *item; /* rows of the kind, by person and situation */
    size_t count;
    decided *decided;
    size_t known, capacity;
} deciding;

static void deciding_done(deciding *d)
{
    bf_free(d->item);
    bf_free(d->decided);
}

static bf_status judging_of(const bf_score_row *row, const bf_row_cause *cause)
{
    if (cause->code != BF_OK)
        return (bf_status)cause->code;
    if (cause->gate == BF_ROW_GATE_FAILED)
        return BF_INPUT_QUALITY_TOO_LOW;
    if (row->status == BF_SCORE_OK)
        return BF_OK;
    return row->status == BF_SCORE_ERROR ? BF_INTERNAL : BF_INPUT_QUALITY_TOO_LOW;
}

static situation situation_of(const deciding *d, size_t index)
{
    const bf_score_row *row = &d->rows->scores.row[index];
    const bf_row_cause *cause = &d->rows->cause[index];
    const bf_policy_bands bands = bf_policy_bands_of(d->policy, (bf_channel)cause->channel);
    situation is = {.channel = (bf_channel)cause->channel, .judging = judging_of(row, cause), .match = row->match};
    if (bands.match_required && row->match == BF_MATCH_NOT_REQUESTED)
        is.match = MATCH_ASSUMED;
    if (is.judging != BF_OK || row->status != BF_SCORE_OK)
        is.band = BF_BAND_NOT_JUDGED;
    else if (row->score / BF_SCORE_TOP >= bands.pass)
        is.band = BF_BAND_PASS;
    else
        is.band = row->score / BF_SCORE_TOP >= bands.uncertain ? BF_BAND_UNCERTAIN : BF_BAND_FAIL;
    return is;
}

/* Channel, match and band take 3 bits each, and no status has more than 16. */
static uint32_t key_of(situation is)
{
    return (uint32_t)is.judging << 9 | (uint32_t)is.channel << 6 | (uint32_t)is.match << 3 | (uint32_t)is.band;
}

static situation situation_from(uint32_t key)
{
    return (situation){.judging = (bf_status)(key >> 9),
                       .channel = (bf_channel)(key >> 6 & 7),
                       .match = (int)(key >> 3 & 7),
                       .band = (bf_band)(key & 7)};
}

/* A similarity that the policy takes for the outcome. */
static double similarity_of(const bf_policy_bands *bands, int match)
{
    if (match == BF_MATCH_WEAK)
        return bands->weak;
    return match == BF_MATCH_NONE ? -1 : 1;
}

static answer decide(const bf_policy *policy, situation is, int attempts, int unclear)
{
    bf_quality quality = {0};
    bf_policy_output output;
    const bf_policy_bands bands = bf_policy_bands_of(policy, is.channel);
    bool compared = is.match == MATCH_ASSUMED || is.match == BF_MATCH_STRONG || is.match == BF_MATCH_WEAK ||
                    is.match == BF_MATCH_NONE;
    bf_policy_quality_passing(policy, is.channel, &quality);
    bf_policy_input input = {
        .judging = is.judging,
        .quality = is.judging == BF_OK || is.judging == BF_NO_LIVENESS_EVIDENCE ? &quality : NULL,
        .liveness_present = is.band != BF_BAND_NOT_JUDGED,
        .live_probability = is.band == BF_BAND_PASS        ? bands.pass
                            : is.band == BF_BAND_UNCERTAIN ? bands.uncertain
                                                           : 0,
        .match_requested = is.match != BF_MATCH_NOT_REQUESTED,
        .match_present = compared,
        .match_similarity = similarity_of(&bands, is.match),
        .channel = is.channel,
        .risk = {.document_confidence = -1, .retry_count = attempts, .uncertain_count = unclear},
    };
    bf_policy_decide(policy, &input, &output);
    /* As sessions count: the person is asked for a clearer capture, not the portrait or ourselves for another try. */
    bool ours = output.reasons[0] == BF_REASON_REFERENCE_UNUSABLE || output.reasons[0] == BF_REASON_INTERNAL_ERROR;
    return (answer){.known = true, .decision = output.decision, .unclear = output.band != BF_BAND_NOT_JUDGED && !ours};
}

static bf_status find_rows(deciding *d, uint16_t kind, bf_retries *ret, bf_error *err)
{
    const bf_scores *scores = &d->rows->scores;
    d->item = bf_malloc((scores->count + 1) * sizeof *d->item);
    if (!d->item)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++) {
        const bf_score_row *row = &scores->row[i];
        if (row->kind != kind)
            continue;
        situation is = situation_of(d, i);
        ret->assumed += is.match == MATCH_ASSUMED;
        d->item[d->count++] = (bf_sort_item){.key = (uint64_t)row->person << 32 | key_of(is), .index = (uint32_t)i};
    }
    return bf_sort(d->item, d->count, err);
}

/* The place of a situation among those that were met; there are few. */
static bf_status find_decided(deciding *d, uint32_t key, decided **ret, bf_error *err)
{
    for (size_t i = 0; i < d->known; i++) {
        if (d->decided[i].key == key) {
            *ret = &d->decided[i];
            return BF_OK;
        }
    }
    if (d->known == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 16;
        decided *grown = bf_realloc(d->decided, capacity * sizeof *grown);
        if (!grown)
            return bf_fail_memory(err);
        d->decided = grown;
        d->capacity = capacity;
    }
    d->decided[d->known] = (decided){.key = key};
    *ret = &d->decided[d->known++];
    return BF_OK;
}

/* Chances of standing where so many attempts were made, so many of them not clear. */
typedef struct standing {
    double chance[BF_ATTEMPTS_MAX + 1][BF_ATTEMPTS_MAX + 1];
    bf_journey_state end[BF_ATTEMPTS_MAX]; /* what attempt a + 1 ended in */
} standing;

/* Takes in that share of the person's presentations which is in one situation. */
static void attempt_share(const deciding *d, decided *known, double share, int attempt, standing *s)
{
    situation is = situation_from(known->key);
    bf_journey_state *end = &s->end[attempt];
    for (int unclear = 0; unclear <= attempt; unclear++) {
        double chance = s->chance[attempt][unclear] * share;
        answer *a = &known->answer[attempt][unclear];
        if (chance <= 0)
            continue;
        if (!a->known)
            *a = decide(d->policy, is, attempt, unclear);
        if (a->decision == BF_DECISION_RETRY)
            s->chance[attempt + 1][unclear + a->unclear] += chance;
        end->approved += a->decision == BF_DECISION_APPROVE ? chance : 0;
        end->reviewed += a->decision == BF_DECISION_REVIEW ? chance : 0;
        end->challenged += a->decision == BF_DECISION_CHALLENGE ? chance : 0;
        end->rejected += a->decision == BF_DECISION_REJECT ? chance : 0;
        end->waiting += a->decision == BF_DECISION_RETRY ? chance : 0;
    }
}

/* One person, whose rows are item[first..end). */
static bf_status measure_person(deciding *d, size_t first, size_t end, bf_retries *ret, bf_error *err)
{
    standing s = {.chance = {{1}}};
    bf_journey_state sum = {0};
    double going = 1;
    for (int a = 0; a < BF_ATTEMPTS_MAX; a++) {
        for (size_t i = first, next; i < end; i = next) {
            decided *known = NULL;
            for (next = i + 1; next < end && d->item[next].key == d->item[i].key;)
                next++;
            bf_status status = find_decided(d, (uint32_t)d->item[i].key, &known, err);
            if (status != BF_OK)
                return status;
            attempt_share(d, known, (double)(next - i) / (double)(end - first), a, &s);
        }
        sum.approved += s.end[a].approved;
        sum.reviewed += s.end[a].reviewed;
        sum.challenged += s.end[a].challenged;
        sum.rejected += s.end[a].rejected;
        ret->captures += going;
        going = s.end[a].waiting;
        bf_journey_state *after = &ret->after[a];
        *after = (bf_journey_state){after->approved + sum.approved, after->reviewed + sum.reviewed,
                                    after->challenged + sum.challenged, after->rejected + sum.rejected,
                                    after->waiting + going};
    }
    ret->persons++;
    return BF_OK;
}

bf_status bf_retries_measure(bf_retries *ret, const bf_rows *rows, const bf_policy *policy, uint16_t kind,
                             bf_error *err)
{
    BF_CLEANUP(deciding_done) deciding d = {.policy = policy, .rows = rows};
    bf_retries sum = {0};
    bf_status status = find_rows(&d, kind, &sum, err);
    for (size_t first = 0, end; status == BF_OK && first < d.count; first = end) {
        for (end = first + 1; end < d.count && d.item[end].key >> 32 == d.item[first].key >> 32;)
            end++;
        status = measure_person(&d, first, end, &sum, err);
    }
    if (status != BF_OK)
        return status;
    double each = sum.persons > 0 ? 1 / (double)sum.persons : (double)NAN;
    sum.captures *= each;
    for (int a = 0; a < BF_ATTEMPTS_MAX; a++) {
        bf_journey_state *s = &sum.after[a];
        *s = (bf_journey_state){s->approved * each, s->reviewed * each, s->challenged * each, s->rejected * each,
                                s->waiting * each};
    }
    *ret = sum;
    return BF_OK;
}

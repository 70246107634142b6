#include "evaluate/journey.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

typedef struct person {
    uint32_t decision[BF_DECISIONS];
} person;

static void free_persons(person **persons)
{
    bf_free(*persons);
}

static void free_numbers(uint32_t **numbers)
{
    bf_free(*numbers);
}

static uint32_t captures_of(const person *p)
{
    uint32_t sum = 0;
    for (int d = 0; d < BF_DECISIONS; d++)
        sum += p->decision[d];
    return sum;
}

static void attempt(bf_journey *ret, const person *p, uint32_t captures)
{
    double each = 1 / (double)captures, again = (double)p->decision[BF_DECISION_RETRY] * each, still = 1;
    bf_journey_state state = {0};
    for (int a = 0; a < BF_ATTEMPTS_MAX; a++) {
        state.approved += still * (double)p->decision[BF_DECISION_APPROVE] * each;
        state.reviewed += still * (double)p->decision[BF_DECISION_REVIEW] * each;
        state.challenged += still * (double)p->decision[BF_DECISION_CHALLENGE] * each;
        state.rejected += still * (double)p->decision[BF_DECISION_REJECT] * each;
        still *= again;
        ret->after[a].approved += state.approved;
        ret->after[a].reviewed += state.reviewed;
        ret->after[a].challenged += state.challenged;
        ret->after[a].rejected += state.rejected;
        ret->after[a].waiting += still;
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void summarise(bf_journey *ret, const person *persons, size_t count, uint32_t *captures)
{
    uint64_t decisions[BF_DECISIONS] = {0};
    for (size_t i = 0; i < count; i++) {
        uint32_t number = captures_of(&persons[i]);
        if (number == 0)
            continue;
        captures[ret->persons++] = number;
        ret->decided += number;
        for (int d = 0; d < BF_DECISIONS; d++)
            decisions[d] += persons[i].decision[d];
        attempt(ret, &persons[i], number);
    }
    for (int d = 0; d < BF_DECISIONS; d++)
        ret->decision[d] = bf_rate_of(decisions[d], ret->decided);
    if (ret->persons == 0)
        return;
    qsort(captures, ret->persons, sizeof *captures, by_number);
    ret->captures_median = captures[ret->persons / 2];
    double each = 1 / (double)ret->persons;
    for (int a = 0; a < BF_ATTEMPTS_MAX; a++) {
        bf_journey_state *s = &ret->after[a];
        *s = (bf_journey_state){s->approved * each, s->reviewed * each, s->challenged * each, s->rejected * each,
                                s->waiting * each};
    }
}

bf_status bf_journey_measure(bf_journey *ret, const bf_scores *scores, bool attacks, const bool *beside, bf_error *err)
{
    BF_CLEANUP(free_persons) person *persons = bf_calloc(scores->persons + 1, sizeof *persons);
    BF_CLEANUP(free_numbers) uint32_t *captures = bf_malloc((scores->persons + 1) * sizeof *captures);
    if (!persons || !captures)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++) {
        const bf_score_row *row = &scores->row[i];
        if ((row->kind > 0) != attacks || row->decision == BF_DECISION_ABSENT ||
            (attacks && beside && beside[row->kind - 1]))
            continue;
        persons[row->person].decision[row->decision]++;
    }
    *ret = (bf_journey){0};
    summarise(ret, persons, scores->persons, captures);
    return BF_OK;
}

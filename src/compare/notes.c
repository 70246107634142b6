/* What the figures of a comparison do not show, in words. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/utf8.h"
#include "compare/compare.h"
#include "evaluate/bootstrap.h"
#include "evaluate/segments.h"

BF_PRINTF(2, 3) static void note(bf_comparison *c, const char *format, ...)
{
    if (c->notes == BF_NOTES_MAX)
        return;
    va_list arguments;
    char *text = c->note[c->notes++];
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof *c->note, format, arguments);
    va_end(arguments);
    bf_utf8_repair(text); /* names are cut at a number of bytes */
}

static void note_tables(bf_comparison *c)
{
    const bf_scores *a = &c->pairs->a, *b = &c->pairs->b;
    if (a->stack[0] && strcmp(a->stack, b->stack) == 0)
        note(c, "Both tables were scored by the same stack, so they may be one release twice.");
    if (strcmp(a->flow, b->flow) != 0)
        note(c, "The journeys are not the same: %.60s in A and %.60s in B. Decisions cannot be compared.",
             a->flow[0] ? a->flow : "not stated", b->flow[0] ? b->flow : "not stated");
    if (c->pairs->only_a + c->pairs->only_b > 0)
        note(c, "Samples only in A: %zu, only in B: %zu. They were left out, and may be the hard ones.",
             c->pairs->only_a, c->pairs->only_b);
    if (c->pairs->unchecked > 0)
        note(c, "Pairs without a sha256 in both tables: %zu. That they are of the same bytes was not checked.",
             c->pairs->unchecked);
    if (a->without_person > 0)
        note(c,
             "Rows that state no person: %zu. Each counts as a person of its own, which makes intervals by person too "
             "narrow if they are not.",
             a->without_person);
}

static void count_silent(const bf_comparison *c, uint64_t ret[2][2])
{
    for (size_t i = 0; i < c->pairs->a.count; i++) {
        int attack = c->pairs->a.row[i].kind > 0;
        ret[attack][0] += c->pairs->a.row[i].status != BF_SCORE_OK;
        ret[attack][1] += c->pairs->b.row[i].status != BF_SCORE_OK;
    }
}

static void note_silence(bf_comparison *c)
{
    static const char *const names[] = {"bona fide", "attack"};
    uint64_t silent[2][2] = {{0}};
    count_silent(c, silent);
    for (int attack = 0; attack < 2; attack++) {
        if (silent[attack][1] > silent[attack][0])
            note(c,
                 "B gives no response to %llu %s presentations, A to %llu. Error rates do not count them: compare %s "
                 "too, and give it a criterion.",
                 (unsigned long long)silent[attack][1], names[attack], (unsigned long long)silent[attack][0],
                 attack ? "apnrr" : "bpnrr");
    }
}

static void note_counts(bf_comparison *c)
{
    size_t live = c->kind[0].persons, few = 0, first = 0, fewest = 0;
    for (size_t k = 1; k < c->kinds; k++) {
        if (!bf_compared_counts(c, k))
            continue;
        bool is_few = c->kind[k].paired.pairs < BF_FEW_SAMPLES;
        first = is_few && few == 0 ? k : first;
        few += is_few;
        fewest = fewest == 0 || c->kind[k].persons < c->kind[fewest].persons ? k : fewest;
    }
    if (live < BF_PERSONS_FEW || c->kind[fewest].persons < BF_PERSONS_FEW)
        note(c,
             "Persons with bona fide presentations: %zu; with the species %.60s: %zu. Intervals by person need %d at "
             "least "
             "to be more than a guess.",
             live, bf_compared_kind(c, fewest), c->kind[fewest].persons, BF_PERSONS_FEW);
    if (few > 0)
        note(c,
             "Species that both answered fewer than %d times: %.60s%s. Little is known about that in either release.",
             BF_FEW_SAMPLES, bf_compared_kind(c, first), few > 1 ? " and others" : "");
}

static void note_criteria(bf_comparison *c)
{
    size_t estimates = 0;
    if (c->experiment.besides > 0)
        note(c,
             "Beside the figures over several species: %.60s%s. The highest APCER, EER, AUC and so on leave that out; "
             "its "
             "own figures are told.",
             c->experiment.beside[0], c->experiment.besides > 1 ? " and others" : "");
    for (size_t i = 0; i < c->experiment.criteria; i++)
        estimates += c->experiment.criterion[i].by_estimate;
    if (estimates > 0)
        note(c, "Criteria that go by the figures alone: %zu. Where there are few samples that is chance, not evidence.",
             estimates);
    if (c->experiment.threshold[0] != c->experiment.threshold[1])
        note(c, "A is read at a threshold of %g and B at %g.", c->experiment.threshold[0], c->experiment.threshold[1]);
}

void bf_compare_notes(bf_comparison *c)
{
    note_tables(c);
    note_silence(c);
    note_counts(c);
    note_criteria(c);
}

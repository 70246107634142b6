/* What the figures cannot show, in plain words and worst first. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/utf8.h"
#include "evaluate/evaluate.h"

#define SILENT_MUCH 0.1 /* share without a response that deserves a word */
#define PERSONS_ENOUGH 100

static void warn(bf_evaluation *e, bf_gravity gravity, const char *format, ...) BF_PRINTF(3, 4);

static void warn(bf_evaluation *e, bf_gravity gravity, const char *format, ...)
{
    if (e->warnings == BF_WARNINGS_MAX)
        return;
    va_list arguments;
    size_t at = e->warnings++;
    for (; at > 0 && e->warning[at - 1].gravity < gravity; at--)
        e->warning[at] = e->warning[at - 1];
    bf_warning *w = &e->warning[at];
    w->gravity = gravity;
    va_start(arguments, format);
    (void)vsnprintf(w->text, sizeof w->text, format, arguments);
    va_end(arguments);
    bf_utf8_repair(w->text); /* names are cut at a number of bytes */
}

static void warn_of_small_species(bf_evaluation *e)
{
    size_t small = 0, smallest = 0;
    for (size_t k = 1; k < e->kinds; k++) {
        if (!bf_kind_counts(e, k) || e->kind[k].responses >= 150)
            continue;
        small++;
        if (smallest == 0 || e->kind[k].responses < e->kind[smallest].responses)
            smallest = k;
    }
    if (small == 0)
        return;
    unsigned long long n = e->kind[smallest].responses;
    warn(e, n < BF_FEW_SAMPLES ? BF_GRAVITY_SERIOUS : BF_GRAVITY_CAUTION,
         "%zu attack species %s fewer than 150 presentations with a response; %.60s has %llu. Even without a single "
         "error so few could not show an APCER below %.3g %%.",
         small, small == 1 ? "has" : "have", bf_kind_name(e, smallest), n, n > 0 ? fmin(100, 300 / (double)n) : 100.0);
}

static void warn_of_counts(bf_evaluation *e)
{
    char text[300];
    bf_rate_caution(&e->kind[e->worst_kind].error, "attack presentations of the worst species were accepted", text,
                    sizeof text);
    if (text[0])
        warn(e, BF_GRAVITY_CAUTION, "APCER: %s", text);
    bf_rate_caution(&e->kind[0].error, "bona fide presentations were rejected", text, sizeof text);
    if (text[0])
        warn(e, BF_GRAVITY_CAUTION, "BPCER: %s", text);
    for (int i = 0; i < BF_TARGETS; i++) {
        uint64_t least = UINT64_MAX;
        for (size_t k = 1; k < e->kinds; k++) {
            if (bf_kind_counts(e, k) && e->kind[k].responses > 0 && e->kind[k].responses < least)
                least = e->kind[k].responses;
        }
        if ((double)least * BF_TARGET_APCER[i] >= 1)
            continue;
        warn(e, BF_GRAVITY_CAUTION,
             "BPCER%g is read where no attack of the smallest species is accepted: with %llu presentations %g %% is "
             "less "
             "than one attack.",
             1 / BF_TARGET_APCER[i], (unsigned long long)least, 100 * BF_TARGET_APCER[i]);
        break; /* the stricter targets have the same trouble */
    }
}

static void warn_of_persons(bf_evaluation *e)
{
    size_t persons = e->bootstrap.persons;
    uint64_t fewest = e->kind[0].persons;
    size_t kind = 0;
    for (size_t k = 1; k < e->kinds; k++) {
        if (bf_kind_counts(e, k) && e->kind[k].responses > 0 && e->kind[k].persons < fewest) {
            fewest = e->kind[k].persons;
            kind = k;
        }
    }
    if (persons == 1)
        warn(e, BF_GRAVITY_SERIOUS,
             "All presentations are of one person, so there are no intervals by person, and nothing here speaks for "
             "anyone "
             "else. Add captures of more people.");
    else if (fewest < BF_PERSONS_FEW)
        warn(e, BF_GRAVITY_SERIOUS,
             "%.60s: the presentations are of %llu person%s. Intervals over so few people are guesses, and photos of "
             "one "
             "person are not independent: the truth is less certain than any interval here says.",
             bf_kind_name(e, kind), (unsigned long long)fewest, fewest == 1 ? "" : "s");
    else if (fewest < PERSONS_ENOUGH)
        warn(e, BF_GRAVITY_NOTE, "%.60s: the presentations are of %llu persons. Prefer the intervals by person.",
             bf_kind_name(e, kind), (unsigned long long)fewest);
    if (e->scores->without_person > 0)
        warn(e, BF_GRAVITY_CAUTION,
             "%zu of %zu rows name no person_id. Each counts as a person of its own, which makes the intervals by "
             "person "
             "too narrow if they are not.",
             e->scores->without_person, e->scores->count);
}

static void warn_of_silence(bf_evaluation *e)
{
    const bf_rate *live = &e->kind[0].silent;
    size_t worst = 0, errors = e->kind[0].errors;
    for (size_t k = 1; k < e->kinds; k++) {
        errors += e->kind[k].errors;
        if (bf_kind_counts(e, k) && (worst == 0 || e->kind[k].silent.value > e->kind[worst].silent.value))
            worst = k;
    }
    if (live->value > SILENT_MUCH)
        warn(e, BF_GRAVITY_CAUTION,
             "%.1f %% of the bona fide presentations got no response (BPNRR). BPCER leaves them out: a person who was "
             "told to "
             "try again is not in it.",
             100 * live->value);
    if (worst > 0 && e->kind[worst].silent.value > SILENT_MUCH)
        warn(e, BF_GRAVITY_CAUTION,
             "%.1f %% of the attacks of species %.60s got no response (APNRR). APCER leaves them out; an attacker may "
             "try "
             "until there is one.",
             100 * e->kind[worst].silent.value, bf_kind_name(e, worst));
    if (errors > 0)
        warn(e, BF_GRAVITY_CAUTION,
             "%zu presentation%s ended in an error, which is counted as no response. Look at the column code: an error "
             "of the installation says nothing about the person or the attack.",
             errors, errors == 1 ? "" : "s");
}

static void warn_of_selection(bf_evaluation *e)
{
    const bf_scores *s = e->scores;
    size_t aside =
        s->set_aside[BF_REVIEW_UNCERTAIN] + s->set_aside[BF_REVIEW_DISPUTED] + s->set_aside[BF_REVIEW_EXCLUDED];
    for (size_t k = 1; k < e->kinds; k++) {
        if (!bf_kind_counts(e, k))
            warn(e, BF_GRAVITY_CAUTION, "Species %.60s was left out of the headline when the report was made.",
                 bf_kind_name(e, k));
    }
    if (s->stacks > 1)
        warn(e, BF_GRAVITY_SERIOUS, "The rows were scored by %zu different stacks: no release has these rates.",
             s->stacks);
    if (s->has_split && s->split[0] == '\0')
        warn(e, BF_GRAVITY_NOTE,
             "The rows of all splits are in these figures. Where anything was fitted or chosen on some of them, "
             "evaluate "
             "with --split test.");
    if (s->without_species > 0)
        warn(e, BF_GRAVITY_CAUTION, "%zu attacks state no species (attack_type); they count as one species.",
             s->without_species);
    if (aside > 0)
        warn(e, BF_GRAVITY_NOTE,
             "%zu rows are not in these figures, since their review is not confirmed: %zu uncertain, %zu disputed, %zu "
             "excluded.",
             aside, s->set_aside[BF_REVIEW_UNCERTAIN], s->set_aside[BF_REVIEW_DISPUTED],
             s->set_aside[BF_REVIEW_EXCLUDED]);
}

void bf_evaluate_warn(bf_evaluation *e)
{
    warn_of_persons(e);
    warn_of_small_species(e);
    warn_of_counts(e);
    warn_of_silence(e);
    warn_of_selection(e);
}

/* What a proposal says in sentences: why it is refused, and the reason that goes into the policy. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fit/proposal.h"

void bf_proposal_refuse(bf_proposal *p, const char *format, ...)
{
    p->refused = true;
    if (p->refusals == BF_REFUSALS_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(p->refusal[p->refusals++], BF_REFUSAL_BYTES, format, arguments);
    va_end(arguments);
}

static const char *measure_of(const bf_proposal *p)
{
    return p->options.targets.point ? "as measured" : "at the one-sided 95 % upper bound";
}

/* How many more samples, and persons at today's number of each. */
static void more_of(char *ret, size_t size, const bf_scope_kind *kind, uint64_t needed)
{
    unsigned long long more = needed - kind->responses, persons = 0;
    if (kind->responses > 0)
        persons = (unsigned long long)ceil((double)more * (double)kind->persons / (double)kind->responses);
    if (persons > 0)
        (void)snprintf(ret, size, "%llu more, of about %llu further persons", more, persons);
    else
        (void)snprintf(ret, size, "%llu more", more);
}

static void refuse_few_attacks(bf_proposal *p)
{
    char more[96];
    const bf_targets *t = &p->options.targets;
    unsigned long long least = bf_samples_least(t->apcer, t->point);
    bf_proposal_refuse(
        p,
        "The table cannot support APCER <= %.4g %% %s: it takes %llu %s of each species, even if none of "
        "them is accepted.",
        100 * t->apcer, measure_of(p), least, p->options.by_person ? "persons" : "presentations");
    for (size_t k = 1; k < p->kinds; k++) {
        const bf_scope_kind *kind = &p->scope[0].kind[k];
        if (!bf_proposal_counts(p, k) || kind->responses >= least)
            continue;
        more_of(more, sizeof more, kind, least);
        bf_proposal_refuse(p, "%.80s: %llu of %llu persons; %s. Or leave it out of the claim: --beside '%.80s'.",
                           bf_proposal_kind(p, k), (unsigned long long)kind->responses,
                           (unsigned long long)kind->persons, more, bf_proposal_kind(p, k));
    }
}

static void refuse_few_bona_fide(bf_proposal *p, double target, const char *what)
{
    char more[96];
    const bf_targets *t = &p->options.targets;
    const bf_scope_kind *kind = &p->scope[0].kind[0];
    unsigned long long least = bf_samples_least(target, t->point);
    bf_proposal_refuse(
        p,
        "The table cannot support BPCER <= %.4g %% %s %s: it takes %llu bona fide presentations, even if "
        "none of them is rejected.",
        100 * target, what, measure_of(p), least);
    more_of(more, sizeof more, kind, least);
    bf_proposal_refuse(p, "bona fide: %llu of %llu persons; %s.", (unsigned long long)kind->responses,
                       (unsigned long long)kind->persons, more);
}

/* Of BPCER at a band that keeps to the APCER: too many rejections, or too few samples to be sure that they are few. */
static void refuse_conflict(bf_proposal *p)
{
    const bf_targets *t = &p->options.targets;
    const bf_bands_allowed *allowed = &p->scope[0].choice.allowed;
    double at = fmax(allowed->pass_least, BF_PASS_LEAST);
    const bf_scope_kind *kind = &p->scope[0].kind[0];
    bf_proposal_refuse(
        p,
        "No band keeps to both targets %s: APCER <= %.4g %% takes a pass band of at least %.6g, BPCER <= "
        "%.4g %% one of at most %.6g.",
        measure_of(p), 100 * t->apcer, at, 100 * t->bpcer, allowed->pass_most);
    bf_proposal_refuse(p, "The species that sets the band is %.80s.", bf_proposal_kind(p, allowed->bounding));
    double rate = kind->proposed.rate.value;
    uint64_t needed = t->point ? 0 : bf_samples_at_rate(rate, t->bpcer);
    char more[96];
    if (needed > kind->responses) {
        more_of(more, sizeof more, kind, needed);
        bf_proposal_refuse(
            p,
            "At that band BPCER is %.3g %% (%llu of %llu). If it stayed so, %llu bona fide presentations "
            "would do: %s.",
            100 * rate, (unsigned long long)kind->proposed.rate.count, (unsigned long long)kind->responses,
            (unsigned long long)needed, more);
    } else {
        bf_proposal_refuse(p,
                           "At that band BPCER is %.3g %% (%llu of %llu): more samples would not help, better "
                           "detectors would. More attacks may lower the band that their bound takes.",
                           100 * rate, (unsigned long long)kind->proposed.rate.count,
                           (unsigned long long)kind->responses);
    }
}

static void refuse_everybody(bf_proposal *p)
{
    uint16_t bounding = p->scope[0].choice.allowed.bounding;
    bf_proposal_refuse(p, "Only a band above every bona fide presentation keeps to APCER <= %.4g %% %s.",
                       100 * p->options.targets.apcer, measure_of(p));
    if (bounding == 0) {
        bf_proposal_refuse(p, "No bona fide presentation reaches %g, where the pass bands of policies begin.",
                           BF_PASS_LEAST);
        return;
    }
    bf_proposal_refuse(p,
                       "Attacks of the species %.80s score as high as anybody. No number of samples would change that: "
                       "a better detector would, or --beside '%.80s' and a control of its own.",
                       bf_proposal_kind(p, bounding), bf_proposal_kind(p, bounding));
}

static void refuse_unreachable(bf_proposal *p)
{
    const bf_targets *t = &p->options.targets;
    const bf_bands_allowed *allowed = &p->scope[0].choice.allowed;
    bool lower = isnan(t->bpcer) || allowed->pass_most >= BF_PASS_LEAST;
    bf_proposal_refuse(p,
                       "Bona fide presentations score too low: BPCER <= %.4g %% %s takes %s band of at most %.4g, and "
                       "policies begin at %g.",
                       100 * (lower ? t->reject : t->bpcer), measure_of(p), lower ? "a lower" : "a pass",
                       lower ? allowed->uncertain_most : allowed->pass_most,
                       lower ? BF_UNCERTAIN_LEAST : BF_PASS_LEAST);
}

void bf_proposal_refuse_choice(bf_proposal *p)
{
    const bf_targets *t = &p->options.targets;
    const bf_choice *choice = &p->scope[0].choice;
    bool bpcer = !isnan(t->bpcer) && p->scope[0].kind[0].responses < bf_samples_least(t->bpcer, t->point);
    switch (choice->result) {
    case BF_CHOICE_MADE:
        return;
    case BF_CHOICE_TOO_FEW_ATTACKS:
        refuse_few_attacks(p);
        return;
    case BF_CHOICE_TOO_FEW_BONA_FIDE:
        refuse_few_bona_fide(p, bpcer ? t->bpcer : t->reject, bpcer ? "at the pass band" : "at the lower band");
        return;
    case BF_CHOICE_REJECTS_EVERYBODY:
        refuse_everybody(p);
        return;
    case BF_CHOICE_TARGETS_CONFLICT:
        refuse_conflict(p);
        return;
    case BF_CHOICE_BPCER_UNREACHABLE:
        refuse_unreachable(p);
        return;
    }
}

uint64_t bf_proposal_fewest_persons(const bf_proposal *p)
{
    uint64_t fewest = p->scope[0].kind[0].persons;
    for (size_t k = 1; k < p->kinds; k++) {
        if (bf_proposal_counts(p, k) && p->scope[0].kind[k].persons < fewest)
            fewest = p->scope[0].kind[k].persons;
    }
    return fewest;
}

typedef struct sentence {
    char *text;
    size_t size, used;
} sentence;

static void say(sentence *s, const char *format, ...) BF_PRINTF(2, 3);
static void say(sentence *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(s->text + s->used, s->size - s->used, format, arguments);
    va_end(arguments);
    s->used += more > 0 && (size_t)more < s->size - s->used ? (size_t)more : 0;
}

static void say_rate(sentence *s, const char *name, const bf_band_rate *is)
{
    say(s, " %s %.3g %% (%llu of %llu, upper bound %.3g %%)", name, 100 * is->rate.value,
        (unsigned long long)is->rate.count, (unsigned long long)is->rate.total, 100 * is->bound);
}

static void say_targets(sentence *s, const bf_proposal *p)
{
    const bf_targets *t = &p->options.targets;
    if (!isnan(t->apcer))
        say(s, " APCER of the worst species%s <= %.4g %%", p->options.by_person ? ", by person," : "", 100 * t->apcer);
    if (!isnan(t->bpcer))
        say(s, "%s BPCER <= %.4g %%", isnan(t->apcer) ? "" : " and", 100 * t->bpcer);
    say(s, " %s", measure_of(p));
    if (!p->scope[0].choice.uncertain_kept)
        say(s, "; BPCER at the lower band <= %.4g %%", 100 * t->reject);
}

/* The policy is read by people and programs: nothing of a table may break its lines. */
static void make_plain(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
    }
}

void bf_proposal_explain(bf_proposal *p)
{
    sentence s = {p->why, sizeof p->why, 0};
    const bf_scores *table = &p->table->scores;
    const bf_scope *journey = &p->scope[0];
    if (p->options.date)
        say(&s, "%s,", p->options.date);
    say_targets(&s, p);
    say(&s, ". Chosen on %s%.60s, %zu rows of %zu persons, stack %.16s.", p->split[0] ? "the split " : "every row",
        p->split, journey->rows, journey->persons, table->stack[0] ? table->stack : "unknown");
    say(&s, " At the pass band %.6g:", journey->proposed.pass);
    if (p->worst_kind > 0) {
        char name[100];
        (void)snprintf(name, sizeof name, "APCER of %.64s", bf_proposal_kind(p, p->worst_kind));
        say_rate(&s, name, &journey->kind[p->worst_kind].proposed);
        say(&s, ",");
    }
    say_rate(&s, "BPCER", &journey->kind[0].proposed);
    say(&s, ".");
    if (bf_proposal_fewest_persons(p) < BF_PERSONS_FEW)
        say(&s, " Some class stands on %llu persons only.", (unsigned long long)bf_proposal_fewest_persons(p));
    for (size_t k = 1; k < p->kinds; k++) {
        if (!bf_proposal_counts(p, k))
            say(&s, " Not claimed for %.64s.", bf_proposal_kind(p, k));
    }
    if (p->check == BF_CHECK_CONFIRMED || p->check == BF_CHECK_COMPATIBLE)
        say(&s, " On the split %.60s, of other persons, this is %s.", p->options.validate_split,
            p->check == BF_CHECK_CONFIRMED ? "confirmed" : "not contradicted");
    else
        say(&s, " Not checked on other persons.");
    make_plain(p->why);
}

/* What the figures of a fusion cannot show, in words. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/attr.h"
#include "fit/fusion_model.h"

#define OVERFIT_CLLR 0.1 /* bits by which held-out figures may be worse before it is said */

static void warn(bf_fusion_fit *fit, bf_gravity gravity, const char *format, ...) BF_PRINTF(3, 4);
static void warn(bf_fusion_fit *fit, bf_gravity gravity, const char *format, ...)
{
    va_list arguments;
    if (fit->warnings == BF_WARNINGS_MAX)
        return;
    bf_warning *warning = &fit->warning[fit->warnings++];
    warning->gravity = gravity;
    va_start(arguments, format);
    (void)vsnprintf(warning->text, sizeof warning->text, format, arguments);
    va_end(arguments);
}

static void warn_persons(bf_fusion_fit *fit)
{
    const bf_fusion_candidate *chosen = &fit->candidate[fit->chosen];
    size_t fewer = fit->persons[0] < fit->persons[1] ? fit->persons[0] : fit->persons[1];
    if (fewer < chosen->parameters * BF_PARAMETER_PERSONS)
        warn(fit, BF_GRAVITY_SERIOUS,
             "There are %zu persons with bona fide presentations and %zu with attacks for about %zu parameters. At "
             "least %d for each parameter are wanted: weights and figures will be others on other people.",
             fit->persons[0], fit->persons[1], chosen->parameters, BF_PARAMETER_PERSONS);
    if (fewer < BF_PERSONS_FEW)
        warn(fit, BF_GRAVITY_CAUTION, "With fewer than %d persons of a class the intervals are themselves a guess.",
             BF_PERSONS_FEW);
    if (fit->table->scores.without_person > 0)
        warn(fit, BF_GRAVITY_CAUTION,
             "%zu rows name no person and count as persons of their own: if they are of the same people, what was held "
             "out was not.",
             fit->table->scores.without_person);
}

static void warn_overfit(bf_fusion_fit *fit)
{
    const bf_fusion_candidate *chosen = &fit->candidate[fit->chosen];
    double held = chosen->held.value[BF_MEASURED_CLLR];
    if (held - chosen->apparent_cllr > OVERFIT_CLLR)
        warn(fit, BF_GRAVITY_CAUTION,
             "Cllr is %.3f on the rows that were fitted on and %.3f on persons held out: some of what was learnt is "
             "these people.",
             chosen->apparent_cllr, held);
    if (fit->sources == 0)
        warn(fit, BF_GRAVITY_CAUTION,
             "No source could be held out. How it does on cameras that it has not seen is not known.");
    else if (chosen->source_cllr - held > OVERFIT_CLLR)
        warn(fit, BF_GRAVITY_CAUTION,
             "Cllr is %.3f with whole sources held out, %.3f with persons: expect less from cameras that are not in "
             "the table.",
             chosen->source_cllr, held);
}

void bf_fusion_warn(bf_fusion_fit *fit)
{
    const bf_fusion_candidate *chosen = &fit->candidate[fit->chosen];
    warn_persons(fit);
    warn_overfit(fit);
    if (chosen->scarce)
        warn(fit, BF_GRAVITY_SERIOUS, "There are too few persons to fit %s: fewer than %d for each parameter.",
             bf_fusing_title(fit->chosen), BF_PARAMETER_LEAST);
    if (chosen->worse)
        warn(fit, BF_GRAVITY_SERIOUS, "%s was asked for, and is worse than %s by more than chance.",
             bf_fusing_title(fit->chosen), bf_fusing_title(fit->best));
    if (chosen->held.value[BF_MEASURED_CLLR] >= 1)
        warn(fit, BF_GRAVITY_SERIOUS, "Cllr is %.3f: on persons held out this says less than saying nothing.",
             chosen->held.value[BF_MEASURED_CLLR]);
    for (size_t k = 1; k < BF_KINDS_MAX && k <= bf_names_count(&fit->table->scores.species); k++) {
        const bf_rate *rate = &chosen->held.error[k];
        if (rate->total > 0 && rate->total < BF_FEW_ERRORS)
            warn(fit, BF_GRAVITY_NOTE, "Only %llu attacks of %.60s were judged.", (unsigned long long)rate->total,
                 bf_fusion_kind_name(fit, k));
    }
}

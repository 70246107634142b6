#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/attr.h"
#include "fit/calibration.h"

#define COIN 0.69 /* log loss of saying 50 % always is ln 2 */

static void BF_PRINTF(2, 3) warn(bf_calibrated *c, const char *format, ...)
{
    if (c->warnings == BF_FIT_WARNINGS_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(c->warning[c->warnings++], sizeof c->warning[0], format, arguments);
    va_end(arguments);
}

static void warn_of_counts(bf_calibrated *c)
{
    static const char *const classes[] = {"bona fide presentations", "attacks"};
    for (int attack = 0; attack < 2; attack++) {
        if (c->persons[attack] < BF_PERSONS_FEW)
            warn(c,
                 "The %s are of %llu persons only. Intervals by person are guesses with fewer than %d, and the curve "
                 "may "
                 "look otherwise for other people.",
                 classes[attack], (unsigned long long)c->persons[attack], BF_PERSONS_FEW);
    }
}

static void warn_of_channels(bf_calibrated *c, const bf_calibrating_options *options)
{
    int own = 0;
    for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++)
        own += c->channel[channel].share > 0;
    if (!options->by_channel)
        return;
    if (own == 0)
        warn(c, "No channel has enough presentations of both classes for a map of its own: the file has one for all.");
    else if (c->channels.worse)
        warn(c, "Maps by channel do worse than one for all, on persons they have not seen. Leave --by out.");
    else if (!(c->channels.over_best.span.high < 0))
        warn(c, "Maps by channel do not do better than one for all by more than chance.");
}

void bf_calibrated_warn(bf_calibrated *c, const bf_calibrating_options *options)
{
    const bf_fit_trial *after = bf_calibrated_after(c);
    const char *name = bf_fit_method_name(c->chosen);
    warn_of_counts(c);
    if (after->held_out.balanced.log_loss > COIN)
        warn(c, "On persons it has not seen, this detector tells no more than a coin would.");
    if (!isnan(after->by_source.log_loss) && after->by_source.log_loss > COIN)
        warn(
            c,
            "For sources held out in turn it tells no more than a coin would: what it has learned may be the sources.");
    if (c->trial[c->chosen].worse)
        warn(c, "Another method is significantly better than %s, which was asked for.", name);
    if (c->has_before && !(c->log_loss.span.high < 0))
        warn(c,
             "It is not better than the calibration in the table by more than chance. That one may have been fitted on "
             "these very rows, which flatters it.");
    if (c->only_against)
        warn(c,
             "The calibration in the table never speaks for bona fide by more than %.2f, and neither does this one. "
             "--llr-max lifts that.",
             c->fit.llr_max);
    warn_of_channels(c, options);
}

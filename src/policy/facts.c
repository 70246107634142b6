/* Facts as bits, and the walk over every situation that can arise. */
#include <stdio.h>
#include <string.h>

#include "policy/rules.h"

/* Values per fact, in the order of bf_fact. 49 bits in all. */
static const int SIZES[BF_FACT_COUNT] = {7, 4, 7, 4, 4, 3, 5, BF_CHANNEL_COUNT, 3, 3, 3};

const char *bf_fact_name(bf_fact fact)
{
    static const char *const names[BF_FACT_COUNT] = {
        [BF_FACT_CAPTURE] = "capture",     [BF_FACT_BAND] = "band",        [BF_FACT_MATCH] = "match",
        [BF_FACT_CHALLENGE] = "challenge", [BF_FACT_LIGHT] = "light",      [BF_FACT_RISK] = "risk",
        [BF_FACT_DEVICE] = "device",       [BF_FACT_CHANNEL] = "channel",  [BF_FACT_ATTEMPT] = "attempt",
        [BF_FACT_FAILURES] = "failures",   [BF_FACT_DOCUMENT] = "document"};
    return names[fact];
}

int bf_fact_size(bf_fact fact)
{
    return SIZES[fact];
}

bf_fact_mask bf_fact_bit(bf_fact fact, int value)
{
    int shift = value;
    for (int i = 0; i < (int)fact; i++)
        shift += SIZES[i];
    return (bf_fact_mask)1 << shift;
}

bf_fact_mask bf_fact_bits(bf_fact fact)
{
    bf_fact_mask bits = 0;
    for (int value = 0; value < SIZES[fact]; value++)
        bits |= bf_fact_bit(fact, value);
    return bits;
}

bf_fact_mask bf_situation_mask(const bf_situation *situation)
{
    bf_fact_mask mask = 0;
    int shift = 0;
    for (int i = 0; i < BF_FACT_COUNT; i++) {
        mask |= (bf_fact_mask)1 << (shift + situation->value[i]);
        shift += SIZES[i];
    }
    return mask;
}

static bool has_effect(const bf_policy_settings *settings, bf_effect effect)
{
    if (settings->other_signal == effect)
        return true;
    for (int i = 0; i < settings->signal_count; i++) {
        if (settings->signal[i].effect == effect)
            return true;
    }
    return false;
}

/* A device that is not clear says something about the risk, and needs a signal that can say it. */
static bool device_possible(const bf_policy_settings *settings, const bf_situation *situation)
{
    int risk = situation->value[BF_FACT_RISK];
    switch ((bf_device)situation->value[BF_FACT_DEVICE]) {
    case BF_DEVICE_CLEAR:
        return true;
    case BF_DEVICE_RISK:
        return (risk >= BF_RISK_MEDIUM && has_effect(settings, BF_EFFECT_MEDIUM)) ||
               (risk == BF_RISK_HIGH && has_effect(settings, BF_EFFECT_HIGH));
    case BF_DEVICE_CHALLENGE:
        return risk == BF_RISK_HIGH && has_effect(settings, BF_EFFECT_CHALLENGE);
    case BF_DEVICE_REVIEW:
        return risk == BF_RISK_HIGH && has_effect(settings, BF_EFFECT_REVIEW);
    case BF_DEVICE_REJECT:
        return risk == BF_RISK_HIGH && has_effect(settings, BF_EFFECT_REJECT);
    }
    return false;
}

static bool attempt_possible(const bf_policy_settings *settings, int attempt)
{
    if (attempt == BF_ATTEMPT_EARLY)
        return settings->uncertain_cap > 0;
    if (attempt == BF_ATTEMPT_LATE)
        return settings->uncertain_cap < settings->retry_cap;
    return true;
}

/* Light counts where the policy asks for it, with steps or, when a person cannot do any, without. */
static bool light_possible(const bf_policy_settings *settings, const bf_situation *situation)
{
    bool steps = situation->value[BF_FACT_CHALLENGE] != BF_CHALLENGE_NOT_ASKED;
    int light = situation->value[BF_FACT_LIGHT];
    if (settings->flash == BF_FLASH_NONE)
        return light == BF_LIGHT_NOT_ASKED;
    return steps ? light != BF_LIGHT_NOT_ASKED : light != BF_LIGHT_EXCUSED;
}

bf_light_outcome bf_light_best(const bf_policy_settings *settings, bf_challenge_outcome challenge)
{
    bool asked = settings->flash != BF_FLASH_NONE && challenge != BF_CHALLENGE_NOT_ASKED;
    return asked ? BF_LIGHT_ANSWERED : BF_LIGHT_NOT_ASKED;
}

#define NO_CONTRADICTION BF_FACT_COUNT

/* The last fact of a contradiction, whatever those after it are; the earliest such fact. */
static bf_fact contradiction(const bf_policy *policy, const bf_situation *situation)
{
    const uint8_t *value = situation->value;
    const bf_policy_settings *settings = &policy->settings[value[BF_FACT_CHANNEL]];
    int match = value[BF_FACT_MATCH];
    bool compared = match == BF_MATCH_FACT_STRONG || match == BF_MATCH_FACT_WEAK || match == BF_MATCH_FACT_NONE;
    if (value[BF_FACT_CAPTURE] != BF_CAPTURE_OK) {
        if (value[BF_FACT_BAND] != BF_BAND_NOT_JUDGED)
            return BF_FACT_BAND;
        if (compared)
            return BF_FACT_MATCH;
        if (value[BF_FACT_CHALLENGE] != BF_CHALLENGE_NOT_ASKED)
            return BF_FACT_CHALLENGE;
        if (value[BF_FACT_LIGHT] != BF_LIGHT_NOT_ASKED)
            return BF_FACT_LIGHT;
    }
    if (match == BF_MATCH_FACT_MISSING && !settings->match_required)
        return BF_FACT_CHANNEL;
    if (match == BF_MATCH_FACT_NOT_REQUESTED && settings->match_required)
        return BF_FACT_CHANNEL;
    if (value[BF_FACT_CAPTURE] == BF_CAPTURE_OK && !light_possible(settings, situation))
        return BF_FACT_CHANNEL;
    if (!device_possible(settings, situation))
        return BF_FACT_CHANNEL;
    return attempt_possible(settings, value[BF_FACT_ATTEMPT]) ? NO_CONTRADICTION : BF_FACT_ATTEMPT;
}

bool bf_situation_possible(const bf_policy *policy, const bf_situation *situation)
{
    return contradiction(policy, situation) == NO_CONTRADICTION;
}

/* Counts on by one, the last fact fastest, in the facts up to `last`; those after it start again from zero. Returns the
 * slowest fact that changed, or -1 when the count has come round. */
static int advance(bf_situation *situation, int last)
{
    for (int i = last + 1; i < BF_FACT_COUNT; i++)
        situation->value[i] = 0;
    for (int i = last; i >= 0; i--) {
        if (++situation->value[i] < SIZES[i])
            return i;
        situation->value[i] = 0;
    }
    return -1;
}

/* The facts after this one can take any value whatever the others are, so they need no check. */
#define LAST_DEPENDENT_FACT ((int)BF_FACT_ATTEMPT)
_Static_assert((int)BF_FACT_FAILURES == LAST_DEPENDENT_FACT + 1 && (int)BF_FACT_COUNT == LAST_DEPENDENT_FACT + 3,
               "only failures and document are independent");

bool bf_situation_next(const bf_policy *policy, bf_situation *ret, bool *ret_started)
{
    int changed = 0;
    if (*ret_started)
        changed = advance(ret, BF_FACT_COUNT - 1);
    else
        *ret = (bf_situation){0};
    *ret_started = true;
    while (changed >= 0 && changed <= LAST_DEPENDENT_FACT) {
        bf_fact last = contradiction(policy, ret);
        if (last == NO_CONTRADICTION)
            break;
        changed = advance(ret, (int)last); /* past everything that the contradiction excludes */
    }
    return changed >= 0;
}

void bf_situation_describe(const bf_situation *situation, char ret[BF_SITUATION_TEXT_SIZE])
{
    size_t used = 0;
    ret[0] = 0;
    for (int i = 0; i < BF_FACT_COUNT && used < BF_SITUATION_TEXT_SIZE; i++) {
        int put = snprintf(ret + used, BF_SITUATION_TEXT_SIZE - used, "%s%s %s", i ? ", " : "",
                           bf_fact_name((bf_fact)i), bf_fact_words((bf_fact)i)[situation->value[i]]);
        used += put > 0 ? (size_t)put : 0;
    }
}

/* The section `capture`: when a session asks for more than a look into the camera, and for how much. */
#include "base/error.h"
#include "policy/rules.h"

const char *const BF_PATTERN_WORDS[] = {
    [BF_PATTERN_SEQUENCE] = "sequence", [BF_PATTERN_PARALLEL] = "parallel", [BF_PATTERN_ADAPTIVE] = "adaptive", NULL};
const char *const BF_FLASH_WORDS[] = {
    [BF_FLASH_NONE] = "none", [BF_FLASH_FULL] = "full", [BF_FLASH_GENTLE] = "gentle", NULL};

const char *const BF_EXCUSE_WORDS[] = {
    [BF_EXCUSE_NONE] = "none", [BF_EXCUSE_STEPS] = "steps", [BF_EXCUSE_FLASH] = "flash", [BF_EXCUSE_ANY] = "any", NULL};

static bf_status take_steps(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bf_steps *ret, bool *given,
                            bf_error *err)
{
    static const char *const keys[] = {"min", "max", NULL};
    const bf_yaml_node *node = bf_yaml_get(map, key);
    int64_t min = 0, max = 0;
    if (!node)
        return BF_OK;
    bf_status status = bf_yaml_check_keys(doc, node, keys, err);
    if (status == BF_OK)
        status = bf_yaml_integer(doc, node, "min", true, 1, BF_POLICY_STEPS_MAX, &min, err);
    if (status == BF_OK)
        status = bf_yaml_integer(doc, node, "max", true, 1, BF_POLICY_STEPS_MAX, &max, err);
    if (status != BF_OK)
        return status;
    if (min > max)
        return bf_yaml_fail(doc, node, err, "contradictory %s: min (%d) must not exceed max (%d).", key, (int)min,
                            (int)max);
    *ret = (bf_steps){(int)min, (int)max};
    *given = true;
    return BF_OK;
}

/* Reads map[key] as one of the words, when it is there. */
static bf_status take_word(const bf_yaml *doc, const bf_yaml_node *map, const char *key, const char *const words[],
                           int *ret, bool *given, bf_error *err)
{
    const bf_yaml_node *node = bf_yaml_get(map, key);
    bf_status status = node ? bf_policy_word(doc, node, key, words, ret, err) : BF_OK;
    *given = *given || node;
    return status;
}

bf_status bf_settings_apply_capture(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                                    bf_settings_given *given, bf_error *err)
{
    static const char *const keys[] = {"pattern", "steps", "steps_at_risk", "flash", "excuse", NULL};
    int pattern = (int)settings->pattern, flash = (int)settings->flash, excuse = (int)settings->excuse;
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = take_word(doc, map, "pattern", BF_PATTERN_WORDS, &pattern, &given->pattern, err);
    if (status == BF_OK)
        status = take_steps(doc, map, "steps", &settings->steps, &given->steps, err);
    if (status == BF_OK)
        status = take_steps(doc, map, "steps_at_risk", &settings->steps_at_risk, &given->steps_at_risk, err);
    if (status == BF_OK)
        status = take_word(doc, map, "flash", BF_FLASH_WORDS, &flash, &given->flash, err);
    if (status == BF_OK)
        status = take_word(doc, map, "excuse", BF_EXCUSE_WORDS, &excuse, &given->excuse, err);
    settings->pattern = (bf_pattern)pattern;
    settings->flash = (bf_flash_form)flash;
    settings->excuse = (bf_excuse)excuse;
    return status;
}

bf_capture_ask bf_policy_capture(const bf_policy *policy, bf_channel channel, const bf_risk_context *risk,
                                 bool challenged)
{
    const bf_policy_settings *settings = bf_policy_settings_of(policy, channel);
    bf_risk_tier tier = bf_policy_context_risk(settings, risk);
    bool at_once =
        settings->pattern == BF_PATTERN_PARALLEL || (settings->pattern == BF_PATTERN_ADAPTIVE && tier != BF_RISK_LOW);
    if (!challenged && !at_once)
        return (bf_capture_ask){.excuse = settings->excuse};
    const bf_steps *steps = tier == BF_RISK_HIGH ? &settings->steps_at_risk : &settings->steps;
    return (bf_capture_ask){.excuse = settings->excuse,
                            .active = true,
                            .steps_min = steps->min,
                            .steps_max = steps->max,
                            .flash = settings->flash};
}

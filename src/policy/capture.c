/* The section `capture`: when a session asks for more than a look into the camera, and for how much. */
#include "base/error.h"
#include "policy/rules.h"

const char *const BF_PATTERN_WORDS[] = {
    [BF_PATTERN_SEQUENCE] = "sequence", [BF_PATTERN_PARALLEL] = "parallel", [BF_PATTERN_ADAPTIVE] = "adaptive", NULL};
const char *const BF_FLASH_WORDS[] = {
    [BF_FLASH_NONE] = "none", [BF_FLASH_FULL] = "full", [BF_FLASH_GENTLE] = "gentle", NULL};

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

static bf_status take_flash(const bf_yaml *doc, const bf_yaml_node *map, bf_flash_form *ret, bool *given, bf_error *err)
{
    const bf_yaml_node *node = bf_yaml_get(map, "flash");
    int index = 0;
    bf_status status = node ? bf_policy_word(doc, node, "flash", BF_FLASH_WORDS, &index, err) : BF_OK;
    if (status == BF_OK && node) {
        *ret = (bf_flash_form)index;
        *given = true;
    }
    return status;
}

bf_status bf_settings_apply_capture(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                                    bf_settings_given *given, bf_error *err)
{
    static const char *const keys[] = {"pattern", "steps", "steps_at_risk", "flash", NULL};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    const bf_yaml_node *pattern = bf_yaml_get(map, "pattern");
    int index = (int)settings->pattern;
    if (status == BF_OK && pattern) {
        status = bf_policy_word(doc, pattern, "pattern", BF_PATTERN_WORDS, &index, err);
        given->pattern = true;
    }
    settings->pattern = (bf_pattern)index;
    if (status == BF_OK)
        status = take_steps(doc, map, "steps", &settings->steps, &given->steps, err);
    if (status == BF_OK)
        status = take_steps(doc, map, "steps_at_risk", &settings->steps_at_risk, &given->steps_at_risk, err);
    if (status == BF_OK)
        status = take_flash(doc, map, &settings->flash, &given->flash, err);
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
        return (bf_capture_ask){0};
    const bf_steps *steps = tier == BF_RISK_HIGH ? &settings->steps_at_risk : &settings->steps;
    return (bf_capture_ask){.active = true, .steps_min = steps->min, .steps_max = steps->max, .flash = settings->flash};
}

/* Parses the sections of a policy that hold values: thresholds, caps, effects of device signals. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/words.h"
#include "policy/rules.h"

#define ATTEMPTS_MAX 20
#define FAILURES_MAX 1000

bf_status bf_policy_word(const bf_yaml *doc, const bf_yaml_node *node, const char *what, const char *const words[],
                         int *ret, bf_error *err)
{
    if (node->kind != BF_YAML_SCALAR)
        return bf_yaml_fail(doc, node, err, "a single %s is expected here.", what);
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], node->scalar) == 0) {
            *ret = i;
            return BF_OK;
        }
    }
    const char *nearest = bf_nearest_word(node->scalar, words);
    return bf_yaml_fail(doc, node, err, "unknown %s '%.60s'%s%s%s", what, node->scalar,
                        nearest ? "; did you mean '" : ".", nearest ? nearest : "", nearest ? "'?" : "");
}

bf_status bf_policy_guidance(const bf_yaml *doc, const bf_yaml_node *node, bf_guidance *ret, bf_error *err)
{
    const char *words[BF_GUIDANCE_COUNT + 1] = {0};
    for (int i = 0; i < BF_GUIDANCE_COUNT; i++)
        words[i] = bf_guidance_name((bf_guidance)i);
    int index = 0;
    bf_status status = bf_policy_word(doc, node, "guidance", words, &index, err);
    if (status == BF_OK)
        *ret = (bf_guidance)index;
    return status;
}

/* Reads map[key] if it is there, and marks it as given. */
static bf_status take_number(const bf_yaml *doc, const bf_yaml_node *map, const char *key, double min, double max,
                             double *ret, bool *given, bf_error *err)
{
    bf_status status = bf_yaml_number(doc, map, key, false, min, max, ret, err);
    if (status == BF_OK && bf_yaml_get(map, key))
        *given = true;
    return status;
}

static bf_status take_integer(const bf_yaml *doc, const bf_yaml_node *map, const char *key, int min, int max, int *ret,
                              bool *given, bf_error *err)
{
    int64_t number = *ret;
    bf_status status = bf_yaml_integer(doc, map, key, false, min, max, &number, err);
    if (status == BF_OK && bf_yaml_get(map, key)) {
        *ret = (int)number;
        *given = true;
    }
    return status;
}

/* Reads map[key] if it is there as one of two decisions. */
static bf_status take_decision(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bf_decision one,
                               bf_decision other, bf_decision *ret, bool *given, bf_error *err)
{
    const bf_yaml_node *node = bf_yaml_get(map, key);
    if (!node)
        return BF_OK;
    const char *const words[] = {BF_DECISION_WORDS[one], BF_DECISION_WORDS[other], NULL};
    int index = 0;
    bf_status status = bf_policy_word(doc, node, "decision", words, &index, err);
    if (status != BF_OK)
        return status;
    *ret = index == 0 ? one : other;
    *given = true;
    return BF_OK;
}

/* The node of whichever key the section gives, for naming the line of a contradiction. */
static const bf_yaml_node *either(const bf_yaml_node *map, const char *key, const char *other)
{
    const bf_yaml_node *node = bf_yaml_get(map, key);
    return node ? node : bf_yaml_get(map, other);
}

static bf_status apply_liveness(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                                bf_settings_given *given, bf_error *err)
{
    static const char *const keys[] = {"pass", "uncertain", NULL};
    double pass = settings->pass * 100, uncertain = settings->uncertain * 100;
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = take_number(doc, map, "pass", 50, 100, &pass, &given->pass, err);
    if (status == BF_OK)
        status = take_number(doc, map, "uncertain", 1, 100, &uncertain, &given->uncertain, err);
    if (status != BF_OK)
        return status;
    if (given->pass && given->uncertain && pass <= uncertain)
        return bf_yaml_fail(doc, either(map, "pass", "uncertain"), err,
                            "contradictory liveness bands: pass (%g) must lie above uncertain (%g).", pass, uncertain);
    settings->pass = pass / 100;
    settings->uncertain = uncertain / 100;
    return BF_OK;
}

static bf_status apply_match(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                             bf_settings_given *given, bf_error *err)
{
    static const char *const keys[] = {"required", "strong", "weak", NULL};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_yaml_bool(doc, map, "required", false, &settings->match_required, err);
    if (status == BF_OK)
        status = take_number(doc, map, "strong", 0, 1, &settings->strong, &given->strong, err);
    if (status == BF_OK)
        status = take_number(doc, map, "weak", 0, 1, &settings->weak, &given->weak, err);
    if (status != BF_OK)
        return status;
    given->required = given->required || bf_yaml_get(map, "required") != NULL;
    if (given->strong && given->weak && settings->strong <= settings->weak)
        return bf_yaml_fail(doc, either(map, "strong", "weak"), err,
                            "contradictory match bands: strong (%g) must lie above weak (%g).", settings->strong,
                            settings->weak);
    return BF_OK;
}

static bf_status check_retries(const bf_yaml *doc, const bf_yaml_node *map, const bf_policy_settings *settings,
                               const bf_settings_given *given, bf_error *err)
{
    if (!given->cap || !given->uncertain_cap)
        return BF_OK;
    if (settings->uncertain_cap > settings->retry_cap)
        return bf_yaml_fail(doc, either(map, "uncertain_cap", "cap"), err,
                            "contradictory retries: uncertain_cap (%d) must not exceed cap (%d).",
                            settings->uncertain_cap, settings->retry_cap);
    if (given->escalate_to && settings->escalate_to == BF_DECISION_CHALLENGE &&
        settings->uncertain_cap == settings->retry_cap)
        return bf_yaml_fail(doc, map, err,
                            "contradictory retries: escalate_to is challenge, but uncertain_cap (%d) equals cap, so no "
                            "attempt is left for it.",
                            settings->uncertain_cap);
    return BF_OK;
}

static bf_status apply_retries(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                               bf_settings_given *given, bf_error *err)
{
    static const char *const keys[] = {"cap", "uncertain_cap", "escalate_to", NULL};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = take_integer(doc, map, "cap", 0, ATTEMPTS_MAX, &settings->retry_cap, &given->cap, err);
    if (status == BF_OK)
        status = take_integer(doc, map, "uncertain_cap", 0, ATTEMPTS_MAX, &settings->uncertain_cap,
                              &given->uncertain_cap, err);
    if (status == BF_OK)
        status = take_decision(doc, map, "escalate_to", BF_DECISION_CHALLENGE, BF_DECISION_REVIEW,
                               &settings->escalate_to, &given->escalate_to, err);
    return status == BF_OK ? check_retries(doc, map, settings, given, err) : status;
}

static bool is_signal_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return length > 0 && length < BF_NAME_MAX && name[length] == 0;
}

/* The entry of a signal, new when it is not listed yet; NULL when the list is full. */
static bf_device_signal *find_signal(bf_policy_settings *settings, const char *name)
{
    for (int i = 0; i < settings->signal_count; i++) {
        if (strcmp(settings->signal[i].name, name) == 0)
            return &settings->signal[i];
    }
    if (settings->signal_count == BF_POLICY_SIGNALS_MAX)
        return NULL;
    bf_device_signal *signal = &settings->signal[settings->signal_count++];
    (void)snprintf(signal->name, sizeof signal->name, "%s", name);
    return signal;
}

static bf_status apply_device_risk(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                                   bf_settings_given *given, bf_error *err)
{
    if (map->kind != BF_YAML_MAP)
        return bf_yaml_fail(doc, map, err, "device_risk must map signals to what they do.");
    for (const bf_yaml_node *node = map->child; node; node = node->next) {
        if (!is_signal_name(node->key))
            return bf_yaml_fail(doc, node, err, "a signal's name has small letters, digits and '_' only.");
        int effect = 0;
        bf_status status = bf_policy_word(doc, node, "effect", BF_EFFECT_WORDS, &effect, err);
        if (status != BF_OK)
            return status;
        if (strcmp(node->key, "other") == 0) {
            settings->other_signal = (bf_effect)effect;
            given->other = true;
            continue;
        }
        bf_device_signal *signal = find_signal(settings, node->key);
        if (!signal)
            return bf_yaml_fail(doc, node, err, "there are more than %d device signals.", BF_POLICY_SIGNALS_MAX);
        signal->effect = (bf_effect)effect;
    }
    return BF_OK;
}

/* Reads the bounds of one measure into a gate that has none yet. */
static bf_status read_bounds(const bf_yaml *doc, const bf_yaml_node *node, bf_measure_gate *gate, bf_error *err)
{
    int64_t least = 0;
    bf_status status = bf_yaml_integer(doc, node, "min", false, 1, 100, &least, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, node, "min_native", false, -1e9, 1e9, &gate->native_min, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, node, "max_native", false, -1e9, 1e9, &gate->native_max, err);
    if (status == BF_OK)
        status = bf_yaml_bool(doc, node, "optional", false, &gate->optional, err);
    if (status != BF_OK)
        return status;
    gate->value_min = (int)least;
    if (least == 0 && isinf(gate->native_min) && isinf(gate->native_max))
        return bf_yaml_fail(doc, node, err, "%s needs min, min_native or max_native; 'off' removes it.", node->key);
    if (gate->native_min > gate->native_max)
        return bf_yaml_fail(doc, either(node, "max_native", "min_native"), err,
                            "contradictory bounds of %s: max_native (%g) lies below min_native (%g).", node->key,
                            gate->native_max, gate->native_min);
    return BF_OK;
}

static bf_status apply_measure(const bf_yaml *doc, const bf_yaml_node *node, bf_measure_id id,
                               bf_measure_gate *ret_gate, bf_error *err)
{
    static const char *const keys[] = {"min",           "min_native", "max_native", "guidance",
                                       "guidance_high", "optional",   NULL};
    bf_measure_gate gate = {.used = true,
                            .native_min = -INFINITY,
                            .native_max = INFINITY,
                            .guidance = bf_gate_guidance_low(id),
                            .guidance_high = bf_gate_guidance_high(id)};
    if (node->kind == BF_YAML_SCALAR && !node->quoted && strcmp(node->scalar, "off") == 0) {
        gate.used = false;
        *ret_gate = gate;
        return BF_OK;
    }
    bf_status status = bf_yaml_check_keys(doc, node, keys, err);
    if (status == BF_OK)
        status = read_bounds(doc, node, &gate, err);
    const bf_yaml_node *low = bf_yaml_get(node, "guidance"), *high = bf_yaml_get(node, "guidance_high");
    if (status == BF_OK && low)
        status = bf_policy_guidance(doc, low, &gate.guidance, err);
    if (status == BF_OK && low)
        gate.guidance_high = gate.guidance;
    if (status == BF_OK && high)
        status = bf_policy_guidance(doc, high, &gate.guidance_high, err);
    if (status == BF_OK)
        *ret_gate = gate;
    return status;
}

static bool any_gate(const bf_policy_settings *settings)
{
    for (int i = 0; i < BF_MEASURE_COUNT; i++) {
        if (settings->gate[i].used)
            return true;
    }
    return false;
}

static bf_status apply_quality(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                               bf_settings_given *given, bf_error *err)
{
    const char *names[BF_MEASURE_COUNT + 1] = {0};
    for (int i = 0; i < BF_MEASURE_COUNT; i++)
        names[i] = bf_measure_name((bf_measure_id)i);
    bf_status status = bf_yaml_check_keys(doc, map, names, err);
    for (const bf_yaml_node *node = status == BF_OK ? map->child : NULL; node && status == BF_OK; node = node->next) {
        bf_measure_id id;
        if (bf_measure_from_name(node->key, &id))
            status = apply_measure(doc, node, id, &settings->gate[id], err);
    }
    if (status != BF_OK)
        return status;
    given->quality = any_gate(settings);
    if (!given->quality)
        return bf_yaml_fail(doc, map, err, "quality has no threshold, so that anything would pass the gate.");
    return BF_OK;
}

static bf_status apply_document(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                                bf_settings_given *given, bf_error *err)
{
    static const char *const keys[] = {"confidence_min", NULL};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status != BF_OK)
        return status;
    return take_number(doc, map, "confidence_min", 0, 1, &settings->document_confidence_min, &given->confidence_min,
                       err);
}

static bf_status apply_failures(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                                bf_settings_given *given, bf_error *err)
{
    static const char *const keys[] = {"many", NULL};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status != BF_OK)
        return status;
    return take_integer(doc, map, "many", 2, FAILURES_MAX, &settings->failures_many, &given->many, err);
}

typedef bf_status section_fn(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                             bf_settings_given *given, bf_error *err);

bf_status bf_settings_apply(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                            bf_settings_given *given, bf_error *err)
{
    static const struct {
        const char *key;
        section_fn *apply;
    } sections[] = {
        {"quality", apply_quality},
        {"liveness", apply_liveness},
        {"match", apply_match},
        {"retries", apply_retries},
        {"device_risk", apply_device_risk},
        {"document", apply_document},
        {"previous_failures", apply_failures},
        {"capture", bf_settings_apply_capture},
    };
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const bf_yaml_node *section = bf_yaml_get(map, sections[i].key);
        if (!section)
            continue;
        bf_status status = sections[i].apply(doc, section, settings, given, err);
        if (status != BF_OK)
            return status;
    }
    return take_decision(doc, map, "kill_switch", BF_DECISION_REVIEW, BF_DECISION_REJECT, &settings->kill_switch,
                         &given->kill_switch, err);
}

bf_status bf_settings_complete(const bf_yaml *doc, const bf_settings_given *given, bf_error *err)
{
    const struct {
        bool given;
        const char *name;
    } all[] = {
        {given->quality, "quality"},
        {given->pass, "liveness: pass"},
        {given->uncertain, "liveness: uncertain"},
        {given->required, "match: required"},
        {given->strong, "match: strong"},
        {given->weak, "match: weak"},
        {given->cap, "retries: cap"},
        {given->uncertain_cap, "retries: uncertain_cap"},
        {given->escalate_to, "retries: escalate_to"},
        {given->other, "device_risk: other"},
        {given->confidence_min, "document: confidence_min"},
        {given->many, "previous_failures: many"},
        {given->kill_switch, "kill_switch"},
        {given->pattern, "capture: pattern"},
        {given->steps, "capture: steps"},
        {given->steps_at_risk, "capture: steps_at_risk"},
        {given->flash, "capture: flash"},
        {given->excuse, "capture: excuse"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].given)
            return bf_yaml_fail(doc, bf_yaml_root(doc), err, "'%s' is missing; nothing is assumed.", all[i].name);
    }
    return BF_OK;
}

/* Parses the ordered rules. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/words.h"
#include "policy/rules.h"

static const char *const RESERVED_IDS[] = {"kill_switch", "no_rule", NULL};

bf_status bf_rule_fail(const bf_policy_documents *documents, const bf_rule *rule, bf_error *err, const char *format,
                       ...)
{
    char text[BF_ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const bf_yaml *doc = rule->from_base ? documents->base : documents->own;
    return bf_fail(err, BF_CONFIG_INVALID, "%s:%d: rule '%s' %s", bf_yaml_name(doc), rule->line, rule->id, text);
}

/* One word or a list of words of a fact -> bits. */
static bf_status parse_condition(const bf_yaml *doc, const bf_yaml_node *node, bf_fact fact, bf_fact_mask *ret,
                                 bf_error *err)
{
    if (node->kind == BF_YAML_MAP || (node->kind == BF_YAML_LIST && !node->child))
        return bf_yaml_fail(doc, node, err, "'%s' must be a word or a list of words.", node->key);
    bf_fact_mask bits = 0;
    const bf_yaml_node *word = node->kind == BF_YAML_LIST ? node->child : node;
    for (; word; word = node->kind == BF_YAML_LIST ? word->next : NULL) {
        int value = 0;
        bf_status status = bf_policy_word(doc, word, bf_fact_name(fact), bf_fact_words(fact), &value, err);
        if (status != BF_OK)
            return status;
        if (bits & bf_fact_bit(fact, value))
            return bf_yaml_fail(doc, word, err, "'%s' stands twice.", word->scalar);
        bits |= bf_fact_bit(fact, value);
    }
    *ret = bits;
    return BF_OK;
}

static bf_status parse_when(const bf_yaml *doc, const bf_yaml_node *map, bf_fact_mask *ret, bf_error *err)
{
    const char *keys[BF_FACT_COUNT + 1] = {0};
    for (int i = 0; i < BF_FACT_COUNT; i++)
        keys[i] = bf_fact_name((bf_fact)i);
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    bf_fact_mask mask = 0;
    for (int i = 0; i < BF_FACT_COUNT && status == BF_OK; i++) {
        const bf_yaml_node *node = bf_yaml_get(map, keys[i]);
        bf_fact_mask bits = bf_fact_bits((bf_fact)i);
        if (node)
            status = parse_condition(doc, node, (bf_fact)i, &bits, err);
        mask |= bits;
    }
    *ret = mask;
    return status;
}

static bf_status parse_guidance(const bf_yaml *doc, const bf_yaml_node *list, bf_rule *rule, bf_error *err)
{
    if (list->kind != BF_YAML_LIST || !list->child || list->child_count > BF_GUIDANCES_MAX)
        return bf_yaml_fail(doc, list, err, "'guidance' must be a list of 1 to %d codes.", BF_GUIDANCES_MAX);
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        bf_status status = bf_policy_guidance(doc, node, &rule->guidance[rule->guidance_count], err);
        if (status != BF_OK)
            return status;
        rule->guidance_count++;
    }
    return BF_OK;
}

static bf_status parse_reason(const bf_yaml *doc, const bf_yaml_node *map, bf_reason *ret, bf_error *err)
{
    const char *names[BF_REASON_COUNT + 1] = {0};
    for (int i = 0; i < BF_REASON_COUNT; i++)
        names[i] = bf_reason_name((bf_reason)i);
    const bf_yaml_node *node = bf_yaml_get(map, "reason");
    if (!node)
        return bf_yaml_fail(doc, map, err, "the key 'reason' is missing.");
    int index = 0;
    bf_status status = bf_policy_word(doc, node, "reason", names, &index, err);
    if (status == BF_OK)
        *ret = (bf_reason)index;
    return status;
}

static bf_status parse_then(const bf_yaml *doc, const bf_yaml_node *map, bf_rule *rule, bf_error *err)
{
    static const char *const keys[] = {"decision", "reason", "guidance", NULL};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    const bf_yaml_node *decision = bf_yaml_get(map, "decision");
    if (status == BF_OK && !decision)
        status = bf_yaml_fail(doc, map, err, "the key 'decision' is missing.");
    int index = 0;
    if (status == BF_OK)
        status = bf_policy_word(doc, decision, "decision", BF_DECISION_WORDS, &index, err);
    if (status == BF_OK)
        status = parse_reason(doc, map, &rule->reason, err);
    if (status != BF_OK)
        return status;
    rule->decision = (bf_decision)index;
    const bf_yaml_node *guidance = bf_yaml_get(map, "guidance");
    return guidance ? parse_guidance(doc, guidance, rule, err) : BF_OK;
}

static bf_status parse_id(const bf_yaml *doc, const bf_yaml_node *map, const bf_policy *policy, bf_rule *rule,
                          bf_error *err)
{
    const char *id = NULL;
    bf_status status = bf_yaml_string(doc, map, "id", true, &id, err);
    if (status != BF_OK)
        return status;
    const bf_yaml_node *node = bf_yaml_get(map, "id");
    size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (length == 0 || length >= BF_NAME_MAX || id[length] != 0)
        return bf_yaml_fail(doc, node, err, "a rule's id has 1 to %d small letters, digits and '_'.", BF_NAME_MAX - 1);
    for (int i = 0; RESERVED_IDS[i]; i++) {
        if (strcmp(RESERVED_IDS[i], id) == 0)
            return bf_yaml_fail(doc, node, err, "the id '%s' is reserved.", id);
    }
    for (int i = 0; i < policy->rule_count; i++) {
        if (strcmp(policy->rule[i].id, id) == 0)
            return bf_yaml_fail(doc, node, err, "there are two rules with the id '%s'.", id);
    }
    (void)snprintf(rule->id, sizeof rule->id, "%s", id);
    return BF_OK;
}

static bf_status parse_rule(const bf_yaml *doc, const bf_yaml_node *map, bool from_base, bf_policy *policy,
                            bf_error *err)
{
    static const char *const keys[] = {"id", "when", "then", NULL};
    if (policy->rule_count == BF_POLICY_RULES_MAX)
        return bf_yaml_fail(doc, map, err, "there are more than %d rules.", BF_POLICY_RULES_MAX);
    bf_rule rule = {.from_base = from_base, .line = map->line};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = parse_id(doc, map, policy, &rule, err);
    const bf_yaml_node *when = bf_yaml_get(map, "when"), *then = bf_yaml_get(map, "then");
    if (status == BF_OK && (!when || !then))
        status = bf_yaml_fail(doc, map, err, "the key '%s' is missing.", when ? "then" : "when");
    if (status == BF_OK)
        status = parse_when(doc, when, &rule.when, err);
    if (status == BF_OK)
        status = parse_then(doc, then, &rule, err);
    if (status == BF_OK)
        policy->rule[policy->rule_count++] = rule;
    return status;
}

static bf_status parse_list(const bf_yaml *doc, bool from_base, bf_policy *policy, bf_error *err)
{
    const bf_yaml_node *list = bf_yaml_get(bf_yaml_root(doc), "rules");
    if (!list)
        return from_base ? BF_OK : bf_yaml_fail(doc, bf_yaml_root(doc), err, "the key 'rules' is missing.");
    if (list->kind != BF_YAML_LIST || !list->child)
        return bf_yaml_fail(doc, list, err, "'rules' must be a list of rules.");
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        bf_status status = parse_rule(doc, node, from_base, policy, err);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

/* Turns the rules' conditions on their side: for each value of each fact, the rules that accept it. */
static void index_rules(bf_policy *policy)
{
    for (int i = 0; i < policy->rule_count; i++) {
        for (int fact = 0; fact < BF_FACT_COUNT; fact++) {
            for (int value = 0; value < bf_fact_size((bf_fact)fact); value++) {
                if (policy->rule[i].when & bf_fact_bit((bf_fact)fact, value))
                    policy->allow[fact][value] |= (uint64_t)1 << i;
            }
        }
    }
}

bf_status bf_policy_parse_rules(const bf_policy_documents *documents, bf_policy *policy, bf_error *err)
{
    bf_status status = documents->base ? parse_list(documents->base, true, policy, err) : BF_OK;
    if (status == BF_OK)
        status = parse_list(documents->own, false, policy, err);
    if (status == BF_OK)
        index_rules(policy);
    return status;
}

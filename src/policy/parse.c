/* From the bytes of a policy, and of its base, to a policy that has been proved harmless. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "policy/cases.h"
#include "policy/rules.h"

#define VERSION_DIGITS 12

void bf_policy_free(bf_policy **policy)
{
    if (!policy)
        return;
    bf_free(*policy);
    *policy = NULL;
}

void bf_policy_bundle_done(bf_policy_bundle *bundle)
{
    bf_policy_free(&bundle->policy);
    bf_yaml_free(&bundle->own);
    bf_yaml_free(&bundle->base);
}

static bf_status parse_flow(const bf_yaml *doc, bf_policy *policy, bf_error *err)
{
    const char *flow = NULL;
    bf_status status = bf_yaml_string(doc, bf_yaml_root(doc), "flow", true, &flow, err);
    if (status != BF_OK)
        return status;
    size_t length = strspn(flow, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (length == 0 || length >= BF_NAME_MAX || flow[length] != 0)
        return bf_yaml_fail(doc, bf_yaml_get(bf_yaml_root(doc), "flow"), err,
                            "flow has 1 to %d small letters, digits and '_'.", BF_NAME_MAX - 1);
    (void)snprintf(policy->flow, sizeof policy->flow, "%s", flow);
    return BF_OK;
}

/* MAJOR.MINOR.PATCH, each of one to four digits. */
static bool is_version(const char *text)
{
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 4)
            return false;
        text += digits;
        if (*text != (part < 2 ? '.' : 0))
            return false;
        text += part < 2;
    }
    return true;
}

/* The hash covers the file and then its base, as if they stood one after the other. */
static bf_status hash_of(const bf_policy_text *own, const bf_policy_text *base, char ret_hex[BF_SHA256_HEX_SIZE],
                         bf_error *err)
{
    if (!base) {
        bf_sha256_hex(own->yaml, own->size, ret_hex);
        return BF_OK;
    }
    uint8_t *both = bf_malloc(own->size + base->size + 1);
    if (!both)
        return bf_fail_memory(err);
    memcpy(both, own->yaml, own->size);
    memcpy(both + own->size, base->yaml, base->size);
    bf_sha256_hex(both, own->size + base->size, ret_hex);
    bf_free(both);
    return BF_OK;
}

static bf_status parse_version(const bf_yaml *doc, const bf_policy_text *own, const bf_policy_text *base,
                               bf_policy *policy, bf_error *err)
{
    const char *version = NULL;
    bf_status status = bf_yaml_string(doc, bf_yaml_root(doc), "version", true, &version, err);
    if (status != BF_OK)
        return status;
    if (!is_version(version))
        return bf_yaml_fail(doc, bf_yaml_get(bf_yaml_root(doc), "version"), err,
                            "version must be three numbers such as 1.0.0.");
    char hex[BF_SHA256_HEX_SIZE];
    status = hash_of(own, base, hex, err);
    if (status == BF_OK)
        (void)snprintf(policy->version, sizeof policy->version, "%s@%s+%.*s", policy->flow, version, VERSION_DIGITS,
                       hex);
    return status;
}

static bf_status parse_rationale(const bf_yaml *doc, bool required, bf_policy *policy, bf_error *err)
{
    const char *text = NULL;
    bf_status status = bf_yaml_string(doc, bf_yaml_root(doc), "rationale", required, &text, err);
    if (status != BF_OK || !text)
        return status;
    if (text[0] == 0 || strlen(text) >= BF_POLICY_TEXT_MAX)
        return bf_yaml_fail(doc, bf_yaml_get(bf_yaml_root(doc), "rationale"), err,
                            "rationale must have 1 to %d characters.", BF_POLICY_TEXT_MAX - 1);
    if (required)
        (void)snprintf(policy->rationale, sizeof policy->rationale, "%s", text);
    return BF_OK;
}

static bf_status check_root(const bf_yaml *doc, bool is_base, bf_error *err)
{
    static const char *const own_keys[] = {"flow",     "version", "extends", "rationale", BF_SETTINGS_KEYS,
                                           "channels", "rules",   "tests",   NULL};
    static const char *const base_keys[] = {"rationale", BF_SETTINGS_KEYS, "channels", "rules", "tests", NULL};
    return bf_yaml_check_keys(doc, bf_yaml_root(doc), is_base ? base_keys : own_keys, err);
}

static bf_status apply_channels(const bf_yaml *doc, bool is_base, bf_policy *policy, bf_error *err)
{
    static const char *const own_keys[] = {BF_SETTINGS_KEYS, NULL};
    /* A base's channels come after a policy's own values, so they may not touch what the journey decides. */
    static const char *const base_keys[] = {"quality", NULL};
    const bf_yaml_node *channels = bf_yaml_get(bf_yaml_root(doc), "channels");
    if (!channels)
        return BF_OK;
    bf_status status = bf_yaml_check_keys(doc, channels, BF_CHANNEL_WORDS + 1, err);
    for (const bf_yaml_node *node = status == BF_OK ? channels->child : NULL; node && status == BF_OK;
         node = node->next) {
        bf_channel channel = BF_CHANNEL_UNSPECIFIED;
        (void)bf_channel_from_name(node->key, &channel);
        status = bf_yaml_check_keys(doc, node, is_base ? base_keys : own_keys, err);
        bf_settings_given given;
        memset(&given, true, sizeof given);
        if (status == BF_OK)
            status = bf_settings_apply(doc, node, &policy->settings[channel], &given, err);
    }
    return status;
}

/* The base's values, then the policy's own over them; each channel starts from there. */
static bf_status parse_settings(const bf_policy_documents *documents, bf_policy *policy, bf_error *err)
{
    bf_settings_given given = {0};
    bf_policy_settings *common = &policy->settings[BF_CHANNEL_UNSPECIFIED];
    bf_status status = BF_OK;
    if (documents->base)
        status = bf_settings_apply(documents->base, bf_yaml_root(documents->base), common, &given, err);
    if (status == BF_OK)
        status = bf_settings_apply(documents->own, bf_yaml_root(documents->own), common, &given, err);
    if (status == BF_OK)
        status = bf_settings_complete(documents->own, &given, err);
    if (status != BF_OK)
        return status;
    for (int i = 1; i < BF_CHANNEL_COUNT; i++)
        policy->settings[i] = *common;
    if (documents->base)
        status = apply_channels(documents->base, true, policy, err);
    return status == BF_OK ? apply_channels(documents->own, false, policy, err) : status;
}

/* Whether the policy and what the caller gave agree about a base. */
static bf_status check_extends(const bf_yaml *own, const bf_policy_text *base, bf_error *err)
{
    const bf_yaml_node *node = bf_yaml_get(bf_yaml_root(own), "extends");
    if (node && !base)
        return bf_yaml_fail(own, node, err, "this policy extends another file, which was not given.");
    if (!node && base)
        return bf_yaml_fail(own, bf_yaml_root(own), err, "a base was given to a policy that does not say 'extends'.");
    return BF_OK;
}

static bf_status parse_documents(const bf_policy_text *own, const bf_policy_text *base, bf_policy_bundle *bundle,
                                 bf_error *err)
{
    bf_policy_documents documents = {bundle->own, bundle->base};
    bf_policy *policy = bundle->policy;
    bf_status status = check_root(bundle->own, false, err);
    if (status == BF_OK)
        status = check_extends(bundle->own, base, err);
    if (status == BF_OK && bundle->base)
        status = check_root(bundle->base, true, err);
    if (status == BF_OK)
        status = parse_flow(bundle->own, policy, err);
    if (status == BF_OK)
        status = parse_version(bundle->own, own, base, policy, err);
    if (status == BF_OK)
        status = parse_rationale(bundle->own, true, policy, err);
    if (status == BF_OK && bundle->base)
        status = parse_rationale(bundle->base, false, policy, err);
    if (status == BF_OK)
        status = parse_settings(&documents, policy, err);
    if (status == BF_OK)
        status = bf_policy_parse_rules(&documents, policy, err);
    if (status == BF_OK)
        status = bf_policy_check(&documents, policy, err);
    if (status == BF_OK && bundle->base)
        status = bf_cases_check(bundle->base, policy, err);
    return status == BF_OK ? bf_cases_check(bundle->own, policy, err) : status;
}

bf_status bf_policy_bundle_parse(const bf_policy_text *own, const bf_policy_text *base, bf_policy_bundle *bundle,
                                 bf_error *err)
{
    bf_status status = BF_OK;
    if (!bundle->own)
        status = bf_yaml_parse(own->yaml, own->size, own->name, &bundle->own, err);
    if (status == BF_OK && base)
        status = bf_yaml_parse(base->yaml, base->size, base->name, &bundle->base, err);
    if (status != BF_OK)
        return status;
    bundle->policy = bf_calloc(1, sizeof *bundle->policy);
    return bundle->policy ? parse_documents(own, base, bundle, err) : bf_fail_memory(err);
}

bf_status bf_policy_parse_extending(const bf_policy_text *own, const bf_policy_text *base, bf_policy **ret,
                                    bf_error *err)
{
    BF_CLEANUP(bf_policy_bundle_done) bf_policy_bundle bundle = {0};
    bf_status status = bf_policy_bundle_parse(own, base, &bundle, err);
    if (status != BF_OK)
        return status;
    *ret = bundle.policy;
    bundle.policy = NULL;
    return BF_OK;
}

bf_status bf_policy_parse(const void *yaml, size_t size, const char *name, bf_policy **ret, bf_error *err)
{
    bf_policy_text own = {yaml, size, name};
    return bf_policy_parse_extending(&own, NULL, ret, err);
}

const char *bf_policy_flow(const bf_policy *policy)
{
    return policy->flow;
}

const char *bf_policy_version(const bf_policy *policy)
{
    return policy->version;
}

int bf_policy_retry_cap(const bf_policy *policy, bf_channel channel)
{
    return bf_policy_settings_of(policy, channel)->retry_cap;
}

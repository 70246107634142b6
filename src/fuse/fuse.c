#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "calibrate/calibrate.h"
#include "fuse/internal.h"

#define FUSION_FORMAT 1
#define WEIGHT_MAX 4.0

void bf_fusion_free(bf_fusion **fusion)
{
    if (!fusion || !*fusion)
        return;
    for (int i = 0; i < BF_FUSION_CONFIGURATIONS_MAX; i++)
        bf_free((*fusion)->configurations[i].nodes);
    bf_free(*fusion);
    *fusion = NULL;
}

int bf_fusion_find_term(const bf_fusion_configuration *c, const char *detector)
{
    for (int i = 0; i < c->term_count; i++) {
        if (strcmp(c->terms[i].detector, detector) == 0)
            return i;
    }
    return -1;
}

bf_status bf_fusion_add_term(const bf_yaml *doc, const bf_yaml_node *node, const char *detector, bf_term_role role,
                             bf_fusion_configuration *c, bf_error *err)
{
    if (c->term_count == BF_DETECTORS_MAX)
        return bf_yaml_fail(doc, node, err, "at most %d detectors can be fused.", BF_DETECTORS_MAX);
    if (bf_fusion_find_term(c, detector) >= 0)
        return bf_yaml_fail(doc, node, err, "%.*s stands here already.", BF_NAME_MAX, detector);
    bf_fusion_term *term = &c->terms[c->term_count];
    bf_status status = bf_config_check_name(doc, node, detector, term->detector, err);
    if (status != BF_OK)
        return status;
    term->role = role;
    c->term_count++;
    return BF_OK;
}

/* Adds the detectors and weights of the map `key`. */
static bf_status parse_terms(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bf_term_role role,
                             bf_fusion_configuration *c, bf_error *err)
{
    const bf_yaml_node *terms = bf_yaml_get(map, key);
    if (!terms && role != BF_TERM_NEEDED)
        return BF_OK;
    if (!terms || terms->kind != BF_YAML_MAP || terms->child_count == 0)
        return bf_yaml_fail(doc, terms ? terms : map, err, "'%s' must name at least one detector and its weight.", key);
    if (terms->child_count + (size_t)c->term_count > BF_DETECTORS_MAX)
        return bf_yaml_fail(doc, terms, err, "at most %d detectors can be fused.", BF_DETECTORS_MAX);
    for (const bf_yaml_node *node = terms->child; node; node = node->next) {
        bf_status status = bf_fusion_add_term(doc, node, node->key, role, c, err);
        if (status != BF_OK)
            return status;
        bf_fusion_term *term = &c->terms[c->term_count - 1];
        status = bf_yaml_node_number(doc, node, 0, WEIGHT_MAX, &term->weight, err);
        if (status == BF_OK && term->weight <= 0)
            status = bf_yaml_fail(doc, node, err, "the weight of %s must be above 0.", term->detector);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

/* What trees need has no weight: a list of names. */
static bf_status parse_needed_names(const bf_yaml *doc, const bf_yaml_node *map, bf_fusion_configuration *c,
                                    bf_error *err)
{
    const bf_yaml_node *names = bf_yaml_get(map, "needs");
    if (!names || names->kind != BF_YAML_LIST || names->child_count == 0)
        return bf_yaml_fail(doc, names ? names : map, err, "beside 'trees', 'needs' must list at least one detector.");
    for (const bf_yaml_node *node = names->child; node; node = node->next) {
        bf_status status = node->kind != BF_YAML_SCALAR
                               ? bf_yaml_fail(doc, node, err, "the name of a detector is expected.")
                               : bf_fusion_add_term(doc, node, node->scalar, BF_TERM_NEEDED, c, err);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

/* What is made of the needed evidence: a sum, the least, or trees. */
static bf_status parse_kind(const bf_yaml *doc, const bf_yaml_node *map, bf_fusion_configuration *c, bf_error *err)
{
    static const char *const rules[] = {"sum", "minimum", NULL};
    const bf_yaml_node *trees = bf_yaml_get(map, "trees");
    int rule = BF_FUSION_SUM;
    if (trees && bf_yaml_get(map, "rule"))
        return bf_yaml_fail(doc, trees, err, "'rule' and 'trees' exclude each other.");
    bf_status status = bf_yaml_choice(doc, map, "rule", false, rules, &rule, err);
    c->kind = trees ? BF_FUSION_TREES : (bf_fusion_kind)rule;
    if (status == BF_OK && !trees)
        return parse_terms(doc, map, "needs", BF_TERM_NEEDED, c, err);
    if (status == BF_OK)
        status = parse_needed_names(doc, map, c, err);
    return status == BF_OK ? bf_trees_parse(doc, trees, c, err) : status;
}

/* Whether everything `a` needs is needed by `b` too, so that `a` always applies when `b` does. */
static bool needs_no_more(const bf_fusion_configuration *a, const bf_fusion_configuration *b)
{
    for (int i = 0; i < a->term_count; i++) {
        int of_b = bf_fusion_find_term(b, a->terms[i].detector);
        if (a->terms[i].role == BF_TERM_NEEDED && (of_b < 0 || b->terms[of_b].role != BF_TERM_NEEDED))
            return false;
    }
    return true;
}

static bf_status check_order(const bf_yaml *doc, const bf_yaml_node *node, const bf_fusion *fusion,
                             const bf_fusion_configuration *c, bf_error *err)
{
    for (int i = 0; i < fusion->configuration_count; i++) {
        const bf_fusion_configuration *earlier = &fusion->configurations[i];
        if (strcmp(earlier->name, c->name) == 0)
            return bf_yaml_fail(doc, node, err, "the configuration '%s' stands twice.", c->name);
        if (needs_no_more(earlier, c))
            return bf_yaml_fail(doc, node, err, "'%s' can never be used: '%s' stands before it and needs no more.",
                                c->name, earlier->name);
    }
    return BF_OK;
}

static bf_status add_detectors(const bf_yaml *doc, const bf_yaml_node *node, bf_fusion *fusion,
                               const bf_fusion_configuration *c, bf_error *err)
{
    for (int i = 0; i < c->term_count; i++) {
        if (bf_fusion_uses(fusion, c->terms[i].detector))
            continue;
        if (fusion->detector_count == BF_DETECTORS_MAX)
            return bf_yaml_fail(doc, node, err, "at most %d detectors can be fused.", BF_DETECTORS_MAX);
        fusion->detectors[fusion->detector_count++] = c->terms[i].detector;
    }
    return BF_OK;
}

static bf_status parse_configuration(const bf_yaml *doc, const bf_yaml_node *map, bf_fusion *fusion, bf_error *err)
{
    static const char *const keys[] = {"name", "bias", "rule", "needs", "trees", "against", "besides", NULL};
    bf_fusion_configuration *c = &fusion->configurations[fusion->configuration_count];
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_config_name(doc, map, "name", c->name, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "bias", true, -BF_LLR_LIMIT_MAX, BF_LLR_LIMIT_MAX, &c->bias, err);
    if (status == BF_OK)
        status = parse_kind(doc, map, c, err);
    if (status == BF_OK)
        status = parse_terms(doc, map, "against", BF_TERM_AGAINST, c, err);
    if (status == BF_OK)
        status = parse_terms(doc, map, "besides", BF_TERM_BESIDES, c, err);
    if (status == BF_OK)
        status = check_order(doc, map, fusion, c, err);
    if (status == BF_OK)
        status = add_detectors(doc, map, fusion, c, err);
    if (status == BF_OK)
        fusion->configuration_count++;
    return status;
}

static bf_status parse_configurations(const bf_yaml *doc, const bf_yaml_node *root, bf_fusion *fusion, bf_error *err)
{
    const bf_yaml_node *list = bf_yaml_get(root, "configurations");
    if (!list || list->kind != BF_YAML_LIST || list->child_count == 0)
        return bf_yaml_fail(doc, list ? list : root, err, "'configurations' must list at least one configuration.");
    if (list->child_count > BF_FUSION_CONFIGURATIONS_MAX)
        return bf_yaml_fail(doc, list, err, "at most %d configurations are allowed.", BF_FUSION_CONFIGURATIONS_MAX);
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        bf_status status = parse_configuration(doc, node, fusion, err);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

static bf_status parse_root(const bf_yaml *doc, const void *yaml, size_t size, bf_fusion *fusion, bf_error *err)
{
    static const char *const keys[] = {"format", "name", "version", "live_prior", "llr", "configurations", NULL};
    const bf_yaml_node *root = bf_yaml_root(doc);
    char name[BF_NAME_MAX], version[BF_NAME_MAX];
    bf_status status = bf_yaml_check_keys(doc, root, keys, err);
    if (status == BF_OK)
        status = bf_config_format(doc, root, FUSION_FORMAT, err);
    if (status == BF_OK)
        status = bf_config_name(doc, root, "name", name, err);
    if (status == BF_OK)
        status = bf_config_name(doc, root, "version", version, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, root, "live_prior", true, 0.001, 0.999, &fusion->live_prior, err);
    if (status == BF_OK)
        status = bf_calibration_llr_range(doc, root, &fusion->llr_min, &fusion->llr_max, err);
    if (status == BF_OK)
        status = parse_configurations(doc, root, fusion, err);
    if (status == BF_OK)
        bf_config_id(name, version, yaml, size, fusion->id);
    return status;
}

bf_status bf_fusion_parse(const void *yaml, size_t size, const char *name, bf_fusion **ret, bf_error *err)
{
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = NULL;
    bf_status status = bf_yaml_parse(yaml, size, name, &doc, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_fusion_free) bf_fusion *fusion = bf_calloc(1, sizeof *fusion);
    if (!fusion)
        return bf_fail_memory(err);
    status = parse_root(doc, yaml, size, fusion, err);
    if (status != BF_OK)
        return status;
    *ret = fusion;
    fusion = NULL;
    return BF_OK;
}

const char *bf_fusion_id(const bf_fusion *fusion)
{
    return fusion->id;
}

double bf_fusion_live_prior(const bf_fusion *fusion)
{
    return fusion->live_prior;
}

bool bf_fusion_uses(const bf_fusion *fusion, const char *detector)
{
    for (int i = 0; i < fusion->detector_count; i++) {
        if (strcmp(fusion->detectors[i], detector) == 0)
            return true;
    }
    return false;
}

int bf_fusion_detectors(const bf_fusion *fusion, const char *ret[BF_DETECTORS_MAX])
{
    memcpy(ret, fusion->detectors, (size_t)fusion->detector_count * sizeof *ret);
    return fusion->detector_count;
}

/* Index of the usable evidence of `detector`, or -1. */
static int find_evidence(const bf_evidence *evidence, int count, const char *detector)
{
    for (int i = 0; i < count; i++) {
        if (evidence[i].status == BF_EVIDENCE_PRESENT && evidence[i].calibrated && isfinite(evidence[i].live_llr) &&
            strcmp(evidence[i].detector, detector) == 0)
            return i;
    }
    return -1;
}

/* Only the least of the needed counts; among equals the first. */
static void keep_least(const bf_fusion_configuration *c, double *contribution)
{
    int least = 0;
    for (int i = 1; i < c->term_count && c->terms[i].role == BF_TERM_NEEDED; i++) {
        bool less = contribution[i] < contribution[least];
        contribution[less ? least : i] = 0;
        least = less ? i : least;
    }
}

static bool try_configuration(const bf_fusion_configuration *c, const bf_evidence *evidence, int count, bf_fused *fused)
{
    int index[BF_DETECTORS_MAX];
    double llr[BF_DETECTORS_MAX], contribution[BF_DETECTORS_MAX] = {0};
    for (int i = 0; i < c->term_count; i++) {
        bool against = c->terms[i].role == BF_TERM_AGAINST;
        index[i] = find_evidence(evidence, count, c->terms[i].detector);
        if (index[i] < 0 && c->terms[i].role == BF_TERM_NEEDED)
            return false;
        llr[i] = index[i] < 0 ? NAN : evidence[index[i]].live_llr;
        if (index[i] >= 0 && c->terms[i].weight > 0)
            contribution[i] = c->terms[i].weight * (against ? fmin(llr[i], 0) : llr[i]);
    }
    if (c->kind == BF_FUSION_MINIMUM)
        keep_least(c, contribution);
    bf_trees_apply(c, llr, contribution);
    *fused = (bf_fused){.present = true, .bias = c->bias, .live_llr = c->bias};
    memcpy(fused->configuration, c->name, sizeof fused->configuration);
    for (int i = 0; i < c->term_count; i++) {
        if (index[i] >= 0) {
            fused->used[index[i]] = true;
            fused->contribution[index[i]] = contribution[i];
        } else {
            fused->bias += contribution[i]; /* where a tree goes when nobody answers */
        }
        fused->live_llr += contribution[i];
    }
    return true;
}

void bf_fusion_apply(const bf_fusion *fusion, const bf_evidence *evidence, int count, bf_fused *ret)
{
    if (count > BF_DETECTORS_MAX)
        count = BF_DETECTORS_MAX;
    for (int i = 0; i < fusion->configuration_count; i++) {
        if (!try_configuration(&fusion->configurations[i], evidence, count, ret))
            continue;
        ret->live_llr = fmin(fmax(ret->live_llr, fusion->llr_min), fusion->llr_max);
        double log_odds = ret->live_llr + log(fusion->live_prior / (1 - fusion->live_prior));
        ret->live_probability = 1 / (1 + exp(-log_odds));
        return;
    }
    *ret = (bf_fused){0};
}

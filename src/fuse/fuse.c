#include "fuse/fuse.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/config.h"
#include "base/error.h"
#include "base/yaml.h"
#include "calibrate/calibrate.h"

#define FUSION_FORMAT 1
#define WEIGHT_MAX 4.0

/* How a detector's evidence is heard. */
typedef enum term_role {
    TERM_NEEDED,
    TERM_AGAINST, /* when present, and only when it lowers */
    TERM_BESIDES  /* when present */
} term_role;

typedef struct fusion_term {
    char detector[BF_NAME_MAX];
    double weight;
    term_role role;
} fusion_term;

typedef struct fusion_configuration {
    char name[BF_NAME_MAX];
    double bias;
    fusion_term terms[BF_DETECTORS_MAX];
    int term_count;
} fusion_configuration;

struct bf_fusion {
    char id[BF_CONFIG_ID_SIZE];
    double live_prior;
    double llr_min, llr_max;
    fusion_configuration configurations[BF_FUSION_CONFIGURATIONS_MAX];
    int configuration_count;
    const char *detectors[BF_DETECTORS_MAX]; /* distinct, pointing into the terms */
    int detector_count;
};

void bf_fusion_free(bf_fusion **fusion)
{
    if (!fusion)
        return;
    bf_free(*fusion);
    *fusion = NULL;
}

static const fusion_term *find_term(const fusion_configuration *c, const char *detector)
{
    for (int i = 0; i < c->term_count; i++) {
        if (strcmp(c->terms[i].detector, detector) == 0)
            return &c->terms[i];
    }
    return NULL;
}

/* Adds the detectors and weights of the map `key`. */
static bf_status parse_terms(const bf_yaml *doc, const bf_yaml_node *map, const char *key, term_role role,
                             fusion_configuration *c, bf_error *err)
{
    const bf_yaml_node *terms = bf_yaml_get(map, key);
    if (!terms && role != TERM_NEEDED)
        return BF_OK;
    if (!terms || terms->kind != BF_YAML_MAP || terms->child_count == 0)
        return bf_yaml_fail(doc, terms ? terms : map, err, "'%s' must name at least one detector and its weight.", key);
    if (terms->child_count + (size_t)c->term_count > BF_DETECTORS_MAX)
        return bf_yaml_fail(doc, terms, err, "at most %d detectors can be fused.", BF_DETECTORS_MAX);
    for (const bf_yaml_node *node = terms->child; node; node = node->next) {
        if (find_term(c, node->key))
            return bf_yaml_fail(doc, node, err, "%.*s stands here already.", BF_NAME_MAX, node->key);
        fusion_term *term = &c->terms[c->term_count];
        term->role = role;
        bf_status status = bf_config_check_name(doc, node, node->key, term->detector, err);
        if (status == BF_OK)
            status = bf_yaml_node_number(doc, node, 0, WEIGHT_MAX, &term->weight, err);
        if (status == BF_OK && term->weight <= 0)
            status = bf_yaml_fail(doc, node, err, "the weight of %s must be above 0.", term->detector);
        if (status != BF_OK)
            return status;
        c->term_count++;
    }
    return BF_OK;
}

/* Whether everything `a` needs is needed by `b` too, so that `a` always applies when `b` does. */
static bool needs_no_more(const fusion_configuration *a, const fusion_configuration *b)
{
    for (int i = 0; i < a->term_count; i++) {
        const fusion_term *of_b = find_term(b, a->terms[i].detector);
        if (a->terms[i].role == TERM_NEEDED && (!of_b || of_b->role != TERM_NEEDED))
            return false;
    }
    return true;
}

static bf_status check_order(const bf_yaml *doc, const bf_yaml_node *node, const bf_fusion *fusion,
                             const fusion_configuration *c, bf_error *err)
{
    for (int i = 0; i < fusion->configuration_count; i++) {
        const fusion_configuration *earlier = &fusion->configurations[i];
        if (strcmp(earlier->name, c->name) == 0)
            return bf_yaml_fail(doc, node, err, "the configuration '%s' stands twice.", c->name);
        if (needs_no_more(earlier, c))
            return bf_yaml_fail(doc, node, err, "'%s' can never be used: '%s' stands before it and needs no more.",
                                c->name, earlier->name);
    }
    return BF_OK;
}

static bf_status add_detectors(const bf_yaml *doc, const bf_yaml_node *node, bf_fusion *fusion,
                               const fusion_configuration *c, bf_error *err)
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
    static const char *const keys[] = {"name", "bias", "needs", "against", "besides", NULL};
    fusion_configuration *c = &fusion->configurations[fusion->configuration_count];
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_config_name(doc, map, "name", c->name, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "bias", true, -BF_LLR_LIMIT_MAX, BF_LLR_LIMIT_MAX, &c->bias, err);
    if (status == BF_OK)
        status = parse_terms(doc, map, "needs", TERM_NEEDED, c, err);
    if (status == BF_OK)
        status = parse_terms(doc, map, "against", TERM_AGAINST, c, err);
    if (status == BF_OK)
        status = parse_terms(doc, map, "besides", TERM_BESIDES, c, err);
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

static bool try_configuration(const fusion_configuration *c, const bf_evidence *evidence, int count, bf_fused *fused)
{
    *fused = (bf_fused){.present = true, .bias = c->bias, .live_llr = c->bias};
    memcpy(fused->configuration, c->name, sizeof fused->configuration);
    for (int i = 0; i < c->term_count; i++) {
        int index = find_evidence(evidence, count, c->terms[i].detector);
        if (index < 0 && c->terms[i].role == TERM_NEEDED)
            return false;
        if (index < 0)
            continue;
        double llr = evidence[index].live_llr;
        fused->used[index] = true;
        fused->contribution[index] = c->terms[i].weight * (c->terms[i].role == TERM_AGAINST ? fmin(llr, 0) : llr);
        fused->live_llr += fused->contribution[index];
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

/* The fusion file: what was fitted, and what is kept of another file. */
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/yaml.h"
#include "calibrate/calibrate.h"
#include "fit/fusion_model.h"

#define NAMES_SIZE (BF_DETECTORS_MAX * BF_NAME_MAX)

void bf_fusion_kept_done(bf_fusion_kept *kept)
{
    bf_yaml_free(&kept->doc);
}

bf_status bf_fusion_kept_read(bf_fusion_kept *ret, const char *path, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    BF_CLEANUP(bf_fusion_free) bf_fusion *fusion = NULL;
    bf_fusion_kept kept = {0};
    bf_status status = bf_bytes_read_file(&bytes, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_fusion_parse(bytes.data, bytes.size, path, &fusion, err);
    if (status == BF_OK)
        status = bf_yaml_parse(bytes.data, bytes.size, path, &kept.doc, err);
    if (status != BF_OK)
        return status;
    kept.live_prior = bf_fusion_live_prior(fusion);
    status = bf_calibration_llr_range(kept.doc, bf_yaml_root(kept.doc), &kept.llr_min, &kept.llr_max, err);
    if (status == BF_OK)
        *ret = kept;
    else
        bf_fusion_kept_done(&kept);
    return status;
}

/* Whether the table can tell anything of a detector. */
static bool in_table(const bf_fit_table *table, const char *detector)
{
    int column = bf_fit_detector(table, detector);
    for (size_t i = 0; column >= 0 && i < table->scores.count; i++) {
        if (!isnan(table->llr[i * table->detectors + (size_t)column]))
            return true;
    }
    return false;
}

/* The name at an entry of `needs`, which may be a map or a list. */
static const char *name_of(const bf_yaml_node *entry)
{
    return entry->key ? entry->key : entry->scalar;
}

static bool is_kept(const bf_fit_table *table, const bf_yaml_node *configuration)
{
    for (const bf_yaml_node *entry = bf_yaml_get(configuration, "needs")->child; entry; entry = entry->next) {
        if (!in_table(table, name_of(entry)))
            return true;
    }
    return false;
}

static bool needs_the_same(const bf_fusion_set *set, uint32_t needs, const bf_yaml_node *configuration)
{
    const bf_yaml_node *list = bf_yaml_get(configuration, "needs");
    if (list->child_count != (size_t)__builtin_popcount(needs))
        return false;
    for (const bf_yaml_node *entry = list->child; entry; entry = entry->next) {
        bool found = false;
        for (size_t d = 0; d < set->count; d++)
            found = found || ((needs >> d & 1) != 0 && strcmp(set->detector[d].name, name_of(entry)) == 0);
        if (!found)
            return false;
    }
    return true;
}

static const bf_yaml_node *first_of(const bf_fusion_kept *kept)
{
    return kept->doc ? bf_yaml_get(bf_yaml_root(kept->doc), "configurations")->child : NULL;
}

/* The configuration whose place a new one takes; NULL when there is none. */
static const bf_yaml_node *same_of(const bf_fusion_set *set, uint32_t needs, const bf_fusion_kept *kept)
{
    const bf_yaml_node *node = first_of(kept);
    while (node && !needs_the_same(set, needs, node))
        node = node->next;
    return node;
}

/* On one line: {key: value}, [value] or a scalar. What was parsed as a fusion file holds only names and numbers. */
static void put_flow(bf_page *page, const bf_yaml_node *node)
{
    if (node->kind == BF_YAML_SCALAR) {
        bf_page_put(page, "%s", node->scalar);
        return;
    }
    bool map = node->kind == BF_YAML_MAP;
    bf_page_put(page, map ? "{" : "[");
    for (const bf_yaml_node *child = node->child; child; child = child->next) {
        if (map)
            bf_page_put(page, "%s: ", child->key);
        put_flow(page, child);
        bf_page_put(page, child->next ? ", " : "");
    }
    bf_page_put(page, map ? "}" : "]");
}

static void put_kept(bf_page *page, const bf_yaml_node *configuration)
{
    const char *lead = "  - ";
    for (const bf_yaml_node *value = configuration->child; value; value = value->next) {
        bf_page_put(page, "%s%s:", lead, value->key);
        lead = "    ";
        if (value->kind == BF_YAML_SCALAR)
            bf_page_put(page, " %s", value->scalar);
        for (const bf_yaml_node *child = value->child; child; child = child->next) {
            bf_page_put(page, child->key ? "\n      %s: " : "\n      - ", child->key);
            put_flow(page, child);
        }
        bf_page_put(page, "\n");
    }
}

static void put_name(bf_page *page, const bf_fusion_set *set, uint32_t needs, const bf_fusion_kept *kept, size_t number)
{
    char names[NAMES_SIZE] = "";
    const bf_yaml_node *same = same_of(set, needs, kept), *name = same ? bf_yaml_get(same, "name") : NULL;
    size_t used = 0;
    for (size_t d = 0; d < set->count; d++) {
        if ((needs >> d & 1) == 0)
            continue;
        size_t size = strlen(set->detector[d].name);
        if (used > 0)
            names[used++] = '+';
        memcpy(names + used, set->detector[d].name, size + 1);
        used += size;
    }
    if (name)
        bf_page_put(page, "  - name: %s\n", name->scalar);
    else if (used < BF_NAME_MAX)
        bf_page_put(page, "  - name: %s\n", names);
    else
        bf_page_put(page, "  - name: configuration-%zu\n", number);
}

static void put_node(bf_page *page, const bf_fusion_set *set, uint32_t needs, const bf_boost_tree *tree, int at)
{
    const bf_boost_node *node = &tree->node[at];
    bf_page_put(page, "{value: %.9g", node->value);
    if (node->column >= 0) {
        bf_page_put(page, ", detector: %s, split: %.9g", set->detector[node->column].name, node->split);
        if ((needs >> node->column & 1) == 0)
            bf_page_put(page, ", absent: %s",
                        node->absent_below && !set->detector[node->column].against ? "below" : "above");
        bf_page_put(page, ", below: ");
        put_node(page, set, needs, tree, node->below);
        bf_page_put(page, ", above: ");
        put_node(page, set, needs, tree, node->above);
    }
    bf_page_put(page, "}");
}

static void put_trees(bf_page *page, const bf_fusion_set *set, const bf_fusion_part *part)
{
    for (size_t d = 0; d < set->count; d++) {
        if ((part->needs >> d & 1) != 0)
            bf_page_put(page, "    needs: [%s]\n", set->detector[d].name);
    }
    bf_page_put(page, "    trees:\n");
    for (size_t t = 0; t < part->boost->trees; t++) {
        bf_page_put(page, "      - ");
        put_node(page, set, part->needs, &part->boost->tree[t], 0);
        bf_page_put(page, "\n");
    }
}

static void put_weights(bf_page *page, const bf_fusion_set *set, const bf_fusion_model *model,
                        const bf_fusion_part *part, bool against)
{
    for (size_t d = 0; d < set->count; d++) {
        bool chosen = against ? set->detector[d].against && (model->heard >> d & 1) != 0 : (part->needs >> d & 1) != 0;
        if (chosen)
            bf_page_put(page, "      %s: %.6g\n", set->detector[d].name, part->weight[d]);
    }
}

/* What the old file hears under `key` of detectors of which the table knows nothing. */
static void put_carried(bf_page *page, const bf_fit_table *table, const bf_yaml_node *from, const char *key)
{
    const bf_yaml_node *terms = from ? bf_yaml_get(from, key) : NULL;
    for (const bf_yaml_node *term = terms ? terms->child : NULL; term; term = term->next) {
        if (!in_table(table, term->key))
            bf_page_put(page, "      %s: %s\n", term->key, term->scalar);
    }
}

/* The heading stays only when something came below it. */
static void end_list(bf_page *page, size_t before, size_t begun)
{
    if (page->size > begun || page->failed)
        return;
    page->size = before;
    page->data[before] = '\0';
}

static void put_part(bf_page *page, const bf_fusion_set *set, const bf_fusion_model *model, size_t number,
                     const bf_fusion_kept *kept)
{
    const bf_fusion_part *part = &model->part[number];
    const bf_yaml_node *from = same_of(set, part->needs, kept);
    from = from ? from : first_of(kept);
    put_name(page, set, part->needs, kept, number + 1);
    bf_page_put(page, "    bias: %.6g\n", part->bias);
    if (model->method == BF_FUSING_MINIMUM)
        bf_page_put(page, "    rule: minimum\n");
    if (part->boost) {
        put_trees(page, set, part);
    } else {
        bf_page_put(page, "    needs:\n");
        put_weights(page, set, model, part, false);
    }
    size_t before = page->size;
    bf_page_put(page, "    against:\n");
    size_t begun = page->size;
    if (!part->boost)
        put_weights(page, set, model, part, true);
    put_carried(page, set->table, from, "against");
    end_list(page, before, begun);
    before = page->size;
    bf_page_put(page, "    besides:\n");
    begun = page->size;
    put_carried(page, set->table, from, "besides");
    end_list(page, before, begun);
}

static size_t part_size(const bf_fusion_part *part)
{
    return (size_t)__builtin_popcount(part->needs);
}

/* What needs more comes first, because what needs less could stand in for it. */
static void put_configurations(bf_page *page, const bf_fusion_set *set, const bf_fusion_model *model,
                               const bf_fusion_kept *kept, size_t *ret_kept, size_t *ret_dropped)
{
    size_t room = BF_FUSION_CONFIGURATIONS_MAX, dropped = 0;
    *ret_kept = 0;
    for (const bf_yaml_node *node = first_of(kept); node; node = node->next)
        room -= is_kept(set->table, node) && room > 1;
    for (size_t size = BF_DETECTORS_MAX; size > 0; size--) {
        for (size_t p = 0; p < model->parts; p++) {
            if (part_size(&model->part[p]) != size)
                continue;
            if (room > 0)
                put_part(page, set, model, p, kept);
            dropped += room == 0;
            room -= room > 0;
        }
        for (const bf_yaml_node *node = first_of(kept); node; node = node->next) {
            if (bf_yaml_get(node, "needs")->child_count == size && is_kept(set->table, node)) {
                put_kept(page, node);
                ++*ret_kept;
            }
        }
    }
    *ret_dropped = dropped;
}

void bf_fusion_write(bf_page *page, const bf_fusion_set *set, const bf_fusion_model *model, const bf_fusion_kept *kept,
                     const char *name, const char *version, const char *dataset, size_t *ret_kept, size_t *ret_dropped)
{
    bool has = kept->doc != NULL;
    if (dataset)
        bf_page_put(page, "# Fitted by bonafide fuse on %s.\n", dataset);
    bf_page_put(page, "format: 1\nname: %s\nversion: %s\nlive_prior: %.6g\nllr: {min: %.6g, max: %.6g}\n", name,
                version, has ? kept->live_prior : BF_LIVE_PRIOR, has ? kept->llr_min : -BF_LLR_OF_FUSED,
                has ? kept->llr_max : BF_LLR_OF_FUSED);
    bf_page_put(page, "configurations:\n");
    put_configurations(page, set, model, kept, ret_kept, ret_dropped);
}

static bf_status parse_model(const bf_fusion_set *set, const bf_fusion_model *model, bf_fusion **ret, bf_error *err)
{
    static const bf_fusion_kept nothing = {0};
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes text = {0};
    size_t kept, dropped;
    bf_fusion_write(&page, set, model, &nothing, "held-out", "1", NULL, &kept, &dropped);
    bf_status status = bf_page_take(&page, &text, err);
    return status == BF_OK ? bf_fusion_parse(text.data, text.size, "fitted", ret, err) : status;
}

bf_status bf_fusion_model_apply(const bf_fusion_set *set, const bf_fusion_model *model, uint32_t missing,
                                const bool *use, double *ret, bf_error *err)
{
    BF_CLEANUP(bf_fusion_free) bf_fusion *fusion = NULL;
    bf_evidence evidence[BF_DETECTORS_MAX] = {0};
    bf_status status = parse_model(set, model, &fusion, err);
    for (size_t d = 0; d < set->count; d++)
        memcpy(evidence[d].detector, set->detector[d].name, sizeof evidence[d].detector);
    for (size_t i = 0; status == BF_OK && i < set->table->scores.count; i++) {
        bf_fused fused;
        if (!use[i])
            continue;
        for (size_t d = 0; d < set->count; d++) {
            double llr = set->llr[i * set->count + d];
            evidence[d].calibrated = !isnan(llr) && (missing >> d & 1) == 0;
            evidence[d].status = evidence[d].calibrated ? BF_EVIDENCE_PRESENT : BF_EVIDENCE_NOT_APPLICABLE;
            evidence[d].live_llr = llr;
        }
        bf_fusion_apply(fusion, evidence, (int)set->count, &fused);
        ret[i] = fused.present ? fused.live_llr : NAN;
    }
    return status;
}

/* Boosted trees: read, checked to rise, and walked. */
#include <math.h>

#include "base/bytes.h"
#include "base/error.h"
#include "calibrate/calibrate.h"
#include "fuse/internal.h"

/* The least and the greatest leaf of a part of a tree. */
typedef struct leaves {
    double least, greatest;
} leaves;

static bf_status parse_node(const bf_yaml *doc, const bf_yaml_node *map, int depth, bf_fusion_configuration *c,
                            int *ret, leaves *ret_leaves, bf_error *err);

static bf_status find_detector(const bf_yaml *doc, const bf_yaml_node *map, bf_fusion_configuration *c, int *ret,
                               bf_error *err)
{
    const char *detector = NULL;
    bf_status status = bf_yaml_string(doc, map, "detector", true, &detector, err);
    if (status != BF_OK)
        return status;
    *ret = bf_fusion_find_term(c, detector);
    if (*ret >= 0)
        return BF_OK;
    status = bf_fusion_add_term(doc, bf_yaml_get(map, "detector"), detector, BF_TERM_HEARD, c, err);
    *ret = c->term_count - 1;
    return status;
}

static bf_status parse_absent(const bf_yaml *doc, const bf_yaml_node *map, bool needed, bool *ret_below, bf_error *err)
{
    static const char *const sides[] = {"below", "above", NULL};
    int side = 0;
    if (needed && bf_yaml_get(map, "absent"))
        return bf_yaml_fail(doc, bf_yaml_get(map, "absent"), err, "what is needed is never absent.");
    bf_status status = bf_yaml_choice(doc, map, "absent", !needed, sides, &side, err);
    *ret_below = side == 0;
    return status;
}

static bf_status parse_side(const bf_yaml *doc, const bf_yaml_node *map, const char *key, int depth,
                            bf_fusion_configuration *c, int *ret, leaves *ret_leaves, bf_error *err)
{
    const bf_yaml_node *side = bf_yaml_get(map, key);
    if (!side)
        return bf_yaml_fail(doc, map, err, "the key '%s' is missing.", key);
    return parse_node(doc, side, depth + 1, c, ret, ret_leaves, err);
}

static bf_status parse_split(const bf_yaml *doc, const bf_yaml_node *map, int depth, bf_fusion_configuration *c,
                             bf_tree_node *node, leaves *ret_leaves, bf_error *err)
{
    leaves below = {0}, above = {0};
    if (depth == BF_FUSION_DEPTH_MAX)
        return bf_yaml_fail(doc, map, err, "a tree may have %d splits on one way at most.", BF_FUSION_DEPTH_MAX);
    bf_status status = find_detector(doc, map, c, &node->term, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "split", true, -BF_LLR_LIMIT_MAX, BF_LLR_LIMIT_MAX, &node->split, err);
    if (status == BF_OK)
        status = parse_absent(doc, map, c->terms[node->term].role == BF_TERM_NEEDED, &node->absent_below, err);
    if (status == BF_OK)
        status = parse_side(doc, map, "below", depth, c, &node->below, &below, err);
    if (status == BF_OK)
        status = parse_side(doc, map, "above", depth, c, &node->above, &above, err);
    if (status == BF_OK && below.greatest > above.least)
        status = bf_yaml_fail(doc, map, err, "a leaf below this split is greater than one above it.");
    *ret_leaves = (leaves){fmin(below.least, above.least), fmax(below.greatest, above.greatest)};
    return status;
}

/* Its children come before it, so its own place is known last. */
static bf_status parse_node(const bf_yaml *doc, const bf_yaml_node *map, int depth, bf_fusion_configuration *c,
                            int *ret, leaves *ret_leaves, bf_error *err)
{
    static const char *const keys[] = {"value", "detector", "split", "absent", "below", "above", NULL};
    bf_tree_node node = {.term = -1};
    bf_status status = bf_yaml_check_keys(doc, map, keys, err);
    if (status == BF_OK)
        status = bf_yaml_number(doc, map, "value", true, -BF_LLR_LIMIT_MAX, BF_LLR_LIMIT_MAX, &node.value, err);
    *ret_leaves = (leaves){node.value, node.value};
    if (status == BF_OK && map->child_count > 1)
        status = parse_split(doc, map, depth, c, &node, ret_leaves, err);
    if (status != BF_OK)
        return status;
    *ret = c->node_count;
    c->nodes[c->node_count++] = node;
    return BF_OK;
}

bf_status bf_trees_parse(const bf_yaml *doc, const bf_yaml_node *list, bf_fusion_configuration *c, bf_error *err)
{
    if (list->kind != BF_YAML_LIST || list->child_count == 0)
        return bf_yaml_fail(doc, list, err, "'trees' must list at least one tree.");
    if (list->child_count > BF_FUSION_TREES_MAX)
        return bf_yaml_fail(doc, list, err, "at most %d trees are allowed.", BF_FUSION_TREES_MAX);
    c->nodes = bf_calloc(BF_FUSION_NODES_MAX, sizeof *c->nodes);
    if (!c->nodes)
        return bf_fail_memory(err);
    for (const bf_yaml_node *tree = list->child; tree; tree = tree->next) {
        leaves all;
        bf_status status = parse_node(doc, tree, 0, c, &c->roots[c->tree_count], &all, err);
        if (status != BF_OK)
            return status;
        c->bias += c->nodes[c->roots[c->tree_count++]].value;
    }
    return BF_OK;
}

void bf_trees_apply(const bf_fusion_configuration *c, const double *llr, double *contribution)
{
    for (int i = 0; i < c->tree_count; i++) {
        const bf_tree_node *node = &c->nodes[c->roots[i]];
        while (node->term >= 0) {
            bool below = isnan(llr[node->term]) ? node->absent_below : llr[node->term] < node->split;
            const bf_tree_node *next = &c->nodes[below ? node->below : node->above];
            contribution[node->term] += next->value - node->value;
            node = next;
        }
    }
}

/* What a fusion file becomes. Private to this folder. */
#ifndef BF_FUSE_INTERNAL_H
#define BF_FUSE_INTERNAL_H

#include "base/config.h"
#include "base/yaml.h"
#include "fuse/fuse.h"

#define BF_FUSION_NODES_MAX (BF_FUSION_TREES_MAX * ((2 << BF_FUSION_DEPTH_MAX) - 1)) /* of one configuration */

/* How a detector's evidence is heard. */
typedef enum bf_term_role {
    BF_TERM_NEEDED,
    BF_TERM_HEARD,   /* by trees, when present */
    BF_TERM_AGAINST, /* when present, and only when it lowers */
    BF_TERM_BESIDES  /* when present */
} bf_term_role;

typedef struct bf_fusion_term {
    char detector[BF_NAME_MAX];
    double weight; /* 0 for what only trees hear */
    bf_term_role role;
} bf_fusion_term;

typedef struct bf_tree_node {
    double value; /* expected here, or the leaf's own */
    double split;
    int term;         /* whose evidence is asked; -1: a leaf */
    int below, above; /* places in the configuration's nodes */
    bool absent_below;
} bf_tree_node;

typedef enum bf_fusion_kind { BF_FUSION_SUM, BF_FUSION_MINIMUM, BF_FUSION_TREES } bf_fusion_kind;

typedef struct bf_fusion_configuration {
    char name[BF_NAME_MAX];
    bf_fusion_kind kind;
    double bias; /* with what the trees expect before any split */
    bf_fusion_term terms[BF_DETECTORS_MAX];
    int term_count;
    bf_tree_node *nodes;
    int node_count;
    int roots[BF_FUSION_TREES_MAX];
    int tree_count;
} bf_fusion_configuration;

struct bf_fusion {
    char id[BF_CONFIG_ID_SIZE];
    double live_prior;
    double llr_min, llr_max;
    bf_fusion_configuration configurations[BF_FUSION_CONFIGURATIONS_MAX];
    int configuration_count;
    const char *detectors[BF_DETECTORS_MAX]; /* distinct, pointing into the terms */
    int detector_count;
};

/* Reads the list `trees`: nodes, roots, and the detectors that they hear besides those that are needed. */
bf_status bf_trees_parse(const bf_yaml *doc, const bf_yaml_node *list, bf_fusion_configuration *c, bf_error *err);

/* Adds each step of each tree to the contribution of its term. `llr` has a place for each term: NaN when absent. */
void bf_trees_apply(const bf_fusion_configuration *c, const double *llr, double *contribution);

/* Adds a term, its name checked; the place is in c->term_count - 1. */
bf_status bf_fusion_add_term(const bf_yaml *doc, const bf_yaml_node *node, const char *detector, bf_term_role role,
                             bf_fusion_configuration *c, bf_error *err);
/* The place of a detector among the terms, or -1. */
int bf_fusion_find_term(const bf_fusion_configuration *c, const char *detector);

#endif

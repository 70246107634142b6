/* Gradient-boosted trees, fitted by XGBoost's C interface and handed over as plain numbers.
 *
 * XGBoost is loaded when it is asked for, from the system's libxgboost.so.0, and by nothing but this: no other command,
 * and never the service, carries it. */
#ifndef BF_FIT_BOOST_H
#define BF_FIT_BOOST_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"
#include "fuse/fuse.h"

#define BF_BOOST_COLUMNS_MAX BF_DETECTORS_MAX
#define BF_BOOST_ROUNDS_MAX 48 /* trees */
#define BF_BOOST_DEPTH 2       /* splits from root to leaf */
#define BF_BOOST_NODES_MAX ((2 << BF_BOOST_DEPTH) - 1)

/* What is fitted to. Borrowed. */
typedef struct bf_boost_data {
    const float *x;      /* rows x columns, row by row; NaN: absent */
    const float *target; /* by row: 1 for bona fide, 0 for an attack */
    const float *weight; /* by row, above 0 */
    size_t rows, columns;
} bf_boost_data;

typedef struct bf_boost_node {
    double value;     /* of a leaf; for a split the mean of the leaves below it, by the weight that reached them */
    double split;     /* x < split goes below */
    int column;       /* -1: a leaf */
    int below, above; /* places in the tree */
    bool absent_below;
} bf_boost_node;

typedef struct bf_boost_tree {
    bf_boost_node node[BF_BOOST_NODES_MAX]; /* node[0] is the root */
    int nodes;
} bf_boost_tree;

/* Log-odds of a bona fide presentation, at equal weights of the classes: the sum of the leaves that are reached. */
typedef struct bf_boost {
    bf_boost_tree tree[BF_BOOST_ROUNDS_MAX];
    size_t trees, columns;
} bf_boost;

/* Whether XGBoost is there; MODEL_UNAVAILABLE says which package to install. */
bf_status bf_boost_available(bf_error *err);

/* Fits at most `rounds` trees (1..BF_BOOST_ROUNDS_MAX) that rise in every column. With `check` (may be NULL) it stops
 * where the log loss on that data was least. Deterministic, on one thread. What is handed over
 * has been compared with what XGBoost predicts for every row. MODEL_UNAVAILABLE: XGBoost is missing;
 * INTERNAL: it failed, and says why; OUT_OF_MEMORY. */
bf_status bf_boost_fit(bf_boost *ret, const bf_boost_data *data, const bf_boost_data *check, size_t rounds,
                       bf_error *err);

/* Log-odds of one row; NaN: absent. */
double bf_boost_log_odds(const bf_boost *boost, const double *x);

#endif

/* What the metrics of two tables are measured from, again and again with other weights of the persons. */
#ifndef BF_COMPARE_BENCH_H
#define BF_COMPARE_BENCH_H

#include "compare/metric.h"
#include "compare/pairs.h"
#include "evaluate/curve.h"

#define BF_BENCH_TABLES 2

/* What one person presented of one kind, and what A and B made of it. */
typedef struct bf_bench_cell {
    uint32_t person, presentations;
    uint32_t silent[BF_BENCH_TABLES], stated[BF_BENCH_TABLES];  /* without a response; with a probability */
    double square[BF_BENCH_TABLES], logarithm[BF_BENCH_TABLES]; /* sums of the errors of the probabilities */
    uint16_t kind;
} bf_bench_cell;

typedef struct bf_bench_time {
    float ms;
    uint32_t person;
} bf_bench_time;

/* The times of one stage of one table, falling. */
typedef struct bf_bench_times {
    bf_bench_time *time;
    uint32_t *of_person; /* how many there are of each */
    size_t count;
} bf_bench_times;
#define BF_BENCH_TIMES_SEEN 2 /* one in so many is looked at for a percentile, at most */

typedef struct bf_bench {
    const bf_metric *metric; /* borrowed, as `pairs` */
    const bf_pairs *pairs;
    size_t metrics;
    bf_curve curve[BF_BENCH_TABLES];
    bf_bench_cell *cell; /* by person, then kind */
    size_t cells;
    bf_bench_times (*times)[BF_BENCH_TABLES]; /* by metric; empty where it is no latency */
    bool whole;                               /* some metric needs the figures over all thresholds, or times */
} bf_bench;

/* On success the caller calls bf_bench_done. OUT_OF_MEMORY. */
bf_status bf_bench_start(bf_bench *ret, const bf_pairs *pairs, const bf_metric *metrics, size_t count,
                         const double threshold[BF_BENCH_TABLES], const bool *beside, bf_error *err);
void bf_bench_done(bf_bench *bench);

/* Whether a metric needs more than the rates at the working threshold. */
bool bf_bench_needs_whole(bf_metric_kind kind);

/* The metrics of one table with each person counted weight[person] times (NULL: once); NaN where there is nothing to
 * measure, and without `whole` where that is needed. `ret_figures` may be NULL. */
void bf_bench_measure(const bf_bench *bench, int table, const uint32_t *weight, bool whole, double *ret,
                      bf_curve_figures *ret_figures);

#endif

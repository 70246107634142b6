/* What is counted: the families of series and the closed sets that their labels come from. */
#ifndef BF_MONITOR_FAMILIES_H
#define BF_MONITOR_FAMILIES_H

#include <pthread.h>
#include <stdbool.h>

#include "base/limits.h"
#include "monitor/metrics.h"

#define BF_SET_VALUES_MAX 128 /* values of one label, "other" included */
#define BF_FLOWS_MAX 32       /* journeys that are told apart */
#define BF_LABELS_MAX 3       /* of one family, `le` not counted */

/* The series that all families together can have at most, each bucket counted. A scraper is sized by this number. */
#define BF_SERIES_MAX 8192

/* The closed set that a label's value comes from. */
typedef enum bf_label_set {
    BF_SET_ROUTE,
    BF_SET_HTTP,
    BF_SET_FLOW,
    BF_SET_CHANNEL,
    BF_SET_DECISION,
    BF_SET_REASON,
    BF_SET_OUTCOME, /* of a judgement: live, spoof, uncertain, could_not_judge, error */
    BF_SET_MATCH,
    BF_SET_CODE,
    BF_SET_STAGE,
    BF_SET_MEASURE,
    BF_SET_SIGNAL,
    BF_SET_STATE,
    BF_SET_DELIVERY,
    BF_SET_COUNT
} bf_label_set;

typedef enum bf_family_id {
    BF_FAMILY_REQUESTS,
    BF_FAMILY_REQUEST_SECONDS,
    BF_FAMILY_DECISIONS,
    BF_FAMILY_REASONS,
    BF_FAMILY_JUDGEMENTS,
    BF_FAMILY_MATCHES,
    BF_FAMILY_ERRORS,
    BF_FAMILY_JUDGE_SECONDS,
    BF_FAMILY_STAGE_SECONDS,
    BF_FAMILY_QUEUE_SECONDS,
    BF_FAMILY_SCORE,
    BF_FAMILY_SIMILARITY,
    BF_FAMILY_MEASURE_FAILURES,
    BF_FAMILY_SECURITY,
    BF_FAMILY_SESSIONS,
    BF_FAMILY_SESSION_ATTEMPTS,
    BF_FAMILY_SESSION_SECONDS,
    BF_FAMILY_WEBHOOKS,
    BF_FAMILY_COUNT
} bf_family_id;

/* A counter, or a histogram when it has bounds. */
typedef struct bf_family {
    const char *name, *help;
    int label_count;
    const char *label[BF_LABELS_MAX];
    bf_label_set set[BF_LABELS_MAX];
    const double *bound; /* upper ends of buckets, ascending; one more without end follows */
    int bound_count;
    bool sparse; /* combinations that never happened are left out of the text */
} bf_family;

extern const bf_family BF_FAMILIES[BF_FAMILY_COUNT];

/* The values of one set; the last is "other". */
typedef struct bf_values {
    const char *value[BF_SET_VALUES_MAX];
    int count;
} bf_values;

struct bf_metrics {
    pthread_mutex_t lock;
    char flow[BF_FLOWS_MAX][BF_NAME_MAX];
    bf_values set[BF_SET_COUNT];
    double *cell; /* of all families, one after the other; guarded by `lock` */
    size_t cell_count;
    size_t first[BF_FAMILY_COUNT]; /* where a family's cells begin */
};

/* Fills the sets whose values are known when the program is built. */
void bf_families_fill_sets(bf_values set[BF_SET_COUNT]);

/* Cells of one combination of labels: one for a counter; for a histogram its buckets, then their sum of values. */
size_t bf_family_width(const bf_family *family);
/* Combinations of labels. */
size_t bf_family_combinations(const bf_metrics *metrics, const bf_family *family);

/* Number of a value in its set; that of "other" when it is not there or NULL. */
int bf_values_find(const bf_values *values, const char *value);

/* Counts: adds 1 to a counter, or observes `value` in a histogram. `labels` has as many texts as the family labels. */
void bf_metrics_count(bf_metrics *metrics, bf_family_id id, const char *const labels[], double value);

/* Series that the text could have at most. */
size_t bf_metrics_series_max(const bf_metrics *metrics);

#endif

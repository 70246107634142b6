/* Counters and histograms for Prometheus. Labels are small closed sets, so the number of series is bounded; what is not
 * in its set counts as "other". All functions may be called from any thread and never fail. */
#ifndef BF_MONITOR_METRICS_H
#define BF_MONITOR_METRICS_H

#include <stddef.h>

#include "base/bytes.h"
#include "bonafide/status.h"

typedef struct bf_metrics bf_metrics;

/* `flows`: names of the journeys; those after the first 32 count as "other". Borrowed for the call. OUT_OF_MEMORY. The
 * functions that count accept NULL for `metrics` and do nothing then. */
bf_status bf_metrics_new(const char *const flows[], int flow_count, bf_metrics **ret, bf_error *err);
void bf_metrics_free(bf_metrics **metrics);

/* One finished request: route is the operation's name ("liveness", "session_create", ...), http its status. */
void bf_metrics_request(bf_metrics *metrics, const char *route, int http, double seconds);

/* One decision, from its record (a parsed JSON object): decision, first reason, flow, channel, band, score, stage
 * latencies, failed measures. */
struct json_t;
void bf_metrics_decision(bf_metrics *metrics, const struct json_t *record, double queue_seconds);

typedef enum bf_security_signal {
    BF_SECURITY_UNAUTHENTICATED,
    BF_SECURITY_FORBIDDEN,
    BF_SECURITY_BAD_SIGNATURE,
    BF_SECURITY_REPLAYED_ATTEMPT,
    BF_SECURITY_STALE_TOKEN,
    BF_SECURITY_FOREIGN_SESSION,
    BF_SECURITY_RATE_LIMITED,
    BF_SECURITY_QUARANTINED,
    BF_SECURITY_SLOW_CLIENT,
    BF_SECURITY_MALFORMED,
    BF_SECURITY_COUNT
} bf_security_signal;
void bf_metrics_security(bf_metrics *metrics, bf_security_signal signal);

/* A session that ended: state "COMPLETED", "EXPIRED", "CANCELLED"; attempts made; seconds from creation. */
void bf_metrics_session(bf_metrics *metrics, const char *flow, const char *channel, const char *state, int attempts,
                        double seconds);

/* A try to deliver a webhook: "delivered", "retried" (it failed and is tried again) or "failed" (given up). */
void bf_metrics_webhook(bf_metrics *metrics, const char *outcome);

/* Values that others own, read when the text is made. */
typedef struct bf_metrics_gauges {
    int workers, workers_busy, queue_depth, queue_max;
    unsigned long long worker_restarts, jobs_lost, jobs_refused;
    unsigned long long store_commits, store_writes, store_failures;
    double store_commit_seconds;
    long long audit_size;
    int connections;
    double certificate_expires_s; /* seconds since 1970; 0: no certificate */
    int ready, kill_switch;
} bf_metrics_gauges;

/* The exposition text (version 0.0.4). OUT_OF_MEMORY. The caller owns *ret. */
bf_status bf_metrics_write(bf_metrics *metrics, const bf_metrics_gauges *gauges, bf_bytes *ret, bf_error *err);

#endif

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "monitor/families.h"

static void fill_flows(bf_metrics *metrics, const char *const flows[], int flow_count)
{
    bf_values *set = &metrics->set[BF_SET_FLOW];
    for (int i = 0; i < flow_count && set->count < BF_FLOWS_MAX; i++) {
        char *flow = metrics->flow[set->count];
        (void)snprintf(flow, BF_NAME_MAX, "%s", flows[i]);
        /* Anything else would have to be escaped in the text; names of policies hold nothing else. */
        for (char *c = flow; *c; c++) {
            if (strchr("\"\\\n", *c))
                *c = '_';
        }
        set->value[set->count++] = flow;
    }
}

bf_status bf_metrics_new(const char *const flows[], int flow_count, bf_metrics **ret, bf_error *err)
{
    bf_metrics *metrics = bf_calloc(1, sizeof *metrics);
    if (!metrics)
        return bf_fail_memory(err);
    bf_families_fill_sets(metrics->set);
    fill_flows(metrics, flows, flow_count);
    for (int i = 0; i < BF_SET_COUNT; i++) {
        bf_values *set = &metrics->set[i];
        if (set->count == BF_SET_VALUES_MAX)
            set->count--;
        set->value[set->count++] = "other";
    }
    for (int id = 0; id < BF_FAMILY_COUNT; id++) {
        const bf_family *family = &BF_FAMILIES[id];
        metrics->first[id] = metrics->cell_count;
        metrics->cell_count += bf_family_combinations(metrics, family) * bf_family_width(family);
    }
    metrics->cell = bf_calloc(metrics->cell_count, sizeof metrics->cell[0]);
    if (!metrics->cell || pthread_mutex_init(&metrics->lock, NULL) != 0) {
        bf_free(metrics->cell);
        bf_free(metrics);
        return bf_fail_memory(err);
    }
    *ret = metrics;
    return BF_OK;
}

void bf_metrics_free(bf_metrics **metrics)
{
    if (!*metrics)
        return;
    (void)pthread_mutex_destroy(&(*metrics)->lock);
    bf_free((*metrics)->cell);
    bf_free(*metrics);
    *metrics = NULL;
}

size_t bf_metrics_series_max(const bf_metrics *metrics)
{
    size_t count = 0;
    for (int id = 0; id < BF_FAMILY_COUNT; id++) {
        const bf_family *family = &BF_FAMILIES[id];
        /* A histogram has its buckets, the one without end, a sum and a count. */
        size_t each = family->bound ? (size_t)family->bound_count + 3 : 1;
        count += bf_family_combinations(metrics, family) * each;
    }
    return count;
}

void bf_metrics_count(bf_metrics *metrics, bf_family_id id, const char *const labels[], double value)
{
    if (!metrics || !isfinite(value))
        return;
    const bf_family *family = &BF_FAMILIES[id];
    size_t number = 0;
    for (int i = 0; i < family->label_count; i++) {
        const bf_values *values = &metrics->set[family->set[i]];
        number = number * (size_t)values->count + (size_t)bf_values_find(values, labels[i]);
    }
    double *cell = metrics->cell + metrics->first[id] + number * bf_family_width(family);
    int bucket = 0;
    while (bucket < family->bound_count && value > family->bound[bucket])
        bucket++;
    (void)pthread_mutex_lock(&metrics->lock);
    cell[bucket] += 1.0;
    if (family->bound)
        cell[family->bound_count + 1] += value;
    (void)pthread_mutex_unlock(&metrics->lock);
}

void bf_metrics_request(bf_metrics *metrics, const char *route, int http, double seconds)
{
    char code[16];
    (void)snprintf(code, sizeof code, "%d", http);
    bf_metrics_count(metrics, BF_FAMILY_REQUESTS, (const char *[BF_LABELS_MAX]){route, code}, 1);
    bf_metrics_count(metrics, BF_FAMILY_REQUEST_SECONDS, (const char *[BF_LABELS_MAX]){route}, seconds);
}

void bf_metrics_security(bf_metrics *metrics, bf_security_signal signal)
{
    if (!metrics)
        return;
    const bf_values *signals = &metrics->set[BF_SET_SIGNAL];
    const char *name = (unsigned)signal < BF_SECURITY_COUNT ? signals->value[signal] : NULL;
    bf_metrics_count(metrics, BF_FAMILY_SECURITY, (const char *[BF_LABELS_MAX]){name}, 1);
}

void bf_metrics_session(bf_metrics *metrics, const char *flow, const char *channel, const char *state, int attempts,
                        double seconds)
{
    channel = channel ? channel : "unspecified";
    bf_metrics_count(metrics, BF_FAMILY_SESSIONS, (const char *[BF_LABELS_MAX]){flow, channel, state}, 1);
    bf_metrics_count(metrics, BF_FAMILY_SESSION_ATTEMPTS, (const char *[BF_LABELS_MAX]){state}, attempts);
    bf_metrics_count(metrics, BF_FAMILY_SESSION_SECONDS, (const char *[BF_LABELS_MAX]){state}, seconds);
}

void bf_metrics_webhook(bf_metrics *metrics, const char *outcome)
{
    bf_metrics_count(metrics, BF_FAMILY_WEBHOOKS, (const char *[BF_LABELS_MAX]){outcome}, 1);
}

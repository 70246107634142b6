/* The exposition text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "monitor/families.h"
#include "monitor/process.h"

#define TEXT_BYTES_MAX (4u << 20)
#define LINE_BYTES_MAX 512

/* Text that grows; a failed allocation is remembered and asked for once, at the end. */
typedef struct writer {
    bf_bytes text;
    size_t capacity;
    bool failed;
} writer;

static bool make_room(writer *out, size_t size)
{
    if (out->text.size + size <= out->capacity)
        return true;
    size_t capacity = out->capacity ? 2 * out->capacity : 32768;
    uint8_t *grown = capacity <= TEXT_BYTES_MAX ? bf_realloc(out->text.data, capacity) : NULL;
    if (!grown) {
        out->failed = true;
        return false;
    }
    out->text.data = grown;
    out->capacity = capacity;
    return true;
}

static void put(writer *out, const char *format, ...) BF_PRINTF(2, 3);

static void put(writer *out, const char *format, ...)
{
    if (out->failed || !make_room(out, LINE_BYTES_MAX))
        return;
    va_list args;
    va_start(args, format);
    int length = vsnprintf((char *)out->text.data + out->text.size, LINE_BYTES_MAX, format, args);
    va_end(args);
    out->failed = length < 0 || length >= LINE_BYTES_MAX;
    out->text.size += out->failed ? 0 : (size_t)length;
}

static void put_head(writer *out, const char *name, const char *help, const char *type)
{
    put(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* {a="x",b="y"}; nothing without labels. `le` is one more label when it is not NULL. */
static void put_labels(writer *out, const bf_metrics *metrics, const bf_family *family, size_t number, const char *le)
{
    size_t part[BF_LABELS_MAX] = {0};
    for (int i = family->label_count - 1; i >= 0; i--) {
        size_t count = (size_t)metrics->set[family->set[i]].count;
        part[i] = number % count;
        number /= count;
    }
    if (family->label_count == 0 && !le)
        return;
    put(out, "{");
    for (int i = 0; i < family->label_count; i++)
        put(out, "%s%s=\"%s\"", i > 0 ? "," : "", family->label[i], metrics->set[family->set[i]].value[part[i]]);
    if (le)
        put(out, "%sle=\"%s\"", family->label_count > 0 ? "," : "", le);
    put(out, "}");
}

static void put_histogram(writer *out, const bf_metrics *metrics, const bf_family *family, size_t number,
                          const double *cell)
{
    double count = 0;
    for (int i = 0; i <= family->bound_count; i++) {
        char le[32] = "+Inf";
        if (i < family->bound_count)
            (void)snprintf(le, sizeof le, "%g", family->bound[i]);
        count += cell[i];
        put(out, "%s_bucket", family->name);
        put_labels(out, metrics, family, number, le);
        put(out, " %.0f\n", count);
    }
    put(out, "%s_sum", family->name);
    put_labels(out, metrics, family, number, NULL);
    put(out, " %.9g\n%s_count", cell[family->bound_count + 1], family->name);
    put_labels(out, metrics, family, number, NULL);
    put(out, " %.0f\n", count);
}

static bool happened(const bf_family *family, const double *cell)
{
    for (int i = 0; i <= family->bound_count; i++) {
        if (cell[i] > 0)
            return true;
    }
    return false;
}

static void put_family(writer *out, const bf_metrics *metrics, const bf_family *family, const double *cell)
{
    put_head(out, family->name, family->help, family->bound ? "histogram" : "counter");
    size_t combinations = bf_family_combinations(metrics, family);
    for (size_t number = 0; number < combinations; number++, cell += bf_family_width(family)) {
        if (family->sparse && !happened(family, cell))
            continue;
        if (family->bound) {
            put_histogram(out, metrics, family, number, cell);
            continue;
        }
        put(out, "%s", family->name);
        put_labels(out, metrics, family, number, NULL);
        put(out, " %.0f\n", *cell);
    }
}

static void put_value(writer *out, const char *name, const char *type, const char *help, double value)
{
    put_head(out, name, help, type);
    put(out, "%s %.15g\n", name, value);
}

static void put_gauges(writer *out, const bf_metrics_gauges *now)
{
    put_value(out, "bonafide_workers", "gauge", "Worker processes.", now->workers);
    put_value(out, "bonafide_workers_busy", "gauge", "Worker processes that judge at the moment.", now->workers_busy);
    put_value(out, "bonafide_queue_depth", "gauge", "Captures that wait for a worker.", now->queue_depth);
    put_value(out, "bonafide_queue_max", "gauge", "Captures that may wait; more are refused.", now->queue_max);
    put_value(out, "bonafide_worker_restarts_total", "counter", "Worker processes that were replaced.",
              (double)now->worker_restarts);
    put_value(out, "bonafide_jobs_lost_total", "counter", "Captures whose worker ended before it had an answer.",
              (double)now->jobs_lost);
    put_value(out, "bonafide_jobs_refused_total", "counter", "Captures refused because the queue was full.",
              (double)now->jobs_refused);
    put_value(out, "bonafide_store_commits_total", "counter", "Transactions committed.", (double)now->store_commits);
    put_value(out, "bonafide_store_writes_total", "counter", "Writes committed, several in one transaction.",
              (double)now->store_writes);
    put_value(out, "bonafide_store_failures_total", "counter", "Transactions that failed.",
              (double)now->store_failures);
    put_value(out, "bonafide_store_commit_seconds_total", "counter", "Time spent in transactions.",
              now->store_commit_seconds);
    put_value(out, "bonafide_audit_leaves", "gauge", "Leaves of the audit log.", (double)now->audit_size);
    put_value(out, "bonafide_connections", "gauge", "Open connections.", now->connections);
    if (now->certificate_expires_s > 0)
        put_value(out, "bonafide_certificate_expires_seconds", "gauge", "When the certificate ends, since 1970.",
                  now->certificate_expires_s);
    put_value(out, "bonafide_ready", "gauge", "1 when the server takes work.", now->ready);
    put_value(out, "bonafide_kill_switch", "gauge", "1 when automatic decisions are switched off.", now->kill_switch);
    put_head(out, "bonafide_build_info", "The version that runs; always 1.", "gauge");
    put(out, "bonafide_build_info{version=\"%s\"} 1\n", BF_VERSION);
}

static void put_process(writer *out)
{
    bf_process_facts now;
    bf_process_look(&now);
    const struct {
        const char *name, *type, *help;
        double value;
    } values[] = {
        {"process_cpu_seconds_total", "counter", "Processor time of the server, workers apart.", now.cpu_s},
        {"process_resident_memory_bytes", "gauge", "Memory of the server, workers apart.", now.memory},
        {"process_open_fds", "gauge", "Open descriptors of the server.", now.open_fds},
        {"process_max_fds", "gauge", "Descriptors that it may open.", now.max_fds},
        {"process_start_time_seconds", "gauge", "When the server started, since 1970.", now.start_s},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (values[i].value >= 0)
            put_value(out, values[i].name, values[i].type, values[i].help, values[i].value);
    }
}

bf_status bf_metrics_write(bf_metrics *metrics, const bf_metrics_gauges *gauges, bf_bytes *ret, bf_error *err)
{
    /* Writing works on a copy, so that requests do not wait for it. */
    double *cell = bf_malloc(metrics->cell_count * sizeof *cell);
    if (!cell)
        return bf_fail_memory(err);
    (void)pthread_mutex_lock(&metrics->lock);
    memcpy(cell, metrics->cell, metrics->cell_count * sizeof *cell);
    (void)pthread_mutex_unlock(&metrics->lock);
    writer out = {0};
    for (int id = 0; id < BF_FAMILY_COUNT; id++)
        put_family(&out, metrics, &BF_FAMILIES[id], cell + metrics->first[id]);
    put_gauges(&out, gauges);
    put_process(&out);
    bf_free(cell);
    if (out.failed) {
        bf_bytes_done(&out.text);
        return bf_fail_memory(err);
    }
    *ret = out.text;
    return BF_OK;
}

/* A store, a receiver of webhooks in a process of its own, and notifiers between them. */
#ifndef BF_TESTS_WEBHOOK_TEST_H
#define BF_TESTS_WEBHOOK_TEST_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>

#include "base/bytes.h"
#include "notify/webhook.h"
#include "store/time.h"

#define KEY_ID "0123456789abcdef"
#define WAIT_MS 10000.0 /* for what has to happen */

typedef struct receiver {
    pid_t pid;
    int input; /* closing it ends the process */
    int port;
} receiver;

static char folder[256], log_path[300];
static bf_store *store;
static bf_master master;
static bf_metrics *metrics;
static receiver plain;
static uint8_t secret[BF_SECRET_SIZE];

static inline receiver start_receiver(const char *certificate)
{
    char script[1024], hex[2 * sizeof secret + 1], line[32] = "";
    const char *source = getenv("BONAFIDE_SOURCE_DIR");
    int in[2], out[2];
    (void)snprintf(script, sizeof script, "%s/tests/unit/webhook_receiver.py", source ? source : ".");
    (void)sodium_bin2hex(hex, sizeof hex, secret, sizeof secret);
    /* A receiver that inherited another's input would keep it alive. */
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)execl("/usr/bin/python3", "python3", script, log_path, hex, certificate, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    size_t size = 0;
    while (size + 1 < sizeof line && read(out[0], line + size, 1) == 1 && line[size] != '\n')
        size++;
    (void)close(out[0]);
    receiver started = {pid, in[1], (int)strtol(line, NULL, 10)};
    assert_true(started.port > 0);
    return started;
}

static inline void stop_receiver(receiver *old)
{
    (void)close(old->input);
    (void)kill(old->pid, SIGKILL); /* it has nothing to finish, and a test must not wait for it without end */
    (void)waitpid(old->pid, NULL, 0);
}

static inline bf_status do_add_key(bf_db *db, void *context, bf_error *err)
{
    (void)context;
    uint8_t sealed[BF_SEALED_SIZE(sizeof secret)];
    bf_master_seal(&master, secret, sizeof secret, sealed);
    return bf_db_run(db,
                     "INSERT INTO api_key(id, client, role, label, secret_hash, signing_secret, must_sign, created_ms)"
                     " VALUES('" KEY_ID "', 'c', 'integrator', '', '', $1, 0, 0)",
                     BF_VALUES(bf_value_blob(sealed, sizeof sealed)), NULL, err);
}

static inline int set_up(void **state)
{
    (void)state;
    static const char *const flows[] = {"login"};
    const char *temporary = getenv("TMPDIR");
    char url[300];
    (void)snprintf(folder, sizeof folder, "%s/webhook-test-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(log_path, sizeof log_path, "%s/log", folder);
    (void)snprintf(url, sizeof url, "sqlite:%s/store.db", folder);
    assert_true(sodium_init() >= 0);
    randombytes_buf(secret, sizeof secret);
    assert_int_equal(bf_master_random(&master, NULL), BF_OK);
    const bf_store_options options = {.url = url, .create = true};
    assert_int_equal(bf_store_open(&options, &store, NULL), BF_OK);
    assert_int_equal(bf_store_write(store, do_add_key, NULL, NULL), BF_OK);
    assert_int_equal(bf_metrics_new(flows, 1, &metrics, NULL), BF_OK);
    plain = start_receiver(NULL);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"log", "store.db", "store.db-wal", "store.db-shm", "cert.pem", "key.pem"};
    stop_receiver(&plain);
    bf_store_free(&store);
    bf_metrics_free(&metrics);
    bf_master_done(&master);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[300];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

/* Options that fit a test: 127.0.0.1 is allowed and nothing takes long. */
static inline bf_notifier_options quick(void)
{
    return (bf_notifier_options){.store = store,
                                 .master = &master,
                                 .metrics = metrics,
                                 .allow_private = true,
                                 .allow_http = true,
                                 .tries_max = 3,
                                 .backoff_ms = 60,
                                 .timeout_ms = 2000};
}

typedef struct queueing {
    const char *key_id, *session_id, *url, *body;
} queueing;

static inline bf_status do_enqueue(bf_db *db, void *context, bf_error *err)
{
    const queueing *what = context;
    return bf_webhook_enqueue(db, what->key_id, what->session_id, what->url, what->body, bf_time_now_ms(), err);
}

static inline void enqueue_url(const char *session, const char *url, const char *key_id)
{
    queueing what = {key_id, session, url, "{\"session\": \"\xc3\xa9\"}"};
    assert_int_equal(bf_store_write(store, do_enqueue, &what, NULL), BF_OK);
}

static inline void enqueue(const char *session, const char *path)
{
    char url[128];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", plain.port, path);
    enqueue_url(session, url, KEY_ID);
}

/* A webhook as it stands in the store. */
typedef struct row {
    const char *session_id;
    bool found, finished;
    int tries;
    char outcome[64], id[64], body[64];
} row;

static inline bf_status do_look(bf_db *db, void *context, bf_error *err)
{
    row *what = context;
    bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT id, tries, finished_ms, outcome, body FROM webhook WHERE session_id = $1",
                    BF_VALUES(bf_value_text(what->session_id)), &rows, err);
    what->found = status == BF_OK && bf_rows_next(rows);
    if (what->found) {
        const char *outcome = bf_rows_text(rows, 3), *body = bf_rows_text(rows, 4);
        (void)snprintf(what->id, sizeof what->id, "%s", bf_rows_text(rows, 0));
        (void)snprintf(what->outcome, sizeof what->outcome, "%s", outcome ? outcome : "");
        (void)snprintf(what->body, sizeof what->body, "%s", body ? body : "");
        what->tries = (int)bf_rows_integer(rows, 1);
        what->finished = !bf_rows_is_null(rows, 2);
    }
    bf_rows_free(&rows);
    return status;
}

static inline row look(const char *session)
{
    row what = {.session_id = session};
    assert_int_equal(bf_store_read(store, do_look, &what, NULL), BF_OK);
    return what;
}

static inline void nap(void)
{
    const struct timespec time = {.tv_nsec = 10000000};
    (void)nanosleep(&time, NULL);
}

/* Waits until the session's webhook is done with. */
static inline row finish(const char *session)
{
    double until = bf_time_steady_ms() + WAIT_MS;
    row what = look(session);
    while (!what.finished) {
        if (bf_time_steady_ms() > until)
            fail_msg("the webhook of %s was not finished: %d tries, %s", session, what.tries, what.outcome);
        nap();
        what = look(session);
    }
    return what;
}

/* What the receiver saw under `path` (NULL: everywhere); the caller releases it. */
static inline json_t *received(const char *path)
{
    json_t *list = json_array();
    FILE *file = fopen(log_path, "r");
    char line[2048];
    while (file && fgets(line, sizeof line, file)) {
        json_t *entry = json_loads(line, 0, NULL);
        assert_non_null(entry);
        if (!path || strcmp(json_string_value(json_object_get(entry, "path")), path) == 0)
            json_array_append_new(list, entry);
        else
            json_decref(entry);
    }
    if (file)
        (void)fclose(file);
    return list;
}

static inline size_t count_received(const char *path)
{
    json_t *list = received(path);
    size_t count = json_array_size(list);
    json_decref(list);
    return count;
}

static inline void assert_metric(const char *line)
{
    static const bf_metrics_gauges none;
    bf_bytes text = {0};
    assert_int_equal(bf_metrics_write(metrics, &none, &text, NULL), BF_OK);
    if (!memmem(text.data, text.size, line, strlen(line)))
        fail_msg("no line %s", line);
    bf_bytes_done(&text);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif

/* The delivering threads: claim, deliver, write down what came of it. A claim is a lease in the store, so replicas do
 * not deliver the same webhook, and one whose replica died is delivered by another. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <sodium.h>

#include "access/keys.h"
#include "base/bytes.h"
#include "base/error.h"
#include "notify/deliver.h"
#include "notify/webhook.h"
#include "store/time.h"

#define THREADS 4
#define LEASE_SPARE_MS 30000              /* beyond the delivery's timeout: writing down its outcome */
#define POLL_MS 1000                      /* other replicas and backoff make webhooks due without a call */
#define BACKOFF_MS_MAX (3600LL * 1000)    /* between two tries */
#define KEEP_MS (30LL * 24 * 3600 * 1000) /* how long a finished delivery can be looked up */
#define TIDY_ROUNDS 600                   /* waits between two looks for old ones */
#define TIDY_MAX 500                      /* deliveries forgotten in one transaction */

struct bf_notifier {
    bf_notifier_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping; /* guarded by `lock`, as is `woken` */
    unsigned woken;
    pthread_t thread[THREADS];
    int thread_count;
};

/* A claimed webhook. */
typedef struct claim {
    const bf_notifier *notifier;
    int64_t now_ms;
    bool found;
    char id[64], key_id[BF_KEY_ID_SIZE];
    char *url, *body;
    int tries; /* this one included */
    bool key_missing;
    uint8_t secret[BF_SECRET_SIZE];
} claim;

static void claim_done(claim *work)
{
    bf_free_string(&work->url);
    if (work->body)
        sodium_memzero(work->body, strlen(work->body));
    bf_free_string(&work->body);
    sodium_memzero(work->secret, sizeof work->secret);
}

static bf_status find_due(bf_db *db, void *context, bf_error *err)
{
    claim *work = context;
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(
        db, "SELECT 1 FROM webhook WHERE finished_ms IS NULL AND next_ms <= $1 AND claimed_until_ms <= $2 LIMIT 1",
        BF_VALUES(bf_value_integer(work->now_ms), bf_value_integer(work->now_ms)), &rows, err);
    work->found = status == BF_OK && bf_rows_count(rows) > 0;
    bf_rows_free(&rows);
    return status;
}

static bf_status take_row(const bf_rows *rows, claim *work, bf_error *err)
{
    claim_done(work);
    const char *id = bf_rows_text(rows, 0), *key_id = bf_rows_text(rows, 1);
    const char *url = bf_rows_text(rows, 2), *body = bf_rows_text(rows, 3);
    (void)snprintf(work->id, sizeof work->id, "%s", id ? id : "");
    (void)snprintf(work->key_id, sizeof work->key_id, "%s", key_id ? key_id : "");
    work->url = bf_strdup(url ? url : "");
    work->body = bf_strdup(body ? body : "");
    work->tries = (int)bf_rows_integer(rows, 4) + 1;
    work->found = true;
    return work->url && work->body ? BF_OK : bf_fail_memory(err);
}

static bf_status claim_one(bf_db *db, void *context, bf_error *err)
{
    claim *work = context;
    work->found = false;
    bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db,
                    "SELECT id, key_id, url, body, tries FROM webhook WHERE finished_ms IS NULL"
                    " AND next_ms <= $1 AND claimed_until_ms <= $2 ORDER BY next_ms LIMIT 1",
                    BF_VALUES(bf_value_integer(work->now_ms), bf_value_integer(work->now_ms)), &rows, err);
    if (status == BF_OK && bf_rows_next(rows))
        status = take_row(rows, work, err);
    bf_rows_free(&rows);
    if (status != BF_OK || !work->found)
        return status;
    int64_t until = work->now_ms + work->notifier->options.timeout_ms + LEASE_SPARE_MS;
    return bf_db_run(db, "UPDATE webhook SET claimed_until_ms = $1, tries = $2 WHERE id = $3",
                     BF_VALUES(bf_value_integer(until), bf_value_integer(work->tries), bf_value_text(work->id)), NULL,
                     err);
}

static bf_status read_secret(bf_db *db, void *context, bf_error *err)
{
    claim *work = context;
    bf_status status = bf_key_signing_secret(db, work->notifier->options.master, work->key_id, work->secret, err);
    work->key_missing = status == BF_NOT_FOUND;
    return status;
}

static bf_delivered deliver(claim *work, char ret_outcome[BF_OUTCOME_SIZE])
{
    const bf_notifier_options *options = &work->notifier->options;
    if (bf_store_read(options->store, read_secret, work, NULL) != BF_OK) {
        (void)snprintf(ret_outcome, BF_OUTCOME_SIZE, "%s", work->key_missing ? "key not found" : "key not readable");
        return work->key_missing ? BF_DELIVER_NEVER : BF_DELIVER_AGAIN;
    }
    const bf_delivery delivery = {.id = work->id,
                                  .url = work->url,
                                  .body = work->body,
                                  .secret = work->secret,
                                  .now_ms = bf_time_now_ms(),
                                  .timeout_ms = options->timeout_ms,
                                  .allow_private = options->allow_private,
                                  .allow_http = options->allow_http,
                                  .ca_file = options->ca_file};
    return bf_deliver(&delivery, ret_outcome);
}

/* Twice as long after each try, a quarter more or less, so that many that failed together do not come back together. */
static int64_t backoff(const bf_notifier_options *options, int tries)
{
    int64_t wait = options->backoff_ms;
    for (int i = 1; i < tries && wait < BACKOFF_MS_MAX; i++)
        wait *= 2;
    wait = wait < BACKOFF_MS_MAX ? wait : BACKOFF_MS_MAX;
    return wait * 3 / 4 + (int64_t)randombytes_uniform((uint32_t)(wait / 2 + 1));
}

typedef struct result {
    const claim *work;
    bool finished, delivered;
    int64_t now_ms, next_ms;
    char outcome[BF_OUTCOME_SIZE];
} result;

/* Only while the claim is still ours: `tries` tells. What was delivered needs no body any more. */
static bf_status write_down(bf_db *db, void *context, bf_error *err)
{
    const result *what = context;
    if (what->finished)
        return bf_db_run(db,
                         what->delivered ? "UPDATE webhook SET finished_ms = $1, outcome = $2, body = ''"
                                           " WHERE id = $3 AND tries = $4 AND finished_ms IS NULL"
                                         : "UPDATE webhook SET finished_ms = $1, outcome = $2"
                                           " WHERE id = $3 AND tries = $4 AND finished_ms IS NULL",
                         BF_VALUES(bf_value_integer(what->now_ms), bf_value_text(what->outcome),
                                   bf_value_text(what->work->id), bf_value_integer(what->work->tries)),
                         NULL, err);
    return bf_db_run(db,
                     "UPDATE webhook SET next_ms = $1, claimed_until_ms = 0, outcome = $2"
                     " WHERE id = $3 AND tries = $4 AND finished_ms IS NULL",
                     BF_VALUES(bf_value_integer(what->next_ms), bf_value_text(what->outcome),
                               bf_value_text(what->work->id), bf_value_integer(what->work->tries)),
                     NULL, err);
}

static void settle(const claim *work, bf_delivered delivered, const char *outcome)
{
    const bf_notifier_options *options = &work->notifier->options;
    result what = {.work = work, .now_ms = bf_time_now_ms(), .delivered = delivered == BF_DELIVERED};
    what.finished = delivered != BF_DELIVER_AGAIN || work->tries >= options->tries_max;
    what.next_ms = what.now_ms + backoff(options, work->tries);
    (void)snprintf(what.outcome, sizeof what.outcome, "%s", outcome);
    bf_metrics_webhook(options->metrics, what.delivered ? "delivered" : what.finished ? "failed" : "retried");
    /* When this fails the lease ends and the webhook is delivered again: at least once, not at most. */
    (void)bf_store_write(options->store, write_down, &what, NULL);
}

/* Delivers one webhook that is due; false when there was none, or the store cannot be reached. */
static bool deliver_one(const bf_notifier *notifier)
{
    claim work = {.notifier = notifier, .now_ms = bf_time_now_ms()};
    bf_store *store = notifier->options.store;
    bool claimed = bf_store_read(store, find_due, &work, NULL) == BF_OK && work.found &&
                   bf_store_write(store, claim_one, &work, NULL) == BF_OK && work.found;
    if (claimed) {
        char outcome[BF_OUTCOME_SIZE];
        bf_delivered delivered = deliver(&work, outcome);
        settle(&work, delivered, outcome);
    }
    claim_done(&work);
    return claimed;
}

static bf_status forget_old(bf_db *db, void *context, bf_error *err)
{
    const int64_t *before_ms = context;
    return bf_db_run(db,
                     "DELETE FROM webhook WHERE id IN"
                     " (SELECT id FROM webhook WHERE finished_ms IS NOT NULL AND finished_ms < $1 LIMIT $2)",
                     BF_VALUES(bf_value_integer(*before_ms), bf_value_integer(TIDY_MAX)), NULL, err);
}

static bf_status find_old(bf_db *db, void *context, bf_error *err)
{
    claim *work = context;
    bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT 1 FROM webhook WHERE finished_ms IS NOT NULL AND finished_ms < $1 LIMIT 1",
                    BF_VALUES(bf_value_integer(work->now_ms)), &rows, err);
    work->found = status == BF_OK && bf_rows_count(rows) > 0;
    bf_rows_free(&rows);
    return status;
}

static void tidy(const bf_notifier *notifier)
{
    claim work = {.now_ms = bf_time_now_ms() - KEEP_MS};
    if (bf_store_read(notifier->options.store, find_old, &work, NULL) == BF_OK && work.found)
        (void)bf_store_write(notifier->options.store, forget_old, &work.now_ms, NULL);
}

/* Waits for a call, at most POLL_MS; false when it is time to end. */
static bool wait_for_work(bf_notifier *notifier, unsigned *seen)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += POLL_MS / 1000;
    (void)pthread_mutex_lock(&notifier->lock);
    while (!notifier->stopping && notifier->woken == *seen) {
        if (pthread_cond_timedwait(&notifier->changed, &notifier->lock, &until) == ETIMEDOUT)
            break;
    }
    *seen = notifier->woken;
    bool going_on = !notifier->stopping;
    (void)pthread_mutex_unlock(&notifier->lock);
    return going_on;
}

static bool is_stopping(bf_notifier *notifier)
{
    (void)pthread_mutex_lock(&notifier->lock);
    bool stopping = notifier->stopping;
    (void)pthread_mutex_unlock(&notifier->lock);
    return stopping;
}

static void *run(void *context)
{
    bf_notifier *notifier = context;
    unsigned seen = 0, rounds = 0;
    do {
        while (!is_stopping(notifier) && deliver_one(notifier))
            ;
        if (rounds++ % TIDY_ROUNDS == 0)
            tidy(notifier);
    } while (wait_for_work(notifier, &seen));
    return NULL;
}

static bool init_lock(bf_notifier *notifier)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(&notifier->changed, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    if (ok && pthread_mutex_init(&notifier->lock, NULL) != 0) {
        (void)pthread_cond_destroy(&notifier->changed);
        ok = false;
    }
    return ok;
}

bf_status bf_notifier_new(const bf_notifier_options *options, bf_notifier **ret, bf_error *err)
{
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return bf_fail(err, BF_INTERNAL, "The library for HTTP did not start.");
    bf_notifier *notifier = bf_calloc(1, sizeof *notifier);
    if (!notifier || !init_lock(notifier)) {
        bf_free(notifier);
        return bf_fail_memory(err);
    }
    notifier->options = *options;
    notifier->options.tries_max = options->tries_max > 0 ? options->tries_max : 10;
    notifier->options.backoff_ms = options->backoff_ms > 0 ? options->backoff_ms : 5000;
    notifier->options.timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 10000;
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&notifier->thread[i], NULL, run, notifier) != 0) {
            bf_notifier_free(&notifier);
            return bf_fail(err, BF_INTERNAL, "The threads that deliver webhooks did not start.");
        }
        notifier->thread_count++;
    }
    *ret = notifier;
    return BF_OK;
}

void bf_notifier_free(bf_notifier **notifier)
{
    bf_notifier *old = *notifier;
    if (!old)
        return;
    (void)pthread_mutex_lock(&old->lock);
    old->stopping = true;
    (void)pthread_cond_broadcast(&old->changed);
    (void)pthread_mutex_unlock(&old->lock);
    for (int i = 0; i < old->thread_count; i++)
        (void)pthread_join(old->thread[i], NULL);
    (void)pthread_cond_destroy(&old->changed);
    (void)pthread_mutex_destroy(&old->lock);
    bf_free(old);
    *notifier = NULL;
}

void bf_notifier_wake(bf_notifier *notifier)
{
    if (!notifier)
        return;
    (void)pthread_mutex_lock(&notifier->lock);
    notifier->woken++;
    (void)pthread_cond_broadcast(&notifier->changed);
    (void)pthread_mutex_unlock(&notifier->lock);
}

/* The service put together, watched and ended. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/log.h"
#include "base/error.h"
#include "cli/serve.h"
#include "cli/state.h"
#include "store/time.h"

#define TIDY_MS 5000
#define DRAIN_LOOK_MS 20
#define DRAIN_SPARE_MS 5000 /* beyond what a request may take to arrive, to wait for a worker and to be judged */
#define DESCRIPTORS_PER_CONNECTION 3 /* the socket, and two pictures in memory */
#define DESCRIPTORS_SPARE 256

void cli_service_block_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

bf_status cli_service_folder(const char *path, bf_error *err)
{
    struct stat info;
    if (mkdir(path, 0700) == 0)
        return BF_OK;
    if (errno == EEXIST && stat(path, &info) == 0)
        return S_ISDIR(info.st_mode) ? BF_OK : bf_fail(err, BF_IO_ERROR, "'%.200s' is there and is no folder.", path);
    return bf_fail(err, BF_IO_ERROR, "The folder '%.200s' cannot be made: %s.", path, strerror(errno));
}

static bf_status hint_create(bf_status status, bf_error *err)
{
    if ((status == BF_IO_ERROR || status == BF_STORE_UNAVAILABLE) && !err->hint[0])
        bf_fail_hint(err, "'bonafide serve --create' makes what is not there.");
    return status;
}

bf_status cli_service_open(cli_service *s, bool create, bf_error *err)
{
    const bf_config *config = &s->config;
    const bf_store_options options = {
        .url = config->store_url,
        .readers = config->store_readers,
        .wait_ms_max = config->store_wait_ms,
        .create = create,
    };
    bf_status status = create ? cli_service_folder(config->state_dir, err) : BF_OK;
    if (status == BF_OK)
        status = cli_state_master(config, create, &s->master, err);
    if (status == BF_OK)
        status = bf_log_key_read(config->audit_key, config->audit_origin, create, &s->log_key, err);
    if (status == BF_OK)
        status = bf_store_open(&options, &s->store, err);
    if (status == BF_OK)
        bf_store_before_commit(s->store, bf_audit_seal, &s->log_key);
    /* Nobody continues a log that another key began, or whose head was damaged. */
    if (status == BF_OK)
        status = bf_store_read(s->store, bf_audit_check_head, &s->log_key, err);
    return create ? status : hint_create(status, err);
}

/* The journeys are labels of metrics. */
static bf_status start_metrics(cli_service *s, bf_error *err)
{
    bf_policy *policies[BF_POLICIES_MAX] = {NULL};
    const char *flows[BF_POLICIES_MAX];
    int count = 0;
    bf_status status = bf_policies_read(s->place.data, policies, &count, err);
    for (int i = 0; i < count; i++)
        flows[i] = bf_policy_flow(policies[i]);
    if (status == BF_OK)
        status = bf_metrics_new(flows, count, &s->metrics, err);
    bf_policies_free(policies, count);
    return status;
}

static bf_status start_pool(cli_service *s, bf_error *err)
{
    const bf_config *config = &s->config;
    const bf_pool_options options = {
        .data_dir = s->place.data,
        .weights_dir = s->place.weights,
        .fusion = config->fusion[0] ? config->fusion : NULL,
        .mirror = config->mirror,
        .workers = config->workers.count,
        .queue_max = config->workers.queue,
        .job_ms_max = config->workers.job_ms,
        .worker_bytes_max = config->workers.memory_bytes,
    };
    return bf_pool_new(&options, &s->pool, err);
}

static bf_status start_notifier(cli_service *s, bf_error *err)
{
    const bf_notifier_options options = {
        .store = s->store,
        .master = &s->master,
        .metrics = s->metrics,
        .allow_private = s->config.webhooks_allow_private,
        .allow_http = s->config.webhooks_allow_http,
    };
    return bf_notifier_new(&options, &s->notifier, err);
}

static bf_status start_service(cli_service *s, bf_error *err)
{
    const bf_config *config = &s->config;
    const bf_service_parts parts = {
        .store = s->store,
        .pool = s->pool,
        .vault = s->vault,
        .limiter = s->limiter,
        .metrics = s->metrics,
        .notifier = s->notifier,
        .master = &s->master,
        .log_key = &s->log_key,
        .data_dir = s->place.data,
    };
    const bf_service_settings settings = {
        .token_s = config->sessions.token_s,
        .session_s = config->sessions.session_s,
        .attempts_max = config->sessions.attempts_max,
        .job_ms_max = config->workers.job_ms,
        .review_days = config->sessions.review_days,
        .seen_days = config->sessions.seen_days,
        .allow_http_webhooks = config->webhooks_allow_http,
        .per_subject = config->per_subject,
    };
    return bf_service_new(&parts, &settings, &s->service, err);
}

static bf_status start_server(cli_service *s, bf_error *err)
{
    const bf_server_parts parts = {
        .store = s->store,
        .pool = s->pool,
        .limiter = s->limiter,
        .metrics = s->metrics,
        .service = s->service,
        .master = &s->master,
        .log = s->log,
    };
    return bf_server_new(&s->config, &parts, &s->server, err);
}

/* The usual soft limit of 1024 is for programs that call select(); this one does not. */
static void raise_descriptor_limit(const cli_service *s)
{
    struct rlimit limit = {0};
    rlim_t needed = (rlim_t)s->config.limits.connections_max * DESCRIPTORS_PER_CONNECTION + DESCRIPTORS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed)
        bf_log_event(s->log, BF_LOG_WARNING, "start", "%llu descriptors may be open, and %d connections need %llu.",
                     (unsigned long long)limit.rlim_max, s->config.limits.connections_max, (unsigned long long)needed);
}

bf_status cli_service_start(cli_service *s, bf_error *err)
{
    const bf_config *config = &s->config;
    bf_status status = bf_log_new(config->log_file, config->log_level, &s->log, err);
    if (status == BF_OK)
        raise_descriptor_limit(s);
    if (status == BF_OK)
        status = cli_place_find(config->data[0] ? config->data : NULL, config->weights[0] ? config->weights : NULL,
                                &s->place, err);
    if (status == BF_OK)
        status = start_metrics(s, err);
    if (status == BF_OK)
        status = bf_limiter_new(s->store, &s->limiter, err);
    if (status == BF_OK)
        status = bf_vault_open(config->vault_dir, &s->master, &s->vault, err);
    if (status == BF_OK)
        status = bf_vault_check(s->store, &s->master, err);
    if (status == BF_OK)
        status = start_pool(s, err);
    if (status == BF_OK)
        status = start_notifier(s, err);
    if (status == BF_OK)
        status = start_service(s, err);
    return status == BF_OK ? start_server(s, err) : status;
}

void cli_service_close(cli_service *s)
{
    bf_server_free(&s->server);
    bf_service_free(&s->service);
    bf_notifier_free(&s->notifier);
    bf_pool_free(&s->pool);
    bf_vault_close(&s->vault);
    bf_limiter_free(&s->limiter);
    bf_metrics_free(&s->metrics);
    bf_store_free(&s->store);
    bf_log_free(&s->log);
    bf_log_key_done(&s->log_key);
    bf_master_done(&s->master);
}

/* The thread that keeps house. */
typedef struct tidier {
    cli_service *service;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ending;
} tidier;

static void *tidy(void *context)
{
    tidier *t = context;
    (void)pthread_mutex_lock(&t->lock);
    while (!t->ending) {
        bf_error err = {0};
        (void)pthread_mutex_unlock(&t->lock);
        if (bf_service_tidy(t->service->service, bf_time_now_ms(), &err) != BF_OK)
            bf_log_failure(t->service->log, "tidy", &err);
        (void)pthread_mutex_lock(&t->lock);
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += TIDY_MS / 1000;
        if (!t->ending)
            (void)pthread_cond_timedwait(&t->wake, &t->lock, &until);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return NULL;
}

static bool tidier_start(tidier *t, cli_service *service)
{
    pthread_condattr_t steady;
    t->service = service;
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&t->wake, &steady);
    (void)pthread_condattr_destroy(&steady);
    return pthread_create(&t->thread, NULL, tidy, t) == 0;
}

static void tidier_end(tidier *t)
{
    (void)pthread_mutex_lock(&t->lock);
    t->ending = true;
    (void)pthread_cond_broadcast(&t->wake);
    (void)pthread_mutex_unlock(&t->lock);
    (void)pthread_join(t->thread, NULL);
    (void)pthread_cond_destroy(&t->wake);
    (void)pthread_mutex_destroy(&t->lock);
}

static void reload(cli_service *s, unsigned uid)
{
    static bf_config next; /* large, and read by this thread only */
    bf_error err = {0};
    char actor[32];
    (void)snprintf(actor, sizeof actor, "uid:%u", uid);
    bf_log_event(s->log, BF_LOG_INFO, "reload", "Reading configuration, policies and networks anew, for %s.", actor);
    bf_status status = bf_log_reopen(s->log, &err);
    if (status == BF_OK)
        status = bf_config_read(s->config_path, &next, &err);
    if (status == BF_OK)
        status = bf_server_reconfigure(s->server, &next, &err);
    if (status == BF_OK)
        status = bf_pool_reload(s->pool, &err);
    if (status == BF_OK)
        status = bf_service_policies(s->service, actor, &err);
    if (status != BF_OK)
        bf_log_failure(s->log, "reload_failed", &err);
    else
        bf_log_event(s->log, BF_LOG_INFO, "reloaded", "All is in force.");
}

/* Lets what is under way end. False when it had to be cut off. */
static bool drain(cli_service *s, const sigset_t *ending)
{
    const struct timespec look = {.tv_nsec = DRAIN_LOOK_MS * 1000000L};
    int job_ms = s->config.workers.job_ms ? s->config.workers.job_ms : BF_POOL_JOB_MS;
    double end = bf_time_steady_ms() + 2.0 * job_ms + s->config.limits.request_s_max * 1e3 + DRAIN_SPARE_MS;
    bf_log_event(s->log, BF_LOG_INFO, "drain", "Ending; requests under way are finished.");
    bf_server_drain(s->server);
    while (bf_server_busy(s->server) > 0) {
        siginfo_t info;
        if (sigtimedwait(ending, &info, &look) > 0 || bf_time_steady_ms() > end)
            return false;
    }
    return true;
}

static void tell_ready(cli_service *s)
{
    char url[BF_SERVER_URL_SIZE];
    for (int i = 0; i < bf_server_url_count(s->server); i++) {
        bf_server_url(s->server, i, url);
        bf_log_event(s->log, BF_LOG_INFO, "ready", "Listening on %s.", url);
        if (!s->development)
            (void)printf("bonafide: ready on %s\n", url);
    }
    (void)fflush(stdout);
}

int cli_service_run(cli_service *s)
{
    sigset_t all, ending;
    siginfo_t info = {0};
    tidier t = {0};
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGINT);
    all = ending;
    (void)sigaddset(&all, SIGHUP);
    if (!tidier_start(&t, s))
        return cli_fail(NULL, CLI_INTERNAL, "The thread that keeps house could not be started.");
    tell_ready(s);
    for (;;) {
        int number = sigwaitinfo(&all, &info);
        if (number == SIGHUP)
            reload(s, (unsigned)info.si_uid);
        else if (number > 0)
            break;
    }
    if (!drain(s, &ending)) {
        bf_log_event(s->log, BF_LOG_WARNING, "end", "Ended with requests under way.");
        /* Threads may hold anything; the store is made to survive this. */
        _exit(CLI_INTERNAL);
    }
    tidier_end(&t);
    bf_log_event(s->log, BF_LOG_INFO, "end", "Ended.");
    return 0;
}

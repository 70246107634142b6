/* Loads a server on this machine and tells how it answered, as one line of JSON. It ends by itself: after the requests
 * or seconds it was given, whichever is first.
 *
 * usage: BONAFIDE_KEY=KEY serve_load ADDRESS:PORT OPERATION SECONDS THREADS [RATE [REQUESTS [FILE...]]]
 *
 * OPERATION  liveness (sends the files in turn), session_create, session_get
 * RATE       requests per second, sent when they are due whether or not earlier ones were answered (as long as a thread
 *            is free; `late_ms` tells); 0: each thread sends its next one as soon as it has its answer
 * REQUESTS   at most so many; 0: no end but SECONDS
 *
 * An answer is accepted (200, 201, 422 with a record), refused (503), or failed (anything else). */
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "serve_http.h"

#define SECONDS_MAX 3600
#define THREADS_MAX 256
#define FILES_MAX 64
#define FILE_BYTES_MAX (20u << 20)
#define REQUESTS_MAX 4000000
#define SESSIONS 64 /* looked at in turn by session_get */
#define HEAD_SIZE 512
#define BOUNDARY "bonafide-serve-load"

typedef struct request {
    char head[HEAD_SIZE];
    size_t head_size;
    char *body;
    size_t body_size;
} request;

typedef enum outcome { ACCEPTED, REFUSED, FAILED, OUTCOMES } outcome;

typedef struct series {
    float *ms;
    size_t count, room;
} series;

typedef struct plan {
    struct sockaddr_in address;
    request request[FILES_MAX];
    size_t kinds;
    double seconds, rate, began_ms;
    long requests_max;
    int threads;
    atomic_long next;
} plan;

typedef struct worker {
    plan *plan;
    pthread_t thread;
    series series[OUTCOMES];
    double late_ms;
    int failed_status;
    char failed_body[256];
} worker;

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "serve_load: %s\n", what);
    exit(64);
}

static void note(series *s, double ms)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 1024;
        float *larger = realloc(s->ms, room * sizeof *larger);
        if (!larger)
            die("out of memory");
        s->ms = larger;
        s->room = room;
    }
    s->ms[s->count++] = (float)ms;
}

/* Sleeps until the request numbered `k` is due and returns how late it already is. */
static double wait_until_due(const plan *p, long k)
{
    double wait = p->began_ms + 1e3 * (double)k / p->rate - now_ms();
    if (wait <= 0)
        return -wait;
    struct timespec t = {.tv_sec = (time_t)(wait / 1e3)};
    t.tv_nsec = (long)((wait - 1e3 * (double)t.tv_sec) * 1e6);
    (void)nanosleep(&t, NULL);
    return 0;
}

static outcome judge(worker *w, const http_connection *connection, int status)
{
    if (status == 200 || status == 201 || status == 422)
        return ACCEPTED;
    if (status == 503)
        return REFUSED;
    w->failed_status = status;
    if (status)
        (void)snprintf(w->failed_body, sizeof w->failed_body, "%.200s", connection->answer + connection->body_at);
    return FAILED;
}

static void *work(void *given)
{
    worker *w = given;
    plan *p = w->plan;
    http_connection connection;
    if (!http_open(&connection, &p->address))
        die("out of memory");
    for (;;) {
        long k = atomic_fetch_add(&p->next, 1);
        if (k >= p->requests_max)
            break;
        if (p->rate > 0) {
            if (1e3 * (double)k / p->rate >= 1e3 * p->seconds)
                break;
            double late = wait_until_due(p, k);
            w->late_ms = late > w->late_ms ? late : w->late_ms;
        }
        double began = now_ms();
        if (began - p->began_ms >= 1e3 * p->seconds)
            break;
        const request *r = &p->request[(size_t)k % p->kinds];
        int status = http_ask(&connection, r->head, r->head_size, r->body, r->body_size);
        note(&w->series[judge(w, &connection, status)], now_ms() - began);
    }
    http_close(&connection);
    return NULL;
}

static void set_head(request *r, const char *method, const char *target, const char *type, const char *key)
{
    int n =
        snprintf(r->head, sizeof r->head,
                 "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s%s%sContent-Length: %zu\r\n\r\n",
                 method, target, key, type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "", r->body_size);
    if (n < 0 || (size_t)n >= sizeof r->head)
        die("the key is too long");
    r->head_size = (size_t)n;
}

/* A multipart body with the file as its one part. */
static void set_picture(request *r, const char *path)
{
    static const char before[] = "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.jpg\""
                                 "\r\nContent-Type: image/jpeg\r\n\r\n";
    static const char after[] = "\r\n--" BOUNDARY "--\r\n";
    struct stat facts;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &facts) != 0 || facts.st_size > FILE_BYTES_MAX)
        die("a file cannot be read");
    size_t size = (size_t)facts.st_size;
    r->body_size = sizeof before - 1 + size + sizeof after - 1;
    r->body = malloc(r->body_size);
    if (!r->body)
        die("out of memory");
    memcpy(r->body, before, sizeof before - 1);
    if (fread(r->body + sizeof before - 1, 1, size, file) != size)
        die("a file cannot be read");
    memcpy(r->body + sizeof before - 1 + size, after, sizeof after - 1);
    (void)fclose(file);
}

static void set_session(request *r, const char *key)
{
    r->body = strdup("{\"flow_type\": \"account_opening\", \"channel\": \"mobile_web\"}");
    if (!r->body)
        die("out of memory");
    r->body_size = strlen(r->body);
    set_head(r, "POST", "/v1/sessions", "application/json", key);
}

/* Opens sessions to look at, and makes a request for each. */
static void prepare_looks(plan *p, const char *key)
{
    http_connection connection;
    request create = {0};
    set_session(&create, key);
    if (!http_open(&connection, &p->address))
        die("out of memory");
    for (p->kinds = 0; p->kinds < SESSIONS && p->kinds < FILES_MAX; p->kinds++) {
        if (http_ask(&connection, create.head, create.head_size, create.body, create.body_size) != 201)
            die("a session could not be opened");
        json_t *answer = json_loadb(connection.answer + connection.body_at, connection.body_size, 0, NULL);
        const char *id = json_string_value(json_object_get(json_object_get(answer, "session"), "id"));
        char target[128];
        if (!id || (size_t)snprintf(target, sizeof target, "/v1/sessions/%s", id) >= sizeof target)
            die("a session came without an id");
        set_head(&p->request[p->kinds], "GET", target, NULL, key);
        json_decref(answer);
    }
    http_close(&connection);
    free(create.body);
}

static void prepare(plan *p, const char *operation, const char *key, char **files, int count)
{
    p->kinds = 1;
    if (strcmp(operation, "session_create") == 0) {
        set_session(&p->request[0], key);
    } else if (strcmp(operation, "session_get") == 0) {
        prepare_looks(p, key);
    } else if (strcmp(operation, "liveness") == 0 && count > 0 && count <= FILES_MAX) {
        p->kinds = (size_t)count;
        for (int i = 0; i < count; i++) {
            set_picture(&p->request[i], files[i]);
            set_head(&p->request[i], "POST", "/v1/liveness", "multipart/form-data; boundary=" BOUNDARY, key);
        }
    } else {
        die("OPERATION is liveness with 1 to 64 files, session_create or session_get");
    }
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double quantile(const series *s, double q)
{
    if (!s->count)
        return 0;
    size_t at = (size_t)(q * (double)s->count);
    return (double)s->ms[at < s->count ? at : s->count - 1];
}

static json_t *tell(const worker *workers, int threads, outcome kind, double seconds)
{
    series all = {0};
    for (int i = 0; i < threads; i++) {
        for (size_t k = 0; k < workers[i].series[kind].count; k++)
            note(&all, (double)workers[i].series[kind].ms[k]);
    }
    if (all.count)
        qsort(all.ms, all.count, sizeof *all.ms, by_value);
    json_t *told = json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t)all.count, "per_second",
                             (double)all.count / seconds, "p50_ms", quantile(&all, 0.5), "p95_ms", quantile(&all, 0.95),
                             "p99_ms", quantile(&all, 0.99), "max_ms", quantile(&all, 1));
    free(all.ms);
    return told;
}

static void report(const plan *p, const worker *workers, double seconds)
{
    static const char *const names[OUTCOMES] = {"accepted", "refused", "failed"};
    json_t *told = json_pack("{s:f}", "seconds", seconds);
    double late = 0;
    for (int kind = 0; kind < OUTCOMES; kind++)
        json_object_set_new(told, names[kind], tell(workers, p->threads, (outcome)kind, seconds));
    for (int i = 0; i < p->threads; i++) {
        late = workers[i].late_ms > late ? workers[i].late_ms : late;
        if (workers[i].series[FAILED].count && !json_object_get(told, "example")) {
            json_object_set_new(
                told, "example",
                json_pack("{s:i, s:s}", "http", workers[i].failed_status, "body", workers[i].failed_body));
        }
    }
    json_object_set_new(told, "late_ms", json_real(late));
    (void)json_dumpf(told, stdout, JSON_REAL_PRECISION(9));
    (void)puts("");
    json_decref(told);
}

static double number(const char *text, double at_most)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (*end || !(value >= 0) || value > at_most)
        die("a number is out of its range");
    return value;
}

int main(int argc, char **argv)
{
    static plan p;
    static worker workers[THREADS_MAX];
    const char *key = getenv("BONAFIDE_KEY");
    if (argc < 5 || !key || !http_address(argv[1], &p.address))
        die("usage: BONAFIDE_KEY=KEY serve_load 127.x.x.x:PORT OPERATION SECONDS THREADS [RATE [REQUESTS [FILE...]]]");
    p.seconds = number(argv[3], SECONDS_MAX);
    p.threads = (int)number(argv[4], THREADS_MAX);
    p.rate = argc > 5 ? number(argv[5], 1e6) : 0;
    p.requests_max = argc > 6 ? (long)number(argv[6], REQUESTS_MAX) : 0;
    p.requests_max = p.requests_max ? p.requests_max : REQUESTS_MAX;
    prepare(&p, argv[2], key, argv + 7, argc - 7);
    /* Whatever hangs, this process does not outlive its time by much. */
    (void)alarm((unsigned)p.seconds + 2 * HTTP_TIMEOUT_S);
    p.began_ms = now_ms();
    for (int i = 0; i < p.threads; i++) {
        workers[i].plan = &p;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            die("a thread could not be started");
    }
    for (int i = 0; i < p.threads; i++)
        (void)pthread_join(workers[i].thread, NULL);
    report(&p, workers, (now_ms() - p.began_ms) / 1e3);
    for (size_t i = 0; i < p.kinds; i++)
        free(p.request[i].body);
    for (int i = 0; i < p.threads; i++) {
        for (int kind = 0; kind < OUTCOMES; kind++)
            free(workers[i].series[kind].ms);
    }
    return 0;
}

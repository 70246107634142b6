#include "server/connections.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"
#include "base/error.h"
#include "server/header.h"
#include "store/time.h"

#define LOOK_MS 100 /* how often deadlines are looked at */

struct bf_connection {
    bf_connection *next, *previous;
    int fd;
    bool plain, trusted, cut;
    bf_ip ip;
    bf_phase phase;
    double deadline_ms;
};

struct bf_connections {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bf_connection *first;
    int count;
    bf_connection_limits limits;
    bf_cut_fn *cut;
    void *context;
    bool draining, ending;
};

/* Tells a client that it was too slow; without the HTTP library, whose thread waits for more bytes. */
static void tell_too_slow(const bf_connection *one, const char *request_id)
{
    char body[256], text[512];
    int size = snprintf(body, sizeof body,
                        "{\"success\":false,\"status\":\"error\",\"request_id\":\"%s\",\"error\":{\"code\":"
                        "\"REQUEST_TOO_SLOW\",\"message\":\"The request took too long to arrive.\",\"retryable\":true,"
                        "\"hint\":null}}",
                        request_id);
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\n"
                          "X-Request-ID: %s\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                          "Content-Length: %d\r\n\r\n%s",
                          request_id, size, body);
    (void)send(one->fd, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void cut_one(bf_connections *all, bf_connection *one)
{
    char request_id[BF_REQUEST_ID_SIZE];
    bool receiving = one->phase == BF_PHASE_RECEIVING;
    bf_header_make_request_id(request_id);
    one->cut = true;
    if (receiving && one->plain)
        tell_too_slow(one, request_id);
    (void)shutdown(one->fd, SHUT_RDWR);
    if (one->phase != BF_PHASE_IDLE)
        all->cut(all->context, request_id, receiving, &one->ip);
}

static void *watch(void *context)
{
    bf_connections *all = context;
    (void)pthread_mutex_lock(&all->lock);
    while (!all->ending) {
        double now = bf_time_steady_ms();
        for (bf_connection *one = all->first; one; one = one->next) {
            if (one->cut || one->phase == BF_PHASE_WORKING)
                continue;
            if (now > one->deadline_ms || (all->draining && one->phase == BF_PHASE_IDLE))
                cut_one(all, one);
        }
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&all->wake, &all->lock, &until);
    }
    (void)pthread_mutex_unlock(&all->lock);
    return NULL;
}

bf_status bf_connections_new(const bf_connection_limits *limits, bf_cut_fn *cut, void *context, bf_connections **ret,
                             bf_error *err)
{
    pthread_condattr_t steady;
    bf_connections *all = bf_calloc(1, sizeof *all);
    if (!all)
        return bf_fail_memory(err);
    all->limits = *limits;
    all->cut = cut;
    all->context = context;
    (void)pthread_mutex_init(&all->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&all->wake, &steady);
    (void)pthread_condattr_destroy(&steady);
    if (pthread_create(&all->thread, NULL, watch, all) != 0) {
        (void)pthread_cond_destroy(&all->wake);
        (void)pthread_mutex_destroy(&all->lock);
        bf_free(all);
        return bf_fail(err, BF_INTERNAL, "The thread that watches connections could not be started.");
    }
    *ret = all;
    return BF_OK;
}

void bf_connections_free(bf_connections **connections)
{
    bf_connections *all = *connections;
    if (!all)
        return;
    (void)pthread_mutex_lock(&all->lock);
    all->ending = true;
    (void)pthread_cond_broadcast(&all->wake);
    (void)pthread_mutex_unlock(&all->lock);
    (void)pthread_join(all->thread, NULL);
    while (all->first) {
        bf_connection *next = all->first->next;
        bf_free(all->first);
        all->first = next;
    }
    (void)pthread_cond_destroy(&all->wake);
    (void)pthread_mutex_destroy(&all->lock);
    bf_free(all);
    *connections = NULL;
}

void bf_connections_set_limits(bf_connections *all, const bf_connection_limits *limits)
{
    (void)pthread_mutex_lock(&all->lock);
    all->limits = *limits;
    (void)pthread_mutex_unlock(&all->lock);
}

static int count_of(const bf_connections *all, const bf_ip *ip)
{
    int count = 0;
    for (const bf_connection *one = all->first; one; one = one->next)
        count += !one->trusted && memcmp(&one->ip, ip, sizeof *ip) == 0;
    return count;
}

bool bf_connections_accept(bf_connections *all, const bf_ip *ip, bool trusted)
{
    (void)pthread_mutex_lock(&all->lock);
    bool accept =
        !all->draining && all->count < all->limits.total && (trusted || count_of(all, ip) < all->limits.per_address);
    (void)pthread_mutex_unlock(&all->lock);
    return accept;
}

static void set_phase(const bf_connections *all, bf_connection *one, bf_phase phase)
{
    one->phase = phase;
    one->deadline_ms =
        bf_time_steady_ms() + 1e3 * (phase == BF_PHASE_IDLE ? all->limits.idle_s : all->limits.request_s);
}

bf_connection *bf_connections_open(bf_connections *all, int fd, bool plain, const bf_ip *ip, bool trusted)
{
    bf_connection *one = bf_calloc(1, sizeof *one);
    if (!one)
        return NULL;
    one->fd = fd;
    one->plain = plain;
    one->ip = *ip;
    one->trusted = trusted;
    (void)pthread_mutex_lock(&all->lock);
    set_phase(all, one, BF_PHASE_RECEIVING);
    one->next = all->first;
    if (one->next)
        one->next->previous = one;
    all->first = one;
    all->count++;
    (void)pthread_mutex_unlock(&all->lock);
    return one;
}

void bf_connections_close(bf_connections *all, bf_connection *one)
{
    if (!one)
        return;
    (void)pthread_mutex_lock(&all->lock);
    if (one->previous)
        one->previous->next = one->next;
    else
        all->first = one->next;
    if (one->next)
        one->next->previous = one->previous;
    all->count--;
    (void)pthread_mutex_unlock(&all->lock);
    bf_free(one);
}

void bf_connection_set_phase(bf_connections *all, bf_connection *one, bf_phase phase)
{
    if (!one)
        return;
    (void)pthread_mutex_lock(&all->lock);
    /* A first request's time began when the connection was opened. */
    if (!(phase == BF_PHASE_RECEIVING && one->phase == BF_PHASE_RECEIVING))
        set_phase(all, one, phase);
    (void)pthread_mutex_unlock(&all->lock);
}

bool bf_connection_was_cut(bf_connections *all, const bf_connection *one)
{
    if (!one)
        return false;
    (void)pthread_mutex_lock(&all->lock);
    bool cut = one->cut;
    (void)pthread_mutex_unlock(&all->lock);
    return cut;
}

const bf_ip *bf_connection_ip(const bf_connection *one)
{
    return &one->ip;
}

int bf_connections_count(bf_connections *all)
{
    (void)pthread_mutex_lock(&all->lock);
    int count = all->count;
    (void)pthread_mutex_unlock(&all->lock);
    return count;
}

int bf_connections_busy(bf_connections *all)
{
    int count = 0;
    (void)pthread_mutex_lock(&all->lock);
    for (const bf_connection *one = all->first; one; one = one->next)
        count += !one->cut && one->phase != BF_PHASE_IDLE;
    (void)pthread_mutex_unlock(&all->lock);
    return count;
}

void bf_connections_drain(bf_connections *all)
{
    (void)pthread_mutex_lock(&all->lock);
    all->draining = true;
    (void)pthread_cond_broadcast(&all->wake);
    (void)pthread_mutex_unlock(&all->lock);
}

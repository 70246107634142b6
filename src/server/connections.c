#include "server/connections.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"
#include "base/error.h"
#include "server/header.h"
#include "store/time.h"

#define LOOK_MS 100 /* how often deadlines are looked at */

/* The phase of a connection that was cut; it never leaves it. */
#define CUT 7u
#define PHASE_BITS 3

struct bf_connection {
    bf_connection *next, *previous;
    int fd;
    bool plain, trusted;
    bf_ip ip;
    /* Phase and deadline (milliseconds of the steady clock) in one word: a request takes four steps, and none of them
     * may wait for those of other connections. */
    _Atomic uint64_t state;
};

static unsigned phase_of(uint64_t state)
{
    return (unsigned)(state & ((1u << PHASE_BITS) - 1));
}

static uint64_t state_of(unsigned phase, double deadline_ms)
{
    return ((uint64_t)deadline_ms << PHASE_BITS) | phase;
}

struct bf_connections {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bf_connection *first;
    int count;
    bf_connection_limits limits;
    atomic_int request_s, idle_s; /* of the limits, for those who do not hold the lock */
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

static void cut_one(bf_connections *all, bf_connection *one, unsigned phase)
{
    char request_id[BF_REQUEST_ID_SIZE];
    bool receiving = phase == BF_PHASE_RECEIVING;
    bf_header_make_request_id(request_id);
    if (receiving && one->plain)
        tell_too_slow(one, request_id);
    (void)shutdown(one->fd, SHUT_RDWR);
    if (phase != BF_PHASE_IDLE)
        all->cut(all->context, request_id, receiving, &one->ip);
}

/* Cuts a connection whose time is over. When its thread took the next step meanwhile, it is let go. */
static void look_at(bf_connections *all, bf_connection *one, double now_ms)
{
    uint64_t state = atomic_load(&one->state);
    unsigned phase = phase_of(state);
    if (phase == CUT || phase == BF_PHASE_WORKING)
        return;
    bool over = now_ms > (double)(state >> PHASE_BITS) || (all->draining && phase == BF_PHASE_IDLE);
    if (over && atomic_compare_exchange_strong(&one->state, &state, state | CUT))
        cut_one(all, one, phase);
}

static void *watch(void *context)
{
    bf_connections *all = context;
    (void)pthread_mutex_lock(&all->lock);
    while (!all->ending) {
        double now = bf_time_steady_ms();
        for (bf_connection *one = all->first; one; one = one->next)
            look_at(all, one, now);
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

static void set_limits(bf_connections *all, const bf_connection_limits *limits)
{
    all->limits = *limits;
    atomic_store(&all->request_s, limits->request_s);
    atomic_store(&all->idle_s, limits->idle_s);
}

bf_status bf_connections_new(const bf_connection_limits *limits, bf_cut_fn *cut, void *context, bf_connections **ret,
                             bf_error *err)
{
    pthread_condattr_t steady;
    bf_connections *all = bf_calloc(1, sizeof *all);
    if (!all)
        return bf_fail_memory(err);
    set_limits(all, limits);
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
    set_limits(all, limits);
    (void)pthread_mutex_unlock(&all->lock);
}

static int count_of(const bf_connections *all, const bf_ip *ip)
{
    const bf_ip wanted = bf_ip_household(ip);
    int count = 0;
    for (const bf_connection *one = all->first; one; one = one->next) {
        const bf_ip household = bf_ip_household(&one->ip);
        count += !one->trusted && memcmp(household.byte, wanted.byte, sizeof wanted.byte) == 0;
    }
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

static uint64_t next_state(bf_connections *all, bf_phase phase)
{
    int seconds = atomic_load(phase == BF_PHASE_IDLE ? &all->idle_s : &all->request_s);
    return state_of(phase, bf_time_steady_ms() + seconds * 1e3);
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
    atomic_init(&one->state, next_state(all, BF_PHASE_RECEIVING));
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
    const uint64_t next = next_state(all, phase);
    uint64_t state = atomic_load(&one->state);
    do {
        /* A first request's time began when the connection was opened. */
        bool begun = phase == BF_PHASE_RECEIVING && phase_of(state) == BF_PHASE_RECEIVING;
        if (begun || phase_of(state) == CUT)
            return;
    } while (!atomic_compare_exchange_weak(&one->state, &state, next));
}

bool bf_connection_was_cut(const bf_connection *one)
{
    return one && phase_of(atomic_load(&one->state)) == CUT;
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
    for (const bf_connection *one = all->first; one; one = one->next) {
        unsigned phase = phase_of(atomic_load(&one->state));
        count += phase != CUT && phase != BF_PHASE_IDLE;
    }
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

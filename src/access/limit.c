#include "access/limit.h"

#include <pthread.h>
#include <string.h>

#include <sodium.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define SHARDS 32u
#define SLOTS (BF_LIMIT_BUCKETS_LOCAL / SHARDS)
#define ID_SIZE crypto_shorthash_siphashx24_BYTES
/* How long an empty bucket is believed to be empty at most, so that other rates or a corrected clock soon count. */
#define BLOCK_MAX_MS 1000

/* What is known here about a bucket. */
typedef struct slot {
    uint8_t id[ID_SIZE]; /* keyed hash of the bucket's name */
    bool taken;
    bool fetching;     /* a thread is getting a lot; the slot stays */
    int tokens;        /* of the lot */
    uint32_t failures; /* lots that could not be had because of the store */
    uint64_t used;     /* the shard's count when it was last looked at */
    int64_t empty_from_ms, empty_until_ms, free_ms;
} slot;

typedef struct shard {
    pthread_mutex_t lock;
    pthread_cond_t fetched;
    uint64_t count;
    slot slots[SLOTS];
} shard;

struct bf_limiter {
    bf_store *store;
    uint8_t key[crypto_shorthash_siphashx24_KEYBYTES]; /* so that nobody can choose names of one shard */
    unsigned shards_ready;
    shard shards[SHARDS];
};

/* One visit to the store. */
typedef struct visit {
    const char *name;
    bf_rate rate;
    int64_t now_ms;
    int want;
    int got;
    int64_t wait_ms; /* when nothing was got */
} visit;

static bf_status visit_bucket(bf_db *db, void *context, bf_error *err)
{
    visit *v = context;
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT millitokens, updated_ms FROM rate_bucket WHERE name = $1",
                                   BF_VALUES(bf_value_text(v->name)), &rows, err);
    if (status != BF_OK)
        return status;
    bf_bucket bucket = bf_bucket_full(v->rate, v->now_ms);
    int64_t counted_ms = v->now_ms;
    if (bf_rows_next(rows)) {
        counted_ms = bf_rows_integer(rows, 1);
        bucket = (bf_bucket){.millitokens = bf_rows_integer(rows, 0), .updated_ms = counted_ms};
    }
    v->got = bf_bucket_take(&bucket, v->rate, v->now_ms, v->want, &v->wait_ms);
    /* Of an empty bucket the row stays, and time flows on from where it was counted last; unless that is in a future
     * which will not come soon. */
    if (v->got == 0 && bucket.updated_ms >= counted_ms)
        return BF_OK;
    return bf_db_run(db,
                     "INSERT INTO rate_bucket(name, millitokens, updated_ms, full_ms) VALUES($1, $2, $3, $4)"
                     " ON CONFLICT(name) DO UPDATE SET millitokens = excluded.millitokens,"
                     " updated_ms = excluded.updated_ms, full_ms = excluded.full_ms",
                     BF_VALUES(bf_value_text(v->name), bf_value_integer(bucket.millitokens),
                               bf_value_integer(bucket.updated_ms),
                               bf_value_integer(bf_bucket_full_ms(&bucket, v->rate))),
                     NULL, err);
}

bf_status bf_limiter_new(bf_store *store, bf_limiter **ret, bf_error *err)
{
    bf_limiter *limiter = bf_calloc(1, sizeof *limiter);
    if (!limiter)
        return bf_fail_memory(err);
    limiter->store = store;
    randombytes_buf(limiter->key, sizeof limiter->key);
    for (; limiter->shards_ready < SHARDS; limiter->shards_ready++) {
        shard *s = &limiter->shards[limiter->shards_ready];
        if (pthread_mutex_init(&s->lock, NULL) != 0)
            break;
        if (pthread_cond_init(&s->fetched, NULL) != 0) {
            (void)pthread_mutex_destroy(&s->lock);
            break;
        }
    }
    if (limiter->shards_ready < SHARDS) {
        bf_limiter_free(&limiter);
        return bf_fail(err, BF_INTERNAL, "The rate limiter cannot have a lock.");
    }
    *ret = limiter;
    return BF_OK;
}

void bf_limiter_free(bf_limiter **limiter)
{
    for (unsigned i = 0; *limiter && i < (*limiter)->shards_ready; i++) {
        (void)pthread_cond_destroy(&(*limiter)->shards[i].fetched);
        (void)pthread_mutex_destroy(&(*limiter)->shards[i].lock);
    }
    bf_free(*limiter);
    *limiter = NULL;
}

static slot *find_slot(shard *s, const uint8_t id[ID_SIZE])
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (s->slots[i].taken && memcmp(s->slots[i].id, id, ID_SIZE) == 0) {
            s->slots[i].used = ++s->count;
            return &s->slots[i];
        }
    }
    return NULL;
}

/* The slot of a bucket, in the place of whichever was not looked at for longest. NULL when all are being fetched. */
static slot *need_slot(shard *s, const uint8_t id[ID_SIZE])
{
    slot *found = find_slot(s, id);
    for (unsigned i = 0; !found && i < SLOTS; i++) {
        if (!s->slots[i].taken)
            found = &s->slots[i];
    }
    if (found && found->taken)
        return found;
    for (unsigned i = 0; !found && i < SLOTS; i++) {
        if (!s->slots[i].fetching)
            found = &s->slots[i];
    }
    for (unsigned i = 0; found && found->taken && i < SLOTS; i++) {
        if (!s->slots[i].fetching && s->slots[i].used < found->used)
            found = &s->slots[i];
    }
    if (!found)
        return NULL;
    *found = (slot){.taken = true, .used = ++s->count};
    memcpy(found->id, id, ID_SIZE);
    return found;
}

typedef enum answer { ANSWER_UNKNOWN, ANSWER_YES, ANSWER_NO, ANSWER_FAILED } answer;

/* Answers from what is known here, waiting for another thread that is getting a lot for the same bucket. With
 * ANSWER_UNKNOWN the store must be asked; *ret_slot is then marked as being fetched, or NULL. */
static answer ask_slot(shard *s, const uint8_t id[ID_SIZE], bool in_lots, int64_t now_ms, slot **ret_slot,
                       int64_t *ret_wait_ms)
{
    *ret_slot = NULL;
    slot *known = find_slot(s, id);
    uint32_t failures = known ? known->failures : 0;
    for (bool waited = false;; waited = true, known = find_slot(s, id)) {
        if (known && known->tokens > 0) {
            known->tokens--;
            return ANSWER_YES;
        }
        if (known && now_ms >= known->empty_from_ms && now_ms < known->empty_until_ms) {
            *ret_wait_ms = known->free_ms - now_ms;
            return ANSWER_NO;
        }
        /* The store has just failed somebody else; asking it in turn would make each wait for all before. */
        if (known && waited && known->failures != failures)
            return ANSWER_FAILED;
        if (!known || !known->fetching)
            break;
        (void)pthread_cond_wait(&s->fetched, &s->lock);
    }
    if (in_lots && (known = need_slot(s, id))) {
        known->fetching = true;
        *ret_slot = known;
    }
    return ANSWER_UNKNOWN;
}

static void learn(shard *s, const uint8_t id[ID_SIZE], slot *fetched, const visit *v, bool failed)
{
    slot *known = fetched;
    if (!known && !failed && v->got == 0)
        known = need_slot(s, id);
    if (!known)
        return;
    if (failed) {
        known->failures++;
    } else if (v->got > 0) {
        known->tokens += v->got - 1;
    } else {
        known->empty_from_ms = v->now_ms;
        known->free_ms = v->now_ms + v->wait_ms;
        known->empty_until_ms = v->now_ms + (v->wait_ms < BLOCK_MAX_MS ? v->wait_ms : BLOCK_MAX_MS);
    }
    if (fetched) {
        fetched->fetching = false;
        (void)pthread_cond_broadcast(&s->fetched);
    }
}

static bf_status fail_limited(int64_t wait_ms, int *ret_retry_after_s, bf_error *err)
{
    int64_t seconds = (wait_ms + 999) / 1000;
    *ret_retry_after_s = seconds < 1 ? 1 : seconds > BF_LIMIT_RETRY_MAX_S ? BF_LIMIT_RETRY_MAX_S : (int)seconds;
    return bf_fail(err, BF_RATE_LIMITED, "Too many requests; there is room for one in %d s.", *ret_retry_after_s);
}

bf_status bf_limiter_take(bf_limiter *limiter, const char *name, bf_rate rate, int64_t now_ms, int *ret_retry_after_s,
                          bf_error *err)
{
    if (!(rate.per_second > 0))
        return BF_OK;
    size_t length = strnlen(name, BF_LIMIT_NAME_MAX);
    if (length == 0 || length == BF_LIMIT_NAME_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A rate limit has a name of 1 to %d characters.",
                       BF_LIMIT_NAME_MAX - 1);
    uint8_t id[ID_SIZE];
    (void)crypto_shorthash_siphashx24(id, (const uint8_t *)name, length, limiter->key);
    shard *s = &limiter->shards[id[0] % SHARDS];
    visit v = {.name = name, .rate = rate, .now_ms = now_ms, .want = bf_limiter_lot(rate)};
    slot *fetched = NULL;
    (void)pthread_mutex_lock(&s->lock);
    answer known = ask_slot(s, id, v.want > 1, now_ms, &fetched, &v.wait_ms);
    (void)pthread_mutex_unlock(&s->lock);
    if (known == ANSWER_YES)
        return BF_OK;
    if (known == ANSWER_NO)
        return fail_limited(v.wait_ms, ret_retry_after_s, err);
    if (known == ANSWER_FAILED)
        return bf_fail(err, BF_STORE_UNAVAILABLE, "The store did not answer in time.");
    if (!fetched)
        v.want = 1;
    bf_status status = bf_store_write(limiter->store, visit_bucket, &v, err);
    (void)pthread_mutex_lock(&s->lock);
    learn(s, id, fetched, &v, status != BF_OK);
    (void)pthread_mutex_unlock(&s->lock);
    if (status != BF_OK)
        return status;
    return v.got > 0 ? BF_OK : fail_limited(v.wait_ms, ret_retry_after_s, err);
}

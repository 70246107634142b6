/* The arithmetic of rate limits. */
#include <math.h>

#include "access/limit.h"

/* How far the clocks of replicas may differ. A bucket that was filled that little in the future waits for its time, or
 * else two replicas would fill it in turn with their difference; one from further ahead stems from a clock that was set
 * back, and waiting for it would lock its owner out. */
#define CLOCK_SKEW_MS 60000
#define PER_SECOND_MAX 1e9
#define BURST_MAX 1e12
#define FULL_MAX_MS (10 * 365.25 * 24 * 3600 * 1000)

static double per_second(bf_rate rate)
{
    return fmin(rate.per_second, PER_SECOND_MAX);
}

static int64_t size_of(bf_rate rate)
{
    return (int64_t)(1000 * fmin(fmax(rate.burst, 1), BURST_MAX));
}

int bf_limiter_lot(bf_rate rate)
{
    double lot = fmin(fmax(rate.burst, 1), per_second(rate)) / BF_LIMIT_LOT_SHARE;
    return lot < 1 ? 1 : (int)lot;
}

bf_bucket bf_bucket_full(bf_rate rate, int64_t now_ms)
{
    return (bf_bucket){.millitokens = size_of(rate), .updated_ms = now_ms};
}

/* A token a second is a millitoken a millisecond. What is less than one is lost, never given. */
static void refill(bf_bucket *bucket, bf_rate rate, int64_t now_ms)
{
    int64_t size = size_of(rate), elapsed_ms = now_ms - bucket->updated_ms;
    if (bucket->millitokens < 0)
        bucket->millitokens = 0;
    if (elapsed_ms > 0) {
        double sum = (double)bucket->millitokens + floor((double)elapsed_ms * per_second(rate));
        bucket->millitokens = sum < (double)size ? (int64_t)sum : size;
    }
    if (elapsed_ms > 0 || elapsed_ms < -CLOCK_SKEW_MS)
        bucket->updated_ms = now_ms;
    if (bucket->millitokens > size)
        bucket->millitokens = size;
}

int bf_bucket_take(bf_bucket *bucket, bf_rate rate, int64_t now_ms, int want, int64_t *ret_wait_ms)
{
    refill(bucket, rate, now_ms);
    int64_t whole = bucket->millitokens / 1000;
    if (whole == 0) {
        double wait_ms = ceil((double)(1000 - bucket->millitokens) / per_second(rate));
        wait_ms += (double)(bucket->updated_ms - now_ms);
        *ret_wait_ms = (int64_t)fmin(wait_ms, 1000.0 * BF_LIMIT_RETRY_MAX_S);
        return 0;
    }
    int taken = whole < want ? (int)whole : want;
    bucket->millitokens -= (int64_t)taken * 1000;
    return taken;
}

int64_t bf_bucket_full_ms(const bf_bucket *bucket, bf_rate rate)
{
    double missing = (double)(size_of(rate) - bucket->millitokens);
    return bucket->updated_ms + (int64_t)fmin(ceil(fmax(missing, 0) / per_second(rate)), FULL_MAX_MS);
}

#include "server/clock.h"

#include <math.h>

void bf_clock_init(bf_clock *clock, int64_t wall_ms, double steady_ms)
{
    *clock = (bf_clock){.offset_ms = (double)wall_ms - steady_ms};
    (void)pthread_mutex_init(&clock->lock, NULL);
}

void bf_clock_done(bf_clock *clock)
{
    (void)pthread_mutex_destroy(&clock->lock);
}

/* Follows the offset; true while a jump has not settled. Slow drift is what clocks are corrected by, so it is believed
 * as it comes. */
static bool is_unsettled(bf_clock *clock, double offset_ms, double steady_ms, bool *ret_new_jump)
{
    if (clock->jumped && fabs(offset_ms - clock->new_offset_ms) < BF_CLOCK_JUMP_MS) {
        clock->new_offset_ms = offset_ms;
        if (steady_ms - clock->jumped_at_ms < BF_CLOCK_SETTLE_MS)
            return true;
        clock->jumped = false;
        clock->offset_ms = offset_ms;
        return false;
    }
    if (fabs(offset_ms - clock->offset_ms) < BF_CLOCK_JUMP_MS) {
        clock->jumped = false; /* it was set back to what it had been */
        clock->offset_ms = offset_ms;
        return false;
    }
    *ret_new_jump = true;
    clock->jumped = true;
    clock->new_offset_ms = offset_ms;
    clock->jumped_at_ms = steady_ms;
    return true;
}

const char *bf_clock_check(bf_clock *clock, int64_t wall_ms, double steady_ms, int64_t audit_ms, bool *ret_new_jump,
                           double *ret_jump_ms)
{
    double offset_ms = (double)wall_ms - steady_ms;
    *ret_new_jump = false;
    (void)pthread_mutex_lock(&clock->lock);
    *ret_jump_ms = offset_ms - clock->offset_ms;
    bool unsettled = is_unsettled(clock, offset_ms, steady_ms, ret_new_jump);
    (void)pthread_mutex_unlock(&clock->lock);
    if (audit_ms - wall_ms > BF_CLOCK_BEHIND_MS)
        return "the clock is behind the audit log";
    return unsettled ? "the clock was set a moment ago" : "ok";
}

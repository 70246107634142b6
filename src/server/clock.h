/* Whether the wall clock can be believed: held against the clock that never jumps, and against the audit log. */
#ifndef BF_SERVER_CLOCK_H
#define BF_SERVER_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define BF_CLOCK_JUMP_MS 5000    /* a difference of that size is a jump */
#define BF_CLOCK_SETTLE_MS 60000 /* after a jump the new time is believed once it has held that long */
#define BF_CLOCK_BEHIND_MS 60000 /* how far the newest entry of the audit log may lie ahead: another replica wrote it */

/* Initialise with bf_clock_init. Any thread. */
typedef struct bf_clock {
    pthread_mutex_t lock;
    double offset_ms;     /* wall clock minus steady clock, as it was last believed to be */
    bool jumped;          /* it is another one now, */
    double new_offset_ms; /* this, */
    double jumped_at_ms;  /* since then by the steady clock */
} bf_clock;

void bf_clock_init(bf_clock *clock, int64_t wall_ms, double steady_ms);
void bf_clock_done(bf_clock *clock);

/* "ok" or what is wrong. *ret_new_jump: the wall clock was found to have jumped just now, by *ret_jump_ms. */
const char *bf_clock_check(bf_clock *clock, int64_t wall_ms, double steady_ms, int64_t audit_ms, bool *ret_new_jump,
                           double *ret_jump_ms);

#endif

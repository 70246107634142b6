/* The clocks of the service. Judging never asks them. */
#ifndef BF_STORE_TIME_H
#define BF_STORE_TIME_H

#include <stdint.h>

/* Milliseconds since 1970; may jump when somebody sets the clock. */
int64_t bf_time_now_ms(void);

/* Milliseconds of a clock that never jumps; only differences mean something. */
double bf_time_steady_ms(void);

/* "2026-11-25T19:41:57.123Z"; what lies outside of the years 1970 to 9999 becomes their nearest end. */
#define BF_TIME_TEXT_SIZE 32
void bf_time_text(int64_t ms, char ret[BF_TIME_TEXT_SIZE]);

#endif

/* A part of the clip that comes again: a looped recording, forwards, or there and back. */
#include <math.h>

#include "liveness/stream/stream.h"

#define CONTRAST_MIN 8.0f /* a covered or switched-off camera gives equal frames too */
#define BETWEEN_BITS_MIN 16
#define EXACT_MIN 4
#define RUN_MIN 12 /* frames of a part that comes again, not to the last bit */
#define LAG_MIN 12
/* Two moments of a live scene differ by no less than two frames in a row do, whatever the noise and however alike the
 * movement: by 0.65 times that and more in simulated captures, by 1.2 times and more in real clips. The same moment
 * with other grain or compression differs by 0.15 times as much. */
#define SAME_SHARE_MAX 0.45
#define CHANGE_BITS_MIN 4.0 /* of 256, from frame to frame: below, chance alone makes two moments alike */
#define AGAIN_MIN 24        /* frames in all */

static int distance(const bf_stream_frame *a, const bf_stream_frame *b)
{
    return bf_fingerprint_fine_distance(a->fine, b->fine);
}

/* Whether the picture was another between the two. */
static bool moved_between(const bf_stream_frame *frame, int from, int to)
{
    for (int k = from + 1; k < to; k++) {
        if (distance(&frame[from], &frame[k]) >= BETWEEN_BITS_MIN)
            return true;
    }
    return false;
}

/* Whether all frames from the one to the other are new ones, and many: where little moves, as on a camera that stands
 * before somebody who sits still. A camera without noise gives the same frame twice within a few. */
static bool new_between(const bf_stream_frame *frame, int from, int to)
{
    for (int i = from; i < to; i++) {
        for (int k = i + 1; k < to; k++) {
            if (frame[i].exact == frame[k].exact)
                return false;
        }
    }
    return to - from >= LAG_MIN;
}

/* Frames that come again to the last bit after others: no camera gives them. */
static bf_stream_loop find_exact(const bf_stream_frame *frame, int count)
{
    bf_stream_loop loop = {0};
    int last = -1;
    for (int i = 0; i < count; i++) {
        if (frame[i].contrast < CONTRAST_MIN || (i > 0 && frame[i].exact == frame[i - 1].exact))
            continue;
        for (int j = i + 2; j < count; j++) {
            if (frame[i].exact != frame[j].exact || !(moved_between(frame, i, j) || new_between(frame, i, j)))
                continue;
            if (loop.frames++ == 0) {
                loop.ms = frame[i].ms;
                loop.lag_ms = frame[j].ms - frame[i].ms;
            }
            loop.backwards |= last >= 0 && j < last;
            last = j;
            break;
        }
    }
    return loop.frames >= EXACT_MIN ? loop : (bf_stream_loop){0};
}

/* How much changes from frame to frame in the run that begins at `i`, bits in all. */
static int change_in(const bf_stream_frame *frame, int i)
{
    int sum = 0;
    for (int k = 0; k + 1 < RUN_MIN; k++)
        sum += distance(&frame[i + k], &frame[i + k + 1]);
    return sum;
}

/* Whether RUN_MIN frames from `i` on look as those from `j` on, or from `j` back: far more than neighbours do. */
static bool run_is_same(const bf_stream_frame *frame, int i, int j, int step, int change)
{
    const double share = SAME_SHARE_MAX * RUN_MIN / (RUN_MIN - 1);
    int sum = 0;
    for (int k = 0; k < RUN_MIN && sum <= share * change; k++)
        sum += distance(&frame[i + k], &frame[j + step * k]);
    return sum <= share * change && sum <= share * change_in(frame, step > 0 ? j : j - RUN_MIN + 1);
}

/* Whether both runs take as long. */
static bool in_time(const bf_stream_frame *frame, int i, int j, int step)
{
    double first = frame[i + RUN_MIN - 1].ms - frame[i].ms;
    double second = fabs(frame[j + step * (RUN_MIN - 1)].ms - frame[j].ms);
    return fabs(first - second) <= 0.15 * fmax(first, second);
}

/* Adds to the loop when the run from `i` on comes again later. */
static void look_for_again(const bf_stream_frame *frame, int count, int i, bf_stream_loop *loop)
{
    int change = change_in(frame, i);
    if (change < CHANGE_BITS_MIN * (RUN_MIN - 1))
        return;
    for (int step = 1; step >= -1; step -= 2) {
        int from = step > 0 ? i + LAG_MIN : i + 2 * RUN_MIN, end = step > 0 ? count - RUN_MIN + 1 : count;
        for (int j = from; j < end; j++) {
            if (!run_is_same(frame, i, j, step, change) || !in_time(frame, i, j, step))
                continue;
            if (loop->frames == 0)
                *loop = (bf_stream_loop){RUN_MIN - 1, frame[i].ms, frame[j].ms - frame[i].ms, step < 0};
            loop->frames++;
            return;
        }
    }
}

/* A part that comes again as nearly as grain and compression let it. */
static bf_stream_loop find_near(const bf_stream_frame *frame, int count)
{
    bf_stream_loop loop = {0};
    for (int i = 0; i + 2 * RUN_MIN <= count; i++)
        look_for_again(frame, count, i, &loop);
    return loop.frames >= AGAIN_MIN ? loop : (bf_stream_loop){0};
}

bf_stream_loop bf_stream_find_loop(const bf_stream_frame *frame, int count)
{
    bf_stream_loop loop = find_exact(frame, count);
    return loop.frames > 0 ? loop : find_near(frame, count);
}

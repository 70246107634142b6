/* A part of the clip that comes again: a looped recording, forwards, or there and back. */
#include <math.h>

#include "liveness/stream/stream.h"

#define CONTRAST_MIN 8.0f /* a covered or switched-off camera gives equal frames too */
#define BETWEEN_BITS_MIN 16
#define EXACT_MIN 4
#define RUN_MIN 12 /* frames of a part that comes again, not to the last bit */
#define LAG_MIN 12
/* Of 256, mean over the part: compression of the same frame gives 0 to 5, a person who does the same again 14 and
 * more. */
#define SAME_BITS_MAX 9.0
/* Mean between the part's frames and those half a part on: one who holds still looks the same again without any
 * loop. */
#define MOVED_BITS_MIN 28.0

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

/* Frames that come again to the last bit after others: no camera gives them. */
static bf_stream_loop find_exact(const bf_stream_frame *frame, int count)
{
    bf_stream_loop loop = {0};
    int last = -1;
    for (int i = 0; i < count; i++) {
        if (frame[i].contrast < CONTRAST_MIN || (i > 0 && frame[i].exact == frame[i - 1].exact))
            continue;
        for (int j = i + 2; j < count; j++) {
            if (frame[i].exact != frame[j].exact || !moved_between(frame, i, j))
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

/* Whether RUN_MIN frames from `i` on look as those from `j` on, or from `j` back. */
static bool run_is_same(const bf_stream_frame *frame, int i, int j, int step)
{
    int sum = 0;
    for (int k = 0; k < RUN_MIN && sum <= (int)(SAME_BITS_MAX * RUN_MIN); k++)
        sum += distance(&frame[i + k], &frame[j + step * k]);
    return sum <= (int)(SAME_BITS_MAX * RUN_MIN);
}

/* Whether both runs take as long. */
static bool in_time(const bf_stream_frame *frame, int i, int j, int step)
{
    double first = frame[i + RUN_MIN - 1].ms - frame[i].ms;
    double second = fabs(frame[j + step * (RUN_MIN - 1)].ms - frame[j].ms);
    return fabs(first - second) <= 0.15 * fmax(first, second);
}

static double moved_in(const bf_stream_frame *frame, int i)
{
    const int half = RUN_MIN / 2;
    int sum = 0;
    for (int k = 0; k < half; k++)
        sum += distance(&frame[i + k], &frame[i + k + half]);
    return (double)sum / half;
}

/* Adds to the loop when the run from `i` on comes again later. */
static void look_for_again(const bf_stream_frame *frame, int count, int i, bf_stream_loop *loop)
{
    for (int step = 1; step >= -1; step -= 2) {
        int from = step > 0 ? i + LAG_MIN : i + 2 * RUN_MIN, end = step > 0 ? count - RUN_MIN + 1 : count;
        for (int j = from; j < end; j++) {
            if (!run_is_same(frame, i, j, step) || !in_time(frame, i, j, step))
                continue;
            if (loop->frames == 0)
                *loop = (bf_stream_loop){RUN_MIN - 1, frame[i].ms, frame[j].ms - frame[i].ms, step < 0};
            loop->frames++;
            return;
        }
    }
}

/* A part that comes again as nearly as compression lets it, although much moved in it. */
static bf_stream_loop find_near(const bf_stream_frame *frame, int count)
{
    bf_stream_loop loop = {0};
    for (int i = 0; i + 2 * RUN_MIN <= count; i++) {
        if (moved_in(frame, i) >= MOVED_BITS_MIN)
            look_for_again(frame, count, i, &loop);
    }
    return loop;
}

bf_stream_loop bf_stream_find_loop(const bf_stream_frame *frame, int count)
{
    bf_stream_loop loop = find_exact(frame, count);
    return loop.frames > 0 ? loop : find_near(frame, count);
}

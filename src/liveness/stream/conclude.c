/* What the frames of a clip say together. */
#include <math.h>
#include <stdlib.h>

#include "liveness/stream/stream.h"

#define FRAMES_MIN 10
#define SPAN_MS_MIN 1000.0
#define FROZEN_CHANGE_MAX 0.1f /* luma steps; the quietest 1.5 s of live clips have 0.7 */
#define FROZEN_MS_MIN 1500.0   /* dim webcams and busy browsers repeat a frame for up to half a second */
/* Frames of one picture with noise laid over differ by the same amount each time, within a few percent; in live clips
 * the steadiest 1.5 s vary by a third. */
#define STEADY_RATIO_MAX 1.12f
#define STEADY_FRAMES_MIN 12
#define STEADY_CONTRAST_MIN 15.0f /* times the change: in the dark, noise hides what moves */
#define STEADY_DRIFT_MAX 1.1      /* who sits still in a dim room drifts: 1.2 and more */
#define ECHO_HIGH 0.85f
#define ECHO_LOW 0.4f
#define ECHO_CHANGE_MIN 0.7f
#define ECHOES_MIN 12   /* and a quarter of the frames; live clips have up to 2 */
#define CUT_BITS_MIN 50 /* of 256 */
#define CALM_BITS_MAX 16
#define CUT_GAP_MS_MAX 150.0
#define GAP_MS_MIN 1000.0
#define EVEN_MS_MAX 0.02
#define EVEN_FRAMES_MIN 20
#define RESTING_MIN 0.995f

static int fine_distance(const bf_stream_frame *a, const bf_stream_frame *b)
{
    return bf_fingerprint_fine_distance(a->fine, b->fine);
}

/* The longest time without any change; *ret_ms is when it began. */
static double longest_rest(const bf_stream_state *s, double *ret_ms)
{
    double longest = 0, since = s->count > 0 ? s->frame[0].ms : 0;
    for (int i = 1; i < s->count; i++) {
        if (!(s->frame[i].change >= 0 && s->frame[i].change <= FROZEN_CHANGE_MAX))
            since = s->frame[i].ms;
        if (s->frame[i].ms - since > longest) {
            longest = s->frame[i].ms - since;
            *ret_ms = since;
        }
    }
    return longest;
}

/* Whether frames half of the time apart differ by no more than neighbours do: the picture stays where it is. */
static bool is_fixed(const bf_stream_frame *frame, int from, int to)
{
    int half = (to - from) / 2, neighbours = 0, apart = 0;
    for (int i = from; i < to; i++)
        neighbours += fine_distance(&frame[i], &frame[i + 1]);
    for (int i = from; i + half <= to; i++)
        apart += fine_distance(&frame[i], &frame[i + half]);
    return (double)apart / (to - from - half + 1) <= STEADY_DRIFT_MAX * neighbours / (to - from);
}

/* The longest time in which every change is as large as the others, of a picture that stays; *ret_ms is when it
 * began. */
static double longest_steady(const bf_stream_state *s, double *ret_ms)
{
    double longest = 0;
    for (int i = 1; i < s->count; i++) {
        float low = s->frame[i].change, high = low;
        for (int k = i; k < s->count; k++) {
            low = fminf(low, s->frame[k].change);
            high = fmaxf(high, s->frame[k].change);
            if (low <= FROZEN_CHANGE_MAX || high > low * STEADY_RATIO_MAX ||
                s->frame[k].contrast < high * STEADY_CONTRAST_MIN)
                break;
            double ms = s->frame[k].ms - s->frame[i].ms;
            if (k - i + 1 < STEADY_FRAMES_MIN || ms <= longest || !is_fixed(s->frame, i, k))
                continue;
            longest = ms;
            *ret_ms = s->frame[i].ms;
        }
    }
    return longest;
}

/* How often a change that goes on as the one before is followed by one that does not, or the other way round: every
 * second frame is then made of its neighbours. */
static int count_echoes(const bf_stream_state *s)
{
    int count = 0;
    for (int i = 3; i < s->count; i++) {
        float a = s->frame[i - 1].echo, b = s->frame[i].echo;
        count += s->frame[i].change > ECHO_CHANGE_MIN && fmaxf(a, b) > ECHO_HIGH && fminf(a, b) < ECHO_LOW;
    }
    return count;
}

/* Whether between frames i - 1 and i the picture becomes another at once, calm before and calm after. */
static bool is_cut(const bf_stream_state *s, int i)
{
    const bf_stream_frame *f = &s->frame[i];
    if (f->ms - f[-1].ms > CUT_GAP_MS_MAX || fine_distance(f - 1, f) < CUT_BITS_MIN)
        return false;
    for (int k = 1; k <= 2; k++) {
        if (fine_distance(f - k - 1, f - k) > CALM_BITS_MAX || fine_distance(f + k - 1, f + k) > CALM_BITS_MAX ||
            fine_distance(f - 1, f + k) < CUT_BITS_MIN)
            return false;
    }
    return true;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What the times say. */
typedef struct timing {
    double median_ms, largest_ms, largest_at_ms;
    bool even; /* all gaps the same to the last digit */
} timing;

static timing take_timing(const bf_stream_state *s)
{
    double gap[BF_SEQUENCE_FRAMES_MAX];
    timing t = {.even = s->count > EVEN_FRAMES_MIN};
    for (int i = 1; i < s->count; i++) {
        gap[i - 1] = s->frame[i].ms - s->frame[i - 1].ms;
        if (gap[i - 1] > t.largest_ms) {
            t.largest_ms = gap[i - 1];
            t.largest_at_ms = s->frame[i - 1].ms;
        }
    }
    if (s->count < 2)
        return t;
    qsort(gap, (size_t)(s->count - 1), sizeof *gap, by_size);
    t.median_ms = gap[(s->count - 1) / 2];
    t.even = t.even && gap[s->count - 2] - gap[0] <= EVEN_MS_MAX;
    return t;
}

/* Share of the frames whose surroundings rest to the last bit although something moves. */
static double resting_share(const bf_stream_state *s)
{
    int resting = 0, count = 0;
    for (int i = 1; i < s->count; i++) {
        if (s->frame[i].resting < 0 || s->frame[i].change <= FROZEN_CHANGE_MAX)
            continue;
        resting += s->frame[i].resting >= RESTING_MIN;
        count++;
    }
    return count >= FRAMES_MIN ? (double)resting / count : 0;
}

static int equal_neighbours(const bf_stream_state *s)
{
    int count = 0;
    for (int i = 1; i < s->count; i++)
        count += s->frame[i].exact == s->frame[i - 1].exact;
    return count;
}

/* The grave ones: what no camera gives. Each returns what it takes from `raw`. */
static double judge_repeats(const bf_stream_state *s, bf_sequence_evidence *ret)
{
    double at_ms = 0, rest_ms = longest_rest(s, &at_ms), cost = 0;
    bf_figure_add(ret, "rest_ms", rest_ms);
    if (rest_ms >= FROZEN_MS_MIN) {
        bf_finding_add(ret, "frozen", at_ms, rest_ms);
        cost += 3;
    }
    double steady_ms = longest_steady(s, &at_ms);
    if (steady_ms >= FROZEN_MS_MIN) {
        bf_finding_add(ret, "frozen_under_noise", at_ms, steady_ms);
        cost += 2;
    }
    bf_stream_loop loop = bf_stream_find_loop(s->frame, s->count);
    bf_figure_add(ret, "loop_frames", loop.frames);
    if (loop.frames > 0) {
        bf_finding_add(ret, loop.backwards ? "loops_back" : "looped", loop.ms, loop.lag_ms);
        cost += 3;
    }
    int echoes = count_echoes(s);
    bf_figure_add(ret, "echoes", echoes);
    if (echoes >= ECHOES_MIN && echoes * 4 >= s->count) {
        bf_finding_add(ret, "interpolated", -1, (double)echoes / s->count);
        cost += 1.5;
    }
    return cost;
}

static double judge_breaks(const bf_stream_state *s, bf_sequence_evidence *ret)
{
    double cost = 0;
    int cuts = 0;
    for (int i = 3; i + 2 < s->count; i++) {
        if (is_cut(s, i) && cuts++ == 0)
            bf_finding_add(ret, "cut", s->frame[i].ms, fine_distance(&s->frame[i - 1], &s->frame[i]));
    }
    bf_figure_add(ret, "cuts", cuts);
    cost += cuts > 0 ? 1.0 : 0.0;
    if (s->size_changes > 0) {
        bf_finding_add(ret, "size_change", s->size_change_ms, s->size_changes);
        cost += s->burst ? 1.0 : 0.3;
    }
    return cost;
}

/* What honest cameras and browsers do too, only more seldom. */
static double judge_manners(const bf_stream_state *s, bf_sequence_evidence *ret)
{
    double cost = 0, resting = resting_share(s);
    timing t = take_timing(s);
    bf_figure_add(ret, "gap_median_ms", t.median_ms);
    bf_figure_add(ret, "gap_largest_ms", t.largest_ms);
    bf_figure_add(ret, "equal_neighbours", equal_neighbours(s));
    bf_figure_add(ret, "resting_share", resting);
    if (t.largest_ms >= GAP_MS_MIN && t.largest_ms >= 6 * t.median_ms) {
        bf_finding_add(ret, "gap", t.largest_at_ms, t.largest_ms);
        cost += 0.2;
    }
    if (s->burst && t.even) {
        bf_finding_add(ret, "even_times", -1, t.median_ms);
        cost += 0.3;
    }
    if (s->burst && resting >= 0.8) {
        bf_finding_add(ret, "frozen_background", -1, resting);
        cost += 0.7;
    }
    return cost;
}

void bf_stream_conclude(const bf_stream_state *s, bf_sequence_evidence *ret)
{
    if (s->count < FRAMES_MIN || s->frame[s->count - 1].ms - s->frame[0].ms < SPAN_MS_MIN) {
        ret->evidence.status = BF_EVIDENCE_NOT_APPLICABLE;
        ret->evidence.why = "fewer than ten frames or less than a second";
        return;
    }
    double cost = judge_repeats(s, ret) + judge_breaks(s, ret) + judge_manners(s, ret);
    ret->evidence.status = BF_EVIDENCE_PRESENT;
    ret->evidence.raw = 0 - fmin(cost, 4);
}

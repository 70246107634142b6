#include "liveness/challenge/signals.h"

#include <math.h>
#include <string.h>

#define TURN_DEG 14.0F /* people turn by 20 to 50 when asked; those who talk sway by 5 */
#define TILT_DEG 7.5F  /* the pose network sees less of a nod than of a turn */
#define CLOSER_LOG 0.14F
#define LIDS_SHARE 0.30F /* the lids' landmarks seldom meet, even in a closed eye */
#define EYES_AGREE 0.6F
#define EYES_DISAGREE 0.3F
#define LIPS 0.09F /* talking seldom gives more */
#define SMILE_LOG 0.07F
#define LEAK 0.15F /* of a turn that shows as a nod, and the reverse */
/* Pose of the frame at which mouths can still be measured, as a difference from rest. */
#define SMILE_YAW_DEG 12.0F
#define SMILE_PITCH_DEG 9.0F
#define LIPS_YAW_DEG 30.0F
#define LIPS_PITCH_DEG 20.0F
#define POSE_NATS_MAX 6.0F /* beyond, there is hardly a face; see pose_entropy_nats */
/* How far the nose's tip stands out, and how it moves with a nod, per distance from eyes to chin. */
#define NOSE_LENGTH 0.31F
#define NOSE_PER_DEG 0.009F
#define NEIGHBOUR_MS 400.0 /* frames further apart say nothing about each other's noise */
#define LIDS_SPAN_MS 1400.0
#define BEFORE_MS 500.0
#define BEFORE_TILL_MS 100.0 /* nobody has reacted by then */
/* How far people may have settled into another rest during the capture: more, when they hold it. */
#define SHIFT_DEG 6.0F
#define CALM_SHIFT_DEG 10.0F
#define CALM_DEG 4.0F

static float distance(const bf_face *face, int a, int b)
{
    return hypotf(face->landmarks[a].x - face->landmarks[b].x, face->landmarks[a].y - face->landmarks[b].y);
}

static bf_point centre(const bf_face *face, int first)
{
    bf_point sum = {0, 0};
    for (int i = first; i < first + 6; i++) {
        sum.x += face->landmarks[i].x / 6;
        sum.y += face->landmarks[i].y / 6;
    }
    return sum;
}

static bool is_plausible(const bf_sample *s)
{
    return fabsf(s->yaw_deg) <= 180 && fabsf(s->pitch_deg) <= 180 && fabsf(s->nose_yaw_deg) <= 180 &&
           fabsf(s->nose_pitch_deg) <= 1000 && isfinite(s->eyes_log) && isfinite(s->chin_log) && isfinite(s->lids) &&
           isfinite(s->lips) && isfinite(s->smile_log) && isfinite(s->smile_chin_log);
}

static void measure_nose(const bf_face *face, bf_point left, bf_point right, float chin, bf_sample *ret)
{
    float eyes = hypotf(right.x - left.x, right.y - left.y);
    float along_x = (right.x - left.x) / eyes, along_y = (right.y - left.y) / eyes;
    float x = face->landmarks[30].x - (left.x + right.x) / 2, y = face->landmarks[30].y - (left.y + right.y) / 2;
    float across = (x * along_x + y * along_y) / chin, down = (y * along_x - x * along_y) / chin;
    ret->nose_yaw_deg = asinf(fminf(fmaxf(across / NOSE_LENGTH, -1), 1)) * (180 / 3.14159265F);
    ret->nose_pitch_deg = -down / NOSE_PER_DEG;
}

static bool measure(const bf_face *face, bf_sample *ret)
{
    bf_point left = centre(face, 36), right = centre(face, 42);
    float eyes = hypotf(right.x - left.x, right.y - left.y);
    float chin = hypotf((left.x + right.x) / 2 - face->landmarks[8].x, (left.y + right.y) / 2 - face->landmarks[8].y);
    float width = distance(face, 48, 54);
    if (!(eyes > 1 && chin > 1 && width > 1) || !(face->pose_entropy_nats <= POSE_NATS_MAX))
        return false;
    float lids = distance(face, 37, 41) + distance(face, 38, 40) + distance(face, 43, 47) + distance(face, 44, 46);
    float lips = distance(face, 61, 67) + distance(face, 62, 66) + distance(face, 63, 65);
    *ret = (bf_sample){.ms = ret->ms,
                       .yaw_deg = -face->yaw_deg,
                       .pitch_deg = face->pitch_deg,
                       .eyes_log = logf(eyes),
                       .chin_log = logf(chin),
                       .lids = lids / 4 / chin,
                       .eye_open = {face->eye_open_probability[0], face->eye_open_probability[1]},
                       .lips = lips / 3 / chin,
                       .smile_log = logf(width / eyes),
                       .smile_chin_log = logf(width / chin)};
    measure_nose(face, left, right, chin, ret);
    ret->seen = is_plausible(ret);
    return ret->seen;
}

void bf_samples_add(bf_samples *samples, const bf_view *view)
{
    if (samples->count >= BF_SEQUENCE_FRAMES_MAX || !isfinite(view->ms))
        return;
    bf_sample sample = {.ms = view->ms};
    if (view->face && view->face->has_geometry && !measure(view->face, &sample))
        sample = (bf_sample){.ms = view->ms};
    samples->at[samples->count++] = sample;
}

static float median(float *values, int count)
{
    /* Insertion: a few dozen values at most, and sorted ones come often. */
    for (int i = 1; i < count; i++) {
        float value = values[i];
        int k = i;
        for (; k > 0 && values[k - 1] > value; k--)
            values[k] = values[k - 1];
        values[k] = value;
    }
    if (count == 0)
        return NAN;
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The fields of a sample that medians are taken of; the pose comes first. */
static float *field(bf_sample *s, int number)
{
    float *const fields[] = {&s->nose_yaw_deg, &s->nose_pitch_deg, &s->yaw_deg,   &s->pitch_deg,
                             &s->eyes_log,     &s->chin_log,       &s->lids,      &s->eye_open[0],
                             &s->eye_open[1],  &s->lips,           &s->smile_log, &s->smile_chin_log};
    return fields[number];
}

#define FIELDS 12
#define POSE_FIELDS 4

/* The median sample of a stretch of time. `seen` is false when fewer than `least` frames show the face. */
static bf_sample median_between(bf_samples *samples, double from_ms, double until_ms, int least)
{
    bf_sample middle = {.ms = from_ms};
    int count = 0;
    for (int number = 0; number < FIELDS; number++) {
        float values[BF_SEQUENCE_FRAMES_MAX];
        count = 0;
        for (int i = 0; i < samples->count; i++) {
            bf_sample *s = &samples->at[i];
            if (s->seen && s->ms >= from_ms && s->ms <= until_ms)
                values[count++] = *field(s, number);
        }
        if (count < least)
            return middle;
        *field(&middle, number) = median(values, count);
    }
    middle.seen = true;
    return middle;
}

static float range_between(bf_samples *samples, int number, double from_ms, double until_ms)
{
    float low = INFINITY, high = -INFINITY;
    for (int i = 0; i < samples->count; i++) {
        bf_sample *s = &samples->at[i];
        if (!s->seen || s->ms < from_ms || s->ms > until_ms)
            continue;
        low = fminf(low, *field(s, number));
        high = fmaxf(high, *field(s, number));
    }
    return high - low;
}

static bf_sample *neighbour(bf_samples *samples, int i, int step)
{
    int k = i + step;
    bool near = k >= 0 && k < samples->count && samples->at[k].seen &&
                fabs(samples->at[k].ms - samples->at[i].ms) <= NEIGHBOUR_MS;
    return near ? &samples->at[k] : &samples->at[i];
}

static float middle_of(float a, float b, float c)
{
    return fmaxf(fminf(a, b), fminf(fmaxf(a, b), c));
}

/* A pose that leaps for one frame is noise; a leap that stays is kept. */
static void smooth_pose(bf_samples *samples)
{
    for (int number = 0; number < POSE_FIELDS; number++) {
        float smoothed[BF_SEQUENCE_FRAMES_MAX];
        for (int i = 0; i < samples->count; i++)
            smoothed[i] = middle_of(*field(neighbour(samples, i, -1), number), *field(&samples->at[i], number),
                                    *field(neighbour(samples, i, 1), number));
        for (int i = 0; i < samples->count; i++)
            *field(&samples->at[i], number) = smoothed[i];
    }
}

static double median_gap(const bf_samples *samples)
{
    float gaps[BF_SEQUENCE_FRAMES_MAX];
    for (int i = 1; i < samples->count; i++)
        gaps[i - 1] = (float)(samples->at[i].ms - samples->at[i - 1].ms);
    return samples->count > 1 ? (double)median(gaps, samples->count - 1) : 0;
}

static float lids_deviation(const bf_samples *samples, double until_ms)
{
    float values[BF_SEQUENCE_FRAMES_MAX];
    int count = 0;
    for (int i = 0; i < samples->count; i++) {
        if (samples->at[i].seen && samples->at[i].ms <= until_ms)
            values[count++] = fabsf(samples->at[i].lids / samples->rest.lids - 1);
    }
    return count > 0 && samples->rest.lids > 0 ? median(values, count) : INFINITY;
}

void bf_samples_settle(bf_samples *samples, const bf_plan *plan)
{
    smooth_pose(samples);
    samples->frame_gap_ms = median_gap(samples);
    double prompt_ms = plan->step_count > 1 ? plan->step[1].from_ms : plan->duration_ms;
    samples->rest = median_between(samples, -INFINITY, prompt_ms + BEFORE_TILL_MS, 3);
    samples->lids_deviation = samples->rest.seen ? lids_deviation(samples, prompt_ms) : INFINITY;
    samples->before[0] = samples->rest;
    for (int k = 1; k < plan->step_count; k++) {
        double from_ms = plan->step[k].from_ms;
        bf_sample *before = &samples->before[k];
        *before = median_between(samples, from_ms - BEFORE_MS, from_ms + BEFORE_TILL_MS, 2);
        if (!before->seen)
            *before = samples->rest;
        /* Whoever has not come back yet from the last step is not at rest. */
        for (int number = 0; number < POSE_FIELDS; number++) {
            bool calm = range_between(samples, number, from_ms - BEFORE_MS, from_ms + BEFORE_TILL_MS) <= CALM_DEG;
            float shift = fabsf(*field(before, number) - *field(&samples->rest, number));
            if (shift > (calm ? CALM_SHIFT_DEG : SHIFT_DEG))
                *field(before, number) = *field(&samples->rest, number);
        }
    }
}

float bf_strength_degrees(bf_step_type type)
{
    static const float degrees[BF_STEP_TYPE_COUNT] = {[BF_STEP_TURN_LEFT] = TURN_DEG,
                                                      [BF_STEP_TURN_RIGHT] = TURN_DEG,
                                                      [BF_STEP_LOOK_UP] = TILT_DEG,
                                                      [BF_STEP_LOOK_DOWN] = TILT_DEG};
    return degrees[type];
}

/* How far the lids have come down against the second or two around, which a gaze or another light changes more slowly
 * than a blink does. The network's word counts where it knows the eyes at rest as open. */
static float blink_strength(const bf_samples *samples, int i)
{
    float around[BF_SEQUENCE_FRAMES_MAX];
    int count = 0;
    const bf_sample *s = &samples->at[i], *rest = &samples->rest;
    for (int k = 0; k < samples->count; k++) {
        if (samples->at[k].seen && fabs(samples->at[k].ms - s->ms) <= LIDS_SPAN_MS)
            around[count++] = samples->at[k].lids;
    }
    float usual = median(around, count);
    if (!(usual > 0))
        return NAN;
    float strength = (1 - s->lids / usual) / LIDS_SHARE;
    float open = fmaxf(s->eye_open[0], s->eye_open[1]), closed = fminf(s->eye_open[0], s->eye_open[1]);
    if (closed >= 0 && fmaxf(rest->eye_open[0], rest->eye_open[1]) >= 0.8F) {
        strength += open < 0.5F ? EYES_AGREE : 0;
        strength -= closed >= 0.9F ? EYES_DISAGREE : 0;
    }
    return strength;
}

/* What both ways of measuring an angle agree on. */
static float agreed(float network_deg, float nose_deg)
{
    if (network_deg * nose_deg <= 0)
        return 0;
    return fabsf(network_deg) < fabsf(nose_deg) ? network_deg : nose_deg;
}

/* Turning by much, people lift or lower the head a little, and what is measured does so too. */
static float without_leak(float deg, float other_deg)
{
    return copysignf(fmaxf(fabsf(deg) - LEAK * fabsf(other_deg), 0), deg);
}

static float raw_yaw(const bf_sample *s, const bf_sample *before)
{
    return agreed(s->yaw_deg - before->yaw_deg, s->nose_yaw_deg - before->nose_yaw_deg);
}

static float raw_pitch(const bf_sample *s, const bf_sample *before)
{
    return agreed(s->pitch_deg - before->pitch_deg, s->nose_pitch_deg - before->nose_pitch_deg);
}

static float yaw_from(const bf_sample *s, const bf_sample *before)
{
    return without_leak(raw_yaw(s, before), raw_pitch(s, before));
}

static float pitch_from(const bf_sample *s, const bf_sample *before)
{
    return without_leak(raw_pitch(s, before), raw_yaw(s, before));
}

static float mouth_strength(const bf_sample *s, const bf_sample *rest, const bf_sample *before, bf_step_type type)
{
    float yaw = fabsf(yaw_from(s, before)), pitch = fabsf(pitch_from(s, before));
    if (type == BF_STEP_OPEN_MOUTH)
        return yaw > LIPS_YAW_DEG || pitch > LIPS_PITCH_DEG ? NAN : (s->lips - rest->lips) / LIPS;
    if (yaw > SMILE_YAW_DEG || pitch > SMILE_PITCH_DEG)
        return NAN;
    return fminf(s->smile_log - rest->smile_log, s->smile_chin_log - rest->smile_chin_log) / SMILE_LOG;
}

static float strength_of(const bf_samples *samples, int i, const bf_sample *before, bf_step_type type)
{
    const bf_sample *s = &samples->at[i];
    switch (type) {
    case BF_STEP_TURN_LEFT:
        return yaw_from(s, before) / TURN_DEG;
    case BF_STEP_TURN_RIGHT:
        return -yaw_from(s, before) / TURN_DEG;
    case BF_STEP_LOOK_UP:
        return pitch_from(s, before) / TILT_DEG;
    case BF_STEP_LOOK_DOWN:
        return -pitch_from(s, before) / TILT_DEG;
    case BF_STEP_MOVE_CLOSER:
        /* A turn shortens one of the two, coming closer lengthens both. */
        return fminf(s->eyes_log - before->eyes_log, s->chin_log - before->chin_log) / CLOSER_LOG;
    case BF_STEP_BLINK:
        return blink_strength(samples, i);
    case BF_STEP_SMILE:
    case BF_STEP_OPEN_MOUTH:
        return mouth_strength(s, &samples->rest, before, type);
    case BF_STEP_HOLD_STILL:
    case BF_STEP_TYPE_COUNT:
        break;
    }
    return NAN;
}

void bf_samples_strength(const bf_samples *samples, const bf_plan *plan, bf_step_type type,
                         float ret[BF_SEQUENCE_FRAMES_MAX])
{
    int step = 0;
    for (int i = 0; i < samples->count; i++) {
        while (step + 1 < plan->step_count && samples->at[i].ms >= plan->step[step + 1].from_ms)
            step++;
        ret[i] = samples->at[i].seen ? strength_of(samples, i, &samples->before[step], type) : NAN;
    }
}

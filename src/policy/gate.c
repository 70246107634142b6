/* The quality gate: thresholds applied to measures, and what to say to the person. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/words.h"
#include "policy/rules.h"

/* Measures that can be wrong in two directions. Their 0..100 value falls on both sides of the pivot, so the native
 * value has to tell which side it is. */
typedef struct two_sided {
    bf_measure_id id;
    double pivot; /* native value between too little and too much; INFINITY: only native bounds tell */
    bf_guidance low, high;
} two_sided;

static const two_sided TWO_SIDED[] = {
    {BF_MEASURE_SINGLE_FACE_PRESENT, 1.0, BF_GUIDANCE_SHOW_FACE, BF_GUIDANCE_ONE_PERSON_ONLY},
    {BF_MEASURE_INTER_EYE_DISTANCE, INFINITY, BF_GUIDANCE_MOVE_CLOSER, BF_GUIDANCE_MOVE_BACK},
    {BF_MEASURE_HEAD_SIZE, 0.45, BF_GUIDANCE_MOVE_CLOSER, BF_GUIDANCE_MOVE_BACK},
    {BF_MEASURE_LUMINANCE_MEAN, 0.5, BF_GUIDANCE_FIND_MORE_LIGHT, BF_GUIDANCE_REDUCE_LIGHT},
    {BF_MEASURE_LUMINANCE_VARIANCE, 1.0 / 60.0, BF_GUIDANCE_FIND_MORE_LIGHT, BF_GUIDANCE_LIGHT_FROM_FRONT},
};

/* What to put right first: who is in the picture, where, in which light, how held, then the finer things. */
static const bf_measure_id ORDER[] = {
    BF_MEASURE_SINGLE_FACE_PRESENT,
    BF_MEASURE_LEFTWARD_CROP,
    BF_MEASURE_RIGHTWARD_CROP,
    BF_MEASURE_MARGIN_ABOVE,
    BF_MEASURE_MARGIN_BELOW,
    BF_MEASURE_HEAD_SIZE,
    BF_MEASURE_INTER_EYE_DISTANCE,
    BF_MEASURE_BACKLIGHT_PREVENTION,
    BF_MEASURE_LUMINANCE_MEAN,
    BF_MEASURE_UNDER_EXPOSURE_PREVENTION,
    BF_MEASURE_OVER_EXPOSURE_PREVENTION,
    BF_MEASURE_ILLUMINATION_UNIFORMITY,
    BF_MEASURE_LUMINANCE_VARIANCE,
    BF_MEASURE_DYNAMIC_RANGE,
    BF_MEASURE_HEAD_POSE_YAW,
    BF_MEASURE_HEAD_POSE_PITCH,
    BF_MEASURE_HEAD_POSE_ROLL,
    BF_MEASURE_FACE_OCCLUSION_PREVENTION,
    BF_MEASURE_EYES_VISIBLE,
    BF_MEASURE_EYES_OPEN,
    BF_MEASURE_MOUTH_CLOSED,
    BF_MEASURE_SHARPNESS,
    BF_MEASURE_NATURAL_COLOUR,
    BF_MEASURE_RESOLUTION,
    BF_MEASURE_COMPRESSION_ARTIFACTS,
};
_Static_assert(sizeof ORDER / sizeof *ORDER == BF_MEASURE_COUNT, "every measure has its place in the order");

static const two_sided *find_two_sided(bf_measure_id id)
{
    for (size_t i = 0; i < sizeof TWO_SIDED / sizeof *TWO_SIDED; i++) {
        if (TWO_SIDED[i].id == id)
            return &TWO_SIDED[i];
    }
    return NULL;
}

bf_guidance bf_gate_guidance_low(bf_measure_id id)
{
    const two_sided *sides = find_two_sided(id);
    return sides ? sides->low : bf_measure_guidance(id);
}

bf_guidance bf_gate_guidance_high(bf_measure_id id)
{
    const two_sided *sides = find_two_sided(id);
    return sides ? sides->high : bf_measure_guidance(id);
}

void bf_guidance_add(bf_policy_output *output, bf_guidance code)
{
    for (int i = 0; i < output->guidance_count; i++) {
        if (output->guidance[i] == code)
            return;
    }
    if (output->guidance_count < BF_GUIDANCES_MAX)
        output->guidance[output->guidance_count++] = code;
}

typedef enum fault { FAULT_NONE, FAULT_LOW, FAULT_HIGH, FAULT_NOT_ASSESSED } fault;

static fault measure_fault(bf_measure_id id, const bf_measure_gate *gate, const bf_measure *measure)
{
    if (measure->status != BF_MEASURE_ASSESSED || isnan(measure->native))
        return gate->optional ? FAULT_NONE : FAULT_NOT_ASSESSED;
    if (measure->native < gate->native_min)
        return FAULT_LOW;
    if (measure->native > gate->native_max)
        return FAULT_HIGH;
    if (measure->value >= gate->value_min)
        return FAULT_NONE;
    const two_sided *sides = find_two_sided(id);
    return sides && measure->native > sides->pivot ? FAULT_HIGH : FAULT_LOW;
}

static bool guidance_has(const bf_policy_output *output, bf_guidance code)
{
    for (int i = 0; i < output->guidance_count; i++) {
        if (output->guidance[i] == code)
            return true;
    }
    return false;
}

/* Two pieces of advice that contradict each other become the one that helps: a face that is too large and yet has too
 * few pixels needs a better camera; a face both too dark and too bright needs light from the front. */
static void settle(bf_policy_output *output, bf_guidance one, bf_guidance other, bf_guidance instead)
{
    if (!guidance_has(output, one) || !guidance_has(output, other))
        return;
    bf_guidance old[BF_GUIDANCES_MAX];
    int count = output->guidance_count;
    memcpy(old, output->guidance, sizeof old);
    output->guidance_count = 0;
    for (int i = 0; i < count; i++)
        bf_guidance_add(output, old[i] == one || old[i] == other ? instead : old[i]);
}

/* A wrong number of faces is said as such, any other fault is one of quality. */
static bf_capture capture_after(bf_capture so_far, bf_measure_id id, fault found)
{
    if (id == BF_MEASURE_SINGLE_FACE_PRESENT && found == FAULT_HIGH)
        return BF_CAPTURE_MULTIPLE_FACES;
    if (id == BF_MEASURE_SINGLE_FACE_PRESENT && found == FAULT_LOW)
        return BF_CAPTURE_NO_FACE;
    return so_far == BF_CAPTURE_OK ? BF_CAPTURE_LOW_QUALITY : so_far;
}

bf_gate_result bf_policy_gate_apply(const bf_policy_settings *settings, const bf_quality *quality,
                                    bf_policy_output *ret)
{
    bf_gate_result result = {.passed = true, .capture = BF_CAPTURE_OK};
    for (int i = 0; i < BF_MEASURE_COUNT; i++) {
        bf_measure_id id = ORDER[i];
        const bf_measure_gate *gate = &settings->gate[id];
        fault found = gate->used ? measure_fault(id, gate, &quality->measure[id]) : FAULT_NONE;
        if (found == FAULT_NONE)
            continue;
        ret->measure_failed[id] = true;
        result.passed = false;
        result.capture = capture_after(result.capture, id, found);
        if (found != FAULT_NOT_ASSESSED)
            bf_guidance_add(ret, found == FAULT_HIGH ? gate->guidance_high : gate->guidance);
    }
    settle(ret, BF_GUIDANCE_MOVE_CLOSER, BF_GUIDANCE_MOVE_BACK, BF_GUIDANCE_USE_BETTER_CAMERA);
    settle(ret, BF_GUIDANCE_FIND_MORE_LIGHT, BF_GUIDANCE_REDUCE_LIGHT, BF_GUIDANCE_LIGHT_FROM_FRONT);
    if (!result.passed && ret->guidance_count == 0)
        bf_guidance_add(ret, BF_GUIDANCE_TRY_AGAIN);
    return result;
}

const bf_policy_settings *bf_policy_settings_of(const bf_policy *policy, bf_channel channel)
{
    bool known = (int)channel >= 0 && (int)channel < BF_CHANNEL_COUNT;
    return &policy->settings[known ? channel : BF_CHANNEL_UNSPECIFIED];
}

bf_policy_bands bf_policy_bands_of(const bf_policy *policy, bf_channel channel)
{
    const bf_policy_settings *settings = bf_policy_settings_of(policy, channel);
    return (bf_policy_bands){.pass = settings->pass,
                             .uncertain = settings->uncertain,
                             .match_required = settings->match_required,
                             .strong = settings->strong,
                             .weak = settings->weak};
}

double bf_gate_good_native(const bf_measure_gate *gate)
{
    bool low = gate->used && !isinf(gate->native_min), high = gate->used && !isinf(gate->native_max);
    if (low && high)
        return (gate->native_min + gate->native_max) / 2;
    if (low)
        return gate->native_min;
    return high ? gate->native_max : 0.0;
}

void bf_policy_quality_passing(const bf_policy *policy, bf_channel channel, bf_quality *ret)
{
    const bf_policy_settings *settings = bf_policy_settings_of(policy, channel);
    for (int i = 0; i < BF_MEASURE_COUNT; i++)
        ret->measure[i] = (bf_measure){BF_MEASURE_ASSESSED, bf_gate_good_native(&settings->gate[i]), 100};
}

bool bf_policy_gate(const bf_policy *policy, bf_channel channel, const bf_quality *quality, bf_policy_output *ret)
{
    *ret = (bf_policy_output){0};
    if (!quality) {
        bf_guidance_add(ret, BF_GUIDANCE_SHOW_FACE);
        return false;
    }
    ret->quality_passed = bf_policy_gate_apply(bf_policy_settings_of(policy, channel), quality, ret).passed;
    return ret->quality_passed;
}

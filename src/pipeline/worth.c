#include "pipeline/worth.h"

#include <math.h>

/* Further away from the camera than this, a face is not looked at closely, whatever the rest of the picture is like. */
#define TURN_MAX_DEG 35.0f

/* What makes one frame of a capture better than another. */
static const bf_measure_id COUNTED[] = {
    BF_MEASURE_SHARPNESS,          BF_MEASURE_HEAD_POSE_YAW,       BF_MEASURE_HEAD_POSE_PITCH,
    BF_MEASURE_HEAD_POSE_ROLL,     BF_MEASURE_EYES_OPEN,           BF_MEASURE_MOUTH_CLOSED,
    BF_MEASURE_INTER_EYE_DISTANCE, BF_MEASURE_LUMINANCE_MEAN,      BF_MEASURE_ILLUMINATION_UNIFORMITY,
    BF_MEASURE_NATURAL_COLOUR,     BF_MEASURE_SINGLE_FACE_PRESENT,
};

bf_worth bf_frame_worth(const bf_policy *policy, bf_channel channel, const bf_quality_input *input)
{
    const bf_face *face = &input->faces->face[0];
    float turn = fmaxf(fabsf(face->yaw_deg), fabsf(face->pitch_deg));
    if (!(turn <= TURN_MAX_DEG))
        return (bf_worth){false, -1e4 - (isfinite(turn) ? (double)turn : 1e4)};
    bf_quality quality;
    bf_policy_output gate;
    bf_quality_measure(input, &quality);
    bool passes = bf_policy_gate(policy, channel, &quality, &gate);
    double sum = 0;
    for (size_t i = 0; i < sizeof COUNTED / sizeof *COUNTED; i++) {
        const bf_measure *measure = &quality.measure[COUNTED[i]];
        sum += measure->status == BF_MEASURE_ASSESSED ? measure->value : 0;
    }
    int missed = 0;
    for (int i = 0; i < BF_MEASURE_COUNT; i++)
        missed += gate.measure_failed[i];
    const size_t counted = sizeof COUNTED / sizeof *COUNTED;
    double mean = sum / (double)counted;
    return (bf_worth){passes, mean - 100.0 * missed};
}

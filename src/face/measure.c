/* Landmarks, pose and eyes of one face. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "face/crop.h"
#include "face/find.h"

static bf_status run_on_rect(bf_net_run *run, const bf_manifest *m, const bf_image *image, bf_rect rect, bf_error *err)
{
    bf_tensor_from_rect(image, rect, false, &m->input, bf_net_input(run));
    return bf_net_execute(run, err);
}

static bf_status measure_landmarks(const bf_face_runs *runs, const bf_image *image, bf_face *face, bf_error *err)
{
    const bf_manifest *m = runs->landmarks_manifest;
    bf_rect rect = bf_crop_rect(m, image, face->box);
    bf_status status = run_on_rect(runs->landmarks, m, image, rect, err);
    if (status != BF_OK)
        return status;
    size_t count = 0;
    const float *points = bf_net_output(runs->landmarks, 0, &count);
    if (count != 2 * BF_LANDMARKS)
        return bf_fail(err, BF_MODEL_INVALID, "The landmark model %s gives %zu numbers instead of %d.", m->name, count,
                       2 * BF_LANDMARKS);
    for (int i = 0; i < BF_LANDMARKS; i++) {
        face->landmarks[i].x = rect.x0 + points[2 * i] * bf_rect_width(rect);
        face->landmarks[i].y = rect.y0 + points[2 * i + 1] * bf_rect_height(rect);
    }
    return BF_OK;
}

/* Expected value over the bins, sum of softmax(p)_i * i, in degrees; adds the entropy of p to *entropy_nats. */
static float binned_angle(const float *logits, size_t count, const bf_manifest *m, float *entropy_nats)
{
    double highest = (double)logits[0], total = 0, weighted = 0, energy = 0;
    for (size_t i = 1; i < count; i++)
        highest = fmax(highest, (double)logits[i]);
    for (size_t i = 0; i < count; i++) {
        double p = exp((double)logits[i] - highest);
        total += p;
        weighted += p * (double)i;
        energy += p * ((double)logits[i] - highest);
    }
    *entropy_nats += (float)(log(total) - energy / total);
    return (float)(weighted / total * (double)m->bin_deg + (double)m->offset_deg);
}

static bf_status measure_pose(const bf_face_runs *runs, const bf_image *image, bf_face *face, bf_error *err)
{
    const bf_manifest *m = runs->pose_manifest;
    bf_status status = run_on_rect(runs->pose, m, image, bf_crop_rect(m, image, face->box), err);
    if (status != BF_OK)
        return status;
    face->pose_entropy_nats = 0;
    float *angles[3] = {&face->yaw_deg, &face->pitch_deg, &face->roll_deg};
    for (int i = 0; i < 3; i++) {
        size_t count = 0;
        const float *logits = bf_net_output(runs->pose, i, &count);
        if (count == 0 || count > BF_MODEL_BINS_MAX)
            return bf_fail(err, BF_MODEL_INVALID, "The pose model %s gives %zu bins.", m->name, count);
        *angles[i] = m->angle_signs[i] * binned_angle(logits, count, m, &face->pose_entropy_nats);
    }
    return BF_OK;
}

static bf_status measure_eyes(const bf_face_runs *runs, const bf_image *image, bf_face *face, bf_error *err)
{
    const bf_manifest *m = runs->eye_state_manifest;
    for (int eye = 0; eye < 2; eye++) {
        bf_status status = run_on_rect(runs->eye_state, m, image, bf_crop_eye_rect(m, face, eye), err);
        if (status != BF_OK)
            return status;
        size_t count = 0;
        const float *logits = bf_net_output(runs->eye_state, 0, &count);
        if ((size_t)m->positive_class >= count)
            return bf_fail(err, BF_MODEL_INVALID, "The eye model %s gives %zu classes.", m->name, count);
        double total = 0;
        for (size_t i = 0; i < count; i++)
            total += exp((double)logits[i] - (double)logits[m->positive_class]);
        face->eye_open_probability[eye] = (float)(1 / total);
    }
    return BF_OK;
}

bf_status bf_face_measure(const bf_face_runs *runs, const bf_image *image, bf_face *face, bf_error *err)
{
    bf_face measured = *face;
    bf_status status = measure_landmarks(runs, image, &measured, err);
    if (status == BF_OK)
        status = measure_pose(runs, image, &measured, err);
    if (status == BF_OK && runs->eye_state)
        status = measure_eyes(runs, image, &measured, err);
    if (status != BF_OK)
        return status;
    bf_point left = bf_face_eye_centre(&measured, 0), right = bf_face_eye_centre(&measured, 1);
    measured.inter_eye_px = hypotf(right.x - left.x, right.y - left.y);
    measured.has_geometry = true;
    *face = measured;
    return BF_OK;
}

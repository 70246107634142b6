#include "quality/quality.h"

#include <math.h>
#include <string.h>

#include "quality/measure.h"

_Static_assert(BF_FACE_OUTLINE_MAX == BF_CONVEX_POINTS_MAX, "an outline holds any hull");

static bf_measure_fn *const measures[BF_MEASURE_COUNT] = {
    [BF_MEASURE_SINGLE_FACE_PRESENT] = bf_measure_single_face,
    [BF_MEASURE_INTER_EYE_DISTANCE] = bf_measure_inter_eye_distance,
    [BF_MEASURE_HEAD_SIZE] = bf_measure_head_size,
    [BF_MEASURE_LEFTWARD_CROP] = bf_measure_leftward_crop,
    [BF_MEASURE_RIGHTWARD_CROP] = bf_measure_rightward_crop,
    [BF_MEASURE_MARGIN_ABOVE] = bf_measure_margin_above,
    [BF_MEASURE_MARGIN_BELOW] = bf_measure_margin_below,
    [BF_MEASURE_LUMINANCE_MEAN] = bf_measure_luminance_mean,
    [BF_MEASURE_LUMINANCE_VARIANCE] = bf_measure_luminance_variance,
    [BF_MEASURE_UNDER_EXPOSURE_PREVENTION] = bf_measure_under_exposure,
    [BF_MEASURE_OVER_EXPOSURE_PREVENTION] = bf_measure_over_exposure,
    [BF_MEASURE_DYNAMIC_RANGE] = bf_measure_dynamic_range,
    [BF_MEASURE_ILLUMINATION_UNIFORMITY] = bf_measure_illumination_uniformity,
    [BF_MEASURE_BACKLIGHT_PREVENTION] = bf_measure_backlight,
    [BF_MEASURE_SHARPNESS] = bf_measure_sharpness,
    [BF_MEASURE_COMPRESSION_ARTIFACTS] = bf_measure_compression_artifacts,
    [BF_MEASURE_NATURAL_COLOUR] = bf_measure_natural_colour,
    [BF_MEASURE_EYES_OPEN] = bf_measure_eyes_open,
    [BF_MEASURE_MOUTH_CLOSED] = bf_measure_mouth_closed,
    [BF_MEASURE_HEAD_POSE_YAW] = bf_measure_head_pose_yaw,
    [BF_MEASURE_HEAD_POSE_PITCH] = bf_measure_head_pose_pitch,
    [BF_MEASURE_HEAD_POSE_ROLL] = bf_measure_head_pose_roll,
    [BF_MEASURE_EYES_VISIBLE] = bf_measure_eyes_visible,
    [BF_MEASURE_FACE_OCCLUSION_PREVENTION] = bf_measure_face_occlusion,
    [BF_MEASURE_RESOLUTION] = bf_measure_resolution,
};

bf_measure_fn *bf_measure_function(bf_measure_id id)
{
    return measures[id];
}

double bf_sigmoid(double x, double x0, double w)
{
    return 1 / (1 + exp(-(x - x0) / w));
}

void bf_measure_set(bf_measure *ret, double native, double value)
{
    if (!isfinite(native) || isnan(value))
        return;
    ret->status = BF_MEASURE_ASSESSED;
    ret->native = native;
    ret->value = (int)round(fmin(fmax(value, 0), 100));
}

static bool input_usable(const bf_quality_input *input)
{
    const bf_image *rgb = input->rgb;
    return rgb != NULL && rgb->pixels != NULL && rgb->channels == 3 && rgb->width > 0 && rgb->height > 0;
}

void bf_quality_measure(const bf_quality_input *input, bf_quality *ret)
{
    bf_quality_view view;
    memset(ret, 0, sizeof *ret);
    if (!input_usable(input))
        return;
    view.input = input;
    view.face = input->faces != NULL && input->faces->count > 0 ? &input->faces->face[0] : NULL;
    view.geometry.usable = false;
    view.grid.count = 0;
    if (view.face != NULL)
        bf_face_geometry_from(view.face, &view.geometry);
    if (view.geometry.usable)
        bf_face_grid_fill(input->rgb, &view.geometry, &view.grid);
    for (int id = 0; id < BF_MEASURE_COUNT; id++)
        measures[id](&view, &ret->measure[id]);
}

int bf_quality_face_outline(const bf_face *face, bf_point ret[BF_FACE_OUTLINE_MAX])
{
    bf_face_geometry geometry;
    bf_face_geometry_from(face, &geometry);
    if (!geometry.usable || geometry.face.count < 3)
        return 0;
    for (int i = 0; i < geometry.face.count; i++)
        ret[i] = geometry.face.corner[i];
    return geometry.face.count;
}

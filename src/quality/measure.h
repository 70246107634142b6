/* Inside of quality/: what a measure gets and how it answers. */
#ifndef BF_QUALITY_MEASURE_H
#define BF_QUALITY_MEASURE_H

#include "quality/geometry.h"
#include "quality/grid.h"
#include "quality/quality.h"

/* Everything prepared once for all measures. */
typedef struct bf_quality_view {
    const bf_quality_input *input;
    const bf_face *face;       /* the primary face; NULL when none was found */
    bf_face_geometry geometry; /* usable or not; the measures ask */
    bf_face_grid grid;         /* count is 0 when the geometry is not usable */
} bf_quality_view;

/* A measure sets *ret through bf_measure_set, or leaves it as it is (not assessed). */
typedef void bf_measure_fn(const bf_quality_view *view, bf_measure *ret);

/* The function that computes measure `id`. */
bf_measure_fn *bf_measure_function(bf_measure_id id);

/* s(x; x0, w) of ISO/IEC 29794-5: 1 / (1 + exp(-(x - x0) / w)). */
double bf_sigmoid(double x, double x0, double w);

/* Assesses: `value` is clamped to 0..100 and rounded, halves away from zero. A native value that is no finite number,
 * or a value that is none, leaves the measure not assessed. */
void bf_measure_set(bf_measure *ret, double native, double value);

bf_measure_fn bf_measure_single_face, bf_measure_inter_eye_distance, bf_measure_head_size;
bf_measure_fn bf_measure_leftward_crop, bf_measure_rightward_crop, bf_measure_margin_above, bf_measure_margin_below;
bf_measure_fn bf_measure_luminance_mean, bf_measure_luminance_variance;
bf_measure_fn bf_measure_under_exposure, bf_measure_over_exposure, bf_measure_dynamic_range;
bf_measure_fn bf_measure_illumination_uniformity, bf_measure_backlight, bf_measure_sharpness;
bf_measure_fn bf_measure_compression_artifacts, bf_measure_natural_colour;
bf_measure_fn bf_measure_eyes_open, bf_measure_mouth_closed;
bf_measure_fn bf_measure_head_pose_yaw, bf_measure_head_pose_pitch, bf_measure_head_pose_roll;
bf_measure_fn bf_measure_eyes_visible, bf_measure_face_occlusion, bf_measure_resolution;

#endif

#include "face/crop.h"

#include <math.h>

#define LEFT_EYE_FIRST 36
#define RIGHT_EYE_FIRST 42
#define EYE_POINTS 6
#define NOSE_TIP 30
#define MOUTH_LEFT 48
#define MOUTH_RIGHT 54

static int eye_first(int eye)
{
    return eye == 0 ? LEFT_EYE_FIRST : RIGHT_EYE_FIRST;
}

static bf_rect rect_about(float cx, float cy, float width, float height)
{
    return (bf_rect){cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
}

/* Moves the interval [*low, *high) inside 0..limit; it is known to fit. */
static void shift_inside(float *low, float *high, float limit)
{
    float shift = *low < 0 ? -*low : *high > limit ? limit - *high : 0;
    *low += shift;
    *high += shift;
}

/* Shrinking the factor instead of cutting keeps the face in the middle and undistorted, as the networks of this
 * family were trained. */
static bf_rect grown_box(const bf_image *image, bf_rect box, float factor)
{
    float width = bf_rect_width(box), height = bf_rect_height(box);
    float fit = fminf((float)image->width / width, (float)image->height / height);
    float scale = fminf(factor, fit);
    bf_rect rect = rect_about((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, width * scale, height * scale);
    shift_inside(&rect.x0, &rect.x1, (float)image->width);
    shift_inside(&rect.y0, &rect.y1, (float)image->height);
    return rect;
}

/* The smallest rectangle of the tensor's shape that holds the whole image in its middle. */
static bf_rect fitted_image(const bf_tensor_spec *spec, const bf_image *image)
{
    float width = (float)image->width, height = (float)image->height, aspect = (float)spec->width / (float)spec->height;
    float fitted = fmaxf(width, height * aspect);
    return rect_about(width / 2, height / 2, fitted, fitted / aspect);
}

bf_rect bf_crop_rect(const bf_manifest *manifest, const bf_image *image, bf_rect box)
{
    float cx = (box.x0 + box.x1) / 2, cy = (box.y0 + box.y1) / 2;
    float side = manifest->crop_factor * bf_rect_height(box);
    switch (manifest->crop) {
    case BF_CROP_SQUARE:
        return rect_about(cx, cy, side, side);
    case BF_CROP_BOX:
        return grown_box(image, box, manifest->crop_factor);
    case BF_CROP_SQUARE_INSIDE:
        return grown_box(image, rect_about(cx, cy, bf_rect_height(box), bf_rect_height(box)), manifest->crop_factor);
    case BF_CROP_WHOLE_FIT:
        return fitted_image(&manifest->input, image);
    case BF_CROP_WHOLE:
    case BF_CROP_ALIGNED_5:
    case BF_CROP_EYE:
        break;
    }
    return (bf_rect){0, 0, (float)image->width, (float)image->height};
}

bf_point bf_face_eye_centre(const bf_face *face, int eye)
{
    bf_point sum = {0, 0};
    for (int i = 0; i < EYE_POINTS; i++) {
        sum.x += face->landmarks[eye_first(eye) + i].x / EYE_POINTS;
        sum.y += face->landmarks[eye_first(eye) + i].y / EYE_POINTS;
    }
    return sum;
}

bf_rect bf_crop_eye_rect(const bf_manifest *manifest, const bf_face *face, int eye)
{
    bf_point inner = face->landmarks[eye_first(eye)], outer = face->landmarks[eye_first(eye) + 3];
    float side = manifest->crop_factor * hypotf(outer.x - inner.x, outer.y - inner.y);
    bf_point centre = bf_face_eye_centre(face, eye);
    return rect_about(centre.x, centre.y, side, side);
}

bf_affine bf_crop_aligned(const bf_manifest *manifest, const bf_face *face)
{
    const bf_point points[5] = {bf_face_eye_centre(face, 0), bf_face_eye_centre(face, 1), face->landmarks[NOSE_TIP],
                                face->landmarks[MOUTH_LEFT], face->landmarks[MOUTH_RIGHT]};
    return bf_affine_invert(bf_similarity_fit(points, manifest->template_points, 5));
}

/* Conformance: drawn scenes x measures, each with its value and tolerance. A change of a measure shows here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/words.h"
#include "quality/quality.h"
#include "support/synthetic_face.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bf_quality measure_scene(const scene *s)
{
    bf_image image;
    bf_faces faces;
    bf_quality quality;
    scene_draw(s, &image, &faces);
    const bf_quality_input input = {&image, &faces, NULL};
    bf_quality_measure(&input, &quality);
    scene_free(&image);
    return quality;
}

typedef enum scene_id {
    PLAIN,
    BLURRED,
    NOISY,
    DARK,
    BLOWN_OUT,
    SIDE_LIT,
    BACKLIT,
    BLUE_LIGHT,
    FAR_AWAY,
    CUT_OFF,
    TURNED,
    EYES_SHUT,
    MOUTH_OPEN,
    SUNGLASSES,
    ONE_LENS,
    CLEAR_GLASSES,
    GLARE,
    WHITE_MASK,
    BLUE_MASK,
    BLACK_MASK,
    BEARD,
    DARK_SKIN,
    SCENE_COUNT
} scene_id;

static void light_of(scene_id id, scene *s)
{
    switch (id) {
    case DARK:
        s->brightness = 0.15;
        break;
    case BLOWN_OUT:
        s->brightness = 2.2;
        break;
    case SIDE_LIT:
        s->side_light = 0.9;
        break;
    case BACKLIT:
        s->brightness = 0.3, s->background = 800;
        break;
    case BLUE_LIGHT:
        s->cast[0] = 0.7, s->cast[2] = 1.6;
        break;
    case DARK_SKIN:
        s->skin[0] = 92, s->skin[1] = 62, s->skin[2] = 48, s->background = 220;
        break;
    default:
        break;
    }
}

static void cover_of(scene_id id, scene *s)
{
    static const scene_cover covers[SCENE_COUNT] = {
        [SUNGLASSES] = COVER_SUNGLASSES,       [ONE_LENS] = COVER_LEFT_LENS,
        [CLEAR_GLASSES] = COVER_CLEAR_GLASSES, [GLARE] = COVER_GLARE,
        [WHITE_MASK] = COVER_MASK_WHITE,       [BLUE_MASK] = COVER_MASK_BLUE,
        [BLACK_MASK] = COVER_MASK_BLACK,       [BEARD] = COVER_BEARD};
    s->cover = covers[id];
}

static scene scene_of(scene_id id)
{
    scene s = scene_default();
    light_of(id, &s);
    cover_of(id, &s);
    switch (id) {
    case BLURRED:
        s.blur_px = 6;
        break;
    case NOISY:
        s.noise = 10;
        break;
    case FAR_AWAY:
        s.inter_eye_px = 24;
        break;
    case CUT_OFF:
        s.centre_x = 60, s.centre_y = 40;
        break;
    case TURNED:
        s.roll_deg = 25, s.yaw_deg = -40, s.pitch_deg = 20;
        break;
    case EYES_SHUT:
        s.eye_opening = 0.01;
        break;
    case MOUTH_OPEN:
        s.mouth_opening = 0.5;
        break;
    default:
        break;
    }
    return s;
}

/* One row: a scene, a measure, the 0..100 value and how far off it may be. */
typedef struct conformance {
    scene_id scene;
    bf_measure_id measure;
    int value, tolerance;
} conformance;

static const conformance table[] = {
#define ROW(scene, measure, value, tolerance)                                                                          \
    {                                                                                                                  \
        scene, BF_MEASURE_##measure, value, tolerance                                                                  \
    }
    ROW(PLAIN, SINGLE_FACE_PRESENT, 100, 0),
    ROW(PLAIN, INTER_EYE_DISTANCE, 73, 0),
    ROW(PLAIN, HEAD_SIZE, 27, 1),
    ROW(PLAIN, LEFTWARD_CROP, 100, 0),
    ROW(PLAIN, RIGHTWARD_CROP, 100, 0),
    ROW(PLAIN, MARGIN_ABOVE, 15, 1),
    ROW(PLAIN, MARGIN_BELOW, 10, 1),
    ROW(PLAIN, LUMINANCE_MEAN, 99, 1),
    ROW(PLAIN, LUMINANCE_VARIANCE, 99, 2),
    ROW(PLAIN, UNDER_EXPOSURE_PREVENTION, 100, 0),
    ROW(PLAIN, OVER_EXPOSURE_PREVENTION, 100, 0),
    ROW(PLAIN, DYNAMIC_RANGE, 72, 3),
    ROW(PLAIN, ILLUMINATION_UNIFORMITY, 99, 1),
    ROW(PLAIN, BACKLIGHT_PREVENTION, 99, 1),
    ROW(PLAIN, SHARPNESS, 100, 1),
    ROW(PLAIN, COMPRESSION_ARTIFACTS, 100, 2),
    ROW(PLAIN, NATURAL_COLOUR, 100, 0),
    ROW(PLAIN, EYES_OPEN, 100, 0),
    ROW(PLAIN, MOUTH_CLOSED, 96, 0),
    ROW(PLAIN, HEAD_POSE_YAW, 100, 0),
    ROW(PLAIN, EYES_VISIBLE, 99, 1),
    ROW(PLAIN, FACE_OCCLUSION_PREVENTION, 100, 2),
    ROW(PLAIN, RESOLUTION, 88, 0),
    ROW(BLURRED, SHARPNESS, 15, 8),
    ROW(BLURRED, LUMINANCE_MEAN, 99, 1),
    ROW(BLURRED, EYES_VISIBLE, 98, 2),
    ROW(NOISY, SHARPNESS, 100, 2),
    ROW(NOISY, FACE_OCCLUSION_PREVENTION, 89, 5),
    ROW(DARK, LUMINANCE_MEAN, 9, 4),
    ROW(DARK, DYNAMIC_RANGE, 45, 10),
    ROW(BLOWN_OUT, OVER_EXPOSURE_PREVENTION, 1, 1),
    ROW(BLOWN_OUT, LUMINANCE_MEAN, 13, 10),
    ROW(SIDE_LIT, ILLUMINATION_UNIFORMITY, 55, 12),
    ROW(BACKLIT, BACKLIGHT_PREVENTION, 7, 7),
    ROW(BLUE_LIGHT, NATURAL_COLOUR, 7, 4),
    ROW(FAR_AWAY, INTER_EYE_DISTANCE, 9, 0),
    ROW(FAR_AWAY, HEAD_SIZE, 0, 1),
    ROW(CUT_OFF, LEFTWARD_CROP, 0, 0),
    ROW(CUT_OFF, MARGIN_ABOVE, 0, 0),
    ROW(CUT_OFF, RIGHTWARD_CROP, 100, 0),
    ROW(TURNED, HEAD_POSE_YAW, 59, 0),
    ROW(TURNED, HEAD_POSE_PITCH, 88, 0),
    ROW(TURNED, HEAD_POSE_ROLL, 82, 0),
    ROW(TURNED, INTER_EYE_DISTANCE, 91, 0),
    ROW(TURNED, EYES_VISIBLE, 99, 1),
    ROW(TURNED, FACE_OCCLUSION_PREVENTION, 100, 2),
    ROW(TURNED, ILLUMINATION_UNIFORMITY, 99, 1),
    ROW(EYES_SHUT, EYES_OPEN, 18, 1),
    ROW(MOUTH_OPEN, MOUTH_CLOSED, 26, 1),
    ROW(MOUTH_OPEN, FACE_OCCLUSION_PREVENTION, 98, 4),
    ROW(SUNGLASSES, EYES_VISIBLE, 0, 1),
    ROW(SUNGLASSES, FACE_OCCLUSION_PREVENTION, 100, 2),
    ROW(ONE_LENS, EYES_VISIBLE, 0, 1),
    ROW(CLEAR_GLASSES, EYES_VISIBLE, 99, 2),
    ROW(GLARE, EYES_VISIBLE, 0, 1),
    ROW(WHITE_MASK, FACE_OCCLUSION_PREVENTION, 0, 3),
    ROW(BLUE_MASK, FACE_OCCLUSION_PREVENTION, 0, 3),
    ROW(BLACK_MASK, FACE_OCCLUSION_PREVENTION, 0, 3),
    ROW(BLACK_MASK, EYES_VISIBLE, 99, 2),
    ROW(BEARD, FACE_OCCLUSION_PREVENTION, 98, 4),
    ROW(DARK_SKIN, LUMINANCE_MEAN, 70, 12),
    ROW(DARK_SKIN, BACKLIGHT_PREVENTION, 82, 10),
    ROW(DARK_SKIN, NATURAL_COLOUR, 100, 0),
    ROW(DARK_SKIN, EYES_VISIBLE, 99, 2),
    ROW(DARK_SKIN, FACE_OCCLUSION_PREVENTION, 98, 3),
    ROW(DARK_SKIN, SHARPNESS, 100, 1),
#undef ROW
};

static void conformance_table_holds(void **state)
{
    (void)state;
    static bf_quality measured[SCENE_COUNT];
    int wrong = 0;
    for (int id = 0; id < SCENE_COUNT; id++) {
        scene s = scene_of((scene_id)id);
        measured[id] = measure_scene(&s);
    }
    for (size_t i = 0; i < COUNT(table); i++) {
        const bf_measure *m = &measured[table[i].scene].measure[table[i].measure];
        if (m->status == BF_MEASURE_ASSESSED && abs(m->value - table[i].value) <= table[i].tolerance)
            continue;
        print_error("scene %d, %s: %d (native %g), expected %d +- %d\n", (int)table[i].scene,
                    bf_measure_name(table[i].measure), m->value, m->native, table[i].value, table[i].tolerance);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(conformance_table_holds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "decode/decode.h"
#include "face/crop.h"
#include "face/find.h"
#include "models/store.h"

static void assert_near(float a, double b, double tolerance)
{
    if (!(fabs((double)a - b) <= tolerance))
        fail_msg("%g is not %g", (double)a, b);
}

static void square_crop_may_leave_the_picture(void **state)
{
    (void)state;
    const bf_image image = {.width = 640, .height = 480};
    const bf_manifest m = {.crop = BF_CROP_SQUARE, .crop_factor = 1.5f};
    bf_rect rect = bf_crop_rect(&m, &image, (bf_rect){0, 0, 60, 100});
    assert_near(rect.x0, 30 - 75, 1e-3);
    assert_near(rect.x1, 30 + 75, 1e-3);
    assert_near(rect.y0, 50 - 75, 1e-3);
}

static void box_crop_keeps_its_shape_and_stays_inside(void **state)
{
    (void)state;
    const bf_image image = {.width = 640, .height = 480};
    const bf_manifest m = {.crop = BF_CROP_BOX, .crop_factor = 2.7f};
    /* 100 x 120 grown by 2.7 is 270 x 324, which fits; the corner pushes it inside. */
    bf_rect rect = bf_crop_rect(&m, &image, (bf_rect){0, 0, 100, 120});
    assert_near(rect.x0, 0, 1e-3);
    assert_near(rect.x1, 270, 1e-2);
    assert_near(rect.y1, 324, 1e-2);
    /* 300 x 300 can grow by 480 / 300 only. */
    rect = bf_crop_rect(&m, &image, (bf_rect){200, 100, 500, 400});
    assert_near(bf_rect_width(rect), 480, 1e-2);
    assert_near(rect.y0, 0, 1e-2);
    assert_near(rect.x1, 590, 1e-2);
}

static void a_fitted_picture_keeps_its_shape(void **state)
{
    (void)state;
    bf_image image = {.width = 480, .height = 640, .channels = 3};
    const bf_manifest m = {.crop = BF_CROP_WHOLE_FIT, .input = {.width = 320, .height = 240}};
    bf_rect rect = bf_crop_rect(&m, &image, (bf_rect){0});
    assert_near(rect.x0, 240 - 640 * 4.0 / 3 / 2, 1e-2);
    assert_near(rect.x1, 240 + 640 * 4.0 / 3 / 2, 1e-2);
    assert_near(rect.y0, 0, 1e-2);
    assert_near(rect.y1, 640, 1e-2);
    image.width = 1600;
    rect = bf_crop_rect(&m, &image, (bf_rect){0});
    assert_near(rect.x1, 1600, 1e-2);
    assert_near(rect.y0, 320 - 600, 1e-2);
}

static void square_inside_is_square_and_stays_inside(void **state)
{
    (void)state;
    bf_image image = {.width = 640, .height = 480, .channels = 3};
    const bf_manifest m = {.crop = BF_CROP_SQUARE_INSIDE, .crop_factor = 2};
    bf_rect rect = bf_crop_rect(&m, &image, (bf_rect){200, 100, 260, 200});
    assert_true(rect.x0 == 130 && rect.x1 == 330 && rect.y0 == 50 && rect.y1 == 250);
    rect = bf_crop_rect(&m, &image, (bf_rect){0, 0, 60, 100});
    assert_true(rect.x0 == 0 && rect.x1 == 200 && rect.y0 == 0 && rect.y1 == 200);
    rect = bf_crop_rect(&m, &image, (bf_rect){300, 40, 500, 440});
    assert_near(rect.x0, 160, 1e-2);
    assert_near(rect.x1, 640, 1e-2);
    assert_near(rect.y0, 0, 1e-2);
}

static void aligned_crop_maps_the_template_onto_the_face(void **state)
{
    (void)state;
    bf_manifest m = {.crop = BF_CROP_ALIGNED_5, .template_points = {{38, 52}, {74, 52}, {56, 72}, {42, 92}, {71, 92}}};
    bf_face face = {0};
    /* A face that is the template, twice as large and shifted by (100, 50). */
    for (int i = 0; i < BF_LANDMARKS; i++)
        face.landmarks[i] = (bf_point){0, 0};
    for (int i = 36; i < 42; i++)
        face.landmarks[i] = (bf_point){176, 154};
    for (int i = 42; i < 48; i++)
        face.landmarks[i] = (bf_point){248, 154};
    face.landmarks[30] = (bf_point){212, 194};
    face.landmarks[48] = (bf_point){184, 234};
    face.landmarks[54] = (bf_point){242, 234};
    bf_affine to_image = bf_crop_aligned(&m, &face);
    bf_point nose = bf_affine_apply(to_image, (bf_point){56, 72});
    assert_near(nose.x, 212, 1e-2);
    assert_near(nose.y, 194, 1e-2);
    assert_near(to_image.a, 2, 1e-3);
}

typedef struct nets {
    bf_net *net[4];
    bf_face_runs runs;
} nets;

static bool load(nets *n)
{
    static const char *const names[4] = {"face-detect", "landmarks-68", "head-pose", "eye-state"};
    const char *source = getenv("BONAFIDE_SOURCE_DIR"), *cache = getenv("BONAFIDE_CACHE_DIR");
    if (!source || !cache)
        return false;
    bf_net_run **runs[4] = {&n->runs.detection, &n->runs.landmarks, &n->runs.pose, &n->runs.eye_state};
    const bf_manifest **manifests[4] = {&n->runs.detection_manifest, &n->runs.landmarks_manifest,
                                        &n->runs.pose_manifest, &n->runs.eye_state_manifest};
    for (int i = 0; i < 4; i++) {
        char models[512], weights[512];
        bf_error err = {0};
        bf_model_files files = {0};
        (void)snprintf(models, sizeof models, "%s/models", source);
        (void)snprintf(weights, sizeof weights, "%s/weights", cache);
        bf_status status = bf_model_read(models, weights, names[i], &files, &err);
        if (status == BF_MODEL_UNAVAILABLE)
            return false;
        if (status != BF_OK)
            fail_msg("%s", err.message);
        assert_int_equal(bf_net_load(&files.manifest, files.weights.data, files.weights.size, &n->net[i], &err), BF_OK);
        assert_int_equal(bf_net_run_new(n->net[i], runs[i], &err), BF_OK);
        *manifests[i] = bf_net_manifest(n->net[i]);
        bf_model_files_done(&files);
    }
    return true;
}

static void unload(nets *n)
{
    bf_net_run_free(&n->runs.detection);
    bf_net_run_free(&n->runs.landmarks);
    bf_net_run_free(&n->runs.pose);
    bf_net_run_free(&n->runs.eye_state);
    for (int i = 0; i < 4; i++)
        bf_net_free(&n->net[i]);
}

static bool read_sample(int number, bf_image *ret)
{
    char path[512];
    const char *cache = getenv("BONAFIDE_CACHE_DIR");
    bf_bytes bytes = {0};
    bf_media_facts facts;
    (void)snprintf(path, sizeof path, "%s/samples/sample%d.jpg", cache ? cache : "", number);
    if (!cache || bf_bytes_read_file(&bytes, path, BF_INPUT_BYTES_MAX, NULL) != BF_OK)
        return false;
    assert_int_equal(bf_decode_still(bytes.data, bytes.size, NULL, ret, &facts, NULL), BF_OK);
    bf_bytes_done(&bytes);
    return true;
}

/* People in the sample photos, counted by eye. */
static void all_faces_of_the_samples_are_found(void **state)
{
    (void)state;
    static const int people[6] = {3, 3, 3, 4, 5, 4};
    nets n = {0};
    bf_image image = {0};
    if (!load(&n) || !read_sample(1, &image))
        skip();
    bf_image_done(&image);
    int found = 0, expected = 0;
    for (int i = 0; i < 6; i++) {
        bf_faces faces;
        assert_true(read_sample(i + 1, &image));
        assert_int_equal(bf_faces_find(&n.runs, &image, &faces, NULL), BF_OK);
        assert_true(faces.count <= people[i]);
        found += faces.count;
        expected += people[i];
        for (int k = 0; k + 1 < faces.count; k++) {
            bf_rect a = faces.face[k].box, b = faces.face[k + 1].box;
            assert_true(bf_rect_width(a) * bf_rect_height(a) >= bf_rect_width(b) * bf_rect_height(b));
        }
        bf_image_done(&image);
    }
    /* One of the 22 faces is a bowed profile behind hair. */
    assert_true(found >= expected - 2);
    unload(&n);
}

static void geometry_is_plausible_and_follows_a_mirror(void **state)
{
    (void)state;
    nets n = {0};
    bf_image image = {0};
    if (!load(&n) || !read_sample(6, &image))
        skip();
    bf_faces faces;
    assert_int_equal(bf_faces_find(&n.runs, &image, &faces, NULL), BF_OK);
    bf_face *face = &faces.face[0];
    assert_int_equal(bf_face_measure(&n.runs, &image, face, NULL), BF_OK);
    assert_true(face->has_geometry);
    bf_point left = bf_face_eye_centre(face, 0), right = bf_face_eye_centre(face, 1);
    assert_true(left.x < right.x);
    assert_true(face->landmarks[30].y > left.y && face->landmarks[8].y > face->landmarks[57].y);
    assert_true(face->inter_eye_px > 0.25f * bf_rect_width(face->box));
    assert_true(fabsf(face->yaw_deg) < 60 && fabsf(face->pitch_deg) < 60 && fabsf(face->roll_deg) < 60);
    assert_true(face->eye_open_probability[0] >= 0 && face->eye_open_probability[0] <= 1);
    float yaw = face->yaw_deg, roll = face->roll_deg;
    bf_rect box = face->box;
    for (int y = 0; y < image.height; y++) {
        uint8_t *row = image.pixels + (size_t)y * image.stride;
        for (int x = 0; x < image.width / 2; x++) {
            uint8_t swap[3];
            memcpy(swap, row + 3 * x, 3);
            memcpy(row + 3 * x, row + 3 * (image.width - 1 - x), 3);
            memcpy(row + 3 * (image.width - 1 - x), swap, 3);
        }
    }
    bf_face mirrored = {.box = {(float)image.width - box.x1, box.y0, (float)image.width - box.x0, box.y1}};
    assert_int_equal(bf_face_measure(&n.runs, &image, &mirrored, NULL), BF_OK);
    assert_near(mirrored.yaw_deg, -(double)yaw, 6);
    assert_near(mirrored.roll_deg, -(double)roll, 6);
    assert_true(face->pose_entropy_nats < 3 && mirrored.pose_entropy_nats < 3);
    /* Upside down: rows in reverse order (and mirrored, which does not matter). */
    for (int y = 0; y < image.height / 2; y++) {
        uint8_t *upper = image.pixels + (size_t)y * image.stride;
        uint8_t *lower = image.pixels + (size_t)(image.height - 1 - y) * image.stride;
        for (size_t i = 0; i < image.stride; i++) {
            uint8_t swap = upper[i];
            upper[i] = lower[i];
            lower[i] = swap;
        }
    }
    bf_face turned = {.box = {mirrored.box.x0, (float)image.height - mirrored.box.y1, mirrored.box.x1,
                              (float)image.height - mirrored.box.y0}};
    assert_int_equal(bf_face_measure(&n.runs, &image, &turned, NULL), BF_OK);
    assert_true(turned.pose_entropy_nats > 3);
    bf_image_done(&image);
    unload(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(square_crop_may_leave_the_picture),
        cmocka_unit_test(box_crop_keeps_its_shape_and_stays_inside),
        cmocka_unit_test(a_fitted_picture_keeps_its_shape),
        cmocka_unit_test(square_inside_is_square_and_stays_inside),
        cmocka_unit_test(aligned_crop_maps_the_template_onto_the_face),
        cmocka_unit_test(all_faces_of_the_samples_are_found),
        cmocka_unit_test(geometry_is_plausible_and_follows_a_mirror),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

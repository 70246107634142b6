#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "image/tensor.h"

/* A picture whose channels are linear ramps, so that resampling has a known answer everywhere. */
static bf_image ramp(int width, int height)
{
    bf_image image = {0};
    assert_int_equal(bf_image_alloc(&image, width, height, 3, NULL), BF_OK);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            uint8_t *p = image.pixels + (size_t)y * image.stride + 3 * (size_t)x;
            p[0] = (uint8_t)x;
            p[1] = (uint8_t)(2 * y);
            p[2] = 7;
        }
    }
    return image;
}

static bf_tensor_spec spec_of(int width, int height, bf_channel_order order)
{
    return (bf_tensor_spec){.width = width,
                            .height = height,
                            .channels = order == BF_ORDER_GREY ? 1 : 3,
                            .order = order,
                            .scale = 1,
                            .std = {1, 1, 1}};
}

static void assert_near(float a, double b, double tolerance)
{
    if (fabs((double)a - b) > tolerance)
        fail_msg("%g is not %g", (double)a, b);
}

static void resampling_keeps_a_linear_ramp(void **state)
{
    (void)state;
    bf_image image = ramp(120, 100);
    float out[3 * 30 * 25];
    bf_tensor_spec spec = spec_of(30, 25, BF_ORDER_RGB);
    bf_tensor_from_rect(&image, (bf_rect){0, 0, 120, 100}, false, &spec, out);
    /* Target pixel 10 covers source 40..44, whose centre is 41.5 in pixel indices. */
    assert_near(out[12 * 30 + 10], 41.5, 1e-3);
    assert_near(out[750 + 12 * 30 + 10], 2 * 49.5, 1e-3);
    assert_near(out[1500 + 3], 7, 1e-3);
    bf_image_done(&image);
}

static void mirror_and_bgr(void **state)
{
    (void)state;
    bf_image image = ramp(120, 100);
    float plain[3 * 30 * 25], mirrored[3 * 30 * 25];
    bf_tensor_spec spec = spec_of(30, 25, BF_ORDER_BGR);
    bf_tensor_from_rect(&image, (bf_rect){10, 5, 70, 55}, false, &spec, plain);
    bf_tensor_from_rect(&image, (bf_rect){10, 5, 70, 55}, true, &spec, mirrored);
    assert_near(plain[0], 7, 1e-3);
    assert_near(plain[1500], 10.5, 1e-3);
    for (int x = 0; x < 30; x++)
        assert_near(mirrored[1500 + x], (double)plain[1500 + 29 - x], 1e-3);
    bf_image_done(&image);
}

static void outside_repeats_the_edge_and_stays_in_bounds(void **state)
{
    (void)state;
    bf_image image = ramp(120, 100);
    float out[3 * 30 * 25];
    const bf_rect wild[] = {{-500, -500, -400, -400}, {-60, -60, 60, 60}, {100, 90, 900, 900},
                            {1e9f, 1e9f, 2e9f, 2e9f}, {50, 50, 50, 50},   {NAN, 0, 10, 10}};
    bf_tensor_spec spec = spec_of(30, 25, BF_ORDER_RGB);
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
        bf_tensor_from_rect(&image, wild[i], false, &spec, out);
        for (int k = 0; k < 3 * 30 * 25; k++)
            assert_true(isfinite(out[k]) && out[k] >= -0.01f && out[k] <= 255.01f);
    }
    bf_tensor_from_rect(&image, wild[0], false, &spec, out);
    assert_near(out[0], 0, 1e-3);
    bf_image_done(&image);
}

static void normalisation_and_layout(void **state)
{
    (void)state;
    bf_image image = ramp(120, 100);
    float out[3 * 4 * 4];
    bf_tensor_spec spec = spec_of(4, 4, BF_ORDER_RGB);
    spec.layout = BF_LAYOUT_NHWC;
    spec.scale = 1.0f / 255;
    spec.mean[2] = 0.5f;
    spec.std[2] = 0.25f;
    bf_tensor_from_rect(&image, (bf_rect){8, 8, 12, 12}, false, &spec, out);
    assert_near(out[3 * 1], 9.0 / 255, 1e-5);
    assert_near(out[2], (7.0 / 255 - 0.5) / 0.25, 1e-5);
    bf_tensor_spec grey = spec_of(4, 4, BF_ORDER_GREY);
    bf_tensor_from_rect(&image, (bf_rect){8, 8, 12, 12}, false, &grey, out);
    assert_near(out[1], 0.299 * 9 + 0.587 * 16 + 0.114 * 7, 1e-3);
    bf_image_done(&image);
}

static void similarity_recovers_a_known_motion(void **state)
{
    (void)state;
    const bf_point from[5] = {{0, 0}, {10, 0}, {5, 6}, {1, 9}, {9, 10}};
    bf_point to[5];
    const bf_affine truth = {1.2f, -0.5f, 30, 0.5f, 1.2f, -7};
    for (int i = 0; i < 5; i++)
        to[i] = bf_affine_apply(truth, from[i]);
    bf_affine fit = bf_similarity_fit(from, to, 5);
    assert_near(fit.a, 1.2, 1e-5);
    assert_near(fit.b, -0.5, 1e-5);
    assert_near(fit.c, 30, 1e-4);
    assert_near(fit.f, -7, 1e-4);
    bf_point back = bf_affine_apply(bf_affine_invert(fit), to[3]);
    assert_near(back.x, 1, 1e-4);
    assert_near(back.y, 9, 1e-4);
}

static void affine_sampling_matches_rect_sampling(void **state)
{
    (void)state;
    bf_image image = ramp(120, 100);
    float a[3 * 20 * 20], b[3 * 20 * 20];
    bf_tensor_spec spec = spec_of(20, 20, BF_ORDER_RGB);
    bf_tensor_from_rect(&image, (bf_rect){10, 10, 50, 50}, false, &spec, a);
    bf_tensor_from_affine(&image, (bf_affine){2, 0, 10.5f, 0, 2, 10.5f}, &spec, b);
    for (int i = 0; i < 3 * 20 * 20; i++)
        assert_near(a[i], (double)b[i], 1e-3);
    bf_image_done(&image);
}

static void views_are_clipped(void **state)
{
    (void)state;
    bf_image image = ramp(120, 100);
    bf_image view = bf_image_view(&image, (bf_rect){-5, 90.5f, 10.2f, 300});
    assert_int_equal(view.width, 11);
    assert_int_equal(view.height, 10);
    assert_int_equal(bf_image_view(&image, (bf_rect){200, 0, 300, 50}).width, 0);
    assert_int_equal(bf_image_view(&image, (bf_rect){NAN, NAN, NAN, NAN}).width, 0);
    bf_image other = {0};
    bf_alloc_fail_after(1, 0);
    assert_int_equal(bf_image_alloc(&other, 10, 10, 3, NULL), BF_OUT_OF_MEMORY);
    bf_alloc_fail_after(0, 0);
    bf_image_done(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resampling_keeps_a_linear_ramp),
        cmocka_unit_test(mirror_and_bgr),
        cmocka_unit_test(outside_repeats_the_edge_and_stays_in_bounds),
        cmocka_unit_test(normalisation_and_layout),
        cmocka_unit_test(similarity_recovers_a_known_motion),
        cmocka_unit_test(affine_sampling_matches_rect_sampling),
        cmocka_unit_test(views_are_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What each quality measure costs on a drawn face that fills much of the picture, at two resolutions: the least time of
 * many rounds, in microseconds of processor time, so that other work on the machine counts little.
 *
 * usage: quality_bench
 */
#include <stdio.h>
#include <time.h>

#include "base/words.h"
#include "quality/measure.h"
#include "support/synthetic_face.h"

#define ROUNDS 60
#define RUNS_PER_ROUND 20

typedef void step_fn(bf_quality_view *view, int measure);

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static double least_us(step_fn *step, bf_quality_view *view, int measure)
{
    double least = 1e12;
    for (int round = 0; round < ROUNDS; round++) {
        double begun = now_us();
        for (int run = 0; run < RUNS_PER_ROUND; run++)
            step(view, measure);
        double us = (now_us() - begun) / RUNS_PER_ROUND;
        if (us < least)
            least = us;
    }
    return least;
}

static void all_measures(bf_quality_view *view, int measure)
{
    (void)measure;
    bf_quality quality;
    bf_quality_measure(view->input, &quality);
}

static void geometry(bf_quality_view *view, int measure)
{
    (void)measure;
    bf_face_geometry_from(view->face, &view->geometry);
}

static void grid(bf_quality_view *view, int measure)
{
    (void)measure;
    bf_face_grid_fill(view->input->rgb, &view->geometry, &view->grid);
}

static void one_measure(bf_quality_view *view, int measure)
{
    bf_measure m;
    bf_measure_function((bf_measure_id)measure)(view, &m);
}

static void bench_picture(int width, int height, double inter_eye_px)
{
    static bf_quality_view view;
    bf_image image;
    bf_faces faces;
    scene s = scene_default();
    s.width = width;
    s.height = height;
    s.centre_x = width / 2.0;
    s.centre_y = height * 0.42;
    s.inter_eye_px = inter_eye_px;
    scene_draw(&s, &image, &faces);
    const bf_quality_input input = {&image, &faces, NULL};
    view.input = &input;
    view.face = &faces.face[0];
    printf("%d x %d, %g px between the eyes\n", width, height, inter_eye_px);
    printf("  %-26s %8.1f us\n", "all measures", least_us(all_measures, &view, 0));
    printf("  %-26s %8.1f us\n", "shared: geometry", least_us(geometry, &view, 0));
    printf("  %-26s %8.1f us\n", "shared: samples", least_us(grid, &view, 0));
    for (int id = 0; id < BF_MEASURE_COUNT; id++)
        printf("  %-26s %8.1f us\n", bf_measure_name((bf_measure_id)id), least_us(one_measure, &view, id));
    scene_free(&image);
}

int main(void)
{
    bench_picture(1280, 720, 170);
    bench_picture(4000, 3000, 700);
    return 0;
}

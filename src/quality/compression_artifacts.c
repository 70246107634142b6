/* CompressionArtifacts, our own. Native: the JPEG quality (1..100) that the picture seems to have been through, the
 * lower of what the file's tables say and what the 8-pixel grid in the native pixels around the face shows. A file that
 * was compressed hard and saved again at high quality, or as PNG, still shows its grid. */
#include <math.h>
#include <stdlib.h>

#include "quality/measure.h"

#define SIDE 128
#define SIDE_MIN 24
/* Steps above this are the face's own edges, not the coder's. */
#define STEP_MAX 24
/* Excess of the grid at which a picture seems to have been coded at quality 50. */
#define HALF_QUALITY_EXCESS 0.55

typedef struct tile {
    int width, height;
    uint8_t luma[SIDE * SIDE];
} tile;

static bool fill_tile(const bf_image *rgb, bf_rect bounds, tile *ret)
{
    double cx = ((double)bounds.x0 + (double)bounds.x1) / 2, cy = ((double)bounds.y0 + (double)bounds.y1) / 2;
    ret->width = rgb->width < SIDE ? rgb->width : SIDE;
    ret->height = rgb->height < SIDE ? rgb->height : SIDE;
    if (ret->width < SIDE_MIN || ret->height < SIDE_MIN)
        return false;
    int x0 = (int)fmin(fmax(cx - ret->width / 2.0, 0), rgb->width - ret->width);
    int y0 = (int)fmin(fmax(cy - ret->height / 2.0, 0), rgb->height - ret->height);
    for (int y = 0; y < ret->height; y++) {
        const uint8_t *p = rgb->pixels + (size_t)(y0 + y) * rgb->stride + (size_t)x0 * 3;
        for (int x = 0; x < ret->width; x++, p += 3)
            ret->luma[y * SIDE + x] = bf_luma(p);
    }
    return true;
}

static uint32_t small_step(uint8_t a, uint8_t b)
{
    int step = abs(a - b);
    return (uint32_t)(step < STEP_MAX ? step : STEP_MAX);
}

/* Mean step across each column boundary (`column`) and each row boundary (`row`). */
static void boundary_steps(const tile *t, float *column, float *row)
{
    uint32_t sum[SIDE] = {0};
    for (int y = 0; y < t->height; y++) {
        const uint8_t *line = t->luma + y * SIDE, *above = line - (y > 0 ? SIDE : 0);
        uint32_t vertical = 0;
        for (int x = 1; x < t->width; x++)
            sum[x] += small_step(line[x], line[x - 1]);
        for (int x = 0; x < t->width; x++)
            vertical += small_step(line[x], above[x]);
        row[y] = (float)vertical / (float)t->width;
    }
    for (int x = 0; x < t->width; x++)
        column[x] = (float)sum[x] / (float)t->height;
}

/* How far the strongest of the eight grid positions stands out of the steps beside it: 0 for no grid. The grid's
 * position is not assumed, since pictures are cropped and turned after coding. */
static double grid_excess(const float *step, int count)
{
    double excess[8] = {0}, activity = 0;
    int boundaries[8] = {0};
    for (int i = 2; i + 2 < count; i++) {
        double beside = (double)(step[i - 2] + step[i - 1] + step[i + 1] + step[i + 2]) / 4;
        excess[i % 8] += (double)step[i] - beside;
        activity += beside;
        boundaries[i % 8]++;
    }
    double strongest = 0, second = 0;
    for (int phase = 0; phase < 8; phase++) {
        double mean = excess[phase] / boundaries[phase];
        second = fmax(second, fmin(mean, strongest));
        strongest = fmax(strongest, mean);
    }
    /* The runner-up is what the picture's own structure makes of eight positions. A quarter of a grey level more: below
     * that, steps are rounding. */
    return (strongest - second) / (activity / (count - 4) + 0.25);
}

/* Quality 0..100 from the excess: a smooth curve through the medians of photographs coded at known qualities. */
static double quality_from_excess(double excess)
{
    double x = excess / HALF_QUALITY_EXCESS;
    return 100 / (1 + x * x);
}

void bf_measure_compression_artifacts(const bf_quality_view *view, bf_measure *ret)
{
    tile t;
    float column[SIDE], row[SIDE];
    const bf_media_facts *facts = view->input->facts;
    double quality = facts != NULL && facts->jpeg_quality > 0 ? facts->jpeg_quality : 0;
    if (view->geometry.usable && fill_tile(view->input->rgb, bf_convex_bounds(&view->geometry.face), &t)) {
        boundary_steps(&t, column, row);
        double excess = (grid_excess(column, t.width) + grid_excess(row, t.height)) / 2;
        double seen = quality_from_excess(excess);
        quality = quality > 0 ? fmin(quality, seen) : seen;
    }
    if (quality > 0)
        bf_measure_set(ret, quality, 100 * bf_sigmoid(quality, 30, 8));
}

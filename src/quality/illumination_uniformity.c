/* IlluminationUniformity, after ISO/IEC 29794-5: 100 q^0.3, q being the intersection of the luma histograms of the
 * face's two halves. Bins of four grey levels, so that a small face's few samples still overlap. */
#include <math.h>

#include "quality/measure.h"

#define BIN_WIDTH 4

static double half_count(const uint32_t *histogram)
{
    double n = 0;
    for (int luma = 0; luma < 256; luma++)
        n += histogram[luma];
    return n;
}

void bf_measure_illumination_uniformity(const bf_quality_view *view, bf_measure *ret)
{
    const bf_face_grid *grid = &view->grid;
    double left = half_count(grid->histogram[0]), right = half_count(grid->histogram[1]);
    if (grid->count < BF_GRID_SAMPLES_MIN || left < 1 || right < 1)
        return;
    double q = 0;
    for (int luma = 0; luma < 256; luma += BIN_WIDTH) {
        double a = 0, b = 0;
        for (int i = 0; i < BIN_WIDTH; i++) {
            a += grid->histogram[0][luma + i];
            b += grid->histogram[1][luma + i];
        }
        q += fmin(a / left, b / right);
    }
    bf_measure_set(ret, q, 100 * pow(q, 0.3));
}

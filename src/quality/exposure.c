/* UnderExposurePrevention and OverExposurePrevention, ISO/IEC 29794-5: shares of the face's samples at the ends of the
 * luma scale. */
#include "quality/measure.h"

#define UNDER_LUMA_MAX 25
#define OVER_LUMA_MIN 247

static double share(const bf_face_grid *grid, int first, int last)
{
    double n = 0;
    for (int luma = first; luma <= last; luma++)
        n += grid->histogram[0][luma] + grid->histogram[1][luma];
    return n / grid->count;
}

void bf_measure_under_exposure(const bf_quality_view *view, bf_measure *ret)
{
    if (view->grid.count < BF_GRID_SAMPLES_MIN)
        return;
    double p = share(&view->grid, 0, UNDER_LUMA_MAX);
    bf_measure_set(ret, p, 120 * (0.832 - bf_sigmoid(p, 0.92, 0.05)));
}

void bf_measure_over_exposure(const bf_quality_view *view, bf_measure *ret)
{
    if (view->grid.count < BF_GRID_SAMPLES_MIN)
        return;
    double p = share(&view->grid, OVER_LUMA_MIN, 255);
    bf_measure_set(ret, p, 1 / (p + 0.01));
}

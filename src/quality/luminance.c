/* LuminanceMean and LuminanceVariance, ISO/IEC 29794-5, over the face's samples with luma scaled to 0..1. */
#include <math.h>

#include "quality/measure.h"

/* Mean and variance of the luma, 0..1; false when the face has too few samples. */
static bool moments(const bf_face_grid *grid, double *ret_mean, double *ret_variance)
{
    if (grid->count < BF_GRID_SAMPLES_MIN)
        return false;
    double sum = 0, squares = 0;
    for (int luma = 0; luma < 256; luma++) {
        double n = grid->histogram[0][luma] + grid->histogram[1][luma];
        sum += n * luma;
        squares += n * luma * luma;
    }
    double mean = sum / grid->count;
    *ret_mean = mean / 255;
    *ret_variance = fmax(squares / grid->count - mean * mean, 0) / (255.0 * 255.0);
    return true;
}

void bf_measure_luminance_mean(const bf_quality_view *view, bf_measure *ret)
{
    double mean, variance;
    if (!moments(&view->grid, &mean, &variance))
        return;
    bf_measure_set(ret, mean, 100 * bf_sigmoid(mean, 0.2, 0.05) * (1 - bf_sigmoid(mean, 0.8, 0.05)));
}

void bf_measure_luminance_variance(const bf_quality_view *view, bf_measure *ret)
{
    double mean, variance;
    if (!moments(&view->grid, &mean, &variance))
        return;
    bf_measure_set(ret, variance, 100 * sin(M_PI * 60 * variance / (60 * variance + 1)));
}

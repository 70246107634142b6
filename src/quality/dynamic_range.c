/* DynamicRange, ISO/IEC 29794-5: entropy of the face's 256-bin luma histogram. */
#include <math.h>

#include "quality/measure.h"

void bf_measure_dynamic_range(const bf_quality_view *view, bf_measure *ret)
{
    const bf_face_grid *grid = &view->grid;
    if (grid->count < BF_GRID_SAMPLES_MIN)
        return;
    double bits = 0;
    for (int luma = 0; luma < 256; luma++) {
        double p = (double)(grid->histogram[0][luma] + grid->histogram[1][luma]) / grid->count;
        if (p > 0)
            bits -= p * log2(p);
    }
    bf_measure_set(ret, bits, 12.5 * bits);
}

/* BacklightPrevention, our own: how much brighter the background is than the face. A white wall behind dark skin is no
 * backlight, so the value only begins to fall where a window or a lamp behind the head is the likelier reason. */
#include "quality/background.h"
#include "quality/measure.h"

void bf_measure_backlight(const bf_quality_view *view, bf_measure *ret)
{
    double background;
    const bf_face_grid *grid = &view->grid;
    if (grid->count < BF_GRID_SAMPLES_MIN || !bf_background_luma(view->input->rgb, &view->geometry, &background))
        return;
    double sum = 0;
    for (int luma = 0; luma < 256; luma++)
        sum += (double)(grid->histogram[0][luma] + grid->histogram[1][luma]) * luma;
    /* One grey level more on both sides keeps the ratio finite for a black face. */
    double ratio = (background + 1) / (sum / grid->count + 1);
    bf_measure_set(ret, ratio, 100 * (1 - bf_sigmoid(ratio, 4, 0.4)));
}

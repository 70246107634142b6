/* HeadSize, ISO/IEC 29794-5: T over the picture's height, best at 0.45. */
#include <math.h>

#include "quality/measure.h"

void bf_measure_head_size(const bf_quality_view *view, bf_measure *ret)
{
    if (!view->geometry.usable)
        return;
    double ratio = view->geometry.eye_chin_px / view->input->rgb->height;
    bf_measure_set(ret, ratio, 200 * (1 - bf_sigmoid(fabs(ratio - 0.45), 0, 0.05)));
}

/* InterEyeDistance, ISO/IEC 29794-5: 100 s(px; 70, 20) of the distance corrected for yaw. */
#include "quality/measure.h"

void bf_measure_inter_eye_distance(const bf_quality_view *view, bf_measure *ret)
{
    if (!view->geometry.usable)
        return;
    double px = view->geometry.inter_eye_frontal_px;
    bf_measure_set(ret, px, 100 * bf_sigmoid(px, 70, 20));
}

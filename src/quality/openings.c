/* EyesOpen and MouthClosed, ISO/IEC 29794-5: the widest distance of facing lid or inner-lip landmarks, over T. */
#include <math.h>

#include "quality/measure.h"

static double gap(const bf_face *face, int upper, int lower)
{
    return bf_point_distance(face->landmarks[upper], face->landmarks[lower]);
}

void bf_measure_eyes_open(const bf_quality_view *view, bf_measure *ret)
{
    if (!view->geometry.usable)
        return;
    const bf_face *face = view->face;
    double left = fmax(gap(face, 37, 41), gap(face, 38, 40));
    double right = fmax(gap(face, 43, 47), gap(face, 44, 46));
    double opening = fmin(left, right) / view->geometry.eye_chin_px;
    bf_measure_set(ret, opening, 100 * bf_sigmoid(opening, 0.02, 0.01));
}

void bf_measure_mouth_closed(const bf_quality_view *view, bf_measure *ret)
{
    if (!view->geometry.usable)
        return;
    const bf_face *face = view->face;
    double opening = fmax(fmax(gap(face, 61, 67), gap(face, 62, 66)), gap(face, 63, 65)) / view->geometry.eye_chin_px;
    bf_measure_set(ret, opening, 100 * (1 - bf_sigmoid(opening, 0.2, 0.06)));
}

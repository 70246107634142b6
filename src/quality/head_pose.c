/* HeadPose yaw, pitch and roll, ISO/IEC 29794-5: 100 max(0, cos angle)^2. */
#include <math.h>

#include "quality/measure.h"

static void set_angle(float angle_deg, bf_measure *ret)
{
    double cosine = fmax(0, cos((double)angle_deg * M_PI / 180));
    bf_measure_set(ret, (double)angle_deg, 100 * cosine * cosine);
}

void bf_measure_head_pose_yaw(const bf_quality_view *view, bf_measure *ret)
{
    if (view->face != NULL && view->face->has_geometry)
        set_angle(view->face->yaw_deg, ret);
}

void bf_measure_head_pose_pitch(const bf_quality_view *view, bf_measure *ret)
{
    if (view->face != NULL && view->face->has_geometry)
        set_angle(view->face->pitch_deg, ret);
}

void bf_measure_head_pose_roll(const bf_quality_view *view, bf_measure *ret)
{
    if (view->face != NULL && view->face->has_geometry)
        set_angle(view->face->roll_deg, ret);
}

#include "quality/geometry.h"

#include <math.h>

/* From the brows upwards the hull takes in this much of T: about half of a forehead, so that hair seldom gets in. */
#define FOREHEAD_SHARE 0.25
/* Beyond about 75 degrees the correction for yaw would say more about the pose estimate than about the face. */
#define COS_YAW_MIN 0.25

bf_point bf_landmark_mean(const bf_face *face, int first, int last)
{
    double x = 0, y = 0;
    for (int i = first; i <= last; i++) {
        x += (double)face->landmarks[i].x;
        y += (double)face->landmarks[i].y;
    }
    double count = last - first + 1;
    return (bf_point){(float)(x / count), (float)(y / count)};
}

bf_point bf_point_along(bf_point p, bf_point d, double t)
{
    return (bf_point){(float)((double)p.x + t * (double)d.x), (float)((double)p.y + t * (double)d.y)};
}

double bf_point_distance(bf_point a, bf_point b)
{
    return hypot((double)a.x - (double)b.x, (double)a.y - (double)b.y);
}

static bool landmarks_finite(const bf_face *face)
{
    for (int i = 0; i < BF_LANDMARKS; i++) {
        bf_point p = face->landmarks[i];
        if (!(fabsf(p.x) < BF_LANDMARK_LIMIT_PX) || !(fabsf(p.y) < BF_LANDMARK_LIMIT_PX))
            return false;
    }
    return true;
}

static double yaw_foreshortening(const bf_face *face)
{
    if (!isfinite(face->yaw_deg))
        return 1;
    return fmax(fabs(cos((double)face->yaw_deg * M_PI / 180)), COS_YAW_MIN);
}

static void face_hull(const bf_face *face, const bf_face_geometry *geometry, bf_convex *ret)
{
    bf_point points[17 + 10 + 10];
    int count = 0;
    for (int i = 0; i < 27; i++)
        points[count++] = face->landmarks[i];
    for (int i = 17; i < 27; i++)
        points[count++] = bf_point_along(face->landmarks[i], geometry->up, FOREHEAD_SHARE * geometry->eye_chin_px);
    bf_convex_hull(points, count, ret);
}

void bf_face_geometry_from(const bf_face *face, bf_face_geometry *ret)
{
    *ret = (bf_face_geometry){.usable = false};
    if (!face->has_geometry || !landmarks_finite(face))
        return;
    ret->eye[0] = bf_landmark_mean(face, 36, 41);
    ret->eye[1] = bf_landmark_mean(face, 42, 47);
    ret->eye_mid = (bf_point){(ret->eye[0].x + ret->eye[1].x) / 2, (ret->eye[0].y + ret->eye[1].y) / 2};
    ret->chin = face->landmarks[8];
    ret->inter_eye_px = bf_point_distance(ret->eye[0], ret->eye[1]);
    ret->inter_eye_frontal_px = ret->inter_eye_px / yaw_foreshortening(face);
    ret->eye_chin_px = bf_point_distance(ret->eye_mid, ret->chin);
    /* Below a hundredth of a pixel a distance is numerical noise. */
    if (ret->inter_eye_px < 0.01 || ret->eye_chin_px < 0.01)
        return;
    ret->up = (bf_point){(float)(((double)ret->eye_mid.x - (double)ret->chin.x) / ret->eye_chin_px),
                         (float)(((double)ret->eye_mid.y - (double)ret->chin.y) / ret->eye_chin_px)};
    ret->right = (bf_point){-ret->up.y, ret->up.x};
    face_hull(face, ret, &ret->face);
    ret->usable = true;
}

/* Room around the face, after ISO/IEC 29794-5: sideways from the outer eye in inter-eye distances (corrected for yaw,
 * so that a turned head does not seem to have more room), up and down from the eye midpoint in units of T. */
#include "quality/measure.h"

void bf_measure_leftward_crop(const bf_quality_view *view, bf_measure *ret)
{
    const bf_face_geometry *g = &view->geometry;
    if (!g->usable)
        return;
    double outer_x = (double)(g->eye[0].x < g->eye[1].x ? g->eye[0].x : g->eye[1].x);
    double room = outer_x / g->inter_eye_frontal_px;
    bf_measure_set(ret, room, 100 * bf_sigmoid(room, 0.9, 0.1));
}

void bf_measure_rightward_crop(const bf_quality_view *view, bf_measure *ret)
{
    const bf_face_geometry *g = &view->geometry;
    if (!g->usable)
        return;
    double outer_x = (double)(g->eye[0].x > g->eye[1].x ? g->eye[0].x : g->eye[1].x);
    double room = (view->input->rgb->width - outer_x) / g->inter_eye_frontal_px;
    bf_measure_set(ret, room, 100 * bf_sigmoid(room, 0.9, 0.1));
}

void bf_measure_margin_above(const bf_quality_view *view, bf_measure *ret)
{
    const bf_face_geometry *g = &view->geometry;
    if (!g->usable)
        return;
    double room = (double)g->eye_mid.y / g->eye_chin_px;
    bf_measure_set(ret, room, 100 * bf_sigmoid(room, 1.4, 0.1));
}

void bf_measure_margin_below(const bf_quality_view *view, bf_measure *ret)
{
    const bf_face_geometry *g = &view->geometry;
    if (!g->usable)
        return;
    double room = (view->input->rgb->height - (double)g->eye_mid.y) / g->eye_chin_px;
    bf_measure_set(ret, room, 100 * bf_sigmoid(room, 1.8, 0.1));
}

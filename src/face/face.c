#include "face/face.h"

void bf_face_scale(bf_face *face, float scale)
{
    face->box = (bf_rect){face->box.x0 * scale, face->box.y0 * scale, face->box.x1 * scale, face->box.y1 * scale};
    face->inter_eye_px *= scale;
    for (int i = 0; i < BF_LANDMARKS; i++)
        face->landmarks[i] = (bf_point){face->landmarks[i].x * scale, face->landmarks[i].y * scale};
}

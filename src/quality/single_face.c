/* SingleFacePresent. Native: faces found. A second face counts by its height over the primary's: below a fifth it is a
 * passer-by, a poster or a false alarm and costs nothing; an equal one takes the value to 0. */
#include <math.h>

#include "quality/measure.h"

#define BYSTANDER_HEIGHT_RATIO 0.2f

void bf_measure_single_face(const bf_quality_view *view, bf_measure *ret)
{
    const bf_faces *faces = view->input->faces;
    if (faces == NULL || faces->count <= 0) {
        bf_measure_set(ret, 0, 0);
        return;
    }
    float primary = faces->face[0].box.y1 - faces->face[0].box.y0;
    float largest = 0;
    for (int i = 1; i < faces->count && i < BF_FACES_MAX; i++) {
        float ratio = (faces->face[i].box.y1 - faces->face[i].box.y0) / primary;
        /* A box that is no box counts as a full second face: the cautious reading. */
        largest = ratio >= 0 ? fmaxf(largest, fminf(ratio, 1)) : 1;
    }
    double value = 100;
    if (largest >= BYSTANDER_HEIGHT_RATIO)
        value = 100 * (1 - (double)largest) / (1 - (double)BYSTANDER_HEIGHT_RATIO);
    bf_measure_set(ret, faces->count_all > faces->count ? faces->count_all : faces->count, value);
}

/* Resolution, our own: the picture's smaller side. Field guidance for liveness asks for 640x480 at least. */
#include "quality/measure.h"

void bf_measure_resolution(const bf_quality_view *view, bf_measure *ret)
{
    const bf_image *rgb = view->input->rgb;
    int side = rgb->width < rgb->height ? rgb->width : rgb->height;
    bf_measure_set(ret, side, 100 * bf_sigmoid(side, 400, 40));
}

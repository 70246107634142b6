#include "simulate/still.h"

#include <math.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define STRETCH 4.0F /* how much of the outside one pixel inside fills, at the edge */
#define BAND 0.07F   /* of the side: what is used for the outside */

void sim_still_done(sim_still *still)
{
    bf_image_done(&still->image);
}

static bf_status read_into(bf_judge *judge, const char *path, sim_still *still, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    bf_faces faces = {0};
    bf_status status = bf_bytes_read_file(&bytes, path, BF_INPUT_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_decode_still(bytes.data, bytes.size, NULL, &still->image, NULL, err);
    if (status == BF_OK)
        status = bf_faces_find(&judge->face, &still->image, &faces, err);
    if (status != BF_OK)
        return status;
    if (faces.count == 0)
        return bf_fail(err, BF_NO_FACE, "There is no face in %s.", path);
    still->face = faces.face[0];
    return bf_face_measure(&judge->face, &still->image, &still->face, err);
}

bf_status sim_still_read(bf_judge *judge, const char *path, sim_still *ret, bf_error *err)
{
    sim_still still = {0};
    bf_status status = read_into(judge, path, &still, err);
    if (status == BF_OK)
        *ret = still;
    else
        sim_still_done(&still);
    return status;
}

/* The place inside 0..last that stands for `at`: beyond the edge the picture goes back, slower and slower, and never
 * far enough to show the face again. */
static float fold(float at, float last)
{
    float band = BAND * last;
    if (at < 0)
        return band * (1 - expf(at / (STRETCH * band)));
    if (at > last)
        return last - band * (1 - expf((last - at) / (STRETCH * band)));
    return at;
}

void sim_still_sample(const sim_still *still, float x, float y, float ret[3])
{
    const bf_image *image = &still->image;
    float px = fminf(fold(x, (float)image->width - 1), (float)image->width - 1.001F);
    float py = fminf(fold(y, (float)image->height - 1), (float)image->height - 1.001F);
    int x0 = (int)px, y0 = (int)py;
    float fx = px - (float)x0, fy = py - (float)y0;
    const uint8_t *p = image->pixels + (size_t)y0 * image->stride + (size_t)x0 * 3, *q = p + image->stride;
    for (int c = 0; c < 3; c++) {
        float top = (float)p[c] + fx * (float)(p[c + 3] - p[c]), low = (float)q[c] + fx * (float)(q[c + 3] - q[c]);
        ret[c] = top + fy * (low - top);
    }
}

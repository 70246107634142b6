#include "match/embedding.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "face/crop.h"

bf_status bf_embed(bf_net_run *run, const bf_manifest *manifest, const bf_image *image, const bf_face *face,
                   bf_embedding *ret, bf_error *err)
{
    bf_tensor_from_affine(image, bf_crop_aligned(manifest, face), &manifest->input, bf_net_input(run));
    bf_status status = bf_net_execute(run, err);
    if (status != BF_OK)
        return status;
    size_t count = 0;
    const float *values = bf_net_output(run, 0, &count);
    if (count == 0 || count > BF_EMBEDDING_MAX)
        return bf_fail(err, BF_MODEL_INVALID, "The embedding model %s gives %zu numbers.", manifest->name, count);
    double length = 0;
    for (size_t i = 0; i < count; i++)
        length += (double)values[i] * (double)values[i];
    length = sqrt(length);
    if (!(length > 1e-9))
        return bf_fail(err, BF_INFERENCE_FAILED, "The embedding of a face has no length.");
    for (size_t i = 0; i < count; i++)
        ret->value[i] = (float)((double)values[i] / length);
    ret->count = (int)count;
    return BF_OK;
}

double bf_embedding_similarity(const bf_embedding *a, const bf_embedding *b)
{
    if (a->count != b->count)
        return 0;
    double sum = 0;
    for (int i = 0; i < a->count; i++)
        sum += (double)a->value[i] * (double)b->value[i];
    return fmax(-1, fmin(1, sum));
}

void bf_embedding_wipe(bf_embedding *embedding)
{
    explicit_bzero(embedding, sizeof *embedding);
}

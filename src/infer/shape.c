/* Tensor shapes: what a manifest promises, what a model has. */
#include <stdio.h>

#include "base/limits.h"
#include "infer/net_internal.h"

void bf_shape_text(const bf_shape *shape, char ret[BF_SHAPE_TEXT_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < shape->rank && used < BF_SHAPE_TEXT_SIZE; i++) {
        const char *before = i ? "," : "[";
        int put = shape->dims[i] < 0
                      ? snprintf(ret + used, BF_SHAPE_TEXT_SIZE - used, "%s?", before)
                      : snprintf(ret + used, BF_SHAPE_TEXT_SIZE - used, "%s%lld", before, (long long)shape->dims[i]);
        used += put > 0 ? (size_t)put : 0;
    }
    if (used < BF_SHAPE_TEXT_SIZE)
        (void)snprintf(ret + used, BF_SHAPE_TEXT_SIZE - used, "%s", shape->rank ? "]" : "[]");
}

size_t bf_shape_floats(const bf_shape *shape)
{
    size_t floats = 1;
    for (size_t i = 0; i < shape->rank; i++) {
        if (shape->dims[i] <= 0 || (uint64_t)shape->dims[i] > BF_TENSOR_FLOATS_MAX / floats)
            return 0;
        floats *= (size_t)shape->dims[i];
    }
    return floats;
}

bf_shape bf_shape_of_input(const bf_manifest *manifest)
{
    const bf_tensor_spec *spec = &manifest->input;
    if (spec->layout == BF_LAYOUT_NHWC)
        return (bf_shape){{1, spec->height, spec->width, spec->channels}, 4};
    return (bf_shape){{1, spec->channels, spec->height, spec->width}, 4};
}

bf_shape bf_shape_of_output(const bf_manifest *manifest, int index)
{
    switch (manifest->decoding) {
    case BF_DECODING_SSD_BOXES:
        return index == 0 ? (bf_shape){{1, -1, manifest->class_count}, 3} : (bf_shape){{1, -1, 4}, 3};
    case BF_DECODING_POINTS:
        return (bf_shape){{1, 2 * (int64_t)manifest->point_count}, 2};
    case BF_DECODING_BINNED_ANGLES:
        return (bf_shape){{1, manifest->bin_count}, 2};
    case BF_DECODING_CLASS_LOGITS:
        return (bf_shape){{1, manifest->class_count}, 2};
    case BF_DECODING_EMBEDDING:
        break;
    }
    return (bf_shape){{1, manifest->dimensions}, 2};
}

/* The next dimension that is not 1, from *at on; false at the end. */
static bool next_dimension(const bf_shape *shape, size_t *at, int64_t *ret)
{
    while (*at < shape->rank && shape->dims[*at] == 1)
        (*at)++;
    if (*at >= shape->rank)
        return false;
    *ret = shape->dims[(*at)++];
    return true;
}

static bool same_rank_fits(const bf_shape *expected, const bf_shape *found)
{
    for (size_t i = 0; i < found->rank; i++) {
        if (found->dims[i] >= 0 && expected->dims[i] >= 0 && found->dims[i] != expected->dims[i])
            return false;
    }
    return true;
}

bool bf_shape_fits(const bf_shape *expected, const bf_shape *found)
{
    if (expected->rank == found->rank)
        return same_rank_fits(expected, found);
    size_t at_expected = 0, at_found = 0;
    for (;;) {
        int64_t want = 0, have = 0;
        bool more = next_dimension(expected, &at_expected, &want);
        if (next_dimension(found, &at_found, &have) != more)
            return false;
        if (!more)
            return true;
        if (want >= 0 && have >= 0 && want != have)
            return false;
    }
}

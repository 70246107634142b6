/* From pixels to a network's input tensor, as its manifest describes it. */
#ifndef BF_IMAGE_TENSOR_H
#define BF_IMAGE_TENSOR_H

#include <stdbool.h>

#include "image/image.h"

typedef enum bf_channel_order { BF_ORDER_RGB, BF_ORDER_BGR, BF_ORDER_GREY } bf_channel_order;
typedef enum bf_tensor_layout { BF_LAYOUT_NCHW, BF_LAYOUT_NHWC } bf_tensor_layout;

/* element = (pixel 0..255 * scale - mean[c]) / std[c]; c in the tensor's own channel order. */
typedef struct bf_tensor_spec {
    int width, height, channels;
    bf_channel_order order;
    bf_tensor_layout layout;
    float scale;
    float mean[3];
    float std[3];
} bf_tensor_spec;

/* Resamples `source` (a rectangle of the RGB image; parts outside repeat the edge) to the tensor's size and fills `ret`
 * (width*height*channels floats). Bilinear between the four nearest pixels at any scale, as published networks
 * were trained. `mirror` flips left and right. A grey tensor gets BT.601 luma. Sides of the tensor are at most
 * BF_TENSOR_SIDE_MAX. The same bytes on every machine: no fused multiplications. */
void bf_tensor_from_rect(const bf_image *image, bf_rect source, bool mirror, const bf_tensor_spec *spec, float *ret);

/* The same through an affine map: `to_image` takes tensor pixel coordinates (0,0 = centre of the first pixel) to
 * image pixel coordinates of the same kind. Always bilinear. */
void bf_tensor_from_affine(const bf_image *image, bf_affine to_image, const bf_tensor_spec *spec, float *ret);

#endif

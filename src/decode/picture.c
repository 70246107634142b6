/* Decoding for those who only want to look. */
#include "bonafide/picture.h"

#include "decode/decode.h"

bf_status bf_picture_decode(const void *media, size_t size, bf_picture *ret, bf_error *err)
{
    bf_image image = {0};
    bf_media_facts facts = {0};
    bf_status status = bf_decode_still(media, size, NULL, &image, &facts, err);
    if (status == BF_OK)
        *ret = (bf_picture){image.pixels, image.width, image.height, image.stride};
    return status;
}

void bf_picture_done(bf_picture *picture)
{
    bf_image image = {.pixels = picture->rgb,
                      .width = picture->width,
                      .height = picture->height,
                      .channels = 3,
                      .stride = picture->stride};
    bf_image_done(&image);
    *picture = (bf_picture){0};
}

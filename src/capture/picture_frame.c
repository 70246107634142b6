/* A frame of a clip for those who only want to look. */
#include "base/attr.h"
#include "base/error.h"
#include "bonafide/picture.h"
#include "capture/frames.h"

bf_status bf_picture_decode_frame(const void *media, size_t size, int index, bf_picture *ret, bf_error *err)
{
    BF_CLEANUP(bf_frames_free) bf_frames *frames = NULL;
    const bf_frames_limits limits = {0};
    bf_frame frame = {.index = -1};
    bool more = true;
    bf_status status = bf_frames_open(media, size, &limits, &frames, err);
    while (status == BF_OK && more && frame.index < index)
        status = bf_frames_next(frames, 0, &frame, &more, err);
    if (status != BF_OK)
        return status;
    if (!more || !frame.rgb || frame.index != index)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The clip has no frame number %d.", index);
    bf_image image = {0};
    status = bf_image_copy(frame.rgb, &image, err);
    if (status == BF_OK)
        *ret = (bf_picture){image.pixels, image.width, image.height, image.stride};
    return status;
}

#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>

#include "support/images.h"
#include "support/must.h"

#define FLAG_ANIMATION 0x02
#define FLAG_EXIF 0x08
#define FLAG_ALPHA 0x10

static void put_little(uint8_t *to, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static void append_chunk(bf_bytes *out, const char *type, const void *data, size_t size)
{
    uint8_t word[4];
    put_little(word, (uint32_t)size, 4);
    test_append(out, type, 4);
    test_append(out, word, 4);
    test_append(out, data, size);
    if (size % 2)
        test_append(out, "", 1);
}

static bf_bytes encode(const bf_image *image, const test_webp_options *o)
{
    size_t stride = (size_t)image->width * 4;
    uint8_t *rgba = malloc(stride * (size_t)image->height);
    test_must(rgba, "malloc");
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            uint8_t *to = rgba + (size_t)y * stride + (size_t)x * 4;
            memcpy(to, image->pixels + (size_t)y * image->stride + (size_t)x * 3, 3);
            to[3] = (uint8_t)(o->alpha ? o->alpha : 255);
        }
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter writer;
    test_must(WebPConfigInit(&config) && WebPPictureInit(&picture), "WebP set-up");
    WebPMemoryWriterInit(&writer);
    config.lossless = o->lossless;
    config.exact = 1;
    picture.use_argb = 1;
    picture.width = image->width;
    picture.height = image->height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    test_must(WebPPictureImportRGBA(&picture, rgba, (int)stride) && WebPEncode(&config, &picture), "WebPEncode");
    WebPPictureFree(&picture);
    free(rgba);
    return (bf_bytes){.data = writer.mem, .size = writer.size};
}

/* The chunks that hold pixels: all but RIFF's head and an existing VP8X chunk. */
static bf_bytes pixel_chunks(const bf_bytes *webp)
{
    size_t start = 12;
    if (memcmp(webp->data + start, "VP8X", 4) == 0)
        start += 18;
    bf_bytes out = {0};
    test_append(&out, webp->data + start, webp->size - start);
    return out;
}

static void append_frame(bf_bytes *body, const bf_bytes *pixels, int width, int height)
{
    uint8_t head[16] = {0};
    put_little(head + 6, (uint32_t)width - 1, 3);
    put_little(head + 9, (uint32_t)height - 1, 3);
    put_little(head + 12, 100, 3); /* milliseconds */
    bf_bytes frame = {0};
    test_append(&frame, head, sizeof head);
    test_append(&frame, pixels->data, pixels->size);
    append_chunk(body, "ANMF", frame.data, frame.size);
    bf_bytes_done(&frame);
}

/* The extended format: VP8X, animation, pixels, EXIF. */
static bf_bytes extend(const bf_bytes *webp, const bf_image *image, const test_webp_options *o)
{
    uint8_t head[10] = {0};
    head[0] = (uint8_t)((o->animated ? FLAG_ANIMATION : 0) | (o->exif ? FLAG_EXIF : 0) | (o->alpha ? FLAG_ALPHA : 0));
    put_little(head + 4, (uint32_t)image->width - 1, 3);
    put_little(head + 7, (uint32_t)image->height - 1, 3);
    bf_bytes body = {0};
    test_append(&body, "WEBP", 4);
    append_chunk(&body, "VP8X", head, sizeof head);
    bf_bytes pixels = pixel_chunks(webp);
    if (o->animated) {
        append_chunk(&body, "ANIM", "\xff\xff\xff\xff\0\0", 6);
        append_frame(&body, &pixels, image->width, image->height);
        append_frame(&body, &pixels, image->width, image->height);
    } else {
        test_append(&body, pixels.data, pixels.size);
    }
    if (o->exif)
        append_chunk(&body, "EXIF", o->exif->data, o->exif->size);
    bf_bytes out = {0};
    append_chunk(&out, "RIFF", body.data, body.size);
    bf_bytes_done(&pixels);
    bf_bytes_done(&body);
    return out;
}

bf_bytes test_webp(const bf_image *image, const test_webp_options *options)
{
    static const test_webp_options plain;
    const test_webp_options *o = options ? options : &plain;
    bf_bytes webp = encode(image, o);
    if (!o->animated && !o->exif)
        return webp;
    bf_bytes extended = extend(&webp, image, o);
    bf_bytes_done(&webp);
    return extended;
}

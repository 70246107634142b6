#include <spng.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"
#include "support/must.h"

static uint32_t crc32_of(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void append_chunk(bf_bytes *out, const char *type, const void *data, size_t size)
{
    uint8_t word[4];
    put32(word, (uint32_t)size);
    test_append(out, word, 4);
    size_t start = out->size;
    test_append(out, type, 4);
    test_append(out, size ? data : "", size);
    put32(word, crc32_of(out->data + start, out->size - start));
    test_append(out, word, 4);
}

void test_png_insert(bf_bytes *png, const char *before, const char *type, const void *data, size_t size)
{
    size_t at = 8;
    while (at + 8 <= png->size && memcmp(png->data + at + 4, before, 4) != 0)
        at += 12 + ((size_t)png->data[at] << 24 | (size_t)png->data[at + 1] << 16 | (size_t)png->data[at + 2] << 8 |
                    png->data[at + 3]);
    test_must(at + 8 <= png->size, "finding a PNG chunk");
    bf_bytes out = {0};
    test_append(&out, png->data, at);
    append_chunk(&out, type, data, size);
    test_append(&out, png->data + at, png->size - at);
    bf_bytes_done(png);
    *png = out;
}

bf_bytes test_png_header(uint32_t width, uint32_t height)
{
    bf_bytes out = {0};
    test_append(&out, "\x89PNG\r\n\x1a\n", 8);
    uint8_t header[13] = {0};
    put32(header, width);
    put32(header + 4, height);
    header[8] = 8;
    header[9] = SPNG_COLOR_TYPE_TRUECOLOR;
    append_chunk(&out, "IHDR", header, sizeof header);
    append_chunk(&out, "IDAT", "\x78\x9c\x63\x60\x00\x00\x00\x02\x00\x01", 10);
    append_chunk(&out, "IEND", NULL, 0);
    return out;
}

static struct spng_ihdr header_of(const bf_image *image, const test_png_options *o)
{
    static const struct {
        uint8_t type, depth;
    } kinds[] = {
        [TEST_PNG_RGB8] = {SPNG_COLOR_TYPE_TRUECOLOR, 8},
        [TEST_PNG_RGB16] = {SPNG_COLOR_TYPE_TRUECOLOR, 16},
        [TEST_PNG_RGBA8] = {SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 8},
        [TEST_PNG_GREY8] = {SPNG_COLOR_TYPE_GRAYSCALE, 8},
        [TEST_PNG_GREY1] = {SPNG_COLOR_TYPE_GRAYSCALE, 1},
        [TEST_PNG_GREY_ALPHA16] = {SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 16},
        [TEST_PNG_PALETTE] = {SPNG_COLOR_TYPE_INDEXED, 8},
    };
    return (struct spng_ihdr){.width = (uint32_t)image->width,
                              .height = (uint32_t)image->height,
                              .bit_depth = kinds[o->kind].depth,
                              .color_type = kinds[o->kind].type,
                              .interlace_method = o->interlaced ? SPNG_INTERLACE_ADAM7 : SPNG_INTERLACE_NONE};
}

/* Samples as SPNG_FMT_PNG wants them: 16-bit in the machine's order, 1-bit packed from the left. */
static size_t write_row(uint8_t *to, const uint8_t *rgb, int width, const test_png_options *o)
{
    uint8_t *start = to;
    uint16_t wide;
    for (int x = 0; x < width; x++, rgb += 3) {
        uint16_t wide_alpha = (uint16_t)(o->alpha * 257);
        switch (o->kind) {
        case TEST_PNG_RGB8:
        case TEST_PNG_RGBA8:
            memcpy(to, rgb, 3);
            to[3] = (uint8_t)o->alpha;
            to += o->kind == TEST_PNG_RGB8 ? 3 : 4;
            break;
        case TEST_PNG_RGB16:
            for (int c = 0; c < 3; c++, to += 2) {
                wide = (uint16_t)(rgb[c] * 256 + 17);
                memcpy(to, &wide, 2);
            }
            break;
        case TEST_PNG_GREY8:
            *to++ = rgb[1];
            break;
        case TEST_PNG_GREY1:
            to[x / 8] = (uint8_t)((x % 8 ? to[x / 8] : 0) | (rgb[1] >= 128) << (7 - x % 8));
            break;
        case TEST_PNG_GREY_ALPHA16:
            wide = (uint16_t)(rgb[1] * 256 + 17);
            memcpy(to, &wide, 2);
            memcpy(to + 2, &wide_alpha, 2);
            to += 4;
            break;
        case TEST_PNG_PALETTE:
            *to++ = (uint8_t)(rgb[0] / 64);
            break;
        }
    }
    return o->kind == TEST_PNG_GREY1 ? (size_t)(width + 7) / 8 : (size_t)(to - start);
}

static void set_palette(spng_ctx *ctx, bool transparent_entry)
{
    struct spng_plte palette = {.n_entries = 4};
    for (uint8_t i = 0; i < 4; i++)
        palette.entries[i] = (struct spng_plte_entry){(uint8_t)(i * 60), (uint8_t)(200 - i * 60), 90, 0};
    test_must(spng_set_plte(ctx, &palette) == 0, "spng_set_plte");
    struct spng_trns transparency = {.n_type3_entries = 2, .type3_alpha = {255, 0}};
    if (transparent_entry)
        test_must(spng_set_trns(ctx, &transparency) == 0, "spng_set_trns");
}

static bf_bytes encode(const bf_image *image, const test_png_options *o)
{
    spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
    test_must(ctx, "spng_ctx_new");
    struct spng_ihdr header = header_of(image, o);
    size_t row_max = (size_t)image->width * 8;
    uint8_t *samples = malloc(row_max * (size_t)image->height);
    test_must(samples, "malloc");
    size_t used = 0;
    for (int y = 0; y < image->height; y++)
        used += write_row(samples + used, image->pixels + (size_t)y * image->stride, image->width, o);
    test_must(spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1) == 0 && spng_set_ihdr(ctx, &header) == 0, "spng_set");
    if (o->kind == TEST_PNG_PALETTE)
        set_palette(ctx, o->transparent_entry);
    test_must(spng_encode_image(ctx, samples, used, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE) == 0, "spng_encode_image");
    int code = 0;
    bf_bytes png = {0};
    png.data = spng_get_png_buffer(ctx, &png.size, &code);
    test_must(png.data && code == 0, "spng_get_png_buffer");
    spng_ctx_free(ctx);
    free(samples);
    return png;
}

bf_bytes test_png(const bf_image *image, const test_png_options *options)
{
    static const test_png_options plain;
    const test_png_options *o = options ? options : &plain;
    bf_bytes png = encode(image, o);
    if (o->exif)
        test_png_insert(&png, o->exif_late ? "IEND" : "IDAT", "eXIf", o->exif->data, o->exif->size);
    if (o->animated)
        test_png_insert(&png, "IDAT", "acTL", "\0\0\0\2\0\0\0\0", 8);
    if (o->icc) /* a name, method 0, and an empty zlib stream */
        test_png_insert(&png, o->kind == TEST_PNG_PALETTE ? "PLTE" : "IDAT", "iCCP",
                        "x\0\0\x78\x9c\x03\x00\x00\x00\x00\x01", 11);
    return png;
}

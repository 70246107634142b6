/* Test images, made by the libraries' own encoders, so that no binary is kept in the repository. A writer that cannot
 * do its work ends the program: it is a broken test set-up, not a finding. Every returned buffer is the caller's
 * (bf_bytes_done). */
#ifndef TEST_SUPPORT_IMAGES_H
#define TEST_SUPPORT_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "image/image.h"

/* RGB, four quadrants of flat colour with a little texture: red, green / blue, yellow. Owned by the caller. */
bf_image test_pattern(int width, int height);

/* RGB noise from a seed (the same on every machine). */
bf_image test_noise(int width, int height, uint32_t seed);

/* A small, well-spread generator: the next of a sequence that starts with any `*state`. */
uint32_t test_random(uint32_t *state);

typedef struct test_exif_options {
    bool big_endian;
    int orientation;                                            /* 0: no such tag */
    const char *make, *model, *software, *time, *time_original; /* NULL: no such tag */
    bool gps;
} test_exif_options;

/* A TIFF block as EXIF wants it, without the "Exif\0\0" prefix. */
bf_bytes test_exif(const test_exif_options *options);

typedef struct test_jpeg_options {
    int quality; /* 0: 90 */
    int h, v;    /* luma sampling factors; 0: 1 */
    bool progressive, grey, cmyk, ycck;
    bool plain_cmyk; /* CMYK without Adobe marker: not inverted */
    bool many_scans; /* progressive, one scan per coefficient and bit: 2090 of them */
    int restart_rows;
    const bf_bytes *exif; /* TIFF block, or NULL */
    bool icc;
} test_jpeg_options;

bf_bytes test_jpeg(const bf_image *image, const test_jpeg_options *options);

typedef enum test_png_kind {
    TEST_PNG_RGB8,
    TEST_PNG_RGB16,
    TEST_PNG_RGBA8,
    TEST_PNG_GREY8,
    TEST_PNG_GREY1,
    TEST_PNG_GREY_ALPHA16,
    TEST_PNG_PALETTE, /* 4 entries, the second transparent when `transparent_entry` */
} test_png_kind;

typedef struct test_png_options {
    test_png_kind kind;
    int alpha; /* of every pixel, 0..255, for kinds with alpha */
    bool transparent_entry;
    bool interlaced;
    bool animated;        /* with an acTL chunk */
    const bf_bytes *exif; /* TIFF block, or NULL */
    bool exif_late;       /* the EXIF chunk stands after the pixels */
    bool icc;
} test_png_options;

bf_bytes test_png(const bf_image *image, const test_png_options *options);

/* A PNG that declares any size and has almost no pixels. */
bf_bytes test_png_header(uint32_t width, uint32_t height);

/* A PNG chunk (length, type, data, CRC) put before the chunk `before` of `png`. */
void test_png_insert(bf_bytes *png, const char *before, const char *type, const void *data, size_t size);

typedef struct test_webp_options {
    bool lossless;
    int alpha;            /* 1..255: every pixel has it; 0: no alpha channel */
    bool animated;        /* two frames */
    const bf_bytes *exif; /* TIFF block, or NULL */
} test_webp_options;

bf_bytes test_webp(const bf_image *image, const test_webp_options *options);

typedef struct test_heic_options {
    int images;           /* top-level images; 0: one */
    int orientation;      /* as irot and imir properties; 0: none */
    int alpha;            /* 1..255; 0: none */
    const bf_bytes *exif; /* TIFF block, or NULL */
} test_heic_options;

/* Empty when this libheif has no HEVC encoder: the caller skips, saying so. */
bf_bytes test_heic(const bf_image *image, const test_heic_options *options);

/* The picture as a grid of 2 x 2 tiles, as phones write it. Sides are even and at least 128. Empty as above. */
bf_bytes test_heic_grid(const bf_image *image);

/* Concatenates to a buffer, growing it. */
void test_append(bf_bytes *bytes, const void *data, size_t size);

#endif

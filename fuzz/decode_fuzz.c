#include "decode_fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"

/* Lower than the product's, so that one input takes milliseconds; nothing else depends on them. */
static const bf_decode_limits limits = {
    .pixels_max = 1 << 20, .side_min_px = 1, .decoder_bytes_max = 32 << 20, .jpeg_scans_max = 30};

/* Keeps the compiler from leaving out that every pixel is read. */
static volatile unsigned pixel_sum;

static void must(int ok)
{
    if (!ok)
        abort();
}

static void check_facts(const bf_media_facts *facts, size_t size)
{
    must(facts->bytes == size);
    must(facts->orientation >= 1 && facts->orientation <= 8);
    must(facts->jpeg_quality >= 0 && facts->jpeg_quality <= 100);
    const char *const texts[] = {facts->exif_make, facts->exif_model, facts->exif_software, facts->exif_time};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        must(memchr(texts[i], 0, BF_FACT_TEXT_SIZE) != NULL);
        for (const char *c = texts[i]; *c; c++)
            must(*c >= 0x20 && *c <= 0x7e);
    }
}

static void check_image(const bf_image *image, const bf_media_facts *facts)
{
    must(image->pixels && image->channels == 3 && image->width > 0 && image->height > 0);
    must((uint64_t)image->width * (uint64_t)image->height <= limits.pixels_max);
    must(facts->coded_width > 0 && facts->coded_height > 0);
    unsigned sum = 0;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width * 3; x++)
            sum += image->pixels[(size_t)y * image->stride + (size_t)x];
    pixel_sum = sum;
}

void fuzz_decode(const uint8_t *data, size_t size, const char *magic, size_t magic_size, size_t magic_at)
{
    if (size < magic_at + magic_size)
        return;
    uint8_t *copy = malloc(size);
    must(copy != NULL);
    memcpy(copy, data, size);
    memcpy(copy + magic_at, magic, magic_size);
    bf_image image = {0};
    bf_error err = {0};
    bf_media_facts facts;
    bf_status status = bf_decode_still(copy, size, &limits, &image, &facts, &err);
    must(err.status == status);
    must((status == BF_OK) == (image.pixels != NULL));
    must(status == BF_OK || (err.message[0] && err.hint[0]));
    must(status != BF_INTERNAL);
    check_facts(&facts, size);
    if (status == BF_OK)
        check_image(&image, &facts);
    bf_image_done(&image);
    free(copy);
}

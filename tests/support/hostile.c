#include "support/hostile.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "support/must.h"

#define SIDE 160

static bf_bytes of_text(const char *text, size_t size)
{
    bf_bytes out = {0};
    test_append(&out, text, size);
    return out;
}

#define TEXT(name, text)                                                                                               \
    static bf_bytes make_##name(void)                                                                                  \
    {                                                                                                                  \
        return of_text(text, sizeof(text) - 1);                                                                        \
    }

TEXT(empty, "")
TEXT(text, "This is not a picture.\nIt is a text with the wrong name.\n")
TEXT(json, "{ \"image\": null }\n")
TEXT(base64, "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQ==")
TEXT(gif, "GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02"
          "D\x01\0;")
TEXT(bmp, "BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
          "\0\0\0\0\xff\xff\xff\0")
TEXT(tiff, "II*\0\x08\0\0\0\0\0\0\0\0\0")
TEXT(pdf, "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n")
TEXT(svg, "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"200\" height=\"200\"/>\n")
TEXT(html, "<!DOCTYPE html>\n<html><body>404</body></html>\n")
TEXT(zip, "PK\3\4\x14\0\0\0\0\0")
TEXT(video, "\0\0\0\x18"
            "ftypisom\0\0\2\0isommp41\0\0\0\x08mdat")
TEXT(avif, "\0\0\0\x1c"
           "ftypavif\0\0\0\0avifmif1miaf\0\0\0\x08mdat")
TEXT(jpeg_start, "\xff\xd8\xff\xe0")
TEXT(png_start, "\x89PNG\r\n\x1a\n")
TEXT(webp_start, "RIFF\x04\0\0\0WEBP")
TEXT(heic_start, "\0\0\0\x18"
                 "ftypheic\0\0\0\0mif1heic")

static bf_bytes pattern_jpeg(const test_jpeg_options *options)
{
    bf_image image = test_pattern(SIDE, SIDE);
    bf_bytes jpeg = test_jpeg(&image, options);
    bf_image_done(&image);
    return jpeg;
}

static bf_bytes pattern_png(int width, int height, const test_png_options *options)
{
    bf_image image = test_pattern(width, height);
    bf_bytes png = test_png(&image, options);
    bf_image_done(&image);
    return png;
}

static bf_bytes pattern_webp(const test_webp_options *options)
{
    bf_image image = test_pattern(SIDE, SIDE);
    bf_bytes webp = test_webp(&image, options);
    bf_image_done(&image);
    return webp;
}

static bf_bytes pattern_heic(const test_heic_options *options)
{
    bf_image image = test_pattern(SIDE, SIDE);
    bf_bytes heic = test_heic(&image, options);
    bf_image_done(&image);
    return heic;
}

static bf_bytes make_random(void)
{
    bf_image image = test_noise(32, 32, 5);
    bf_bytes out = of_text((const char *)image.pixels, image.stride * 32);
    out.data[0] = 0x80; /* whatever the generator gives: no magic begins so */
    bf_image_done(&image);
    return out;
}

static bf_bytes make_truncated_jpeg(void)
{
    bf_bytes out = pattern_jpeg(NULL);
    out.size = out.size * 2 / 3;
    return out;
}

static size_t find_marker(const bf_bytes *jpeg, uint8_t marker)
{
    for (size_t i = 2; i + 1 < jpeg->size; i++)
        if (jpeg->data[i] == 0xff && jpeg->data[i + 1] == marker)
            return i;
    test_must(false, "finding a JPEG marker");
    return 0;
}

static bf_bytes make_bitflip_jpeg(void)
{
    bf_bytes out = pattern_jpeg(NULL);
    uint32_t state = 11;
    size_t scan = find_marker(&out, 0xda) + 14;
    for (int i = 0; i < 200; i++)
        out.data[scan + test_random(&state) % (out.size - scan)] ^= (uint8_t)(1u << test_random(&state) % 8);
    return out;
}

/* Rewrites the size in the frame header: a picture that claims more than it has. */
static void claim_size(bf_bytes *jpeg, uint8_t frame_marker, unsigned width, unsigned height)
{
    uint8_t *frame = jpeg->data + find_marker(jpeg, frame_marker);
    frame[5] = (uint8_t)(height >> 8);
    frame[6] = (uint8_t)height;
    frame[7] = (uint8_t)(width >> 8);
    frame[8] = (uint8_t)width;
}

static bf_bytes make_huge_jpeg(void)
{
    bf_bytes out = pattern_jpeg(&(test_jpeg_options){.progressive = true});
    claim_size(&out, 0xc2, 65500, 65500);
    return out;
}

/* Allowed by its pixels, but a progressive file of four inks at this size takes 300 MB of coefficients. */
static bf_bytes make_memory_jpeg(void)
{
    bf_bytes out = pattern_jpeg(&(test_jpeg_options){.progressive = true, .cmyk = true});
    claim_size(&out, 0xc2, 6300, 6300);
    return out;
}

static bf_bytes make_many_scans(void)
{
    return pattern_jpeg(&(test_jpeg_options){.many_scans = true});
}

/* An EXIF block of 5000 entries that all point at the same 60000 bytes: 300 MB when each is copied. */
static bf_bytes make_exif_bomb(void)
{
    static const uint8_t entry[12] = {0x0f, 0x01, 0x02, 0x00, 0x60, 0xea, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00};
    bf_bytes exif = of_text("II*\0\10\0\0\0\x88\x13", 10);
    for (int i = 0; i < 5000; i++)
        test_append(&exif, entry, sizeof entry);
    test_append(&exif, "\0\0\0\0", 4);
    while (exif.size < 60100)
        test_append(&exif, "padding ", 8);
    bf_bytes out = pattern_jpeg(&(test_jpeg_options){.exif = &exif});
    bf_bytes_done(&exif);
    return out;
}

static bf_bytes make_huge_png(void)
{
    return test_png_header(60000, 60000);
}

static bf_bytes make_wide_png(void)
{
    return test_png_header(2000000000, 1);
}

/* Says 6000 x 6000 and has no pixels for it. */
static bf_bytes make_hollow_png(void)
{
    return test_png_header(6000, 6000);
}

static bf_bytes make_one_pixel(void)
{
    return pattern_png(1, 1, NULL);
}

static bf_bytes make_too_narrow(void)
{
    return pattern_png(99, 400, NULL);
}

static bf_bytes make_apng(void)
{
    return pattern_png(SIDE, SIDE, &(test_png_options){.animated = true});
}

static bf_bytes make_truncated_png(void)
{
    bf_bytes out = pattern_png(SIDE, SIDE, NULL);
    out.size = out.size * 2 / 3;
    return out;
}

static bf_bytes make_bad_checksum(void)
{
    bf_bytes out = pattern_png(SIDE, SIDE, NULL);
    out.data[out.size - 14] ^= 1; /* the last byte but one of the pixels' CRC */
    return out;
}

static bf_bytes make_chunk_bomb(void)
{
    bf_bytes out = pattern_png(SIDE, SIDE, NULL);
    for (int i = 0; i < 2000; i++)
        test_png_insert(&out, "IEND", "tEXt", "k\0v", 3);
    return out;
}

static bf_bytes make_animated_webp(void)
{
    return pattern_webp(&(test_webp_options){.animated = true});
}

static bf_bytes make_truncated_webp(void)
{
    bf_bytes out = pattern_webp(NULL);
    out.size = out.size * 2 / 3;
    return out;
}

static bf_bytes make_several_heic(void)
{
    return pattern_heic(&(test_heic_options){.images = 2});
}

static bf_bytes make_truncated_heic(void)
{
    bf_bytes out = pattern_heic(NULL);
    out.size = out.size * 2 / 3;
    return out;
}

/* Rewrites the size that the container declares (the ispe property). */
static bf_bytes make_huge_heic(void)
{
    bf_bytes out = pattern_heic(NULL);
    for (size_t i = 0; i + 16 <= out.size; i++)
        if (memcmp(out.data + i, "ispe", 4) == 0)
            memcpy(out.data + i + 8, "\0\0\xea\x60\0\0\xea\x60", 8); /* 60000 x 60000 */
    return out;
}

/* Says 160 x 160 in the container and holds 4 million pixels. */
static bf_bytes make_hidden_size(void)
{
    bf_image image = test_pattern(2000, 2000);
    bf_bytes out = test_heic(&image, NULL);
    bf_image_done(&image);
    for (size_t i = 0; i + 16 <= out.size; i++)
        if (memcmp(out.data + i, "ispe", 4) == 0)
            memcpy(out.data + i + 8, "\0\0\0\xa0\0\0\0\xa0", 8);
    return out;
}

/* Turns the picture into a derived one of this type (23008-12, 6.6.2) that starts with these bytes. With `of_itself`,
 * what it is made of is itself; else it is made of nothing. */
static bf_bytes derived_heic(const char *type, const void *head, size_t head_size, bool of_itself)
{
    static const uint8_t itself[10] = {'d', 'i', 'm', 'g', 0, 1, 0, 1, 0, 1};
    bf_bytes exif = test_exif(&(test_exif_options){.make = "any"}); /* brings a reference, which is overwritten */
    bf_bytes out = pattern_heic(&(test_heic_options){.exif = &exif});
    bf_bytes_done(&exif);
    for (size_t i = 0; i + 4 + head_size <= out.size; i++) {
        if (memcmp(out.data + i, "hvc1", 4) == 0)
            memcpy(out.data + i, type, 4);
        if (memcmp(out.data + i, "cdsc", 4) == 0 && of_itself)
            memcpy(out.data + i, itself, sizeof itself);
        if (memcmp(out.data + i, "mdat", 4) == 0)
            memcpy(out.data + i + 4, head, head_size);
    }
    return out;
}

/* An overlay of nothing on a canvas of 29000 x 29000. */
static bf_bytes make_overlay(void)
{
    return derived_heic("iovl", "\0\0\0\0\0\0\0\0\xff\xff\x71\x48\x71\x48", 14, false);
}

static bf_bytes make_overlay_of_itself(void)
{
    return derived_heic("iovl", "\0\0\0\0\0\0\0\0\xff\xff\0\xa0\0\xa0\0\0\0\0", 18, true);
}

static bf_bytes make_identity_of_itself(void)
{
    return derived_heic("iden", "", 0, true);
}

static bf_bytes make_grid_of_itself(void)
{
    return derived_heic("grid", "\0\0\0\0\0\xa0\0\xa0", 8, true);
}

static bf_bytes png_of(bf_image image)
{
    bf_bytes out = test_png(&image, NULL);
    bf_image_done(&image);
    return out;
}

static bf_bytes make_noise(void)
{
    return png_of(test_noise(320, 240, 3));
}

static bf_bytes make_grey_noise(void)
{
    bf_image image = test_noise(320, 240, 4);
    for (size_t i = 0; i < image.stride * 240; i += 3)
        image.pixels[i] = image.pixels[i + 1] = image.pixels[i + 2] = image.pixels[i] < 128 ? 0 : 255;
    return png_of(image);
}

static bf_bytes of_colour(uint8_t value)
{
    bf_image image = test_noise(320, 240, 0);
    memset(image.pixels, value, image.stride * 240);
    return png_of(image);
}

static bf_bytes make_black(void)
{
    return of_colour(0);
}

static bf_bytes make_white(void)
{
    return of_colour(255);
}

static void draw_disc(bf_image *image, int cx, int cy, int rx, int ry, const uint8_t colour[3])
{
    for (int y = cy - ry; y <= cy + ry; y++)
        for (int x = cx - rx; x <= cx + rx; x++) {
            int64_t dx = (int64_t)(x - cx) * ry, dy = (int64_t)(y - cy) * rx;
            if (dx * dx + dy * dy <= (int64_t)rx * rx * ry * ry)
                memcpy(image->pixels + (size_t)y * image->stride + (size_t)x * 3, colour, 3);
        }
}

/* A face as a child draws it. */
static bf_bytes make_cartoon(void)
{
    static const uint8_t sky[3] = {150, 200, 240}, skin[3] = {250, 210, 90}, ink[3] = {20, 20, 20},
                         lips[3] = {200, 60, 60};
    bf_image image = test_noise(480, 480, 0);
    for (size_t i = 0; i < (size_t)480 * 480; i++)
        memcpy(image.pixels + 3 * i, sky, 3);
    draw_disc(&image, 240, 240, 150, 180, skin);
    draw_disc(&image, 180, 190, 18, 26, ink);
    draw_disc(&image, 300, 190, 18, 26, ink);
    draw_disc(&image, 240, 250, 10, 16, ink);
    draw_disc(&image, 240, 330, 70, 20, lips);
    return png_of(image);
}

static const test_hostile files[] = {
    {"empty.jpg", BF_EMPTY_INPUT, make_empty},
    {"text.jpg", BF_UNSUPPORTED_FORMAT, make_text},
    {"object.json", BF_UNSUPPORTED_FORMAT, make_json},
    {"base64.txt", BF_UNSUPPORTED_FORMAT, make_base64},
    {"animation.gif", BF_UNSUPPORTED_FORMAT, make_gif},
    {"picture.bmp", BF_UNSUPPORTED_FORMAT, make_bmp},
    {"page.tiff", BF_UNSUPPORTED_FORMAT, make_tiff},
    {"document.pdf", BF_UNSUPPORTED_FORMAT, make_pdf},
    {"drawing.svg", BF_UNSUPPORTED_FORMAT, make_svg},
    {"page.html", BF_UNSUPPORTED_FORMAT, make_html},
    {"archive.zip", BF_UNSUPPORTED_FORMAT, make_zip},
    {"video.mp4", BF_UNSUPPORTED_FORMAT, make_video},
    {"picture.avif", BF_UNSUPPORTED_FORMAT, make_avif},
    {"random.jpg", BF_UNSUPPORTED_FORMAT, make_random},
    {"start_only.jpg", BF_CORRUPT_IMAGE, make_jpeg_start},
    {"start_only.png", BF_CORRUPT_IMAGE, make_png_start},
    {"start_only.webp", BF_CORRUPT_IMAGE, make_webp_start},
    {"start_only.heic", BF_CORRUPT_IMAGE, make_heic_start},
    {"truncated.jpg", BF_CORRUPT_IMAGE, make_truncated_jpeg},
    {"bitflip.jpg", BF_CORRUPT_IMAGE, make_bitflip_jpeg},
    {"huge_header.jpg", BF_IMAGE_TOO_LARGE, make_huge_jpeg},
    {"memory.jpg", BF_DECODER_LIMIT, make_memory_jpeg},
    {"many_scans.jpg", BF_DECODER_LIMIT, make_many_scans},
    {"exif_bomb.jpg", BF_DECODER_LIMIT, make_exif_bomb},
    {"huge_header.png", BF_IMAGE_TOO_LARGE, make_huge_png},
    {"wide_header.png", BF_IMAGE_TOO_LARGE, make_wide_png},
    {"hollow.png", BF_CORRUPT_IMAGE, make_hollow_png},
    {"one_pixel.png", BF_IMAGE_TOO_SMALL, make_one_pixel},
    {"too_narrow.png", BF_IMAGE_TOO_SMALL, make_too_narrow},
    {"apng.png", BF_ANIMATED_IMAGE, make_apng},
    {"truncated.png", BF_CORRUPT_IMAGE, make_truncated_png},
    {"bad_checksum.png", BF_CORRUPT_IMAGE, make_bad_checksum},
    {"chunk_bomb.png", BF_DECODER_LIMIT, make_chunk_bomb},
    {"animated.webp", BF_ANIMATED_IMAGE, make_animated_webp},
    {"truncated.webp", BF_CORRUPT_IMAGE, make_truncated_webp},
    {"several.heic", BF_ANIMATED_IMAGE, make_several_heic},
    {"truncated.heic", BF_CORRUPT_IMAGE, make_truncated_heic},
    {"huge_header.heic", BF_IMAGE_TOO_LARGE, make_huge_heic},
    {"hidden_size.heic", BF_DECODER_LIMIT, make_hidden_size},
    {"overlay.heic", BF_UNSUPPORTED_FORMAT, make_overlay},
    {"overlay_of_itself.heic", BF_UNSUPPORTED_FORMAT, make_overlay_of_itself},
    {"identity_of_itself.heic", BF_UNSUPPORTED_FORMAT, make_identity_of_itself},
    {"grid_of_itself.heic", BF_UNSUPPORTED_FORMAT, make_grid_of_itself},
    {"noise.png", BF_OK, make_noise},
    {"grey_noise.png", BF_OK, make_grey_noise},
    {"black.png", BF_OK, make_black},
    {"white.png", BF_OK, make_white},
    {"cartoon.png", BF_OK, make_cartoon},
};

const test_hostile *test_hostile_files(size_t *ret_count)
{
    *ret_count = sizeof files / sizeof *files;
    return files;
}

/* JPEG by the libjpeg API of libjpeg-turbo. The library by itself sets no limit to anything; all of them are set
 * here: bytes and pixels before the first allocation for pixels, memory by max_memory_to_use, scans by the progress
 * monitor, and warnings are errors (jpeg_guard.c). Colours follow the library's most accurate path: integer "slow"
 * DCT and smooth chroma upsampling, which are its defaults. Colour profiles are ignored; sRGB is assumed. */
#include "decode/jpeg.h"

#include <limits.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "decode/exif.h"

#define MARKER_EXIF (JPEG_APP0 + 1)
#define MARKER_ICC (JPEG_APP0 + 2)
#define MARKER_BYTES_MAX 0xffff
#define ICC_PREFIX_BYTES 12

static void jpeg_done(bf_jpeg *jpeg)
{
    jpeg_destroy_decompress(&jpeg->cinfo);
    bf_canvas_done(&jpeg->canvas);
    bf_free(jpeg->cmyk_row);
    jpeg->cmyk_row = NULL;
}

static void step_header(bf_jpeg *jpeg)
{
    const bf_decode_job *job = jpeg->job;
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    jpeg_create_decompress(cinfo);
    cinfo->mem->max_memory_to_use =
        job->limits.decoder_bytes_max < LONG_MAX ? (long)job->limits.decoder_bytes_max : LONG_MAX;
    cinfo->progress = &jpeg->progress;
    jpeg_save_markers(cinfo, MARKER_EXIF, MARKER_BYTES_MAX);
    jpeg_save_markers(cinfo, MARKER_ICC, ICC_PREFIX_BYTES);
    jpeg_mem_src(cinfo, job->bytes, job->size);
    (void)jpeg_read_header(cinfo, TRUE);
}

static bf_status read_exif(const bf_jpeg *jpeg)
{
    for (const struct jpeg_marker_struct *marker = jpeg->cinfo.marker_list; marker; marker = marker->next)
        if (marker->marker == MARKER_EXIF && marker->data_length >= 6 && memcmp(marker->data, "Exif\0", 6) == 0)
            return bf_exif_read(jpeg->job, marker->data, marker->data_length);
    return BF_OK;
}

/* Photoshop and its kin store CMYK inverted (255 is no ink) and say so by an Adobe marker; without the marker 0 is
 * no ink. There is no profile to go by, so inks are taken as ideal filters. */
static void rgb_from_cmyk(uint8_t *rgb, const uint8_t *cmyk, int width, bool inverted)
{
    unsigned flip = inverted ? 0 : 255;
    for (int x = 0; x < width; x++, rgb += 3, cmyk += 4) {
        unsigned light = cmyk[3] ^ flip;
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(((cmyk[c] ^ flip) * light + 127) / 255);
    }
}

static void step_pixels_cmyk(bf_jpeg *jpeg)
{
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    int height = jpeg->canvas.coded_height;
    for (int y = 0; y < height; y++) {
        JSAMPROW row = jpeg->cmyk_row;
        (void)jpeg_read_scanlines(cinfo, &row, 1);
        rgb_from_cmyk(bf_canvas_row(&jpeg->canvas, y), row, jpeg->canvas.coded_width, cinfo->saw_Adobe_marker);
        bf_canvas_commit(&jpeg->canvas, y + 1);
    }
}

static void step_pixels_rgb(bf_jpeg *jpeg)
{
    int height = jpeg->canvas.coded_height;
    for (int y = 0; y < height;) {
        JSAMPROW rows[BF_CANVAS_BAND_ROWS];
        int count = bf_canvas_band_end(&jpeg->canvas, y) - y;
        for (int i = 0; i < count; i++)
            rows[i] = bf_canvas_row(&jpeg->canvas, y + i);
        y += (int)jpeg_read_scanlines(&jpeg->cinfo, rows, (JDIMENSION)count);
        bf_canvas_commit(&jpeg->canvas, y);
    }
}

static void step_pixels(bf_jpeg *jpeg)
{
    struct jpeg_decompress_struct *cinfo = &jpeg->cinfo;
    cinfo->out_color_space = jpeg->cmyk_row ? JCS_CMYK : JCS_RGB;
    (void)jpeg_start_decompress(cinfo);
    if (jpeg->cmyk_row)
        step_pixels_cmyk(jpeg);
    else
        step_pixels_rgb(jpeg);
    jpeg->job->facts->jpeg_scans = cinfo->input_scan_number;
    (void)jpeg_finish_decompress(cinfo);
}

bf_status bf_jpeg_decode(const bf_decode_job *job, bf_image *ret_image)
{
    BF_CLEANUP(jpeg_done) bf_jpeg jpeg = {.job = job};
    bf_jpeg_guard_init(&jpeg);
    bf_status status = bf_jpeg_guard(&jpeg, step_header);
    if (status != BF_OK)
        return status;
    bf_jpeg_read_facts(&jpeg.cinfo, job->facts);
    status = bf_job_note_coded_size(job, jpeg.cinfo.image_width, jpeg.cinfo.image_height);
    if (status == BF_OK)
        status = read_exif(&jpeg);
    if (status == BF_OK)
        status = bf_canvas_init(&jpeg.canvas, (int)jpeg.cinfo.image_width, (int)jpeg.cinfo.image_height,
                                job->facts->orientation, job->err);
    if (status == BF_OK && job->facts->cmyk) {
        jpeg.cmyk_row = bf_malloc((size_t)4 * jpeg.cinfo.image_width);
        if (!jpeg.cmyk_row)
            status = bf_fail_memory(job->err);
    }
    if (status == BF_OK)
        status = bf_jpeg_guard(&jpeg, step_pixels);
    if (status == BF_OK)
        *ret_image = bf_canvas_take(&jpeg.canvas);
    return status;
}

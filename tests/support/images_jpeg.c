#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "support/images.h"
#include "support/must.h"

#define SCANS_MAX 2500
#define COEFFICIENTS 64
#define LOW_BIT 10 /* the most that the library lets successive approximation hold back */

/* One scan per coefficient of each component, and again for every bit that was held back. */
static int write_script(jpeg_scan_info *script, int components)
{
    int count = 0;
    for (int low = LOW_BIT; low >= 0; low--) {
        int high = low == LOW_BIT ? 0 : low + 1;
        script[count] = (jpeg_scan_info){.comps_in_scan = components, .Ah = high, .Al = low};
        for (int c = 0; c < components; c++)
            script[count].component_index[c] = c;
        count++;
        for (int c = 0; c < components; c++)
            for (int k = 1; k < COEFFICIENTS; k++)
                script[count++] = (jpeg_scan_info){
                    .comps_in_scan = 1, .component_index = {c}, .Ss = k, .Se = k, .Ah = high, .Al = low};
    }
    return count;
}

static void write_exif(struct jpeg_compress_struct *cinfo, const bf_bytes *exif)
{
    bf_bytes marker = {0};
    test_append(&marker, "Exif\0", 6);
    test_append(&marker, exif->data, exif->size);
    jpeg_write_marker(cinfo, JPEG_APP0 + 1, marker.data, (unsigned)marker.size);
    bf_bytes_done(&marker);
}

/* The inks of an RGB pixel, with all common darkness in black; inverted as Adobe stores them. */
static void ink_from_rgb(uint8_t *ink, const uint8_t *rgb, bool inverted)
{
    unsigned light = rgb[0] > rgb[1] ? rgb[0] : rgb[1];
    light = light > rgb[2] ? light : rgb[2];
    for (int c = 0; c < 3; c++)
        ink[c] = (uint8_t)(light ? (rgb[c] * 255u + light / 2) / light : 255u);
    ink[3] = (uint8_t)light;
    for (int c = 0; c < 4 && !inverted; c++)
        ink[c] ^= 255;
}

static void write_rows(struct jpeg_compress_struct *cinfo, const bf_image *image, const test_jpeg_options *o)
{
    uint8_t *row = malloc((size_t)image->width * 4);
    test_must(row, "malloc");
    for (int y = 0; y < image->height; y++) {
        const uint8_t *rgb = image->pixels + (size_t)y * image->stride;
        for (int x = 0; x < image->width; x++) {
            if (o->cmyk || o->ycck)
                ink_from_rgb(row + (size_t)x * 4, rgb + (size_t)x * 3, !o->plain_cmyk);
            else if (o->grey)
                row[x] = rgb[x * 3 + 1];
            else
                memcpy(row + (size_t)x * 3, rgb + (size_t)x * 3, 3);
        }
        JSAMPROW rows[1] = {row};
        (void)jpeg_write_scanlines(cinfo, rows, 1);
    }
    free(row);
}

static void set_options(struct jpeg_compress_struct *cinfo, const test_jpeg_options *o)
{
    bool inks = o->cmyk || o->ycck;
    cinfo->input_components = inks ? 4 : o->grey ? 1 : 3;
    cinfo->in_color_space = inks ? JCS_CMYK : o->grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(cinfo);
    if (inks)
        jpeg_set_colorspace(cinfo, o->ycck ? JCS_YCCK : JCS_CMYK);
    if (o->plain_cmyk)
        cinfo->write_Adobe_marker = FALSE;
    jpeg_set_quality(cinfo, o->quality ? o->quality : 90, TRUE);
    cinfo->restart_in_rows = o->restart_rows;
    cinfo->comp_info[0].h_samp_factor = o->h ? o->h : 1;
    cinfo->comp_info[0].v_samp_factor = o->v ? o->v : 1;
    if (o->progressive)
        jpeg_simple_progression(cinfo);
}

bf_bytes test_jpeg(const bf_image *image, const test_jpeg_options *options)
{
    static const test_jpeg_options plain;
    const test_jpeg_options *o = options ? options : &plain;
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct cinfo = {.err = jpeg_std_error(&errors)};
    jpeg_create_compress(&cinfo);
    unsigned char *data = NULL;
    unsigned long size = 0;
    jpeg_mem_dest(&cinfo, &data, &size);
    cinfo.image_width = (JDIMENSION)image->width;
    cinfo.image_height = (JDIMENSION)image->height;
    set_options(&cinfo, o);
    jpeg_scan_info *script = calloc(SCANS_MAX, sizeof *script);
    test_must(script, "calloc");
    if (o->many_scans) {
        cinfo.num_scans = write_script(script, cinfo.num_components);
        cinfo.scan_info = script;
    }
    jpeg_start_compress(&cinfo, TRUE);
    if (o->exif)
        write_exif(&cinfo, o->exif);
    if (o->icc)
        jpeg_write_icc_profile(&cinfo, (const JOCTET *)"not a real profile", 18);
    write_rows(&cinfo, image, o);
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    free(script);
    return (bf_bytes){.data = data, .size = size};
}

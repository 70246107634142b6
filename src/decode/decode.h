/* Untrusted still images to upright RGB pixels, with the facts of the file. Format by content, never by name.
 * Hardened for hostile input: every limit below is enforced before memory is spent. Any thread. */
#ifndef BF_DECODE_DECODE_H
#define BF_DECODE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

typedef enum bf_container {
    BF_CONTAINER_UNKNOWN,
    BF_CONTAINER_JPEG,
    BF_CONTAINER_PNG,
    BF_CONTAINER_WEBP,
    BF_CONTAINER_HEIC,
    BF_CONTAINER_BURST, /* a capture file, see capture/file.h */
    BF_CONTAINER_MP4,
    BF_CONTAINER_WEBM
} bf_container;

/* Zero in a field means the default of base/limits.h. */
typedef struct bf_decode_limits {
    size_t input_bytes_max;
    uint64_t pixels_max;
    int side_min_px;
    size_t decoder_bytes_max;
    int jpeg_scans_max;
} bf_decode_limits;

#define BF_FACT_TEXT_SIZE 64

/* What the file says about itself: evidence about the capture path, none of it trusted. No location is kept. */
typedef struct bf_media_facts {
    bf_container container;
    size_t bytes;                  /* size of the file */
    int coded_width, coded_height; /* before orientation */
    int orientation;               /* EXIF 1..8, applied to the pixels; 1 when absent and for HEIC, whose own
                                   * transformations the decoder applies */
    int bit_depth;                 /* per channel as coded: 8, 10, 16, ... */
    bool has_alpha;                /* was composed over white, as viewers and printers show it */
    bool has_icc_profile;          /* present and knowingly ignored (sRGB assumed) */
    bool palette;                  /* PNG palette */
    bool grey;                     /* coded as grey */
    bool cmyk;                     /* JPEG CMYK or YCCK */
    bool progressive;              /* JPEG */
    int jpeg_scans;                /* number of scans seen; 0 when not JPEG */
    char subsampling[8];           /* JPEG: "4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1", "4:1:0", "grey"; else "" */
    int jpeg_quality;              /* IJG quality 1..100 whose tables are nearest; 0 when not JPEG */
    bool jpeg_tables_standard;     /* the tables are exactly the IJG ones at that quality */
    bool jpeg_tables_present[4];
    uint16_t jpeg_tables[4][64]; /* quantisation tables, zig-zag order undone (row-major) */
    bool exif_present;
    char exif_make[BF_FACT_TEXT_SIZE];
    char exif_model[BF_FACT_TEXT_SIZE];
    char exif_software[BF_FACT_TEXT_SIZE];
    char exif_time[BF_FACT_TEXT_SIZE]; /* DateTimeOriginal, else DateTime, as written; printable ASCII only */
} bf_media_facts;

/* Decodes one still. On success the caller owns *ret_image (3 channels, EXIF orientation applied) and *ret_facts
 * is filled; on failure *ret_image is untouched, but *ret_facts holds what was learned before the failure.
 * `limits`, `ret_facts` and `err` may be NULL. Errors: EMPTY_INPUT, UNSUPPORTED_FORMAT, CORRUPT_IMAGE (also truncated:
 * libjpeg's "premature end" warning is an error), IMAGE_TOO_LARGE, IMAGE_TOO_SMALL, DECODER_LIMIT, ANIMATED_IMAGE,
 * OUT_OF_MEMORY. */
bf_status bf_decode_still(const uint8_t *bytes, size_t size, const bf_decode_limits *limits, bf_image *ret_image,
                          bf_media_facts *ret_facts, bf_error *err);

/* "jpeg", "png", "webp", "heic", "burst", "mp4", "webm" or "unknown". */
const char *bf_container_name(bf_container container);

#endif

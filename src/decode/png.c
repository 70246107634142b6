/* PNG by libspng. Sizes and memory are checked from the header; checksums are verified everywhere; chunks are
 * limited. Alpha is composed over white, as a viewer shows it on paper; 16-bit samples keep their upper byte; colour
 * profiles and gamma are ignored and sRGB is assumed. */
#include <spng.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "decode/canvas.h"
#include "decode/exif.h"
#include "decode/job.h"
#include "decode/memory.h"

#define DEFLATE_RATIO_MAX 1032
#define SIGNATURE_BYTES 8
#define CHUNK_HEAD_BYTES 8
#define CHUNK_CRC_BYTES 4
#define CHUNKS_BYTES_MAX (4 * (size_t)BF_PNG_CHUNK_BYTES_MAX)

typedef struct png {
    const bf_decode_job *job;
    spng_ctx *ctx;
    bf_canvas canvas;
    uint8_t *pixels; /* one row with alpha, or a whole interlaced picture; NULL when rows go to the canvas directly */
    size_t pixels_size;
    int format; /* SPNG_FMT_RGB8 or SPNG_FMT_RGBA8 */
    bool interlaced;
} png;

static void png_done(png *p)
{
    if (p->ctx)
        spng_ctx_free(p->ctx);
    bf_canvas_done(&p->canvas);
    if (p->pixels)
        explicit_bzero(p->pixels, p->pixels_size);
    bf_free(p->pixels);
}

static bf_status fail_png(const png *p, int code)
{
    if (bf_memory_verdict() == BF_OUT_OF_MEMORY)
        return bf_fail_memory(p->job->err);
    if (bf_memory_verdict() == BF_DECODER_LIMIT)
        code = SPNG_ECHUNK_LIMITS;
    switch (code) {
    case SPNG_EMEM:
        return bf_fail_memory(p->job->err);
    case SPNG_EOVERFLOW:
        bf_fail(p->job->err, BF_IMAGE_TOO_LARGE, "The image is too large.");
        bf_fail_hint(p->job->err, "At most %d pixels on a side are accepted.", BF_IMAGE_SIDE_MAX_PX);
        return BF_IMAGE_TOO_LARGE;
    case SPNG_ECHUNK_LIMITS:
        bf_fail(p->job->err, BF_DECODER_LIMIT, "The PNG image carries more side data than allowed.");
        bf_fail_hint(p->job->err, "Save the photo without comments and profiles.");
        return BF_DECODER_LIMIT;
    default:
        return bf_job_fail_corrupt(p->job, spng_strerror(code));
    }
}

typedef struct chunk {
    const uint8_t *data; /* NULL when there is none */
    size_t size;
} chunk;

/* The first chunk of a type, wherever it stands: EXIF may come after the pixels. The chunks' order and checksums are
 * left to libspng. */
static chunk find_chunk(const bf_decode_job *job, const char *type)
{
    size_t at = SIGNATURE_BYTES;
    while (job->size - at >= CHUNK_HEAD_BYTES) {
        const uint8_t *head = job->bytes + at;
        size_t size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        size_t left = job->size - at - CHUNK_HEAD_BYTES;
        if (size > left)
            break;
        if (memcmp(head + 4, type, 4) == 0)
            return (chunk){head + CHUNK_HEAD_BYTES, size};
        if (left - size < CHUNK_CRC_BYTES)
            break;
        at += CHUNK_HEAD_BYTES + size + CHUNK_CRC_BYTES;
    }
    return (chunk){0};
}

/* libspng itself takes at most 1000 chunks that are not pixels; its option to change that does not work in 0.7. */
static bf_status open_png(png *p)
{
    struct spng_alloc alloc = {bf_memory_malloc, bf_memory_realloc, bf_memory_calloc, bf_free};
    bf_memory_begin(p->job->limits.decoder_bytes_max);
    p->ctx = spng_ctx_new2(&alloc, 0);
    if (!p->ctx)
        return fail_png(p, SPNG_EMEM);
    int code = spng_set_crc_action(p->ctx, SPNG_CRC_ERROR, SPNG_CRC_ERROR);
    if (code == 0)
        code = spng_set_chunk_limits(p->ctx, BF_PNG_CHUNK_BYTES_MAX, CHUNKS_BYTES_MAX);
    if (code == 0)
        code = spng_set_png_buffer(p->ctx, p->job->bytes, p->job->size);
    return code == 0 ? BF_OK : fail_png(p, code);
}

/* Deflate packs at most 1032 bytes into one (RFC 1951: 258 bytes by two bits), so a short file that claims a large
 * picture cannot hold it, and no memory need be spent to find out. */
static bf_status check_density(const png *p, const struct spng_ihdr *header)
{
    static const unsigned samples[] = {
        [SPNG_COLOR_TYPE_GRAYSCALE] = 1,       [SPNG_COLOR_TYPE_TRUECOLOR] = 3,       [SPNG_COLOR_TYPE_INDEXED] = 1,
        [SPNG_COLOR_TYPE_GRAYSCALE_ALPHA] = 2, [SPNG_COLOR_TYPE_TRUECOLOR_ALPHA] = 4,
    };
    uint64_t bits = (uint64_t)header->width * samples[header->color_type] * header->bit_depth;
    if (bits / 8 * header->height <= (uint64_t)p->job->size * DEFLATE_RATIO_MAX)
        return BF_OK;
    return bf_job_fail_corrupt(p->job, "fewer bytes than the pixels need");
}

static bf_status read_header(png *p)
{
    struct spng_ihdr header;
    int code = spng_get_ihdr(p->ctx, &header);
    if (code != 0)
        return fail_png(p, code);
    bf_media_facts *facts = p->job->facts;
    facts->bit_depth = header.bit_depth;
    facts->palette = header.color_type == SPNG_COLOR_TYPE_INDEXED;
    facts->grey =
        header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    facts->has_alpha = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
                       header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA || find_chunk(p->job, "tRNS").data;
    facts->has_icc_profile = find_chunk(p->job, "iCCP").data != NULL;
    p->interlaced = header.interlace_method != SPNG_INTERLACE_NONE;
    p->format = facts->has_alpha ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
    bf_status status = bf_job_note_coded_size(p->job, header.width, header.height);
    if (status == BF_OK)
        status = check_density(p, &header);
    if (status == BF_OK && find_chunk(p->job, "acTL").data)
        status = bf_job_fail_animated(p->job, "an animation");
    chunk exif = find_chunk(p->job, "eXIf");
    if (status == BF_OK && exif.data)
        status = bf_exif_read(p->job, exif.data, exif.size);
    return status;
}

/* An interlaced picture is complete only after the last of its seven passes, so it needs a second buffer. */
static bf_status alloc_pixels(png *p)
{
    bf_media_facts *facts = p->job->facts;
    size_t row = (size_t)facts->coded_width * (facts->has_alpha ? 4 : 3);
    if (p->interlaced)
        p->pixels_size = row * (size_t)facts->coded_height;
    else if (facts->has_alpha)
        p->pixels_size = row;
    bf_status status = bf_job_check_memory(p->job, p->pixels_size);
    if (status == BF_OK && p->pixels_size > 0) {
        p->pixels = bf_malloc(p->pixels_size);
        if (!p->pixels)
            status = bf_fail_memory(p->job->err);
    }
    if (status == BF_OK)
        status = bf_canvas_init(&p->canvas, facts->coded_width, facts->coded_height, facts->orientation, p->job->err);
    return status;
}

static int decode_rows(png *p)
{
    size_t alpha_row = (size_t)p->canvas.coded_width * 4;
    size_t plain_row = (size_t)p->canvas.coded_width * 3;
    bool has_alpha = p->job->facts->has_alpha;
    int code = spng_decode_image(p->ctx, NULL, 0, p->format, SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE);
    for (int y = 0; code == 0 && y < p->canvas.coded_height; y++) {
        uint8_t *row = bf_canvas_row(&p->canvas, y);
        code = has_alpha ? spng_decode_row(p->ctx, p->pixels, alpha_row) : spng_decode_row(p->ctx, row, plain_row);
        bool last = code == SPNG_EOI && y + 1 == p->canvas.coded_height;
        if (code != 0 && !last)
            break;
        if (has_alpha)
            bf_canvas_row_from_rgba(row, p->pixels, p->canvas.coded_width);
        bf_canvas_commit(&p->canvas, y + 1);
    }
    return code == SPNG_EOI ? 0 : code;
}

static int decode_interlaced(png *p)
{
    int code = spng_decode_image(p->ctx, p->pixels, p->pixels_size, p->format, SPNG_DECODE_TRNS);
    size_t stride = p->pixels_size / (size_t)p->canvas.coded_height;
    for (int y = 0; code == 0 && y < p->canvas.coded_height; y++) {
        uint8_t *row = bf_canvas_row(&p->canvas, y);
        const uint8_t *from = p->pixels + (size_t)y * stride;
        if (p->job->facts->has_alpha)
            bf_canvas_row_from_rgba(row, from, p->canvas.coded_width);
        else
            memcpy(row, from, stride);
        bf_canvas_commit(&p->canvas, y + 1);
    }
    return code;
}

bf_status bf_png_decode(const bf_decode_job *job, bf_image *ret_image)
{
    BF_CLEANUP(png_done) png p = {.job = job};
    bf_status status = open_png(&p);
    if (status == BF_OK)
        status = read_header(&p);
    if (status == BF_OK)
        status = alloc_pixels(&p);
    if (status != BF_OK)
        return status;
    bf_memory_begin(job->limits.decoder_bytes_max); /* anew: reading EXIF had its own budget */
    int code = p.interlaced ? decode_interlaced(&p) : decode_rows(&p);
    if (code == 0)
        code = spng_decode_chunks(p.ctx); /* the rest of the file: a missing end or a bad checksum shows here */
    if (code != 0)
        return fail_png(&p, code);
    chunk end = find_chunk(job, "IEND");
    if (!end.data || (size_t)(job->bytes + job->size - end.data) < CHUNK_CRC_BYTES) /* libspng does not read this far */
        return bf_job_fail_corrupt(job, "no end");
    *ret_image = bf_canvas_take(&p.canvas);
    return BF_OK;
}

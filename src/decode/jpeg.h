/* The parts of the JPEG decoder: guarded calls into libjpeg (jpeg_guard.c), facts (jpeg_facts.c) and the decoding
 * itself (jpeg.c). Internal to decode/. */
#ifndef BF_DECODE_JPEG_H
#define BF_DECODE_JPEG_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "decode/canvas.h"
#include "decode/job.h"

/* Everything one decode owns, so that a jump out of libjpeg loses nothing. */
typedef struct bf_jpeg {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const bf_decode_job *job;
    bf_canvas canvas;
    uint8_t *cmyk_row; /* one row of C,M,Y,K; NULL unless the file is CMYK or YCCK */
    bf_status status;  /* why the escape was taken */
} bf_jpeg;

/* Connects the error and progress handlers to `jpeg`, which must be zeroed but for its job. */
void bf_jpeg_guard_init(bf_jpeg *jpeg);

/* Runs `step`, which may call libjpeg freely but must own nothing outside `jpeg`. BF_OK, or the reason why libjpeg,
 * a warning that we take for an error, or the scan limit ended it (the job's error is filled). */
bf_status bf_jpeg_guard(bf_jpeg *jpeg, void (*step)(bf_jpeg *jpeg));

/* Fills the JPEG facts from a header that was read. */
void bf_jpeg_read_facts(const struct jpeg_decompress_struct *cinfo, bf_media_facts *facts);

#endif

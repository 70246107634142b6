/* What the decoders share: the input, its resolved limits, and where results go. Internal to decode/. */
#ifndef BF_DECODE_JOB_H
#define BF_DECODE_JOB_H

#include "decode/decode.h"

/* One call of bf_decode_still. Every limit holds a number (none is zero). `facts` is never NULL, `err` may be. */
typedef struct bf_decode_job {
    const uint8_t *bytes;
    size_t size;
    bf_decode_limits limits;
    bf_media_facts *facts;
    bf_error *err;
} bf_decode_job;

/* Each decodes one container into *ret_image (written only on success) and fills the facts it can learn. Errors are
 * those of bf_decode_still. */
bf_status bf_jpeg_decode(const bf_decode_job *job, bf_image *ret_image);
bf_status bf_png_decode(const bf_decode_job *job, bf_image *ret_image);
bf_status bf_webp_decode(const bf_decode_job *job, bf_image *ret_image);
bf_status bf_heic_decode(const bf_decode_job *job, bf_image *ret_image);

/* Refuses a size when a side or the number of pixels is outside the limits. To be called before anything is allocated
 * for pixels. bf_job_note_coded_size also puts it into the facts. */
bf_status bf_job_note_coded_size(const bf_decode_job *job, uint64_t width, uint64_t height);
bf_status bf_job_check_size(const bf_decode_job *job, uint64_t width, uint64_t height);

/* Refuses a decoder that would need more than decoder_bytes_max, with BF_DECODER_LIMIT. */
bf_status bf_job_check_memory(const bf_decode_job *job, uint64_t bytes);

/* Puts a library's own text, which may quote the file, on one printable line into the error's detail. */
void bf_job_set_detail(const bf_decode_job *job, const char *what);

/* The errors every decoder reports in the same words. `what` is the library's own text, for the operator; for an
 * animation it is what the file holds, for the person. */
bf_status bf_job_fail_corrupt(const bf_decode_job *job, const char *what);
bf_status bf_job_fail_animated(const bf_decode_job *job, const char *what);

#endif

/* The only file with setjmp: libjpeg reports a fatal error by calling a handler that must not return. */
#include <string.h>

#include <jerror.h>

#include "base/error.h"
#include "base/limits.h"
#include "decode/jpeg.h"

static bf_status status_of(int code)
{
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return BF_OUT_OF_MEMORY;
    case JERR_NO_BACKING_STORE: /* max_memory_to_use would be exceeded */
        return BF_DECODER_LIMIT;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        return BF_IMAGE_TOO_LARGE;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED:
        return BF_UNSUPPORTED_FORMAT;
    case JERR_BAD_LIB_VERSION:
    case JERR_BAD_STRUCT_SIZE:
    case JERR_BAD_STATE:
        return BF_INTERNAL;
    default:
        return BF_CORRUPT_IMAGE;
    }
}

static void fill_error(const bf_jpeg *jpeg, const char *what)
{
    bf_error *err = jpeg->job->err;
    switch (jpeg->status) {
    case BF_OUT_OF_MEMORY:
        bf_fail_memory(err);
        break;
    case BF_CORRUPT_IMAGE:
        bf_job_fail_corrupt(jpeg->job, what);
        break;
    case BF_UNSUPPORTED_FORMAT:
        bf_fail(err, BF_UNSUPPORTED_FORMAT, "The JPEG image uses a rare form of coding that is not supported.");
        bf_fail_hint(err, "Save the photo as an ordinary 8-bit JPEG.");
        break;
    case BF_INTERNAL:
        bf_fail(err, BF_INTERNAL, "The JPEG library does not fit this program.");
        break;
    default:
        bf_fail(err, jpeg->status, "Decoding the JPEG image would take more memory or work than allowed.");
        bf_fail_hint(err, "Save the photo as an ordinary JPEG, not progressive, and smaller.");
        break;
    }
    bf_job_set_detail(jpeg->job, what);
}

static _Noreturn void leave(bf_jpeg *jpeg, bf_status status, const char *what)
{
    jpeg->status = status;
    fill_error(jpeg, what);
    longjmp(jpeg->escape, 1);
}

static _Noreturn void on_error(j_common_ptr cinfo)
{
    char text[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, text);
    leave(cinfo->client_data, status_of(cinfo->err->msg_code), text);
}

/* libjpeg goes on after a warning and invents what is missing; nothing invented may be judged. Two warnings say
 * nothing about the pixels: a JFIF version it does not know, and a few stray bytes, which the encoders of many
 * cameras leave behind. */
static bool is_harmless(const struct jpeg_error_mgr *errors)
{
    if (errors->msg_code == JWRN_JFIF_MAJOR)
        return true;
    return errors->msg_code == JWRN_EXTRANEOUS_DATA && errors->msg_parm.i[0] <= BF_JPEG_PADDING_BYTES_MAX;
}

static void on_message(j_common_ptr cinfo, int level)
{
    if (level < 0 && !is_harmless(cinfo->err))
        on_error(cinfo);
}

static void on_output(j_common_ptr cinfo)
{
    (void)cinfo; /* library code never prints */
}

/* Called once per row of blocks. Every scan of a progressive file may touch the whole picture, so that a small file
 * of thousands of scans is much work. */
static void on_progress(j_common_ptr cinfo)
{
    bf_jpeg *jpeg = cinfo->client_data;
    if (jpeg->cinfo.input_scan_number > jpeg->job->limits.jpeg_scans_max)
        leave(jpeg, BF_DECODER_LIMIT, "too many scans");
}

void bf_jpeg_guard_init(bf_jpeg *jpeg)
{
    jpeg->cinfo.err = jpeg_std_error(&jpeg->errors);
    jpeg->errors.error_exit = on_error;
    jpeg->errors.emit_message = on_message;
    jpeg->errors.output_message = on_output;
    jpeg->progress.progress_monitor = on_progress;
    jpeg->cinfo.client_data = jpeg;
}

bf_status bf_jpeg_guard(bf_jpeg *jpeg, void (*step)(bf_jpeg *jpeg))
{
    if (setjmp(jpeg->escape) != 0)
        return jpeg->status;
    step(jpeg);
    return BF_OK;
}

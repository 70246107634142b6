/* A capture file of any bytes, and the burst in it: what is read can be written and read again, and its frames come in
 * order or end with an error. */
#include <stdlib.h>
#include <string.h>

#include "capture/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lower than the product's, so that one input takes milliseconds. */
static const bf_frames_limits limits = {
    .still = {.pixels_max = 1 << 16, .side_min_px = 1, .decoder_bytes_max = 8 << 20, .jpeg_scans_max = 20},
    .decoded_bytes_max = 4 << 20};

static void must(int ok)
{
    if (!ok)
        abort();
}

static void check_file(const bf_capture_file *file, const uint8_t *bytes, size_t size)
{
    must(file->frame_count >= 1 && file->frame_count <= BF_CAPTURE_FRAMES_MAX);
    must(file->shown_count >= 0 && file->shown_count <= BF_CAPTURE_SHOWN_MAX);
    must(!file->nonce[0] || strlen(file->nonce) == BF_PLAN_NONCE_HEX);
    must(!file->client || json_is_object(file->client));
    double ms = 0.0;
    const uint8_t *end = bytes + size;
    for (int i = 0; i < file->frame_count; ms = file->frame[i++].ms) {
        must(file->frame[i].ms >= ms && file->frame[i].ms <= BF_CAPTURE_MS_MAX);
        must(file->frame[i].bytes >= bytes && file->frame[i].size > 0 &&
             file->frame[i].size <= (size_t)(end - file->frame[i].bytes));
    }
    must(file->frame[file->frame_count - 1].bytes + file->frame[file->frame_count - 1].size == end);
    for (int i = 0; i < file->shown_count; i++)
        must(file->shown[i].what[0] && memchr(file->shown[i].what, 0, BF_CAPTURE_WHAT_SIZE) != NULL);
}

/* Writes what was read. The header may grow where it is written out in full, so that it may be refused. */
static void write_again(const bf_capture_file *file)
{
    bf_bytes bytes = {0};
    bf_capture_file again = {0};
    bf_status status = bf_capture_file_write(file, &bytes, NULL);
    must(status == BF_OK || status == BF_INVALID_ARGUMENT);
    if (status != BF_OK)
        return;
    must(bf_capture_file_parse(bytes.data, bytes.size, &again, NULL) == BF_OK);
    check_file(&again, bytes.data, bytes.size);
    must(again.frame_count == file->frame_count && again.shown_count == file->shown_count);
    must(strcmp(again.nonce, file->nonce) == 0 && (again.client != NULL) == (file->client != NULL));
    bf_capture_file_done(&again);
    bf_bytes_done(&bytes);
}

static void read_frames(const uint8_t *bytes, size_t size)
{
    bf_frames *frames = NULL;
    bf_error err = {0};
    bf_status status = bf_frames_open(bytes, size, &limits, &frames, &err);
    must((status == BF_OK) == (frames != NULL));
    bool more = true;
    int last = -1;
    for (bf_frame frame = {0}; status == BF_OK && more;) {
        status = bf_frames_next(frames, size % 2 ? frame.ms + 50.0 : 0.0, &frame, &more, &err);
        if (status != BF_OK || !more)
            break;
        must(frame.index > last && frame.rgb->pixels && frame.still->container == BF_CONTAINER_JPEG);
        last = frame.index;
    }
    must(status == BF_OK || (err.status == status && err.message[0]));
    bf_frames_free(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < BF_CAPTURE_MAGIC_SIZE)
        return 0;
    uint8_t *copy = malloc(size);
    must(copy != NULL);
    memcpy(copy, data, size);
    /* The magic's NUL is not wanted. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
    memcpy(copy, BF_CAPTURE_MAGIC, BF_CAPTURE_MAGIC_SIZE);
    bf_capture_file file = {0};
    bf_error err = {0};
    bf_status status = bf_capture_file_parse(copy, size, &file, &err);
    must(status == BF_OK || (err.status == status && err.message[0]));
    if (status == BF_OK) {
        check_file(&file, copy, size);
        write_again(&file);
        bf_capture_file_done(&file);
        read_frames(copy, size);
    }
    free(copy);
    return 0;
}

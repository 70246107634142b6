#include "capture/file.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json_text.h"
#include "base/limits.h"

#define HEAD_SIZE (BF_CAPTURE_MAGIC_SIZE + 4) /* what stands before the header */

static void release(json_t **value)
{
    json_decref(*value);
}

/* What the client did wrong goes to the operator; to the person it is a file that arrived damaged. */
static bf_status fail_corrupt(bf_error *err, const char *what)
{
    bf_fail(err, BF_CORRUPT_IMAGE, "The capture file is damaged or cut short.");
    bf_fail_detail(err, "%s", what);
    bf_fail_hint(err, "Capture again.");
    return BF_CORRUPT_IMAGE;
}

static bf_status fail_limit(bf_error *err, const char *what, unsigned max)
{
    bf_fail(err, BF_DECODER_LIMIT, "The capture file has %s; at most %u are read.", what, max);
    bf_fail_hint(err, "Capture again.");
    return BF_DECODER_LIMIT;
}

bool bf_capture_file_is(const uint8_t *bytes, size_t size)
{
    return size >= BF_CAPTURE_MAGIC_SIZE && memcmp(bytes, BF_CAPTURE_MAGIC, BF_CAPTURE_MAGIC_SIZE) == 0;
}

void bf_capture_file_done(bf_capture_file *file)
{
    bf_free(file->frame);
    json_decref(file->client);
    *file = (bf_capture_file){0};
}

static bool is_what(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length >= BF_CAPTURE_WHAT_SIZE)
        return false;
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

/* Whether `ms` may follow `before`. */
static bool is_time(double ms, double before)
{
    return isfinite(ms) && ms >= before && ms <= BF_CAPTURE_MS_MAX;
}

/* object[key] as a time that is not before *before, which becomes it. */
static bool take_time(const json_t *object, double *before)
{
    const json_t *value = json_object_get(object, "ms");
    double ms = json_number_value(value);
    if (!json_is_number(value) || !is_time(ms, *before))
        return false;
    *before = ms;
    return true;
}

/* The list of frames; `at` is where the first begins. */
static bf_status read_frames(const json_t *list, const uint8_t *at, size_t left, bf_capture_file *file, bf_error *err)
{
    size_t count = json_array_size(list);
    if (count == 0)
        return fail_corrupt(err, "'frames' is not a list of frames");
    if (count > BF_CAPTURE_FRAMES_MAX)
        return fail_limit(err, "too many frames", BF_CAPTURE_FRAMES_MAX);
    file->frame = bf_calloc(count, sizeof *file->frame);
    if (!file->frame)
        return bf_fail_memory(err);
    double ms = 0.0;
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list, i);
        json_int_t size = json_integer_value(json_object_get(entry, "bytes"));
        if (size <= 0 || (uint64_t)size > left)
            return fail_corrupt(err, "the sizes of the frames do not add up to that of the file");
        if (!take_time(entry, &ms))
            return fail_corrupt(err, "a frame's 'ms' is no time, or falls");
        file->frame[i] = (bf_capture_frame){at, (size_t)size, ms};
        at += size;
        left -= (size_t)size;
    }
    file->frame_count = (int)count;
    return left == 0 ? BF_OK : fail_corrupt(err, "bytes follow the last frame");
}

static bf_status read_shown(const json_t *list, bf_capture_file *file, bf_error *err)
{
    if (!list || json_is_null(list))
        return BF_OK;
    size_t count = json_array_size(list);
    if (!json_is_array(list))
        return fail_corrupt(err, "'shown' is not a list");
    if (count > BF_CAPTURE_SHOWN_MAX)
        return fail_limit(err, "too many entries of 'shown'", BF_CAPTURE_SHOWN_MAX);
    double ms = 0.0;
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list, i);
        const char *what = json_string_value(json_object_get(entry, "what"));
        if (!what || !is_what(what))
            return fail_corrupt(err, "'what' of an entry of 'shown' is not a short text");
        if (!take_time(entry, &ms))
            return fail_corrupt(err, "'ms' of an entry of 'shown' is no time, or falls");
        memcpy(file->shown[i].what, what, strlen(what) + 1);
        file->shown[i].ms = ms;
    }
    file->shown_count = (int)count;
    return BF_OK;
}

static bf_status read_nonce(const json_t *value, bf_capture_file *file, bf_error *err)
{
    if (!value || json_is_null(value))
        return BF_OK;
    const char *nonce = json_string_value(value);
    if (!nonce || !bf_plan_is_nonce(nonce))
        return fail_corrupt(err, "'nonce' is not 64 hex digits in lower case");
    memcpy(file->nonce, nonce, sizeof file->nonce);
    return BF_OK;
}

static bf_status read_client(json_t *client, bf_capture_file *file, bf_error *err)
{
    if (!client || json_is_null(client))
        return BF_OK;
    if (!json_is_object(client))
        return fail_corrupt(err, "'client' is not an object");
    file->client = json_incref(client);
    return BF_OK;
}

/* Parses the header's text; messages of jansson may quote it, so that they are not passed on. */
static bf_status parse_header(const uint8_t *text, size_t size, json_t **ret, bf_error *err)
{
    if (bf_json_text_is_deeper((const char *)text, size, BF_JSON_DEPTH_MAX))
        return fail_corrupt(err, "the header has too many levels");
    json_error_t fault = {0};
    json_t *root = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        /* Where memory runs out inside the parser, most of its paths say nothing at all. */
        if (json_error_code(&fault) == json_error_out_of_memory || fault.text[0] == '\0')
            return bf_fail_memory(err);
        return fail_corrupt(err, "the header is not JSON");
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return fail_corrupt(err, "the header is not a JSON object");
    }
    *ret = root;
    return BF_OK;
}

static bf_status read_header(json_t *root, const uint8_t *frames, size_t left, bf_capture_file *file, bf_error *err)
{
    bf_status status = read_nonce(json_object_get(root, "nonce"), file, err);
    if (status == BF_OK)
        status = read_shown(json_object_get(root, "shown"), file, err);
    if (status == BF_OK)
        status = read_client(json_object_get(root, "client"), file, err);
    return status == BF_OK ? read_frames(json_object_get(root, "frames"), frames, left, file, err) : status;
}

bf_status bf_capture_file_parse(const uint8_t *bytes, size_t size, bf_capture_file *ret, bf_error *err)
{
    if (!bf_capture_file_is(bytes, size) || size < HEAD_SIZE)
        return fail_corrupt(err, "it does not begin as a capture file does");
    const uint8_t *n = bytes + BF_CAPTURE_MAGIC_SIZE;
    size_t header = (size_t)n[0] | (size_t)n[1] << 8 | (size_t)n[2] << 16 | (size_t)n[3] << 24;
    if (header > BF_CAPTURE_HEADER_MAX)
        return fail_limit(err, "too large a header in bytes", BF_CAPTURE_HEADER_MAX);
    if (header > size - HEAD_SIZE)
        return fail_corrupt(err, "the header is cut short");
    BF_CLEANUP(release) json_t *root = NULL;
    bf_status status = parse_header(bytes + HEAD_SIZE, header, &root, err);
    if (status != BF_OK)
        return status;
    bf_capture_file file = {0};
    status = read_header(root, bytes + HEAD_SIZE + header, size - HEAD_SIZE - header, &file, err);
    if (status == BF_OK)
        *ret = file;
    else
        bf_capture_file_done(&file);
    return status;
}

/* Why a file could not be read again, or NULL. */
static const char *refusal(const bf_capture_file *file)
{
    if (file->frame_count < 1 || file->frame_count > BF_CAPTURE_FRAMES_MAX)
        return "the number of frames";
    if (file->shown_count < 0 || file->shown_count > BF_CAPTURE_SHOWN_MAX)
        return "the number of things shown";
    if (file->nonce[0] && !bf_plan_is_nonce(file->nonce))
        return "the nonce";
    if (file->client && !json_is_object(file->client))
        return "the client's report";
    double ms = 0.0;
    for (int i = 0; i < file->frame_count; ms = file->frame[i++].ms)
        if (!is_time(file->frame[i].ms, ms) || file->frame[i].size == 0)
            return "the time or size of a frame";
    ms = 0.0;
    for (int i = 0; i < file->shown_count; ms = file->shown[i++].ms)
        if (!is_time(file->shown[i].ms, ms) || !is_what(file->shown[i].what))
            return "what was shown, or its time";
    return NULL;
}

/* Appends {"key": value, "ms": ms} to the list `name` of the header; `value` is stolen. */
static bool append(json_t *root, const char *name, const char *key, json_t *value, double ms)
{
    json_t *entry = json_pack("{s:o, s:f}", key, value, "ms", ms);
    return entry && json_array_append_new(json_object_get(root, name), entry) == 0;
}

static json_t *build_header(const bf_capture_file *file)
{
    json_t *root = json_pack("{s:[], s:[]}", "frames", "shown");
    bool good = root != NULL;
    if (good && file->nonce[0])
        good = json_object_set_new(root, "nonce", json_string(file->nonce)) == 0;
    for (int i = 0; good && i < file->frame_count; i++)
        good = append(root, "frames", "bytes", json_integer((json_int_t)file->frame[i].size), file->frame[i].ms);
    for (int i = 0; good && i < file->shown_count; i++)
        good = append(root, "shown", "what", json_string(file->shown[i].what), file->shown[i].ms);
    if (good && file->client)
        good = json_object_set(root, "client", file->client) == 0;
    if (good)
        return root;
    json_decref(root);
    return NULL;
}

static void put_head(size_t header_size, uint8_t *at)
{
    /* The magic's NUL is not written. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
    memcpy(at, BF_CAPTURE_MAGIC, BF_CAPTURE_MAGIC_SIZE);
    for (int i = 0; i < 4; i++)
        at[BF_CAPTURE_MAGIC_SIZE + i] = (uint8_t)(header_size >> (8 * i));
}

static void put_frames(const bf_capture_file *file, uint8_t *at)
{
    for (int i = 0; i < file->frame_count; i++) {
        memcpy(at, file->frame[i].bytes, file->frame[i].size);
        at += file->frame[i].size;
    }
}

static bf_status write_with(const bf_capture_file *file, const json_t *root, bf_bytes *ret, bf_error *err)
{
    const size_t layout = JSON_COMPACT | JSON_REAL_PRECISION(12);
    size_t header = json_dumpb(root, NULL, 0, layout);
    if (header > BF_CAPTURE_HEADER_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The header would have more than %u bytes.", BF_CAPTURE_HEADER_MAX);
    size_t size = HEAD_SIZE + header;
    for (int i = 0; i < file->frame_count; i++)
        size += file->frame[i].size;
    BF_CLEANUP(bf_bytes_done) bf_bytes whole = {bf_malloc(size), size};
    char *text = (char *)whole.data + HEAD_SIZE;
    if (!whole.data || header == 0 || json_dumpb(root, text, header, layout) != header)
        return bf_fail_memory(err);
    if (bf_json_text_is_deeper(text, header, BF_JSON_DEPTH_MAX))
        return bf_fail(err, BF_INVALID_ARGUMENT, "The client's report has too many levels.");
    put_head(header, whole.data);
    put_frames(file, whole.data + HEAD_SIZE + header);
    *ret = whole;
    whole = (bf_bytes){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

bf_status bf_capture_file_write(const bf_capture_file *file, bf_bytes *ret, bf_error *err)
{
    const char *bad = refusal(file);
    if (bad)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A capture file cannot be written: %s is not valid.", bad);
    BF_CLEANUP(release) json_t *root = build_header(file);
    return root ? write_with(file, root, ret, err) : bf_fail_memory(err);
}

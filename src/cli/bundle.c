#include "cli/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "capture/file.h"
#include "record/parse.h"

#define PATH_MAX_BYTES 4096

/* A folder on its way to a capture file. The bytes of frame i are the file's. */
typedef struct bundle {
    const char *folder;
    size_t bytes; /* of all frames until now */
    bf_bytes content[BF_CAPTURE_FRAMES_MAX];
    bf_capture_frame frame[BF_CAPTURE_FRAMES_MAX];
    bf_capture_file file;
} bundle;

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool path_of(const char *folder, const char *name, char ret[PATH_MAX_BYTES])
{
    int length = snprintf(ret, PATH_MAX_BYTES, "%s/%s", folder, name);
    return length > 0 && length < PATH_MAX_BYTES;
}

bool cli_bundle_is(const char *path)
{
    char name[PATH_MAX_BYTES];
    struct stat info;
    return is_folder(path) && path_of(path, CLI_BUNDLE_NAME, name) && stat(name, &info) == 0 && S_ISREG(info.st_mode);
}

static bf_status add_frame(bundle *b, const char *name, double ms, bf_error *err)
{
    char path[PATH_MAX_BYTES];
    int i = b->file.frame_count;
    if (i == BF_CAPTURE_FRAMES_MAX)
        return bf_fail(err, BF_DECODER_LIMIT, "%.200s holds more than %d frames.", b->folder, BF_CAPTURE_FRAMES_MAX);
    if (!path_of(b->folder, name, path))
        return bf_fail(err, BF_IO_ERROR, "The path of the frame %.100s is too long.", name);
    bf_status status = bf_bytes_read_file(&b->content[i], path, BF_CLIP_BYTES_MAX - b->bytes, err);
    if (status != BF_OK)
        return status;
    b->bytes += b->content[i].size;
    b->frame[i] = (bf_capture_frame){b->content[i].data, b->content[i].size, ms};
    b->file.frame_count++;
    return BF_OK;
}

/* ---- frames in the order of their names ---- */

static int is_frame(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bf_status add_by_name(bundle *b, int fps, bf_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(b->folder, &entries, is_frame, by_name);
    if (count < 0)
        return bf_fail(err, BF_IO_ERROR, "Cannot read the folder %.200s: %s.", b->folder, strerror(errno));
    bf_status status = BF_OK;
    for (int i = 0; i < count; i++) {
        if (status == BF_OK)
            status = add_frame(b, entries[i]->d_name, 1000.0 * i / fps, err);
        free(entries[i]);
    }
    free(entries);
    if (status == BF_OK && count == 0) {
        bf_fail(err, BF_IO_ERROR, "There is no frame in the folder %.200s.", b->folder);
        bf_fail_hint(err, "Files whose names end in .jpg or .jpeg are its frames.");
        return BF_IO_ERROR;
    }
    return status;
}

/* ---- frames as capture.json lists them ---- */

static bf_status fail_listing(const bundle *b, bf_error *err, const char *what)
{
    return bf_fail(err, BF_CORRUPT_IMAGE, "%.200s/" CLI_BUNDLE_NAME ": %s.", b->folder, what);
}

static bf_status add_listed(bundle *b, const json_t *root, bf_error *err)
{
    const json_t *list = json_object_get(root, "frames");
    size_t index = 0;
    const json_t *entry = NULL;
    bf_status status = json_array_size(list) > 0 ? BF_OK : fail_listing(b, err, "'frames' is not a list of frames");
    json_array_foreach(list, index, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "file"));
        const json_t *ms = json_object_get(entry, "ms");
        if (status == BF_OK && (!name || !name[0] || name[0] == '.' || strchr(name, '/') || !json_is_number(ms)))
            status = fail_listing(b, err, "a frame has no 'file' of this folder, or no time 'ms'");
        if (status == BF_OK)
            status = add_frame(b, name, json_number_value(ms), err);
    }
    return status;
}

static bf_status take_shown(bundle *b, const json_t *list, bf_error *err)
{
    size_t index = 0;
    const json_t *entry = NULL;
    if (json_array_size(list) > BF_CAPTURE_SHOWN_MAX)
        return fail_listing(b, err, "'shown' has too many entries");
    json_array_foreach(list, index, entry)
    {
        bf_capture_shown *shown = &b->file.shown[b->file.shown_count++];
        const char *what = json_string_value(json_object_get(entry, "what"));
        const json_t *ms = json_object_get(entry, "ms");
        if (!what || strlen(what) >= sizeof shown->what || !json_is_number(ms))
            return fail_listing(b, err, "an entry of 'shown' has no short text 'what', or no time 'ms'");
        memcpy(shown->what, what, strlen(what) + 1);
        shown->ms = json_number_value(ms);
    }
    return BF_OK;
}

static bf_status take_texts(bundle *b, const json_t *root, bf_error *err)
{
    const json_t *nonce = json_object_get(root, "nonce"), *client = json_object_get(root, "client");
    const char *text = json_string_value(nonce);
    if ((nonce && !json_is_null(nonce) && !text) || (text && !bf_plan_is_nonce(text)))
        return fail_listing(b, err, "'nonce' is not 64 hex digits");
    if (text)
        memcpy(b->file.nonce, text, sizeof b->file.nonce);
    if (client && !json_is_null(client))
        b->file.client = json_incref((json_t *)(uintptr_t)client);
    return take_shown(b, json_object_get(root, "shown"), err);
}

static bf_status read_listing(bundle *b, json_t **ret, bf_error *err)
{
    char path[PATH_MAX_BYTES];
    BF_CLEANUP(bf_bytes_done) bf_bytes text = {0};
    if (!path_of(b->folder, CLI_BUNDLE_NAME, path))
        return bf_fail(err, BF_IO_ERROR, "The path of a folder is too long.");
    bf_status status = bf_bytes_read_file(&text, path, BF_JSON_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_json_parse(text.data, text.size, path, ret, err);
    /* To the caller a listing is a part of the input, like the frames. */
    if (status == BF_INVALID_ARGUMENT && err)
        err->status = BF_CORRUPT_IMAGE;
    return status == BF_INVALID_ARGUMENT ? BF_CORRUPT_IMAGE : status;
}

static bf_status add_all(bundle *b, int fps, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *root = NULL;
    if (!cli_bundle_is(b->folder))
        return add_by_name(b, fps, err);
    bf_status status = read_listing(b, &root, err);
    if (status == BF_OK)
        status = take_texts(b, root, err);
    return status == BF_OK ? add_listed(b, root, err) : status;
}

static bf_status write_file(bundle *b, bf_bytes *ret, bf_error *err)
{
    bf_status status = bf_capture_file_write(&b->file, ret, err);
    if (status != BF_INVALID_ARGUMENT)
        return status;
    return fail_listing(b, err, "a time falls, a frame is empty, or nonce, shown or client are not valid");
}

bf_status cli_bundle_read(const char *path, int fps, bf_bytes *ret, bf_error *err)
{
    if (strcmp(path, "-") == 0 || !is_folder(path))
        return bf_bytes_read_file(ret, path, BF_CLIP_BYTES_MAX, err);
    bundle *b = bf_calloc(1, sizeof *b);
    if (!b)
        return bf_fail_memory(err);
    b->folder = path;
    b->file.frame = b->frame;
    bf_status status = add_all(b, fps, err);
    if (status == BF_OK)
        status = write_file(b, ret, err);
    for (int i = 0; i < b->file.frame_count; i++)
        bf_bytes_done(&b->content[i]);
    json_decref(b->file.client);
    bf_free(b);
    return status;
}

#include "review/package.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/error.h"

#define BLOCK 512
#define PATH_SIZE 4096
#define TAR_BYTES_MAX (512u << 20)

/* The header of a file in a tar archive (POSIX.1-2001, ustar). */
typedef struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2],
        user[32], group[32], major[8], minor[8], prefix[155], padding[12];
} tar_header;
_Static_assert(sizeof(tar_header) == BLOCK, "a tar header is one block");

/* Where the files go: into one archive in memory, or below a folder. */
typedef struct packing {
    const char *path;
    bool tar;
    bf_bytes archive;
    size_t capacity;
} packing;

static bool ends_in_tar(const char *path)
{
    size_t size = strlen(path);
    return size > 4 && strcmp(path + size - 4, ".tar") == 0;
}

static bf_status append(packing *p, const void *data, size_t size, bf_error *err)
{
    size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
    if (padded > TAR_BYTES_MAX - p->archive.size) {
        bf_fail(err, BF_INVALID_ARGUMENT, "The package would be larger than %u MB.", TAR_BYTES_MAX >> 20);
        bf_fail_hint(err, "Lower --limit, or name a folder instead of a .tar file.");
        return BF_INVALID_ARGUMENT;
    }
    if (p->archive.size + padded > p->capacity) {
        size_t capacity = 2 * (p->archive.size + padded);
        uint8_t *grown = bf_realloc(p->archive.data, capacity);
        if (!grown)
            return bf_fail_memory(err);
        p->archive.data = grown;
        p->capacity = capacity;
    }
    if (size > 0)
        memcpy(p->archive.data + p->archive.size, data, size);
    memset(p->archive.data + p->archive.size + size, 0, padded - size);
    p->archive.size += padded;
    return BF_OK;
}

/* Owner, times and modes are the same for everybody, so that equal input gives equal bytes. */
static bf_status append_file(packing *p, const char *name, const void *data, size_t size, bf_error *err)
{
    tar_header header = {.mode = "0000600", .uid = "0000000", .gid = "0000000", .mtime = "00000000000", .type = '0'};
    unsigned sum = 0;
    (void)snprintf(header.name, sizeof header.name, "errors/%s", name);
    (void)snprintf(header.size, sizeof header.size, "%011zo", size);
    memcpy(header.magic, "ustar", 6);
    memcpy(header.version, "00", 2);
    memset(header.checksum, ' ', sizeof header.checksum);
    for (size_t i = 0; i < sizeof header; i++)
        sum += ((const unsigned char *)&header)[i];
    (void)snprintf(header.checksum, sizeof header.checksum, "%06o", sum);
    bf_status status = append(p, &header, sizeof header, err);
    return status == BF_OK ? append(p, data, size, err) : status;
}

static bf_status make_folder(const char *path, bf_error *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return bf_fail(err, BF_IO_ERROR, "Cannot make the folder %.200s: %s.", path, strerror(errno));
    return BF_OK;
}

static bf_status start(packing *p, bf_error *err)
{
    struct stat info;
    char path[PATH_SIZE];
    if (p->tar)
        return BF_OK;
    if (snprintf(path, sizeof path, "%s/reviews.csv", p->path) >= (int)sizeof path - 64)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The name of the package is too long.");
    if (stat(path, &info) == 0) {
        bf_fail(err, BF_INVALID_ARGUMENT, "%.200s is there already, perhaps with a reviewer's work in it.", path);
        bf_fail_hint(err, "Import it and delete the folder, or name another one.");
        return BF_INVALID_ARGUMENT;
    }
    bf_status status = make_folder(p->path, err);
    (void)snprintf(path, sizeof path, "%s/pictures", p->path);
    return status == BF_OK ? make_folder(path, err) : status;
}

static bf_status add(packing *p, const char *name, const void *data, size_t size, bf_error *err)
{
    char path[PATH_SIZE];
    if (p->tar)
        return append_file(p, name, data, size, err);
    (void)snprintf(path, sizeof path, "%s/%s", p->path, name);
    return bf_bytes_write_private(path, data, size, err);
}

static bf_status add_bytes(packing *p, const char *name, bf_status made, const bf_bytes *bytes, bf_error *err)
{
    return made == BF_OK ? add(p, name, bytes->data, bytes->size, err) : made;
}

static bf_status finish(packing *p, bf_error *err)
{
    static const char end[2 * BLOCK] = {0};
    if (!p->tar)
        return BF_OK;
    bf_status status = append(p, end, sizeof end, err);
    return status == BF_OK ? bf_bytes_write_private(p->path, p->archive.data, p->archive.size, err) : status;
}

static const char README[] =
    "Errors to review\n"
    "\n"
    "This package may show faces. They are biometric data of real persons: open it only if you may see these captures\n"
    "for this review, do not pass it on, and delete it, with every copy, when the review is done.\n"
    "\n"
    "1. Open errors.html in a browser. It loads nothing and works offline.\n"
    "2. Fill in reviews.csv, one row for each error. Rows without a verdict are passed over.\n"
    "   verdict   agreed: the label is right. label wrong: it is not. unclear: nobody could tell from this capture.\n"
    "   cause     infrastructure, data, capture_ux, security, threshold, model or unclear; may stay empty.\n"
    "   note      what the next person should know, in a sentence. No names or other personal data.\n"
    "   reviewer  who you are, in a word, the same in every row.\n"
    "3. Save it as CSV in UTF-8 and send back reviews.csv only. It holds no picture. It is taken over by:\n"
    "   bonafide errors --import reviews.csv --dataset DATASET\n";

static bf_status add_pictures(packing *p, const bf_review_report *report, const bf_pictures *pictures, bf_error *err)
{
    char name[BF_PICTURE_NAME_SIZE];
    bf_status status = BF_OK;
    for (size_t i = 0; pictures && status == BF_OK && i < report->count; i++) {
        const bf_bytes *copy = &pictures->copy[report->slip[i].row - report->table->row].large;
        bf_picture_name(i, name);
        if (copy->size > 0)
            status = add(p, name, copy->data, copy->size, err);
    }
    return status;
}

static void packing_done(packing *p)
{
    bf_bytes_done(&p->archive);
}

bf_status bf_package_write(const char *path, const bf_review_report *report, const bf_review_facts *facts,
                           bf_error *err)
{
    BF_CLEANUP(packing_done) packing p = {.path = path, .tar = ends_in_tar(path)};
    BF_CLEANUP(bf_bytes_done) bf_bytes html = {0}, json = {0}, csv = {0};
    bf_status status = start(&p, err);
    if (status == BF_OK)
        status = add(&p, "README.txt", README, sizeof README - 1, err);
    if (status == BF_OK)
        status = add_bytes(&p, "errors.html", bf_review_html(&html, report, facts, err), &html, err);
    if (status == BF_OK)
        status = add_bytes(&p, "errors.json", bf_review_json(&json, report, facts, err), &json, err);
    if (status == BF_OK)
        status = add_pictures(&p, report, facts->pictures, err);
    if (status == BF_OK)
        status = add_bytes(&p, "reviews.csv", bf_review_csv(&csv, report, facts, true, err), &csv, err);
    return status == BF_OK ? finish(&p, err) : status;
}

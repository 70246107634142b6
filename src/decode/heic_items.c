#include "decode/heic_items.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"

#define HEAD_BYTES 8
#define LONG_HEAD_BYTES 16
#define VERSION_BYTES 4 /* version and flags of a FullBox */
#define REFERENCES_MAX (4 * BF_HEIC_ITEMS_MAX)

/* Bytes not read yet. */
typedef struct span {
    const uint8_t *at;
    size_t left;
} span;

typedef struct box {
    const uint8_t *type; /* four letters */
    span content;
} box;

typedef struct item {
    uint32_t id;
    const uint8_t *type;
    bool is_hidden;     /* not to be shown by itself */
    bool is_part;       /* tile, thumbnail, auxiliary image: belongs to another */
    bool is_auxiliary;  /* source of an auxl reference */
    bool has_auxiliary; /* target of one */
} item;

typedef struct items {
    item *list;
    size_t count, references;
} items;

static void items_done(items *all)
{
    bf_free(all->list);
}

static bool is_type(const uint8_t *type, const char *name)
{
    return memcmp(type, name, 4) == 0;
}

/* Reads a big-endian number of 1..4 bytes; false when the span has fewer. */
static bool read_number(span *s, size_t size, uint32_t *ret)
{
    if (s->left < size)
        return false;
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | s->at[i];
    s->at += size;
    s->left -= size;
    *ret = value;
    return true;
}

/* Takes the next box (ISO/IEC 14496-12, 4.2) from the span; false when it does not fit, with ret->type set when at
 * least that could be read. Boxes "to the end" and with 64-bit sizes are taken on the top level only: nobody writes
 * them elsewhere, and readers differ about them. */
static bool read_box(span *s, bool top_level, box *ret)
{
    ret->type = NULL;
    if (s->left < HEAD_BYTES)
        return false;
    span head = *s;
    uint32_t size32 = 0, high = 0, low = 0;
    (void)read_number(&head, 4, &size32);
    ret->type = head.at;
    head.at += 4;
    head.left -= 4;
    uint64_t size = size32;
    size_t head_bytes = HEAD_BYTES;
    if (top_level && size32 == 0) {
        size = s->left;
    } else if (top_level && size32 == 1) {
        head_bytes = LONG_HEAD_BYTES;
        if (!read_number(&head, 4, &high) || !read_number(&head, 4, &low))
            return false;
        size = (uint64_t)high << 32 | low;
    }
    if (size < head_bytes || size > s->left)
        return false;
    ret->content = (span){s->at + head_bytes, (size_t)size - head_bytes};
    s->at += size;
    s->left -= (size_t)size;
    return true;
}

static item *find_item(const items *all, uint32_t id)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].id == id)
            return &all->list[i];
    return NULL;
}

static bf_status fail_limit(const bf_decode_job *job)
{
    bf_fail(job->err, BF_DECODER_LIMIT, "The HEIC file has more parts than allowed.");
    bf_fail_hint(job->err, "Send an ordinary photo, or a JPEG.");
    return BF_DECODER_LIMIT;
}

static bf_status fail_derived(const bf_decode_job *job)
{
    bf_fail(job->err, BF_UNSUPPORTED_FORMAT,
            "The HEIC image is put together from others in a way that is not supported.");
    bf_fail_hint(job->err, "Save the photo as JPEG.");
    return BF_UNSUPPORTED_FORMAT;
}

/* One item information entry (14496-12, 8.11.6). */
static bf_status read_item(const bf_decode_job *job, span entry, items *all)
{
    uint32_t version = 0, flags = 0, id = 0, protection = 0;
    if (!read_number(&entry, 1, &version) || !read_number(&entry, 3, &flags))
        return bf_job_fail_corrupt(job, "a broken item");
    if ((version != 2 && version != 3) || !read_number(&entry, version == 2 ? 2 : 4, &id) ||
        !read_number(&entry, 2, &protection) || entry.left < 4)
        return bf_job_fail_corrupt(job, "a broken item");
    if (all->count == BF_HEIC_ITEMS_MAX)
        return fail_limit(job);
    if (find_item(all, id))
        return bf_job_fail_corrupt(job, "two items of one number");
    if (is_type(entry.at, "iovl") || is_type(entry.at, "iden"))
        return fail_derived(job);
    all->list[all->count++] = (item){.id = id, .type = entry.at, .is_hidden = (flags & 1) != 0};
    return BF_OK;
}

/* The item information box (14496-12, 8.11.6). */
static bf_status read_items(const bf_decode_job *job, span content, items *all)
{
    uint32_t version = 0, count = 0;
    if (!read_number(&content, VERSION_BYTES, &version) || !read_number(&content, version >> 24 ? 4 : 2, &count))
        return bf_job_fail_corrupt(job, "a broken list of items");
    while (content.left > 0) {
        box entry;
        if (!read_box(&content, false, &entry))
            return bf_job_fail_corrupt(job, "a broken list of items");
        bf_status status = is_type(entry.type, "infe") ? read_item(job, entry.content, all) : BF_OK;
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

/* Judges one reference: a grid takes its tiles by dimg, an auxiliary image names its master by auxl. */
static bf_status check_reference(const bf_decode_job *job, const uint8_t *type, item *from, item *to)
{
    if (is_type(type, "dimg") && from && is_type(from->type, "grid") && (!to || !is_type(to->type, "hvc1")))
        return fail_derived(job);
    if (to && is_type(type, "dimg"))
        to->is_part = true;
    if (from && (is_type(type, "auxl") || is_type(type, "thmb")))
        from->is_part = true;
    if (!is_type(type, "auxl") || !from || !to)
        return BF_OK;
    from->is_auxiliary = true;
    to->has_auxiliary = true;
    bool chained = from->has_auxiliary || to->is_auxiliary;
    return chained ? bf_job_fail_corrupt(job, "an auxiliary image of an auxiliary image") : BF_OK;
}

/* The item reference box (14496-12, 8.11.12). */
static bf_status read_references(const bf_decode_job *job, span content, items *all)
{
    uint32_t version = 0;
    if (!read_number(&content, VERSION_BYTES, &version))
        return bf_job_fail_corrupt(job, "broken references");
    size_t id_bytes = version >> 24 ? 4 : 2;
    while (content.left > 0) {
        box entry;
        uint32_t from = 0, to = 0, count = 0;
        if (!read_box(&content, false, &entry) || !read_number(&entry.content, id_bytes, &from) ||
            !read_number(&entry.content, 2, &count))
            return bf_job_fail_corrupt(job, "broken references");
        item *source = find_item(all, from);
        for (uint32_t i = 0; i < count; i++) {
            if (!read_number(&entry.content, id_bytes, &to))
                return bf_job_fail_corrupt(job, "broken references");
            if (all->references++ == REFERENCES_MAX)
                return fail_limit(job);
            bf_status status = check_reference(job, entry.type, source, find_item(all, to));
            if (status != BF_OK)
                return status;
        }
    }
    return BF_OK;
}

/* Several pictures that each stand for themselves: a burst, or pages. */
static bool has_several_pictures(const items *all)
{
    static const char *const images[] = {"hvc1", "hev1", "grid", "av01", "avc1", "jpeg"};
    int pictures = 0;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < sizeof images / sizeof *images; k++)
            if (is_type(all->list[i].type, images[k]) && !all->list[i].is_hidden && !all->list[i].is_part)
                pictures++;
    return pictures > 1;
}

/* The meta box's lists of items and references; either twice is refused, because readers differ in which counts. */
static bf_status check_meta(const bf_decode_job *job, span content)
{
    box list = {0}, references = {0};
    uint32_t version = 0;
    if (!read_number(&content, VERSION_BYTES, &version))
        return bf_job_fail_corrupt(job, "a broken meta box");
    while (content.left > 0) {
        box child;
        if (!read_box(&content, false, &child))
            return bf_job_fail_corrupt(job, "a broken meta box");
        box *wanted = is_type(child.type, "iinf") ? &list : is_type(child.type, "iref") ? &references : NULL;
        if (wanted && wanted->type)
            return bf_job_fail_corrupt(job, "two lists of items");
        if (wanted)
            *wanted = child;
    }
    if (!list.type)
        return bf_job_fail_corrupt(job, "no items");
    BF_CLEANUP(items_done) items all = {.list = bf_calloc(BF_HEIC_ITEMS_MAX, sizeof *all.list)};
    if (!all.list)
        return bf_fail_memory(job->err);
    bf_status status = read_items(job, list.content, &all);
    if (status == BF_OK && references.type)
        status = read_references(job, references.content, &all);
    if (status == BF_OK && has_several_pictures(&all))
        status = bf_job_fail_animated(job, "several images");
    return status;
}

bf_status bf_heic_check_items(const bf_decode_job *job)
{
    span file = {job->bytes, job->size};
    box meta = {0}, next;
    while (read_box(&file, true, &next)) {
        if (is_type(next.type, "moov"))
            return bf_job_fail_animated(job, "an image sequence");
        if (is_type(next.type, "meta") && meta.type)
            return bf_job_fail_corrupt(job, "two meta boxes");
        if (is_type(next.type, "meta"))
            meta = next;
    }
    /* Bytes behind the last box are left alone: some phones append their own. */
    if (!meta.type || (next.type && is_type(next.type, "meta")))
        return bf_job_fail_corrupt(job, "no meta box");
    return check_meta(job, meta.content);
}

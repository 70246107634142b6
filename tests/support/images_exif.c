#include <string.h>

#include "support/images.h"
#include "support/must.h"

#define ENTRY_BYTES 12
#define ENTRIES_MAX 12
#define TYPE_ASCII 2
#define TYPE_SHORT 3
#define TYPE_LONG 4
#define TYPE_RATIONAL 5

typedef struct entry {
    uint16_t tag, type;
    uint32_t count;
    uint8_t inline_value[4];
    const void *far_value; /* NULL: the value is inline */
    size_t far_size;
} entry;

typedef struct ifd {
    entry entries[ENTRIES_MAX];
    size_t count;
} ifd;

static void put(uint8_t *to, uint32_t value, size_t size, bool big)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> 8 * (big ? size - 1 - i : i));
}

static entry *add(ifd *directory, uint16_t tag, uint16_t type, uint32_t count)
{
    test_must(directory->count < ENTRIES_MAX, "EXIF directory");
    entry *e = &directory->entries[directory->count++];
    *e = (entry){.tag = tag, .type = type, .count = count};
    return e;
}

static void add_text(ifd *directory, uint16_t tag, const char *text)
{
    if (!text)
        return;
    entry *e = add(directory, tag, TYPE_ASCII, (uint32_t)strlen(text) + 1);
    if (strlen(text) < 4) {
        memcpy(e->inline_value, text, strlen(text) + 1);
        return;
    }
    e->far_value = text;
    e->far_size = strlen(text) + 1;
}

static void write_ifd(bf_bytes *out, const ifd *directory, bool big)
{
    uint8_t word[ENTRY_BYTES];
    put(word, (uint32_t)directory->count, 2, big);
    test_append(out, word, 2);
    uint32_t far_at = (uint32_t)(out->size + directory->count * ENTRY_BYTES + 4);
    for (size_t i = 0; i < directory->count; i++) {
        const entry *e = &directory->entries[i];
        put(word, e->tag, 2, big);
        put(word + 2, e->type, 2, big);
        put(word + 4, e->count, 4, big);
        memcpy(word + 8, e->inline_value, 4);
        if (e->far_value) {
            put(word + 8, far_at, 4, big);
            far_at += (uint32_t)e->far_size;
        }
        test_append(out, word, ENTRY_BYTES);
    }
    test_append(out, "\0\0\0\0", 4);
    for (size_t i = 0; i < directory->count; i++)
        if (directory->entries[i].far_value)
            test_append(out, directory->entries[i].far_value, directory->entries[i].far_size);
}

/* The value of entry `index` of the directory at `ifd_at` becomes the offset of what is appended next. */
static void point_here(bf_bytes *out, size_t ifd_at, size_t index, bool big)
{
    put(out->data + ifd_at + 2 + index * ENTRY_BYTES + 8, (uint32_t)out->size, 4, big);
}

static void write_gps(bf_bytes *out, bool big)
{
    uint8_t degrees[24] = {0};
    const uint32_t parts[6] = {52, 1, 31, 1, 12, 1};
    for (size_t i = 0; i < 6; i++)
        put(degrees + 4 * i, parts[i], 4, big);
    ifd gps = {0};
    memcpy(add(&gps, 1, TYPE_ASCII, 2)->inline_value, "N", 2);
    entry *latitude = add(&gps, 2, TYPE_RATIONAL, 3);
    latitude->far_value = degrees;
    latitude->far_size = sizeof degrees;
    write_ifd(out, &gps, big);
}

bf_bytes test_exif(const test_exif_options *options)
{
    bool big = options->big_endian;
    bf_bytes out = {0};
    test_append(&out, big ? "MM\0*\0\0\0\10" : "II*\0\10\0\0\0", 8);
    ifd main_ifd = {0};
    add_text(&main_ifd, 0x010f, options->make);
    add_text(&main_ifd, 0x0110, options->model);
    if (options->orientation)
        put(add(&main_ifd, 0x0112, TYPE_SHORT, 1)->inline_value, (uint32_t)options->orientation, 2, big);
    add_text(&main_ifd, 0x0131, options->software);
    add_text(&main_ifd, 0x0132, options->time);
    size_t exif_entry = main_ifd.count;
    if (options->time_original)
        add(&main_ifd, 0x8769, TYPE_LONG, 1);
    size_t gps_entry = main_ifd.count;
    if (options->gps)
        add(&main_ifd, 0x8825, TYPE_LONG, 1);
    write_ifd(&out, &main_ifd, big);
    if (options->time_original) {
        point_here(&out, 8, exif_entry, big);
        ifd exif = {0};
        add_text(&exif, 0x9003, options->time_original);
        write_ifd(&out, &exif, big);
    }
    if (options->gps) {
        point_here(&out, 8, gps_entry, big);
        write_gps(&out, big);
    }
    return out;
}

#include "decode/sniff.h"

#include <stdbool.h>
#include <string.h>

#define TEXT_PROBE_BYTES 512

typedef struct magic {
    size_t offset;
    const char *bytes;
    size_t length;
    const char *looks_like;
} magic;

#define MAGIC(offset, bytes, looks_like)                                                                               \
    {                                                                                                                  \
        (offset), (bytes), sizeof(bytes) - 1, (looks_like)                                                             \
    }

/* Kinds of file that people send by mistake. Order matters only where one magic begins another. */
static const magic known_strangers[] = {
    MAGIC(0, "GIF87a", "a GIF image"),
    MAGIC(0, "GIF89a", "a GIF image"),
    MAGIC(0, "II*\0", "a TIFF image or a camera's raw file"),
    MAGIC(0, "MM\0*", "a TIFF image or a camera's raw file"),
    MAGIC(0, "%PDF-", "a PDF document"),
    MAGIC(0, "8BPS", "a Photoshop document"),
    MAGIC(0, "\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    MAGIC(0, "\xff\x4f\xff\x51", "a JPEG 2000 image"),
    MAGIC(0, "\0\0\0\x0cJXL ", "a JPEG XL image"),
    MAGIC(0, "\xff\x0a", "a JPEG XL image"),
    MAGIC(0, "\0\0\1\0", "an icon"),
    MAGIC(8, "AVI ", "a video"),
    MAGIC(8, "WAVE", "a sound"),
    MAGIC(0, "\x1a\x45\xdf\xa3", "a video"),
    MAGIC(0, "\0\0\1\xba", "a video"),
    MAGIC(0, "OggS", "a sound or a video"),
    MAGIC(0, "PK\3\4", "a ZIP archive or an office document"),
    MAGIC(0, "\x1f\x8b", "a gzip archive"),
    MAGIC(0, "7z\xbc\xaf\x27\x1c", "an archive"),
    MAGIC(0, "\177ELF", "a program"),
    MAGIC(0, "MZ", "a program"),
};

static bool has_bytes(const uint8_t *bytes, size_t size, size_t offset, const char *wanted, size_t length)
{
    return size >= offset && size - offset >= length && memcmp(bytes + offset, wanted, length) == 0;
}

/* Whether `brand` is the major (first) or, unless `major_only`, any compatible brand of the leading ftyp box. */
static bool has_brand(const uint8_t *bytes, size_t size, const char *brand, bool major_only)
{
    if (has_bytes(bytes, size, 8, brand, 4))
        return true;
    size_t box = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
    size_t end = box < size ? box : size;
    for (size_t at = 16; !major_only && at + 4 <= end; at += 4)
        if (memcmp(bytes + at, brand, 4) == 0)
            return true;
    return false;
}

static bool has_any_brand(const uint8_t *bytes, size_t size, const char *const *brands, bool major_only)
{
    for (; *brands; brands++)
        if (has_brand(bytes, size, *brands, major_only))
            return true;
    return false;
}

/* ISO base media files (ISO/IEC 14496-12): HEIF with HEVC is ours (ISO/IEC 23008-12, annex B), AVIF and video not. */
static bf_container sniff_boxes(const uint8_t *bytes, size_t size, const char **ret_looks_like)
{
    static const char *const hevc[] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", NULL};
    static const char *const av1[] = {"avif", "avis", NULL};
    static const char *const any_codec[] = {"mif1", "msf1", NULL};
    if (has_any_brand(bytes, size, hevc, true))
        return BF_CONTAINER_HEIC;
    bool is_av1 = has_any_brand(bytes, size, av1, true);
    if (!is_av1 && has_any_brand(bytes, size, any_codec, true)) {
        is_av1 = has_any_brand(bytes, size, av1, false) && !has_any_brand(bytes, size, hevc, false);
        if (!is_av1)
            return BF_CONTAINER_HEIC;
    }
    *ret_looks_like = is_av1 ? "an AVIF image" : "a video";
    return BF_CONTAINER_UNKNOWN;
}

/* Bytes that text in ASCII or UTF-8 never holds: control characters other than tab, line feed, form feed, return. */
static bool is_text(const uint8_t *bytes, size_t size)
{
    size_t probe = size < TEXT_PROBE_BYTES ? size : TEXT_PROBE_BYTES;
    for (size_t i = 0; i < probe; i++) {
        uint8_t byte = bytes[i];
        bool blank = byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f';
        if ((byte < 0x20 && !blank) || byte == 0x7f || byte == 0xc0 || byte == 0xc1 || byte > 0xf4)
            return false;
    }
    return probe > 0;
}

static bool text_holds(const uint8_t *bytes, size_t size, const char *word)
{
    size_t probe = size < TEXT_PROBE_BYTES ? size : TEXT_PROBE_BYTES;
    return memmem(bytes, probe, word, strlen(word)) != NULL;
}

static const char *sniff_text(const uint8_t *bytes, size_t size)
{
    if (text_holds(bytes, size, "<svg"))
        return "an SVG drawing";
    if (text_holds(bytes, size, "<html") || text_holds(bytes, size, "<!DOCTYPE html"))
        return "a web page";
    if (has_bytes(bytes, size, 0, "data:image/", 11) || has_bytes(bytes, size, 0, "/9j/", 4) ||
        has_bytes(bytes, size, 0, "iVBORw0KGgo", 11))
        return "an image in base64; decode it to bytes first";
    return "text";
}

static const char *sniff_stranger(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof known_strangers / sizeof *known_strangers; i++) {
        const magic *m = &known_strangers[i];
        if (has_bytes(bytes, size, m->offset, m->bytes, m->length))
            return m->looks_like;
    }
    /* "BM" alone could begin a text; a bitmap also has four zero bytes at 6. */
    if (has_bytes(bytes, size, 0, "BM", 2) && has_bytes(bytes, size, 6, "\0\0\0\0", 4))
        return "a BMP image";
    return is_text(bytes, size) ? sniff_text(bytes, size) : NULL;
}

bf_container bf_sniff(const uint8_t *bytes, size_t size, const char **ret_looks_like)
{
    *ret_looks_like = NULL;
    if (has_bytes(bytes, size, 0, "\xff\xd8\xff", 3))
        return BF_CONTAINER_JPEG;
    if (has_bytes(bytes, size, 0, "\x89PNG\r\n\x1a\n", 8))
        return BF_CONTAINER_PNG;
    if (has_bytes(bytes, size, 0, "RIFF", 4) && has_bytes(bytes, size, 8, "WEBP", 4))
        return BF_CONTAINER_WEBP;
    if (has_bytes(bytes, size, 4, "ftyp", 4) && size >= 12)
        return sniff_boxes(bytes, size, ret_looks_like);
    *ret_looks_like = sniff_stranger(bytes, size);
    return BF_CONTAINER_UNKNOWN;
}

#include "decode/sniff.h"

#include <stdbool.h>
#include <string.h>

#define TEXT_PROBE_BYTES 512
#define EBML_PROBE_BYTES 256 /* the document type stands in the first few dozen */
#define BOXES_LOOKED_AT 64   /* of the outermost of an ISO base media file */

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

static uint64_t big_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Whether one of the outermost boxes has this type. */
static bool has_box(const uint8_t *bytes, size_t size, const char *type)
{
    size_t at = 0;
    for (int i = 0; i < BOXES_LOOKED_AT && size - at >= 8; i++) {
        if (memcmp(bytes + at + 4, type, 4) == 0)
            return true;
        uint64_t box = big_endian(bytes + at, 4);
        if (box == 1 && size - at >= 16)
            box = big_endian(bytes + at + 8, 8);
        if (box < 8 || box > size - at)
            return false;
        at += (size_t)box;
    }
    return false;
}

/* Brands of films, and those of QuickTime and cameras; "isom" and the like say only what may be in the file. */
static bool is_film(const uint8_t *bytes, size_t size)
{
    static const char *const films[] = {"isom", "iso2", "iso3", "iso4", "iso5", "iso6", "iso7", "iso8",
                                        "iso9", "mp41", "mp42", "avc1", "qt  ", "M4V ", "M4VH", "M4VP",
                                        "3gp4", "3gp5", "3gp6", "3gp7", "3g2a", "3g2b", "3g2c", "f4v ",
                                        "MSNV", "mmp4", "dash", "cmfc", "XAVC", "hvc1", "iso1", NULL};
    return has_box(bytes, size, "moov") || has_box(bytes, size, "moof") ||
           (has_any_brand(bytes, size, films, true) && !has_box(bytes, size, "meta"));
}

/* ISO base media files (ISO/IEC 14496-12): HEIF with HEVC (ISO/IEC 23008-12, annex B) and films are ours, AVIF not. */
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
    if (!is_av1 && is_film(bytes, size)) {
        *ret_looks_like = "a video (MP4 or QuickTime)";
        return BF_CONTAINER_MP4;
    }
    *ret_looks_like = is_av1 ? "an AVIF image" : "a video";
    return BF_CONTAINER_UNKNOWN;
}

/* QuickTime files older than brands begin with any of these boxes. A text may have such a word there, too; the size
 * before it is no text, unless the box has half a gigabyte. */
static bool is_brandless_film(const uint8_t *bytes, size_t size)
{
    if (size < 8 || bytes[0] >= 0x20)
        return false;
    return has_bytes(bytes, size, 4, "moov", 4) || has_bytes(bytes, size, 4, "mdat", 4) ||
           has_bytes(bytes, size, 4, "wide", 4);
}

static bool is_matroska(const uint8_t *bytes, size_t size)
{
    size_t probe = size < EBML_PROBE_BYTES ? size : EBML_PROBE_BYTES;
    if (!bytes || !has_bytes(bytes, size, 0, "\x1a\x45\xdf\xa3", 4))
        return false;
    return memmem(bytes, probe, "webm", 4) != NULL || memmem(bytes, probe, "matroska", 8) != NULL;
}

static bf_container sniff_film(const uint8_t *bytes, size_t size, const char **ret_looks_like)
{
    if (has_bytes(bytes, size, 0, "BFCAPT1\n", 8)) {
        *ret_looks_like = "a burst of frames (a capture file)";
        return BF_CONTAINER_BURST;
    }
    if (is_brandless_film(bytes, size)) {
        *ret_looks_like = "a video (MP4 or QuickTime)";
        return BF_CONTAINER_MP4;
    }
    if (is_matroska(bytes, size)) {
        *ret_looks_like = "a video (WebM or Matroska)";
        return BF_CONTAINER_WEBM;
    }
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
    bf_container film = sniff_film(bytes, size, ret_looks_like);
    if (film == BF_CONTAINER_UNKNOWN)
        *ret_looks_like = sniff_stranger(bytes, size);
    return film;
}

#include <libheif/heif.h>
#include <string.h>

#include "support/images.h"
#include "support/must.h"

static void must(struct heif_error error, const char *what)
{
    test_must(error.code == heif_error_Ok, what);
}

static struct heif_image *from_rgb(const bf_image *image, int alpha)
{
    struct heif_image *out = NULL;
    enum heif_chroma chroma = alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
    must(heif_image_create(image->width, image->height, heif_colorspace_RGB, chroma, &out), "heif_image_create");
    must(heif_image_add_plane(out, heif_channel_interleaved, image->width, image->height, 8), "heif_image_add_plane");
    int stride = 0;
    uint8_t *plane = heif_image_get_plane(out, heif_channel_interleaved, &stride);
    size_t step = alpha ? 4 : 3;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            uint8_t *to = plane + (size_t)y * (size_t)stride + (size_t)x * step;
            memcpy(to, image->pixels + (size_t)y * image->stride + (size_t)x * 3, 3);
            if (alpha)
                to[3] = (uint8_t)alpha;
        }
    return out;
}

static struct heif_error write_bytes(struct heif_context *context, const void *data, size_t size, void *user)
{
    (void)context;
    test_append(user, data, size);
    return (struct heif_error){heif_error_Ok, heif_suberror_Unspecified, "ok"};
}

static void encode_one(struct heif_context *context, struct heif_encoder *encoder, const bf_image *image,
                       const test_heic_options *o)
{
    struct heif_encoding_options *encoding = heif_encoding_options_alloc();
    test_must(encoding, "heif_encoding_options_alloc");
    if (o->orientation)
        encoding->image_orientation = (enum heif_orientation)o->orientation;
    struct heif_image *picture = from_rgb(image, o->alpha);
    struct heif_image_handle *handle = NULL;
    must(heif_context_encode_image(context, picture, encoder, encoding, &handle), "heif_context_encode_image");
    if (o->exif)
        must(heif_context_add_exif_metadata(context, handle, o->exif->data, (int)o->exif->size), "HEIC EXIF");
    heif_image_handle_release(handle);
    heif_image_release(picture);
    heif_encoding_options_free(encoding);
}

/* Where the content of the first box of a type begins; boxes are looked for by name, which is enough for our files. */
static uint8_t *find_box(const bf_bytes *heic, const char *type)
{
    for (size_t i = 4; i + 16 <= heic->size; i++)
        if (memcmp(heic->data + i, type, 4) == 0)
            return heic->data + i + 4;
    test_must(false, "finding a HEIC box");
    return NULL;
}

/* The number of the ispe property: properties are numbered from 1 in the order of their boxes. */
static uint8_t size_property(const bf_bytes *heic)
{
    uint8_t number = 1;
    for (const uint8_t *box = find_box(heic, "ipco"); memcmp(box + 4, "ispe", 4) != 0; number++)
        box += (size_t)box[2] << 8 | box[3];
    return number;
}

/* libheif 1.15 writes the size after rotation into the ispe property, and lists the rotation before it. By 23008-12,
 * 6.5.3 and 6.5.1, it is the size before rotation, and stands before all transformations. */
static void mend_rotation(bf_bytes *heic, const bf_image *image)
{
    uint8_t *size = find_box(heic, "ispe") + 4;
    for (int k = 0; k < 4; k++) {
        size[k] = (uint8_t)(image->width >> (24 - 8 * k));
        size[4 + k] = (uint8_t)(image->height >> (24 - 8 * k));
    }
    uint8_t *associations = find_box(heic, "ipma") + 10, wanted = size_property(heic);
    uint8_t count = *associations++, at = 0;
    while (at < count && (associations[at] & 0x7f) != wanted)
        at++;
    test_must(at < count, "finding the size of a HEIC image");
    uint8_t entry = associations[at];
    memmove(associations + 1, associations, at);
    associations[0] = entry;
}

bf_bytes test_heic(const bf_image *image, const test_heic_options *options)
{
    static const test_heic_options plain;
    const test_heic_options *o = options ? options : &plain;
    bf_bytes out = {0};
    struct heif_context *context = heif_context_alloc();
    struct heif_encoder *encoder = NULL;
    if (heif_context_get_encoder_for_format(context, heif_compression_HEVC, &encoder).code == heif_error_Ok) {
        (void)heif_encoder_set_lossy_quality(encoder, 90);
        (void)heif_encoder_set_parameter_string(encoder, "preset", "ultrafast");
        for (int i = 0; i < (o->images ? o->images : 1); i++)
            encode_one(context, encoder, image, o);
        struct heif_writer writer = {.writer_api_version = 1, .write = write_bytes};
        must(heif_context_write(context, &writer, &out), "heif_context_write");
        heif_encoder_release(encoder);
        if (o->orientation)
            mend_rotation(&out, image);
    }
    heif_context_free(context);
    return out;
}

static struct heif_image_handle *encode_part(struct heif_context *context, struct heif_encoder *encoder,
                                             const bf_image *image, bf_rect rect)
{
    bf_image part = bf_image_view(image, rect);
    struct heif_image *picture = from_rgb(&part, 0);
    struct heif_image_handle *handle = NULL;
    must(heif_context_encode_image(context, picture, encoder, NULL, &handle), "heif_context_encode_image");
    heif_image_release(picture);
    return handle;
}

static void put32(uint8_t *to, uint32_t value)
{
    for (int k = 0; k < 4; k++)
        to[k] = (uint8_t)(value >> (24 - 8 * k));
}

static uint32_t get32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Where the data of item `number` (counted from 1) begin. All item data are moved by `shift` bytes first. The location
 * box is as libheif writes it: version 0, base offsets of 4 bytes, one extent each (14496-12, 8.11.3). */
static uint32_t locate_item(const bf_bytes *heic, int number, uint32_t shift)
{
    uint8_t *entry = find_box(heic, "iloc") + 8, *wanted = NULL;
    int count = entry[-2] << 8 | entry[-1];
    for (int i = 1; i <= count; i++, entry += 18) {
        put32(entry + 4, get32(entry + 4) + shift);
        wanted = i == number ? entry + 4 : wanted;
    }
    test_must(wanted, "finding a HEIC item");
    return wanted ? get32(wanted) : 0;
}

/* Adds a reference box in which item 5 is made of the items 1..4, at the end of the meta box. */
static uint32_t insert_references(bf_bytes *heic)
{
    static const uint8_t references[32] = {0,   0,   0,   32,  'i', 'r', 'e', 'f', 0, 0, 0, 0, 0, 0, 0, 20,
                                           'd', 'i', 'm', 'g', 0,   5,   0,   4,   0, 1, 0, 2, 0, 3, 0, 4};
    uint8_t *meta = find_box(heic, "meta") - 8;
    size_t end = (size_t)(meta - heic->data) + get32(meta);
    put32(meta, get32(meta) + sizeof references);
    bf_bytes out = {0};
    test_append(&out, heic->data, end);
    test_append(&out, references, sizeof references);
    test_append(&out, heic->data + end, heic->size - end);
    bf_bytes_done(heic);
    *heic = out;
    return sizeof references;
}

/* libheif 1.15 cannot write grids: the four tiles and the whole picture are encoded, and the fifth item is turned into
 * a grid (23008-12, 6.6.2.3) of the others. */
bf_bytes test_heic_grid(const bf_image *image)
{
    bf_bytes out = {0};
    float width = (float)image->width, height = (float)image->height;
    const bf_rect parts[5] = {{0, 0, width / 2, height / 2},
                              {width / 2, 0, width, height / 2},
                              {0, height / 2, width / 2, height},
                              {width / 2, height / 2, width, height},
                              {0, 0, width, height}};
    struct heif_context *context = heif_context_alloc();
    struct heif_encoder *encoder = NULL;
    if (heif_context_get_encoder_for_format(context, heif_compression_HEVC, &encoder).code == heif_error_Ok) {
        (void)heif_encoder_set_lossy_quality(encoder, 90);
        for (int i = 0; i < 5; i++) {
            struct heif_image_handle *handle = encode_part(context, encoder, image, parts[i]);
            if (i == 4)
                must(heif_context_set_primary_image(context, handle), "heif_context_set_primary_image");
            heif_image_handle_release(handle);
        }
        struct heif_writer writer = {.writer_api_version = 1, .write = write_bytes};
        must(heif_context_write(context, &writer, &out), "heif_context_write");
        heif_encoder_release(encoder);
        uint32_t data = locate_item(&out, 5, insert_references(&out));
        const uint8_t grid[8] = {0,
                                 0,
                                 1,
                                 1,
                                 (uint8_t)(image->width >> 8),
                                 (uint8_t)image->width,
                                 (uint8_t)(image->height >> 8),
                                 (uint8_t)image->height};
        memcpy(out.data + data, grid, sizeof grid);
        uint8_t *type = NULL;
        for (size_t i = 0; i + 4 <= out.size; i++)
            if (memcmp(out.data + i, "hvc1", 4) == 0)
                type = out.data + i;
        test_must(type, "finding a HEIC item's type");
        static const uint8_t grid_type[4] = {'g', 'r', 'i', 'd'};
        memcpy(type, grid_type, sizeof grid_type);
    }
    heif_context_free(context);
    return out;
}

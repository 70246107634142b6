#include "cli/scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/draw.h"

#define MARGIN 24.0
#define PANEL_WIDTH 452.0
#define PHOTO_WIDTH_MAX 880.0
#define PHOTO_HEIGHT_MAX 820.0
#define PHOTO_SCALE_MAX 3.0
#define LEFT_WIDTH_MIN 560.0
#define CROP_SIZE_MIN 104.0
#define CROP_SIZE_MAX 270.0
#define CROP_LABEL 32.0 /* above and below a row of crops */
#define HEIGHT_MAX 4000.0

const json_t *scene_get(const json_t *record, const char *path)
{
    while (record && *path) {
        char key[64];
        size_t length = strcspn(path, ".");
        (void)snprintf(key, sizeof key, "%.*s", (int)length, path);
        record = json_object_get(record, key);
        path += length;
        path += *path == '.';
    }
    return record;
}

const char *scene_text(const json_t *record, const char *path)
{
    const char *text = json_string_value(scene_get(record, path));
    return text ? text : "";
}

double scene_number(const json_t *record, const char *path, double missing)
{
    const json_t *value = scene_get(record, path);
    return json_is_number(value) ? json_number_value(value) : missing;
}

int scene_verdict_ink(const json_t *record)
{
    const char *label = scene_text(record, "result.label");
    if (strcmp(label, "live") == 0)
        return INK_GOOD;
    return strcmp(label, "spoof") == 0 ? INK_BAD : INK_UNSURE;
}

/* The picture as a surface of cairo's own pixel order; NULL when memory ran out. */
static cairo_surface_t *surface_of(const bf_picture *picture)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, picture->width, picture->height);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        return NULL;
    }
    cairo_surface_flush(surface);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (int y = 0; y < picture->height; y++) {
        const unsigned char *from = picture->rgb + (size_t)y * picture->stride;
        unsigned char *to = pixels + (size_t)y * stride;
        for (int x = 0; x < picture->width; x++, from += 3, to += 4) {
            uint32_t pixel = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
            memcpy(to, &pixel, sizeof pixel);
        }
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

static cairo_status_t append_png(void *sink, const unsigned char *data, unsigned size)
{
    bf_bytes *png = sink;
    uint8_t *grown = bf_realloc(png->data, png->size + size);
    if (!grown)
        return CAIRO_STATUS_NO_MEMORY;
    memcpy(grown + png->size, data, size);
    png->data = grown;
    png->size += size;
    return CAIRO_STATUS_SUCCESS;
}

static bf_status write_png(cairo_surface_t *canvas, const char *path, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes png = {0};
    if (cairo_surface_write_to_png_stream(canvas, append_png, &png) != CAIRO_STATUS_SUCCESS)
        return bf_fail_memory(err);
    return bf_bytes_write_file(path, png.data, png.size, err);
}

/* Draws everything; `left` is the width of the column with the photo. */
static void draw_all(cairo_t *cr, scene_view view, const json_t *record, const char *name, double left,
                     double crop_size)
{
    draw_set_ink(cr, INK_PAPER, 1.0);
    cairo_paint(cr);
    view.x = MARGIN + (left - view.width) / 2;
    view.y = MARGIN;
    scene_draw_photo(cr, &view, record);
    scene_draw_crops(cr, &view, record, MARGIN, MARGIN + view.height + 14, crop_size);
    (void)scene_draw_panel(cr, record, name, MARGIN * 2 + left, MARGIN, PANEL_WIDTH);
}

/* How high the panel will be: drawing it where nobody sees it tells. */
static double panel_height(const json_t *record, const char *name)
{
    cairo_surface_t *nowhere = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cr = cairo_create(nowhere);
    double height = scene_draw_panel(cr, record, name, 0, 0, PANEL_WIDTH);
    cairo_destroy(cr);
    cairo_surface_destroy(nowhere);
    return height;
}

/* Crops are as large as the room beside the panel and beside each other allows. */
static double crop_size_for(const json_t *record, double room_width, double room_height)
{
    size_t count = json_array_size(scene_get(record, "diagnostics.crops"));
    double width = count > 0 ? (room_width - SCENE_CROP_GAP * (double)(count - 1)) / (double)count : 0;
    return fmin(CROP_SIZE_MAX, fmin(width, fmax(CROP_SIZE_MIN, room_height - CROP_LABEL)));
}

bf_status scene_write(const bf_picture *picture, const json_t *record, const char *name, const char *path,
                      bf_error *err)
{
    double scale = fmin(PHOTO_SCALE_MAX, fmin(PHOTO_WIDTH_MAX / picture->width, PHOTO_HEIGHT_MAX / picture->height));
    scene_view view = {.scale = scale, .width = picture->width * scale, .height = picture->height * scale};
    double left = fmax(view.width, LEFT_WIDTH_MIN);
    double panel = panel_height(record, name);
    double crop_size = crop_size_for(record, left, panel - view.height);
    double height = 2 * MARGIN + fmax(view.height + crop_size + CROP_LABEL, panel);
    view.pixels = surface_of(picture);
    if (!view.pixels)
        return bf_fail_memory(err);
    cairo_surface_t *canvas = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(left + 3 * MARGIN + PANEL_WIDTH),
                                                         (int)ceil(fmin(height, HEIGHT_MAX)));
    cairo_t *cr = cairo_create(canvas);
    draw_all(cr, view, record, name, left, crop_size);
    bf_status status = cairo_status(cr) == CAIRO_STATUS_SUCCESS ? write_png(canvas, path, err) : bf_fail_memory(err);
    cairo_destroy(cr);
    cairo_surface_destroy(canvas);
    cairo_surface_destroy(view.pixels);
    return status;
}

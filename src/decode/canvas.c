#include "decode/canvas.h"

#include "base/attr.h"

#define CHANNELS 3

bf_status bf_canvas_init(bf_canvas *canvas, int coded_width, int coded_height, int orientation, bf_error *err)
{
    *canvas = (bf_canvas){.coded_width = coded_width, .coded_height = coded_height, .orientation = orientation};
    if (orientation < 1 || orientation > 8)
        canvas->orientation = 1;
    bool turned = canvas->orientation >= 5;
    bf_status status = bf_image_alloc(&canvas->image, turned ? coded_height : coded_width,
                                      turned ? coded_width : coded_height, CHANNELS, err);
    if (status == BF_OK && canvas->orientation != 1)
        status = bf_image_alloc(&canvas->band, coded_width, BF_CANVAS_BAND_ROWS, CHANNELS, err);
    if (status != BF_OK)
        bf_canvas_done(canvas);
    return status;
}

void bf_canvas_done(bf_canvas *canvas)
{
    bf_image_done(&canvas->image);
    bf_image_done(&canvas->band);
}

uint8_t *bf_canvas_row(bf_canvas *canvas, int y)
{
    if (canvas->orientation == 1)
        return canvas->image.pixels + (size_t)y * canvas->image.stride;
    return canvas->band.pixels + (size_t)(y % BF_CANVAS_BAND_ROWS) * canvas->band.stride;
}

int bf_canvas_band_end(const bf_canvas *canvas, int y)
{
    int end = y - y % BF_CANVAS_BAND_ROWS + BF_CANVAS_BAND_ROWS;
    return end < canvas->coded_height ? end : canvas->coded_height;
}

/* The orientations as how far, in bytes of the upright picture, one coded column and one coded row move; and which
 * corner of the upright picture coded pixel (0,0) goes to. EXIF 2.32, 4.6.4 A, tag 0112. */
typedef struct turn {
    uint8_t *origin;
    ptrdiff_t column_step, row_step;
} turn;

static turn turn_of(const bf_canvas *canvas)
{
    static const struct {
        bool transposed, from_right, from_bottom;
    } table[9] = {
        [1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
        [5] = {true, false, false},  [6] = {true, true, false},  [7] = {true, true, true},  [8] = {true, false, true},
    };
    bool from_right = table[canvas->orientation].from_right;
    bool from_bottom = table[canvas->orientation].from_bottom;
    const bf_image *image = &canvas->image;
    ptrdiff_t across = from_right ? -CHANNELS : CHANNELS;
    ptrdiff_t down = from_bottom ? -(ptrdiff_t)image->stride : (ptrdiff_t)image->stride;
    turn t = {.origin = image->pixels};
    if (from_right)
        t.origin += (ptrdiff_t)(image->width - 1) * CHANNELS;
    if (from_bottom)
        t.origin += (ptrdiff_t)(image->height - 1) * (ptrdiff_t)image->stride;
    t.column_step = table[canvas->orientation].transposed ? down : across;
    t.row_step = table[canvas->orientation].transposed ? across : down;
    return t;
}

static void copy_pixel(uint8_t *to, const uint8_t *from)
{
    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
}

void bf_canvas_commit(bf_canvas *canvas, int y_end)
{
    if (canvas->orientation == 1 || y_end <= 0 || (y_end % BF_CANVAS_BAND_ROWS != 0 && y_end != canvas->coded_height))
        return;
    int y_start = y_end - 1 - (y_end - 1) % BF_CANVAS_BAND_ROWS;
    turn t = turn_of(canvas);
    uint8_t *origin = t.origin + (ptrdiff_t)y_start * t.row_step;
    /* Column by column: where rows become columns, a band's 16 pixels then land side by side. */
    for (int x = 0; x < canvas->coded_width; x++) {
        uint8_t *to = origin + (ptrdiff_t)x * t.column_step;
        const uint8_t *from = canvas->band.pixels + (size_t)x * CHANNELS;
        for (int y = y_start; y < y_end; y++) {
            copy_pixel(to, from);
            to += t.row_step;
            from += canvas->band.stride;
        }
    }
}

bf_image bf_canvas_take(bf_canvas *canvas)
{
    bf_image image = canvas->image;
    canvas->image = (bf_image){0};
    return image;
}

static uint8_t over_white(unsigned colour, unsigned alpha)
{
    return (uint8_t)((colour * alpha + 255u * (255u - alpha) + 127u) / 255u);
}

void bf_canvas_row_from_rgba(uint8_t *rgb, const uint8_t *rgba, int width)
{
    for (int x = 0; x < width; x++, rgb += 3, rgba += 4) {
        unsigned alpha = rgba[3];
        rgb[0] = over_white(rgba[0], alpha);
        rgb[1] = over_white(rgba[1], alpha);
        rgb[2] = over_white(rgba[2], alpha);
    }
}

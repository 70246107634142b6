#include "decode/canvas.h"

#include <stdbool.h>
#include <string.h>

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
        status = bf_image_alloc(&canvas->band, coded_width, BF_CANVAS_BAND_ROWS + 1, CHANNELS, err);
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

/* Where coded row 0 and coded column 0 lie in the upright picture. EXIF 2.32, 4.6.4 A, tag 0112. */
static const struct {
    bool transposed;  /* coded rows become columns */
    bool from_right;  /* the coded axis that lies across starts at the right side */
    bool from_bottom; /* the coded axis that lies down starts at the bottom */
} turns[9] = {
    [1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
    [5] = {true, false, false},  [6] = {true, true, false},  [7] = {true, true, true},  [8] = {true, false, true},
};

/* Copies `count` pixels that lie `step` bytes apart to a row. Four bytes at a time are far faster than three; the byte
 * too much is overwritten by the next pixel, and reading it stays inside the band, which has a spare row. */
static void copy_line(uint8_t *to, const uint8_t *from, ptrdiff_t step, int count)
{
    for (int i = 1; i < count; i++, to += CHANNELS, from += step)
        memcpy(to, from, 4);
    memcpy(to, from, CHANNELS);
}

/* Each coded row of the band becomes a row. */
static void place_rows(bf_canvas *canvas, int y_start, int y_end)
{
    const bf_image *image = &canvas->image;
    bool mirrored = turns[canvas->orientation].from_right;
    for (int y = y_start; y < y_end; y++) {
        int target = turns[canvas->orientation].from_bottom ? image->height - 1 - y : y;
        const uint8_t *from = canvas->band.pixels + (size_t)(y - y_start) * canvas->band.stride;
        if (mirrored)
            from += (size_t)(image->width - 1) * CHANNELS;
        copy_line(image->pixels + (size_t)target * image->stride, from, mirrored ? -CHANNELS : CHANNELS, image->width);
    }
}

/* Each coded column of the band becomes a piece of a row. */
static void place_columns(bf_canvas *canvas, int y_start, int y_end)
{
    const bf_image *image = &canvas->image;
    bool from_right = turns[canvas->orientation].from_right;
    ptrdiff_t stride = (ptrdiff_t)canvas->band.stride;
    int left = from_right ? image->width - y_end : y_start;
    const uint8_t *first = canvas->band.pixels + (from_right ? (y_end - 1 - y_start) * stride : 0);
    for (int x = 0; x < canvas->coded_width; x++) {
        int target = turns[canvas->orientation].from_bottom ? image->height - 1 - x : x;
        uint8_t *to = image->pixels + (size_t)target * image->stride + (size_t)left * CHANNELS;
        copy_line(to, first + (size_t)x * CHANNELS, from_right ? -stride : stride, y_end - y_start);
    }
}

void bf_canvas_commit(bf_canvas *canvas, int y_end)
{
    if (canvas->orientation == 1 || y_end <= 0 || (y_end % BF_CANVAS_BAND_ROWS != 0 && y_end != canvas->coded_height))
        return;
    int y_start = y_end - 1 - (y_end - 1) % BF_CANVAS_BAND_ROWS;
    if (turns[canvas->orientation].transposed)
        place_columns(canvas, y_start, y_end);
    else
        place_rows(canvas, y_start, y_end);
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

#include "cli/draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FONT "DejaVu Sans"
#define PI 3.14159265358979323846
#define TEXT_SIZE 512

void draw_set_ink(cairo_t *cr, draw_ink ink, double alpha)
{
    static const unsigned colours[INK_COUNT] = {
        [INK_PAPER] = 0x14181d,  [INK_CARD] = 0x1d232b,   [INK_LINE] = 0x343d49,   [INK_TEXT] = 0xe8ecf1,
        [INK_FAINT] = 0x9aa6b4,  [INK_GOOD] = 0x4cc38a,   [INK_BAD] = 0xf2646c,    [INK_UNSURE] = 0xf0b849,
        [INK_CROP_1] = 0x58a6ff, [INK_CROP_2] = 0xd18cff, [INK_CROP_3] = 0xff9e64, [INK_CROP_4] = 0x5fd7d7,
        [INK_CROP_5] = 0xe6e06a, [INK_WHITE] = 0xffffff};
    unsigned c = colours[ink];
    cairo_set_source_rgba(cr, (double)(c >> 16) / 255.0, (double)(c >> 8 & 255) / 255.0, (double)(c & 255) / 255.0,
                          alpha);
}

static void use_font(cairo_t *cr, draw_font font)
{
    cairo_select_font_face(cr, FONT, CAIRO_FONT_SLANT_NORMAL,
                           font.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, font.size);
    draw_set_ink(cr, font.ink, 1.0);
}

static double advance(cairo_t *cr, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(cr, text, &extents);
    return extents.x_advance;
}

double draw_text_width(cairo_t *cr, draw_font font, const char *text)
{
    use_font(cr, font);
    return advance(cr, text);
}

/* Takes characters off the end until the text and an ellipsis fit. */
static void fit(cairo_t *cr, const char *text, double width, char ret[TEXT_SIZE])
{
    (void)snprintf(ret, TEXT_SIZE, "%.*s", TEXT_SIZE - 8, text);
    if (width <= 0.0 || advance(cr, ret) <= width)
        return;
    for (size_t length = strlen(ret); length > 0;) {
        length--;
        while (length > 0 && ((unsigned char)ret[length] & 0xc0) == 0x80)
            length--;
        (void)snprintf(ret + length, TEXT_SIZE - length, "\xe2\x80\xa6");
        if (advance(cr, ret) <= width)
            return;
    }
}

double draw_text(cairo_t *cr, double x, double y, double width, draw_font font, const char *text)
{
    char fitted[TEXT_SIZE];
    use_font(cr, font);
    fit(cr, text, width, fitted);
    cairo_move_to(cr, x, y);
    cairo_show_text(cr, fitted);
    return advance(cr, fitted);
}

double draw_text_right(cairo_t *cr, double x, double y, double width, draw_font font, const char *text)
{
    char fitted[TEXT_SIZE];
    use_font(cr, font);
    fit(cr, text, width, fitted);
    double used = advance(cr, fitted);
    cairo_move_to(cr, x - used, y);
    cairo_show_text(cr, fitted);
    return used;
}

/* Bytes of `text` that fit one line, ending before a blank where there is one. */
static size_t line_length(cairo_t *cr, const char *text, double width)
{
    char line[TEXT_SIZE];
    size_t fitting = 0;
    for (size_t at = 0; text[at];) {
        size_t end = at + strcspn(text + at, " ");
        if (end >= sizeof line)
            break;
        (void)snprintf(line, sizeof line, "%.*s", (int)end, text);
        if (fitting > 0 && advance(cr, line) > width)
            break;
        fitting = end;
        at = end + strspn(text + end, " ");
    }
    return fitting > 0 ? fitting : strlen(text);
}

double draw_text_wrapped(cairo_t *cr, double x, double y, double width, int lines_max, draw_font font, const char *text)
{
    char line[TEXT_SIZE];
    use_font(cr, font);
    for (int i = 0; i < lines_max && *text; i++) {
        size_t length = i + 1 == lines_max ? strlen(text) : line_length(cr, text, width);
        (void)snprintf(line, sizeof line, "%.*s", (int)length, text);
        (void)draw_text(cr, x, y, width, font, line);
        y += font.size * 1.4;
        text += length;
        text += strspn(text, " ");
    }
    return y;
}

void draw_round_rect(cairo_t *cr, double x, double y, double width, double height, double radius)
{
    double r = fmin(radius, fmin(width, height) / 2.0);
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + width - r, y + r, r, -PI / 2, 0);
    cairo_arc(cr, x + width - r, y + height - r, r, 0, PI / 2);
    cairo_arc(cr, x + r, y + height - r, r, PI / 2, PI);
    cairo_arc(cr, x + r, y + r, r, PI, 3 * PI / 2);
    cairo_close_path(cr);
}

void draw_bar(cairo_t *cr, double x, double y, double width, double height, double share, draw_ink ink)
{
    share = fmin(1.0, fmax(0.0, share));
    draw_round_rect(cr, x, y, width, height, height / 2);
    draw_set_ink(cr, INK_LINE, 1.0);
    cairo_fill(cr);
    if (share * width < 1.0)
        return;
    cairo_save(cr);
    draw_round_rect(cr, x, y, width, height, height / 2);
    cairo_clip(cr);
    cairo_rectangle(cr, x, y, width * share, height);
    draw_set_ink(cr, ink, 1.0);
    cairo_fill(cr);
    cairo_restore(cr);
}

void draw_balance(cairo_t *cr, double x, double y, double width, double height, double share)
{
    double middle = x + width / 2, reach = fmin(1.0, fmax(-1.0, share)) * width / 2;
    draw_round_rect(cr, x, y, width, height, height / 2);
    draw_set_ink(cr, INK_LINE, 1.0);
    cairo_fill(cr);
    cairo_save(cr);
    draw_round_rect(cr, x, y, width, height, height / 2);
    cairo_clip(cr);
    cairo_rectangle(cr, reach < 0 ? middle + reach : middle, y, fabs(reach), height);
    draw_set_ink(cr, share < 0 ? INK_BAD : INK_GOOD, 1.0);
    cairo_fill(cr);
    cairo_restore(cr);
    draw_set_ink(cr, INK_TEXT, 0.8);
    cairo_rectangle(cr, middle - 0.75, y - 2, 1.5, height + 4);
    cairo_fill(cr);
}

void draw_mark(cairo_t *cr, double x, double y, double size, const char *status)
{
    bool pass = strcmp(status, "pass") == 0, fail = strcmp(status, "fail") == 0;
    draw_set_ink(cr, pass ? INK_GOOD : fail ? INK_BAD : INK_FAINT, 1.0);
    cairo_set_line_width(cr, size * 0.2);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    if (pass) {
        cairo_move_to(cr, x, y + size * 0.55);
        cairo_line_to(cr, x + size * 0.35, y + size * 0.9);
        cairo_line_to(cr, x + size, y + size * 0.1);
    } else if (fail) {
        cairo_move_to(cr, x + size * 0.1, y + size * 0.1);
        cairo_line_to(cr, x + size * 0.9, y + size * 0.9);
        cairo_move_to(cr, x + size * 0.9, y + size * 0.1);
        cairo_line_to(cr, x + size * 0.1, y + size * 0.9);
    } else {
        cairo_move_to(cr, x + size * 0.2, y + size * 0.5);
        cairo_line_to(cr, x + size * 0.8, y + size * 0.5);
    }
    cairo_stroke(cr);
}

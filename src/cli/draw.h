/* Small drawing helpers over cairo: one palette, text that fits, bars. */
#ifndef BF_CLI_DRAW_H
#define BF_CLI_DRAW_H

#include <stdbool.h>

#include <cairo.h>

typedef enum draw_ink {
    INK_PAPER, /* background */
    INK_CARD,  /* background of a block */
    INK_LINE,  /* separators and empty bars */
    INK_TEXT,
    INK_FAINT, /* secondary text */
    INK_GOOD,
    INK_BAD,
    INK_UNSURE,
    INK_CROP_1, /* further inks for crops follow */
    INK_CROP_2,
    INK_CROP_3,
    INK_CROP_4,
    INK_CROP_5,
    INK_WHITE,
    INK_COUNT
} draw_ink;

#define DRAW_CROP_INKS 5

void draw_set_ink(cairo_t *cr, draw_ink ink, double alpha);

typedef struct draw_font {
    double size; /* px */
    bool bold;
    draw_ink ink;
} draw_font;

/* Writes `text` with its base line at y. It is cut short with an ellipsis where it would be wider than `width`
 * (0: no bound). Returns the width used. */
double draw_text(cairo_t *cr, double x, double y, double width, draw_font font, const char *text);
/* The same, ending at x. */
double draw_text_right(cairo_t *cr, double x, double y, double width, draw_font font, const char *text);
/* Breaks between words; returns the y of the base line after the last line. At most `lines_max` lines. */
double draw_text_wrapped(cairo_t *cr, double x, double y, double width, int lines_max, draw_font font,
                         const char *text);
double draw_text_width(cairo_t *cr, draw_font font, const char *text);

void draw_round_rect(cairo_t *cr, double x, double y, double width, double height, double radius);
/* A horizontal bar filled to `share` 0..1. */
void draw_bar(cairo_t *cr, double x, double y, double width, double height, double share, draw_ink ink);
/* A bar that grows from the middle: `share` -1..1. */
void draw_balance(cairo_t *cr, double x, double y, double width, double height, double share);
/* A tick, a cross or a dash in a square of side `size`. */
void draw_mark(cairo_t *cr, double x, double y, double size, const char *status);

#endif

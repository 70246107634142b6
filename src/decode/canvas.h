/* The upright picture under construction: takes coded rows from a decoder and puts their pixels where the EXIF
 * orientation says, without ever holding a second copy of the picture. Internal to decode/ and capture/. */
#ifndef BF_DECODE_CANVAS_H
#define BF_DECODE_CANVAS_H

#include "image/image.h"

/* Coded rows that may be written between two commits, at most. Positions of bands are multiples of it. */
#define BF_CANVAS_BAND_ROWS 16

/* Zero-initialise; bf_canvas_done frees what was not taken. */
typedef struct bf_canvas {
    bf_image image; /* the upright picture */
    bf_image band;  /* coded rows that wait to be turned; empty when the orientation is 1 */
    int coded_width, coded_height;
    int orientation; /* EXIF 1..8 */
} bf_canvas;

/* Allocates for a coded size that was checked before. `orientation` outside 1..8 counts as 1. */
bf_status bf_canvas_init(bf_canvas *canvas, int coded_width, int coded_height, int orientation, bf_error *err);

/* Wipes and frees; accepts a zeroed canvas. */
void bf_canvas_done(bf_canvas *canvas);

/* Where to write the 3 x coded_width bytes (R,G,B) of coded row `y`. Rows are written from top to bottom; the pointer
 * is valid until the band that holds the row is committed. */
uint8_t *bf_canvas_row(bf_canvas *canvas, int y);

/* First row after `y` that lies in another band or outside the picture: rows y .. end-1 may be written at once. */
int bf_canvas_band_end(const bf_canvas *canvas, int y);

/* Says that all coded rows before `y_end` are written. To be called at least once per band. */
void bf_canvas_commit(bf_canvas *canvas, int y_end);

/* Gives the finished picture to the caller, who owns it. */
bf_image bf_canvas_take(bf_canvas *canvas);

/* Composes one row of R,G,B,A (alpha not premultiplied) over white into R,G,B. */
void bf_canvas_row_from_rgba(uint8_t *rgb, const uint8_t *rgba, int width);

#endif

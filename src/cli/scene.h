/* A judgement drawn on a copy of its picture, so that a person can see why. Needs cairo. */
#ifndef BF_CLI_SCENE_H
#define BF_CLI_SCENE_H

#include <stdbool.h>

#include <cairo.h>
#include <jansson.h>

#include "base/bytes.h"
#include "bonafide/picture.h"

/* Draws the picture with its record (parsed JSON with geometry) and writes a PNG file, as a whole or not at all. `name`
 * stands in the heading. IO_ERROR, OUT_OF_MEMORY. */
bf_status scene_write(const bf_picture *picture, const json_t *record, const char *name, const char *path,
                      bf_error *err);

/* Reading the record: the value at a path of keys joined by dots; NULL, "" or `missing` when there is none. */
const json_t *scene_get(const json_t *record, const char *path);
const char *scene_text(const json_t *record, const char *path);
double scene_number(const json_t *record, const char *path, double missing);

/* The colour of the verdict (a draw_ink). */
int scene_verdict_ink(const json_t *record);

/* Where the picture is drawn: picture coordinates times `scale`, plus x, y. */
typedef struct scene_view {
    cairo_surface_t *pixels;
    double x, y, scale;
    double width, height; /* as drawn */
} scene_view;

/* The picture with boxes, landmarks, pose, outline and crops. */
void scene_draw_photo(cairo_t *cr, const scene_view *view, const json_t *record);
/* What each network saw, in a row of squares of side `size`. */
#define SCENE_CROP_GAP 14.0
void scene_draw_crops(cairo_t *cr, const scene_view *view, const json_t *record, double x, double y, double size);
/* The column of verdict, evidence and measures; returns the y where it ends. */
double scene_draw_panel(cairo_t *cr, const json_t *record, const char *name, double x, double y, double width);

#endif

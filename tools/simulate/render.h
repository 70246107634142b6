/* Drawing textured surfaces: triangles with depth into a buffer of what each pixel shows, then light into linear
 * RGB. Both happen a band of rows at a time, so that the buffer stays in the processor's cache. */
#ifndef SIM_RENDER_H
#define SIM_RENDER_H

#include <stdbool.h>

#include "base/attr.h"
#include "image/image.h"

#define SIM_MATERIALS_MAX 4
#define SIM_FOCAL 0.9F /* focal length over the picture's width: 58 degrees across */

/* X to the right, Y down, Z towards the camera; the plane Z = 0 is where a pixel is one unit. */
typedef struct sim_point {
    float x, y, z;
} sim_point;

/* A corner of a surface: where it is now, what it shows and how it takes light. */
typedef struct sim_vertex {
    sim_point at;
    float u, v;    /* px of the material's texture */
    float ambient; /* light of the room, 1 = as in the texture */
    float screen;  /* light of the screen in front, 1 = facing it at Z = 0 */
    float gloss;   /* mirror image of the screen */
    float px, py;  /* set by sim_draw: where it is in the picture */
} sim_vertex;

#define SIM_GRID_ROWS_MAX 512

/* A surface: columns x rows corners, row by row. */
typedef struct sim_grid {
    sim_vertex *vertex;
    int columns, rows; /* rows beyond SIM_GRID_ROWS_MAX only take longer */
    int material;
    float top[SIM_GRID_ROWS_MAX], bottom[SIM_GRID_ROWS_MAX]; /* of each row; set by sim_draw */
} sim_grid;

typedef struct sim_material {
    const bf_image *texture;
    bool emits;                    /* shines by itself: no light of room or screen falls on it */
    float moire, moire_u, moire_v; /* depth; display pixels per texture px */
    float banding, banding_phase;  /* bars of refresh: depth; 0..1 */
} sim_material;

#define SIM_BAND_ROWS 16
#define SIM_GRIDS_MAX 2 /* of one exposure */

/* What one pixel shows. */
typedef struct sim_texel {
    float depth, u, v, ambient;
    float screen, gloss, material, unused; /* material -1: nothing */
} sim_texel;

typedef struct sim_canvas {
    int width, height;
    sim_texel *texel;  /* width x SIM_BAND_ROWS */
    bf_float4 *linear; /* width x height, R G B -; sums of the exposures */
    int exposures;
    const sim_grid *grid[SIM_GRIDS_MAX]; /* of this exposure; borrowed */
    int grid_count;
} sim_canvas;

bf_status sim_canvas_new(int width, int height, sim_canvas *ret, bf_error *err);
void sim_canvas_done(sim_canvas *canvas);

/* Begins a frame, and within a frame an exposure (motion blur is several). */
void sim_canvas_begin(sim_canvas *canvas);
void sim_canvas_expose(sim_canvas *canvas);
/* Puts a surface into the exposure; it stays as it is until sim_shade. At most SIM_GRIDS_MAX of them. */
void sim_draw(sim_canvas *canvas, sim_grid *grid);
/* Draws and lights what was put there since sim_canvas_expose and adds it up. `room` is the room's light, `screen` the
 * screen's, linear RGB; with both as in the photo they make 1. */
void sim_shade(sim_canvas *canvas, const sim_material material[SIM_MATERIALS_MAX], float room, const float screen[3]);

/* A level 0..255 to light 0..1. Gamma 2 instead of sRGB's curve: nearly the same, and there and back is exact. */
float sim_linear(float level);

#endif

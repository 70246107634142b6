/* One bounded set of samples of the face, shared by the measures: whatever the resolution, at most
 * BF_GRID_SIDE x BF_GRID_SIDE pixels inside the face's hull are looked at. */
#ifndef BF_QUALITY_GRID_H
#define BF_QUALITY_GRID_H

#include <stdint.h>

#include "quality/geometry.h"

#define BF_GRID_SIDE 96
#define BF_GRID_CELLS (BF_GRID_SIDE * BF_GRID_SIDE)
#define BF_GRID_SAMPLES_MIN 16 /* fewer pixels than this are no statistic */

typedef enum bf_grid_side { BF_GRID_OUTSIDE = 0, BF_GRID_LEFT = 1, BF_GRID_RIGHT = 2 } bf_grid_side;

typedef struct bf_face_grid {
    int x0, y0, width, height;   /* the part of the hull's rectangle inside the picture (px) */
    int cols, rows;              /* samples across and down */
    int count;                   /* samples inside the hull */
    uint32_t histogram[2][256];  /* luma of the face's picture-left and picture-right half */
    uint8_t luma[BF_GRID_CELLS]; /* valid where side != BF_GRID_OUTSIDE, like rgb */
    uint8_t rgb[BF_GRID_CELLS][3];
    uint8_t side[BF_GRID_CELLS]; /* bf_grid_side; the halves meet on the line through eye midpoint and chin */
} bf_face_grid;

/* Luma of an RGB pixel: BT.601 as everywhere in bonafide, 0..255. */
static inline uint8_t bf_luma(const uint8_t *rgb)
{
    return (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8);
}

/* Samples `rgb` (3 channels). count is 0 when the face lies outside the picture. */
void bf_face_grid_fill(const bf_image *rgb, const bf_face_geometry *geometry, bf_face_grid *ret);

/* The samples that lie both in the face and in `region`: writes at most `max` cell numbers, returns how many. */
int bf_face_grid_select(const bf_face_grid *grid, const bf_convex *region, uint16_t *ret_cells, int max);

/* The luma below which `share` (0..1) of the selected samples lie; 0 when there are none. */
int bf_face_grid_quantile(const bf_face_grid *grid, const uint16_t *cells, int count, double share);

#endif

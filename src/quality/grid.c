#include "quality/grid.h"

#include <math.h>
#include <string.h>

static int clamp_int(double value, int low, int high)
{
    if (value <= low)
        return low;
    return value >= high ? high : (int)value;
}

/* The whole pixels that `bounds` touches and the picture has. */
static void clip(const bf_image *rgb, bf_rect bounds, bf_face_grid *grid)
{
    grid->x0 = clamp_int(floor((double)bounds.x0), 0, rgb->width);
    grid->y0 = clamp_int(floor((double)bounds.y0), 0, rgb->height);
    grid->width = clamp_int(ceil((double)bounds.x1), grid->x0, rgb->width) - grid->x0;
    grid->height = clamp_int(ceil((double)bounds.y1), grid->y0, rgb->height) - grid->y0;
    grid->cols = grid->width < BF_GRID_SIDE ? grid->width : BF_GRID_SIDE;
    grid->rows = grid->height < BF_GRID_SIDE ? grid->height : BF_GRID_SIDE;
}

/* Picture column of a sample: the middle of its share of the rectangle. */
static int sample_x(const bf_face_grid *grid, int col)
{
    return grid->x0 + (int)((2LL * col + 1) * grid->width / (2 * grid->cols));
}

static int sample_y(const bf_face_grid *grid, int row)
{
    return grid->y0 + (int)((2LL * row + 1) * grid->height / (2 * grid->rows));
}

/* Samples of row `row` inside `region`: [*ret_first, *ret_end). */
static bool row_span(const bf_face_grid *grid, const bf_convex *region, int row, int *ret_first, int *ret_end)
{
    float x0, x1;
    if (!bf_convex_row(region, (float)sample_y(grid, row) + 0.5f, &x0, &x1))
        return false;
    /* Column of a picture x: the inverse of sample_x, then stepped to the exact edge. */
    double scale = (double)grid->cols / grid->width;
    int first = clamp_int(floor(((double)x0 - grid->x0) * scale) - 1, 0, grid->cols);
    while (first < grid->cols && (float)sample_x(grid, first) + 0.5f < x0)
        first++;
    int end = clamp_int(ceil(((double)x1 - grid->x0) * scale) + 1, first, grid->cols);
    while (end > first && (float)sample_x(grid, end - 1) + 0.5f > x1)
        end--;
    *ret_first = first;
    *ret_end = end;
    return first < end;
}

static void fill_row(const bf_image *rgb, const bf_face_geometry *geometry, const int *columns, int row, int first,
                     int end, bf_face_grid *grid)
{
    int y = sample_y(grid, row);
    const uint8_t *line = rgb->pixels + (size_t)y * rgb->stride;
    float across = ((float)y + 0.5f - geometry->chin.y) * geometry->right.y - geometry->chin.x * geometry->right.x;
    for (int col = first; col < end; col++) {
        int cell = row * BF_GRID_SIDE + col;
        const uint8_t *pixel = line + (size_t)columns[col] * 3;
        bool right = ((float)columns[col] + 0.5f) * geometry->right.x + across >= 0;
        memcpy(grid->rgb[cell], pixel, 3);
        grid->luma[cell] = bf_luma(pixel);
        grid->side[cell] = right ? BF_GRID_RIGHT : BF_GRID_LEFT;
        grid->histogram[right][grid->luma[cell]]++;
    }
    grid->count += end - first;
}

void bf_face_grid_fill(const bf_image *rgb, const bf_face_geometry *geometry, bf_face_grid *ret)
{
    int columns[BF_GRID_SIDE];
    ret->count = 0;
    memset(ret->histogram, 0, sizeof ret->histogram);
    memset(ret->side, BF_GRID_OUTSIDE, sizeof ret->side);
    clip(rgb, bf_convex_bounds(&geometry->face), ret);
    for (int col = 0; col < ret->cols; col++)
        columns[col] = sample_x(ret, col);
    for (int row = 0; row < ret->rows && ret->cols > 0; row++) {
        int first, end;
        if (row_span(ret, &geometry->face, row, &first, &end))
            fill_row(rgb, geometry, columns, row, first, end, ret);
    }
}

int bf_face_grid_select(const bf_face_grid *grid, const bf_convex *region, uint16_t *ret_cells, int max)
{
    int count = 0;
    for (int row = 0; row < grid->rows && grid->cols > 0; row++) {
        int first, end;
        if (!row_span(grid, region, row, &first, &end))
            continue;
        for (int col = first; col < end && count < max; col++) {
            int cell = row * BF_GRID_SIDE + col;
            if (grid->side[cell] != BF_GRID_OUTSIDE)
                ret_cells[count++] = (uint16_t)cell;
        }
    }
    return count;
}

int bf_face_grid_quantile(const bf_face_grid *grid, const uint16_t *cells, int count, double share)
{
    int histogram[256] = {0};
    for (int i = 0; i < count; i++)
        histogram[grid->luma[cells[i]]]++;
    int below = 0;
    for (int luma = 0; luma < 256 && count > 0; luma++) {
        below += histogram[luma];
        if (below > share * (count - 1))
            return luma;
    }
    return 0;
}

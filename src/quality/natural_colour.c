/* NaturalColour, ISO/IEC 29794-5: how far the skin's CIELAB a and b lie outside 5..25 and 5..35. The skin is that of
 * both cheeks; its mean sRGB colour is converted once. */
#include <math.h>

#include "quality/measure.h"

#define CHEEK_CELLS_MAX 1024
#define CHEEK_CELLS_MIN 8
#define CHEEK_HALF_SIDE 0.17 /* of the inter-eye distance: stays clear of nose, beard line and picture background */

static double linear(double srgb)
{
    return srgb <= 0.04045 ? srgb / 12.92 : pow((srgb + 0.055) / 1.055, 2.4);
}

static double lab_curve(double t)
{
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

/* CIELAB a and b (D65) of an sRGB colour 0..255. */
static void lab_ab(const double rgb[3], double *ret_a, double *ret_b)
{
    double r = linear(rgb[0] / 255), g = linear(rgb[1] / 255), b = linear(rgb[2] / 255);
    double x = lab_curve((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
    double y = lab_curve(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
    double z = lab_curve((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
    *ret_a = 500 * (x - y);
    *ret_b = 200 * (y - z);
}

static double outside(double value, double low, double high)
{
    return fmax(fmax(low - value, value - high), 0);
}

static int select_cheek(const bf_quality_view *view, int eye, int mouth_corner, uint16_t *ret_cells)
{
    bf_convex box;
    bf_point a = view->geometry.eye[eye], b = view->face->landmarks[mouth_corner];
    float half = (float)(CHEEK_HALF_SIDE * view->geometry.inter_eye_px);
    bf_convex_box((bf_point){(a.x + b.x) / 2, (a.y + b.y) / 2}, view->geometry.right, half, half, &box);
    return bf_face_grid_select(&view->grid, &box, ret_cells, CHEEK_CELLS_MAX);
}

static void add_cells(const bf_face_grid *grid, const uint16_t *cells, int count, double sum[3])
{
    for (int i = 0; i < count; i++)
        for (int c = 0; c < 3; c++)
            sum[c] += grid->rgb[cells[i]][c];
}

void bf_measure_natural_colour(const bf_quality_view *view, bf_measure *ret)
{
    const bf_face_grid *grid = &view->grid;
    uint16_t cells[BF_GRID_CELLS];
    double colour[3] = {0}, a, b;
    if (grid->count < BF_GRID_SAMPLES_MIN)
        return;
    int left = select_cheek(view, 0, 48, cells);
    add_cells(grid, cells, left, colour);
    int right = select_cheek(view, 1, 54, cells);
    add_cells(grid, cells, right, colour);
    int count = left + right;
    if (count < CHEEK_CELLS_MIN) { /* cheeks outside the picture: what there is of the face */
        colour[0] = colour[1] = colour[2] = 0;
        count = bf_face_grid_select(grid, &view->geometry.face, cells, BF_GRID_CELLS);
        add_cells(grid, cells, count, colour);
    }
    for (int c = 0; c < 3; c++)
        colour[c] /= count;
    lab_ab(colour, &a, &b);
    double distance = hypot(outside(a, 5, 25), outside(b, 5, 35));
    bf_measure_set(ret, distance, 200 * (1 - bf_sigmoid(distance, 0, 10)));
}

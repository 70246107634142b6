/* EyesVisible, our own. Native: the evidence 0..1 that the worse eye can be seen. Dark lenses make the eye region and
 * the skin right below it much darker than the cheek; an eye has contrast (lid, white, pupil); glare on a lens is white
 * where the cheek is not. */
#include <math.h>

#include "quality/measure.h"

#define CELLS_MAX 1024
#define CELLS_MIN 6
#define GLARE_LUMA 247

typedef struct eye_region {
    double lens;     /* brighter of eye region and skin below it, over the cheek: low behind dark lenses */
    double contrast; /* spread of the eye region's luma over the cheek */
    double glare;    /* share of white samples where the cheek is not white */
} eye_region;

static int select_box(const bf_quality_view *view, bf_point centre, double along_px, double across_px,
                      uint16_t *ret_cells)
{
    bf_convex box;
    bf_convex_box(centre, view->geometry.right, (float)along_px, (float)across_px, &box);
    return bf_face_grid_select(&view->grid, &box, ret_cells, CELLS_MAX);
}

static bool look_at_eye(const bf_quality_view *view, int eye, eye_region *ret)
{
    uint16_t cells[CELLS_MAX];
    const bf_face_grid *grid = &view->grid;
    const bf_face_geometry *g = &view->geometry;
    bf_point centre = g->eye[eye], mouth_corner = view->face->landmarks[eye == 0 ? 48 : 54];
    double width =
        bf_point_distance(view->face->landmarks[eye == 0 ? 36 : 42], view->face->landmarks[eye == 0 ? 39 : 45]);
    bf_point cheek = {(centre.x + mouth_corner.x) / 2, (centre.y + mouth_corner.y) / 2};
    int count = select_box(view, cheek, 0.4 * width, 0.3 * width, cells);
    if (count < CELLS_MIN)
        return false;
    /* Two grey levels more keep the ratios finite on a black face. */
    double skin = bf_face_grid_quantile(grid, cells, count, 0.5) + 2;
    count = select_box(view, bf_point_along(centre, g->up, -0.5 * width), 0.5 * width, 0.15 * width, cells);
    double below = count < CELLS_MIN ? 0 : (bf_face_grid_quantile(grid, cells, count, 0.5) + 2) / skin;
    count = select_box(view, centre, 0.6 * width, 0.3 * width, cells);
    if (count < CELLS_MIN)
        return false;
    int dark = bf_face_grid_quantile(grid, cells, count, 0.1), bright = bf_face_grid_quantile(grid, cells, count, 0.9);
    int white = 0;
    for (int i = 0; i < count; i++)
        white += grid->luma[cells[i]] >= GLARE_LUMA;
    ret->lens = fmax(below, (bright + 2) / skin);
    ret->contrast = (bright - dark) / skin;
    ret->glare = skin < 0.75 * GLARE_LUMA ? (double)white / count : 0;
    return true;
}

static double evidence(const bf_quality_view *view, int eye)
{
    eye_region region;
    /* An eye outside the picture, or too small for six samples, is not visible. */
    if (!look_at_eye(view, eye, &region))
        return 0;
    return bf_sigmoid(region.lens, 0.5, 0.06) * bf_sigmoid(region.contrast, 0.12, 0.03) *
           (1 - bf_sigmoid(region.glare, 0.25, 0.05));
}

void bf_measure_eyes_visible(const bf_quality_view *view, bf_measure *ret)
{
    if (view->grid.count < BF_GRID_SAMPLES_MIN)
        return;
    double visible = fmin(evidence(view, 0), evidence(view, 1));
    bf_measure_set(ret, visible, 100 * visible);
}

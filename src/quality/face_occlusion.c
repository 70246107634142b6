/* FaceOcclusionPrevention, our own; covers MouthOcclusion. Native: the share of nose, mouth and chin that has the
 * colour of the same face's forehead, nose bridge and skin under the eyes, or of lips; the worse of the nose, where
 * nothing but skin is allowed, and of the lower face, where a beard may be dark. A hand has the colour of skin and is
 * not seen. */
#include <math.h>

#include "quality/measure.h"

#define CELLS_MAX 4096
#define CELLS_MIN 8
#define HAIR_LIGHT_MAX 0.45   /* luma of a beard or an open mouth over that of the skin */
#define FRINGE_LUMA_RATIO 0.6 /* a forehead darker than this, relative to the skin under the eyes, is hair */
#define CHROMA_BINS 512       /* of -1..1 */

/* Colour of the uncovered skin: medians of luma and of two chromaticities. */
typedef struct skin {
    double luma, red, blue;
} skin;

static double red_chroma(const uint8_t *rgb)
{
    return (rgb[0] - rgb[1]) / (rgb[0] + rgb[1] + rgb[2] + 3.0);
}

static double blue_chroma(const uint8_t *rgb)
{
    return (rgb[1] - rgb[2]) / (rgb[0] + rgb[1] + rgb[2] + 3.0);
}

/* The chromaticity below which half of the cells lie, to the width of a bin. */
static double median_chroma(const bf_face_grid *grid, const uint16_t *cells, int count,
                            double (*chroma)(const uint8_t *rgb))
{
    int bins[CHROMA_BINS] = {0};
    for (int i = 0; i < count; i++)
        bins[(int)((chroma(grid->rgb[cells[i]]) + 1) * (CHROMA_BINS / 2.0))]++;
    int bin = 0, below = bins[0];
    while (2 * below < count)
        below += bins[++bin];
    return (bin + 0.5) / (CHROMA_BINS / 2.0) - 1;
}

static int select_box(const bf_quality_view *view, bf_point centre, double along, double across, uint16_t *ret_cells,
                      int max)
{
    bf_convex box;
    double unit = view->geometry.inter_eye_px;
    bf_convex_box(centre, view->geometry.right, (float)(along * unit), (float)(across * unit), &box);
    return bf_face_grid_select(&view->grid, &box, ret_cells, max);
}

static skin median_colour(const bf_face_grid *grid, const uint16_t *cells, int count)
{
    return (skin){bf_face_grid_quantile(grid, cells, count, 0.5) + 2, median_chroma(grid, cells, count, red_chroma),
                  median_chroma(grid, cells, count, blue_chroma)};
}

/* The forehead between the brows, which no mask reaches; where a fringe darkens it, the skin under the eyes and the
 * upper nose bridge. */
static bool uncovered_skin(const bf_quality_view *view, skin *ret)
{
    uint16_t cells[CELLS_MAX];
    const bf_face_geometry *g = &view->geometry;
    skin forehead = {0, 0, 0};
    bf_point brow = bf_point_along(bf_landmark_mean(view->face, 20, 23), g->up, 0.12 * g->inter_eye_px);
    int count = select_box(view, brow, 0.25, 0.1, cells, CELLS_MAX);
    if (count >= CELLS_MIN)
        forehead = median_colour(&view->grid, cells, count);
    count = select_box(view, view->face->landmarks[27], 0.1, 0.12, cells, CELLS_MAX / 4);
    for (int eye = 0; eye < 2; eye++)
        count += select_box(view, bf_point_along(g->eye[eye], g->up, -0.25 * g->inter_eye_px), 0.25, 0.06,
                            cells + count, CELLS_MAX / 4);
    if (count < CELLS_MIN)
        return false;
    *ret = median_colour(&view->grid, cells, count);
    if (forehead.luma > FRINGE_LUMA_RATIO * ret->luma)
        *ret = forehead;
    return true;
}

/* Skin as on the reference, or redder like lips, nose and cheeks are; not darker than a shadow. */
static bool is_warm(const uint8_t *rgb, double light, const skin *reference)
{
    double red = red_chroma(rgb) - reference->red, blue = blue_chroma(rgb) - reference->blue;
    /* Dark pixels have uncertain chroma. */
    double tolerance = 0.045 + 4.0 / (rgb[0] + rgb[1] + rgb[2] + 20);
    bool skin_like = hypot(red, blue) < tolerance && light > 0.3 && light < 1.9;
    bool lip_like = red > 0 && red < 0.2 && fabs(blue) < 2 * tolerance && light > 0.15 && light < 1.4;
    return skin_like || lip_like;
}

/* Share of the samples in `region` that are warm, or dark enough for hair when `hair_allowed`. */
static bool uncovered_share(const bf_quality_view *view, const bf_convex *region, const skin *reference,
                            bool hair_allowed, double *ret)
{
    uint16_t cells[CELLS_MAX];
    int count = bf_face_grid_select(&view->grid, region, cells, CELLS_MAX), uncovered = 0;
    if (count < CELLS_MIN)
        return false;
    for (int i = 0; i < count; i++) {
        double light = (view->grid.luma[cells[i]] + 2) / reference->luma;
        uncovered += is_warm(view->grid.rgb[cells[i]], light, reference) || (hair_allowed && light < HAIR_LIGHT_MAX);
    }
    *ret = (double)uncovered / count;
    return true;
}

void bf_measure_face_occlusion(const bf_quality_view *view, bf_measure *ret)
{
    skin reference;
    bf_convex nose, lower;
    double nose_share, lower_share;
    if (view->grid.count < BF_GRID_SAMPLES_MIN || !uncovered_skin(view, &reference))
        return;
    const bf_point *p = view->face->landmarks;
    bf_point nose_points[] = {p[29], p[31], p[33], p[35]};
    bf_point lower_points[] = {p[31], p[35], p[48], p[54], p[6], p[7], p[8], p[9], p[10]};
    bf_convex_hull(nose_points, 4, &nose);
    bf_convex_hull(lower_points, 9, &lower);
    if (!uncovered_share(view, &nose, &reference, false, &nose_share) ||
        !uncovered_share(view, &lower, &reference, true, &lower_share))
        return;
    double uncovered = fmin(nose_share, lower_share);
    bf_measure_set(ret, uncovered, 100 * uncovered);
}

#include "liveness/context/context.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define GRID 96               /* cells across and down */
#define CELLS_PER_FACE 24     /* cells per face side (geometric mean of width and height) */
#define FACE_SIDE_MIN_PX 48   /* below, a cell is under two pixels */
#define SHEAR_STEPS 9         /* rotations tried to each side */
#define SHEAR_PER_STEP 0.038f /* tangent of one step; 9 steps are 19 degrees */
#define STEP_MIN 7            /* luma steps smaller than this are taken for noise */
#define SIDES_VISIBLE_MIN 2
#define COVERAGE_OF_CLUTTER 0.6f
#define FRAME_BY_CHANCE 1.4 /* rooms seldom give more: 2 of 315 live photos of the development corpus pass it */

/* The grid and the face in it, in cells. */
typedef struct grid {
    uint8_t luma[GRID][GRID];
    int8_t across[GRID][GRID]; /* sign of the luma step from left to right, 0 where there is none */
    int8_t down[GRID][GRID];   /* the same from top to bottom, transposed: [x][y] */
    int x0, x1, y0, y1;        /* cells inside the picture: x0 <= x < x1 */
    float face_x0, face_x1, face_y0, face_y1;
} grid;

static int luma_at(const bf_image *image, float x, float y)
{
    int column = (int)x, row = (int)y;
    column = column < 0 ? 0 : column >= image->width ? image->width - 1 : column;
    row = row < 0 ? 0 : row >= image->height ? image->height - 1 : row;
    const uint8_t *p = image->pixels + (size_t)row * image->stride + (size_t)column * 3;
    return (77 * p[0] + 150 * p[1] + 29 * p[2]) >> 8;
}

/* First and last cell whose centre lies inside 0..limit. */
static void cells_inside(float origin, float step, int limit, int *ret_first, int *ret_end)
{
    int first = (int)ceilf(-origin / step - 0.5f), end = (int)ceilf(((float)limit - origin) / step - 0.5f);
    *ret_first = first < 0 ? 0 : first;
    *ret_end = end > GRID ? GRID : end;
}

static void fill_luma(const bf_subject *subject, float side, grid *g)
{
    bf_rect box = subject->face->box;
    float step = side / CELLS_PER_FACE;
    float origin_x = (box.x0 + box.x1) / 2 - step * GRID / 2, origin_y = (box.y0 + box.y1) / 2 - step * GRID / 2;
    cells_inside(origin_x, step, subject->rgb->width, &g->x0, &g->x1);
    cells_inside(origin_y, step, subject->rgb->height, &g->y0, &g->y1);
    g->face_x0 = (box.x0 - origin_x) / step;
    g->face_x1 = (box.x1 - origin_x) / step;
    g->face_y0 = (box.y0 - origin_y) / step;
    g->face_y1 = (box.y1 - origin_y) / step;
    for (int y = g->y0; y < g->y1; y++) {
        for (int x = g->x0; x < g->x1; x++) {
            float left = origin_x + (float)x * step, top = origin_y + (float)y * step;
            int sum = 0; /* four samples at the centres of the cell's quarters */
            for (int i = 0; i < 4; i++)
                sum +=
                    luma_at(subject->rgb, left + step * (i & 1 ? 0.75f : 0.25f), top + step * (i & 2 ? 0.75f : 0.25f));
            g->luma[y][x] = (uint8_t)(sum / 4);
        }
    }
}

/* Sign of a step that is strong enough and lies more along its own axis than along the other. */
static int8_t step_sign(int along, int other)
{
    int size = along < 0 ? -along : along, other_size = other < 0 ? -other : other;
    if (size < STEP_MIN || size < other_size)
        return 0;
    return along > 0 ? 1 : -1;
}

static void fill_steps(grid *g)
{
    for (int y = g->y0 + 1; y < g->y1 - 1; y++) {
        for (int x = g->x0 + 1; x < g->x1 - 1; x++) {
            int dx = g->luma[y][x + 1] - g->luma[y][x - 1], dy = g->luma[y + 1][x] - g->luma[y - 1][x];
            g->across[y][x] = step_sign(dx, dy);
            g->down[x][y] = step_sign(dy, dx);
        }
    }
}

/* Where a side is sought: its position at the middle of the span, and the span along it. `low`/`high` are the cells
 * inside the picture in both directions. */
typedef struct side {
    int from, to;            /* positions tried, from <= position < to */
    int begin, end;          /* span along the side */
    int low, high;           /* valid positions */
    int span_low, span_high; /* valid cells along the side */
} side;

#define SIDE_SPAN_MIN 0.6f /* share of a side's span that must lie inside the picture */

static bool side_visible(const side *s)
{
    int begin = s->begin > s->span_low ? s->begin : s->span_low, end = s->end < s->span_high ? s->end : s->span_high;
    int from = s->from > s->low ? s->from : s->low, to = s->to < s->high ? s->to : s->high;
    return to > from && (float)(end - begin) >= SIDE_SPAN_MIN * (float)(s->end - s->begin);
}

/* Coverage of the best straight edge of one sign. A cell counts when it or a neighbour across the edge steps. */
static float best_edge(const int8_t steps[GRID][GRID], const side *s, float shear)
{
    int16_t votes[GRID] = {0};
    int from = s->from > s->low ? s->from : s->low, to = s->to < s->high ? s->to : s->high;
    int begin = s->begin > s->span_low ? s->begin : s->span_low, end = s->end < s->span_high ? s->end : s->span_high;
    float middle = (float)(s->begin + s->end - 1) / 2;
    for (int i = begin; i < end; i++) {
        int shift = (int)lroundf(shear * ((float)i - middle));
        int first = from + shift < s->low + 1 ? s->low + 1 - shift : from;
        int last = to + shift > s->high - 1 ? s->high - 1 - shift : to;
        const int8_t *row = &steps[i][0];
        for (int p = first; p < last; p++) {
            int sum = row[p + shift - 1] + row[p + shift] + row[p + shift + 1];
            votes[p] = (int16_t)(votes[p] + (sum > 0) - (sum < 0));
        }
    }
    int best = 0;
    for (int p = from; p < to; p++) {
        int size = votes[p] < 0 ? -votes[p] : votes[p];
        best = size > best ? size : best;
    }
    return (float)best / (float)(s->end - s->begin);
}

/* Left, right, top, bottom. Distances in cells; a face side is CELLS_PER_FACE. */
static void lay_sides(const grid *g, side ret[4])
{
    const float reach = 1.25f * CELLS_PER_FACE, near_edge = 0.05f * CELLS_PER_FACE;
    float centre_y = (g->face_y0 + g->face_y1) / 2, half_y = 0.85f * (g->face_y1 - g->face_y0);
    float centre_x = (g->face_x0 + g->face_x1) / 2, half_x = 0.75f * (g->face_x1 - g->face_x0);
    side vertical = {.begin = (int)(centre_y - half_y),
                     .end = (int)(centre_y + half_y),
                     .low = g->x0,
                     .high = g->x1,
                     .span_low = g->y0,
                     .span_high = g->y1};
    side horizontal = {.begin = (int)(centre_x - half_x),
                       .end = (int)(centre_x + half_x),
                       .low = g->y0,
                       .high = g->y1,
                       .span_low = g->x0,
                       .span_high = g->x1};
    ret[0] = ret[1] = vertical;
    ret[2] = ret[3] = horizontal;
    ret[0].from = (int)(g->face_x0 - reach);
    ret[0].to = (int)(g->face_x0 - near_edge);
    ret[1].from = (int)(g->face_x1 + near_edge);
    ret[1].to = (int)(g->face_x1 + reach);
    ret[2].from = (int)(g->face_y0 - reach);
    ret[2].to = (int)(g->face_y0 - near_edge);
    ret[3].from = (int)(g->face_y1 + near_edge);
    ret[3].to = (int)(g->face_y1 + reach);
}

static void find_rectangle(const grid *g, const side sides[4], const bool visible[4], bf_context_features *ret)
{
    float best_sum = -1;
    int ties = 0, tied_steps = 0; /* several rotations may fit equally well: the middle one is told */
    for (int k = -SHEAR_STEPS; k <= SHEAR_STEPS; k++) {
        float shear = SHEAR_PER_STEP * (float)k, coverage[4] = {0}, sum = 0;
        for (int i = 0; i < 4; i++) {
            if (visible[i])
                coverage[i] = best_edge(i < 2 ? g->across : g->down, &sides[i], i < 2 ? -shear : shear);
            sum += coverage[i];
        }
        if (sum == best_sum) {
            ties++;
            tied_steps += k;
        }
        if (sum > best_sum) {
            best_sum = sum;
            ties = 1;
            tied_steps = k;
            ret->left = coverage[0];
            ret->right = coverage[1];
            ret->top = coverage[2];
            ret->bottom = coverage[3];
        }
    }
    ret->rotation_deg = atanf(SHEAR_PER_STEP * (float)tied_steps / (float)ties) * 57.29578f;
}

bool bf_context_measure(const bf_subject *subject, bf_context_features *ret, const char **ret_why)
{
    float width = bf_rect_width(subject->face->box), height = bf_rect_height(subject->face->box);
    float face_side = sqrtf(width * height);
    if (!(face_side >= FACE_SIDE_MIN_PX) || !(width < 2 * height) || !(height < 2 * width)) {
        *ret_why = "the face is too small for its surroundings to be read";
        return false;
    }
    grid g;
    memset(&g, 0, sizeof g);
    fill_luma(subject, face_side, &g);
    fill_steps(&g);
    side sides[4];
    bool visible[4];
    lay_sides(&g, sides);
    bf_context_features found = {0};
    for (int i = 0; i < 4; i++) {
        visible[i] = side_visible(&sides[i]);
        found.visible_sides += visible[i];
    }
    if (found.visible_sides < SIDES_VISIBLE_MIN) {
        *ret_why = "too little around the face is in the picture";
        return false;
    }
    find_rectangle(&g, sides, visible, &found);
    *ret = found;
    return true;
}

/* What each side but the strongest adds beyond coverage that walls and furniture reach; 0..3. */
static double frame_evidence(const bf_context_features *f)
{
    const float sides[4] = {f->left, f->right, f->top, f->bottom};
    float sum = 0, strongest = 0;
    for (int i = 0; i < 4; i++) {
        float part = fmaxf(0, sides[i] - COVERAGE_OF_CLUTTER) / (1 - COVERAGE_OF_CLUTTER);
        sum += part;
        strongest = fmaxf(strongest, part);
    }
    return (double)(sum - strongest);
}

void bf_context_detect(const bf_subject *subject, bf_evidence *ret)
{
    *ret = (bf_evidence){.detector = BF_CONTEXT_NAME, .version = BF_CONTEXT_VERSION};
    bf_context_features f;
    if (!bf_context_measure(subject, &f, &ret->why))
        return;
    ret->status = BF_EVIDENCE_PRESENT;
    ret->raw = fmin(0, FRAME_BY_CHANCE - frame_evidence(&f));
}

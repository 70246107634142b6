#include "quality/convex.h"

#include <math.h>
#include <stdlib.h>

static int compare_points(const void *a, const void *b)
{
    const bf_point *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return p->y < q->y ? -1 : p->y > q->y;
}

static double turn(bf_point a, bf_point b, bf_point c)
{
    return ((double)b.x - a.x) * ((double)c.y - a.y) - ((double)b.y - a.y) * ((double)c.x - a.x);
}

/* Appends `point` to a chain that begins at `floor`, dropping corners that would make it bend inwards. */
static int chain_add(bf_point *chain, int count, int floor, bf_point point)
{
    while (count - floor >= 2 && turn(chain[count - 2], chain[count - 1], point) <= 0)
        count--;
    chain[count] = point;
    return count + 1;
}

void bf_convex_hull(const bf_point *points, int count, bf_convex *ret)
{
    bf_point sorted[BF_CONVEX_POINTS_MAX];
    bf_point chain[2 * BF_CONVEX_POINTS_MAX];
    ret->count = 0;
    if (count < 1 || count > BF_CONVEX_POINTS_MAX)
        return;
    for (int i = 0; i < count; i++)
        sorted[i] = points[i];
    qsort(sorted, (size_t)count, sizeof *sorted, compare_points);
    int used = 0;
    for (int i = 0; i < count; i++)
        used = chain_add(chain, used, 0, sorted[i]);
    int floor = used - 1;
    for (int i = count - 2; i >= 0; i--)
        used = chain_add(chain, used, floor, sorted[i]);
    used--; /* the second chain ends where the first began */
    for (int i = 0; i < used && i < BF_CONVEX_POINTS_MAX; i++)
        ret->corner[ret->count++] = chain[i];
}

void bf_convex_box(bf_point centre, bf_point axis, float along_px, float across_px, bf_convex *ret)
{
    bf_point a = {axis.x * along_px, axis.y * along_px};
    bf_point b = {-axis.y * across_px, axis.x * across_px};
    ret->count = 4;
    ret->corner[0] = (bf_point){centre.x - a.x - b.x, centre.y - a.y - b.y};
    ret->corner[1] = (bf_point){centre.x + a.x - b.x, centre.y + a.y - b.y};
    ret->corner[2] = (bf_point){centre.x + a.x + b.x, centre.y + a.y + b.y};
    ret->corner[3] = (bf_point){centre.x - a.x + b.x, centre.y - a.y + b.y};
}

bf_rect bf_convex_bounds(const bf_convex *region)
{
    if (region->count < 3)
        return (bf_rect){0, 0, 0, 0};
    bf_rect bounds = {region->corner[0].x, region->corner[0].y, region->corner[0].x, region->corner[0].y};
    for (int i = 1; i < region->count; i++) {
        bounds.x0 = fminf(bounds.x0, region->corner[i].x);
        bounds.y0 = fminf(bounds.y0, region->corner[i].y);
        bounds.x1 = fmaxf(bounds.x1, region->corner[i].x);
        bounds.y1 = fmaxf(bounds.y1, region->corner[i].y);
    }
    return bounds;
}

bool bf_convex_row(const bf_convex *region, float y, float *ret_x0, float *ret_x1)
{
    if (region->count < 3)
        return false;
    float x0 = INFINITY, x1 = -INFINITY;
    bf_point a = region->corner[region->count - 1];
    for (int i = 0; i < region->count; i++) {
        bf_point b = region->corner[i];
        if ((a.y <= y) != (b.y <= y)) {
            float x = a.x + (b.x - a.x) * ((y - a.y) / (b.y - a.y));
            x0 = fminf(x0, x);
            x1 = fmaxf(x1, x);
        }
        a = b;
    }
    if (!(x0 < x1))
        return false;
    *ret_x0 = x0;
    *ret_x1 = x1;
    return true;
}

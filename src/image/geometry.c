#include <math.h>

#include "image/image.h"

float bf_rect_width(bf_rect rect)
{
    return rect.x1 - rect.x0;
}

float bf_rect_height(bf_rect rect)
{
    return rect.y1 - rect.y0;
}

bf_rect bf_rect_intersect(bf_rect a, bf_rect b)
{
    bf_rect both = {fmaxf(a.x0, b.x0), fmaxf(a.y0, b.y0), fminf(a.x1, b.x1), fminf(a.y1, b.y1)};
    if (both.x1 < both.x0)
        both.x1 = both.x0;
    if (both.y1 < both.y0)
        both.y1 = both.y0;
    return both;
}

/* With both point sets centred, the least-squares rotation and scale (p, q) of x' = p x - q y, y' = q x + p y are
 * the projections of the target onto the source and onto the source turned by 90 degrees. */
bf_affine bf_similarity_fit(const bf_point *from, const bf_point *to, int count)
{
    double fx = 0, fy = 0, tx = 0, ty = 0;
    for (int i = 0; i < count; i++) {
        fx += (double)from[i].x / count;
        fy += (double)from[i].y / count;
        tx += (double)to[i].x / count;
        ty += (double)to[i].y / count;
    }
    double along = 0, across = 0, size = 0;
    for (int i = 0; i < count; i++) {
        double ax = (double)from[i].x - fx, ay = (double)from[i].y - fy;
        double bx = (double)to[i].x - tx, by = (double)to[i].y - ty;
        along += ax * bx + ay * by;
        across += ax * by - ay * bx;
        size += ax * ax + ay * ay;
    }
    double p = size > 0 ? along / size : 1, q = size > 0 ? across / size : 0;
    return (bf_affine){(float)p, (float)-q, (float)(tx - p * fx + q * fy),
                       (float)q, (float)p,  (float)(ty - q * fx - p * fy)};
}

bf_affine bf_affine_invert(bf_affine m)
{
    double determinant = (double)m.a * (double)m.e - (double)m.b * (double)m.d;
    if (determinant == 0)
        return (bf_affine){1, 0, 0, 0, 1, 0};
    double a = (double)m.e / determinant, b = -(double)m.b / determinant;
    double d = -(double)m.d / determinant, e = (double)m.a / determinant;
    return (bf_affine){(float)a, (float)b, (float)-(a * (double)m.c + b * (double)m.f),
                       (float)d, (float)e, (float)-(d * (double)m.c + e * (double)m.f)};
}

bf_point bf_affine_apply(bf_affine m, bf_point p)
{
    return (bf_point){m.a * p.x + m.b * p.y + m.c, m.d * p.x + m.e * p.y + m.f};
}

#include "liveness/flash/patches.h"

#include <math.h>

#define GRID 10          /* pixels of a patch across and down */
#define CLIPPED 250      /* brighter values say nothing about more light */
#define SEEN_SHARE 0.7F  /* of a patch's pixels that have to be inside and not clipped */
#define BLACK 0.004F     /* linear; below, noise and black level are all there is */
#define SIDE_WIDTHS 0.5F /* from the face's box, in its widths: past the hair of most */
#define CORNER_WIDTH 0.12F
#define CORNER_HEIGHT 0.25F
/* Half axes of what belongs to the head and its hair, in widths and heights of the face's box. */
#define HEAD_WIDTHS 0.85F
#define HEAD_HEIGHTS 0.95F

void bf_light_table(float ret[256])
{
    for (int i = 0; i < 256; i++) {
        float c = (float)i / 255;
        ret[i] = c <= 0.04045F ? c / 12.92F : powf((c + 0.055F) / 1.055F, 2.4F);
    }
}

/* A patch: points centre + a * across + b * down, a and b in -1..1. */
typedef struct patch_place {
    bf_point centre, across, down;
} patch_place;

static bf_point between(bf_point a, bf_point b, float share)
{
    return (bf_point){a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
}

static bf_point eye(const bf_face *face, int first)
{
    bf_point sum = {0, 0};
    for (int i = first; i < first + 6; i++) {
        sum.x += face->landmarks[i].x / 6;
        sum.y += face->landmarks[i].y / 6;
    }
    return sum;
}

/* `down` is the vector from the eyes to the chin, `across` as long and to the right of it. */
static patch_place place(bf_point centre, bf_point across, bf_point down, float half_width, float half_height)
{
    return (patch_place){
        centre, {across.x * half_width, across.y * half_width}, {down.x * half_height, down.y * half_height}};
}

static void place_face(const bf_face *face, patch_place ret[BF_PATCH_FACE_COUNT])
{
    const bf_point *at = face->landmarks;
    bf_point left = eye(face, 36), right = eye(face, 42), middle = between(left, right, 0.5F);
    bf_point down = {at[8].x - middle.x, at[8].y - middle.y}, across = {down.y, -down.x};
    bf_point brows = between(between(at[19], at[24], 0.5F), middle, -0.35F);
    ret[BF_PATCH_FOREHEAD] =
        place((bf_point){brows.x - 0.08F * down.x, brows.y - 0.08F * down.y}, across, down, 0.2F, 0.07F);
    ret[BF_PATCH_NOSE] = place(between(at[28], at[30], 0.5F), across, down, 0.05F, 0.1F);
    ret[BF_PATCH_LEFT_CHEEK] = place(between(left, at[48], 0.6F), across, down, 0.09F, 0.08F);
    ret[BF_PATCH_RIGHT_CHEEK] = place(between(right, at[54], 0.6F), across, down, 0.09F, 0.08F);
    ret[BF_PATCH_CHIN] = place(between(at[57], at[8], 0.55F), across, down, 0.1F, 0.05F);
}

static void measure(const bf_image *image, const patch_place *of, const float table[256], bf_patch_light *ret)
{
    float sum[3] = {0, 0, 0};
    int count = 0;
    *ret = (bf_patch_light){.seen = false};
    for (int i = 0; i < GRID * GRID; i++) {
        int column = i % GRID, row = i / GRID;
        float a = ((float)column + 0.5F) / (GRID / 2.0F) - 1, b = ((float)row + 0.5F) / (GRID / 2.0F) - 1;
        float x = of->centre.x + a * of->across.x + b * of->down.x;
        float y = of->centre.y + a * of->across.y + b * of->down.y;
        if (!(x >= 0 && y >= 0 && x < (float)image->width && y < (float)image->height))
            continue;
        const uint8_t *p = image->pixels + (size_t)y * image->stride + (size_t)x * 3;
        if (p[0] >= CLIPPED || p[1] >= CLIPPED || p[2] >= CLIPPED)
            continue;
        for (int c = 0; c < 3; c++)
            sum[c] += table[p[c]];
        count++;
    }
    if ((float)count < SEEN_SHARE * GRID * GRID)
        return;
    for (int c = 0; c < 3; c++)
        ret->rgb[c] = sum[c] / (float)count;
    ret->seen = ret->rgb[0] >= BLACK && ret->rgb[1] >= BLACK && ret->rgb[2] >= BLACK / 2;
}

static bool is_behind(const bf_face *face, bf_point at)
{
    float width = bf_rect_width(face->box), height = bf_rect_height(face->box);
    if (!(width > 1 && height > 1))
        return false;
    float x = (at.x - (face->box.x0 + face->box.x1) / 2) / (HEAD_WIDTHS * width);
    float y = (at.y - (face->box.y0 + face->box.y1) / 2) / (HEAD_HEIGHTS * height);
    return x * x + y * y > 1;
}

static patch_place place_side(const bf_face *face, int side)
{
    float width = bf_rect_width(face->box), height = bf_rect_height(face->box);
    float x = side == 0 ? face->box.x0 - SIDE_WIDTHS * width : face->box.x1 + SIDE_WIDTHS * width;
    bf_point centre = {x, face->box.y0 + 0.3F * height};
    return (patch_place){centre, {0.1F * width, 0}, {0, 0.2F * height}};
}

static patch_place place_corner(const bf_image *image, int side)
{
    float width = (float)image->width, height = (float)image->height, x = CORNER_WIDTH / 2 * width;
    bf_point centre = {side == 0 ? x : width - x, CORNER_HEIGHT / 2 * height};
    return (patch_place){centre, {x, 0}, {0, CORNER_HEIGHT / 2 * height}};
}

void bf_patches_measure(const bf_image *image, const bf_face *face, const float table[256],
                        bf_patch_light ret[BF_PATCH_COUNT])
{
    patch_place places[BF_PATCH_FACE_COUNT];
    place_face(face, places);
    for (int i = 0; i < BF_PATCH_FACE_COUNT; i++)
        measure(image, &places[i], table, &ret[i]);
    for (int side = 0; side < 2; side++) {
        bf_patch_light *beside = &ret[BF_PATCH_LEFT_SIDE + side], *corner = &ret[BF_PATCH_LEFT_CORNER + side];
        patch_place at = place_side(face, side);
        measure(image, &at, table, beside);
        at = place_corner(image, side);
        *corner = (bf_patch_light){.seen = false};
        if (is_behind(face, at.centre))
            measure(image, &at, table, corner);
    }
}

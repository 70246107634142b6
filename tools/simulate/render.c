#include "simulate/render.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define WAVE_SIZE 256

bf_status sim_canvas_new(int width, int height, sim_canvas *ret, bf_error *err)
{
    sim_canvas canvas = {.width = width, .height = height};
    canvas.texel = bf_malloc((size_t)width * SIM_BAND_ROWS * sizeof *canvas.texel);
    canvas.linear = bf_malloc((size_t)width * (size_t)height * sizeof *canvas.linear);
    if (!canvas.texel || !canvas.linear) {
        sim_canvas_done(&canvas);
        return bf_fail_memory(err);
    }
    *ret = canvas;
    return BF_OK;
}

void sim_canvas_done(sim_canvas *canvas)
{
    bf_free(canvas->texel);
    bf_free(canvas->linear);
    *canvas = (sim_canvas){0};
}

void sim_canvas_begin(sim_canvas *canvas)
{
    canvas->exposures = 0;
}

void sim_canvas_expose(sim_canvas *canvas)
{
    canvas->grid_count = 0;
    canvas->exposures++;
}

static void project(const sim_canvas *canvas, sim_vertex *vertex)
{
    const float focal = SIM_FOCAL * (float)canvas->width;
    /* Nothing comes nearer than this: what is behind the camera would be drawn upside down. */
    float distance = fmaxf(focal - vertex->at.z, 0.05F * focal);
    vertex->px = 0.5F * (float)canvas->width + vertex->at.x * focal / distance;
    vertex->py = 0.5F * (float)canvas->height + vertex->at.y * focal / distance;
}

/* The rows y0..y1-1 of the picture, which are in the buffer. */
typedef struct band {
    sim_texel *texel;
    int width, y0, y1;
} band;

/* What a texel is made of, four numbers at once. */
typedef struct parts {
    bf_float4 near, light; /* depth u v ambient; screen gloss material - */
} parts;

static parts parts_of(const sim_vertex *v, float material)
{
    return (parts){{v->at.z, v->u, v->v, v->ambient}, {v->screen, v->gloss, material, 0}};
}

static parts sum_of(parts a, float share_a, parts b, float share_b)
{
    return (parts){share_a * a.near + share_b * b.near, share_a * a.light + share_b * b.light};
}

static float min3(float a, float b, float c)
{
    return fminf(a, fminf(b, c));
}

static float max3(float a, float b, float c)
{
    return fmaxf(a, fmaxf(b, c));
}

/* Where the rows of a triangle begin and end: one or two bounds on each side, pixels from the left of its box, and how
 * they change from row to row. */
typedef struct bounds {
    float low[2], low_step[2], high[2], high_step[2];
    int lows, highs;
} bounds;

/* Of a pixel `weight` from an edge, with what it gains to the right and downwards. A hair of overlap, so that no pixel
 * between two triangles stays empty. Edges that lie flat bound rows, not pixels of a row. */
static void add_bound(bounds *b, float weight, float across, float down)
{
    if (fabsf(across) < 1e-9F)
        return;
    float at = -(weight + 1e-4F) / across, step = -down / across;
    float *values = across > 0 ? b->low : b->high, *steps = across > 0 ? b->low_step : b->high_step;
    int *count = across > 0 ? &b->lows : &b->highs;
    if (*count == 2)
        return;
    values[*count] = at;
    steps[(*count)++] = step;
}

/* First and last pixel of the row, from the left of the box; the last is before the first when there is none. */
static void span_of(const bounds *b, int row, int last_max, int *ret_first, int *ret_last)
{
    float low = 0, high = (float)last_max;
    for (int i = 0; i < b->lows; i++)
        low = fmaxf(low, b->low[i] + (float)row * b->low_step[i]);
    for (int i = 0; i < b->highs; i++)
        high = fminf(high, b->high[i] + (float)row * b->high_step[i]);
    int first = (int)fminf(low, (float)last_max + 1);
    *ret_first = first + ((float)first < low);
    *ret_last = high < 0 ? -1 : (int)high;
}

/* `of` is what the first pixel shows, `step` what each pixel adds. */
static void draw_span(sim_texel *texel, int count, parts of, const parts *step)
{
    for (int i = 0; i < count; i++, texel++, of.near += step->near, of.light += step->light) {
        if (of.near[0] > texel->depth)
            memcpy(texel, &of, sizeof of);
    }
}

static void draw_triangle(const band *to, const sim_vertex *a, const sim_vertex *b, const sim_vertex *c, float material)
{
    int x0 = (int)(fmaxf(0, min3(a->px, b->px, c->px) + 0.5F));
    int y0 = (int)(fmaxf((float)to->y0, min3(a->py, b->py, c->py) + 0.5F));
    int x1 = (int)fminf((float)to->width - 1, max3(a->px, b->px, c->px) - 0.5F);
    int y1 = (int)fminf((float)to->y1 - 1, max3(a->py, b->py, c->py) - 0.5F);
    float area = (b->px - a->px) * (c->py - a->py) - (b->py - a->py) * (c->px - a->px);
    if (x0 > x1 || y0 > y1 || fabsf(area) < 1e-6F)
        return;
    /* Shares of the corners a and b at the first pixel, and what they gain to the right and downwards. */
    const float one = 1 / area, x = (float)x0 + 0.5F - c->px, y = (float)y0 + 0.5F - c->py;
    const float a_across = (b->py - c->py) * one, a_down = (c->px - b->px) * one;
    const float b_across = (c->py - a->py) * one, b_down = (a->px - c->px) * one;
    const float of_a = x * a_across + y * a_down, of_b = x * b_across + y * b_down;
    bounds sides = {.lows = 0};
    add_bound(&sides, of_a, a_across, a_down);
    add_bound(&sides, of_b, b_across, b_down);
    add_bound(&sides, 1 - of_a - of_b, -a_across - b_across, -a_down - b_down);
    const parts third = parts_of(c, material);
    const parts from_a = sum_of(parts_of(a, material), 1, third, -1),
                from_b = sum_of(parts_of(b, material), 1, third, -1);
    const parts step = sum_of(from_a, a_across, from_b, b_across), down = sum_of(from_a, a_down, from_b, b_down);
    parts row = sum_of(sum_of(from_a, of_a, from_b, of_b), 1, third, 1);
    sim_texel *texel = to->texel + (size_t)(y0 - to->y0) * (size_t)to->width + x0;
    for (int i = 0; i <= y1 - y0; i++, texel += to->width) {
        int first, last;
        span_of(&sides, i, x1 - x0, &first, &last);
        draw_span(texel + first, last - first + 1, sum_of(row, 1, step, (float)first), &step);
        row = sum_of(row, 1, down, 1);
    }
}

/* The cells between two rows of corners. */
static void draw_cells(const band *to, const sim_grid *grid, const sim_vertex *upper, const sim_vertex *lower)
{
    const float top = (float)to->y0, bottom = (float)to->y1, right = (float)to->width;
    for (int i = 0; i + 1 < grid->columns; i++) {
        const sim_vertex *a = &upper[i], *b = &upper[i + 1], *c = &lower[i], *d = &lower[i + 1];
        if (fmaxf(fmaxf(a->py, b->py), fmaxf(c->py, d->py)) < top ||
            fminf(fminf(a->py, b->py), fminf(c->py, d->py)) > bottom ||
            fmaxf(fmaxf(a->px, b->px), fmaxf(c->px, d->px)) < 0 ||
            fminf(fminf(a->px, b->px), fminf(c->px, d->px)) > right)
            continue;
        draw_triangle(to, a, b, c, (float)grid->material);
        draw_triangle(to, b, c, d, (float)grid->material);
    }
}

/* Whether the cells below a row of corners are all above the band, or all below it. */
static bool is_outside(const band *to, const sim_grid *grid, int row)
{
    if (row + 1 >= SIM_GRID_ROWS_MAX)
        return false;
    return fmaxf(grid->bottom[row], grid->bottom[row + 1]) < (float)to->y0 ||
           fminf(grid->top[row], grid->top[row + 1]) > (float)to->y1;
}

static void draw_grid(const band *to, const sim_grid *grid)
{
    for (int row = 0; row + 1 < grid->rows; row++) {
        if (is_outside(to, grid, row))
            continue;
        const sim_vertex *upper = grid->vertex + (size_t)row * (size_t)grid->columns;
        draw_cells(to, grid, upper, upper + grid->columns);
    }
}

void sim_draw(sim_canvas *canvas, sim_grid *grid)
{
    for (int row = 0; row < grid->rows; row++) {
        float top = 1e30F, bottom = -1e30F;
        for (int i = 0; i < grid->columns; i++) {
            sim_vertex *vertex = &grid->vertex[row * grid->columns + i];
            project(canvas, vertex);
            top = fminf(top, vertex->py);
            bottom = fmaxf(bottom, vertex->py);
        }
        if (row < SIM_GRID_ROWS_MAX) {
            grid->top[row] = top;
            grid->bottom[row] = bottom;
        }
    }
    if (canvas->grid_count < SIM_GRIDS_MAX)
        canvas->grid[canvas->grid_count++] = grid;
}

float sim_linear(float level)
{
    return level * level / (255.0F * 255.0F);
}

/* cos of a whole turn in steps. */
static void fill_wave(float table[WAVE_SIZE])
{
    for (int i = 0; i < WAVE_SIZE; i++)
        table[i] = cosf(2 * (float)M_PI * (float)i / WAVE_SIZE);
}

static float wave(const float table[WAVE_SIZE], float turns)
{
    return table[(int)((turns - floorf(turns)) * WAVE_SIZE) & (WAVE_SIZE - 1)];
}

/* Two pixels side by side, four numbers each: the fourth is the next pixel's, or the image's padding. */
static bf_short8 two_pixels(const uint8_t *p)
{
    const bf_byte16 zero = {0};
    int left = 0, right = 0;
    memcpy(&left, p, sizeof left);
    memcpy(&right, p + 3, sizeof right);
    bf_byte16 bytes = (bf_byte16)(bf_int4){left, right, 0, 0};
    return (bf_short8)__builtin_shufflevector(bytes, zero, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/* Bilinear, edges repeated, as light. */
static bf_float4 sample(const bf_image *image, const sim_texel *texel)
{
    /* Of what lies there in memory only u and v count; all four numbers are treated alike. */
    const float limit[4] = {0, (float)image->width - 1.001F, (float)image->height - 1.001F, 0};
    bf_float4 at;
    memcpy(&at, texel, sizeof at);
    for (int i = 0; i < 4; i++)
        at[i] = fminf(fmaxf(at[i], 0), limit[i]);
    bf_int4 whole = __builtin_convertvector(at, bf_int4);
    at -= __builtin_convertvector(whole, bf_float4);
    const uint8_t *p = image->pixels + (size_t)whole[2] * image->stride + (size_t)whole[1] * 3;
    /* Between the rows in steps of 1/128, which keeps it within 16 bits; between the columns in floats. */
    bf_short8 upper = two_pixels(p), lower = two_pixels(p + image->stride);
    bf_short8 both = (upper << 7) + (lower - upper) * (short)(at[2] * 128);
    const bf_short8 zero = {0};
    bf_int4 left = (bf_int4)__builtin_shufflevector(both, zero, 0, 8, 1, 9, 2, 10, 3, 11);
    bf_int4 right = (bf_int4)__builtin_shufflevector(both, zero, 4, 12, 5, 13, 6, 14, 7, 15);
    bf_float4 level = __builtin_convertvector(left, bf_float4);
    level += at[1] * (__builtin_convertvector(right, bf_float4) - level);
    return level * level * (1 / (255.0F * 255.0F * 128 * 128));
}

static bf_float4 display_pattern(const float table[WAVE_SIZE], const sim_material *m, const sim_texel *texel, float y)
{
    float bars = 1 + m->banding * wave(table, y + m->banding_phase);
    float rows = 0.6F * wave(table, texel->v * m->moire_v);
    bf_float4 ret = {0, 0, 0, 0};
    /* The stripes of one colour of the display lie a third of a display pixel beside the next. */
    for (int c = 0; c < 3; c++)
        ret[c] = bars * (1 + m->moire * (wave(table, texel->u * m->moire_u + (float)c / 3) + rows));
    return ret;
}

/* What a lit band looks like; `table` is for displays. */
static void shade_band(const sim_canvas *canvas, const band *of, const sim_material material[SIM_MATERIALS_MAX],
                       const float table[WAVE_SIZE], float room, bf_float4 shown)
{
    for (int y = of->y0; y < of->y1; y++) {
        const sim_texel *texel = of->texel + (size_t)(y - of->y0) * (size_t)of->width;
        bf_float4 *sum = canvas->linear + (size_t)y * (size_t)canvas->width;
        for (int x = 0; x < of->width; x++, texel++, sum++) {
            bf_float4 light = {0, 0, 0, 0};
            if (texel->material >= 0) {
                const sim_material *m = &material[(int)texel->material];
                light = sample(m->texture, texel);
                if (m->moire > 0)
                    light *= display_pattern(table, m, texel, 2 * (float)y / (float)canvas->height);
                if (!m->emits)
                    light *= room * texel->ambient + texel->screen * shown;
                light += texel->gloss * shown;
            }
            *sum = canvas->exposures > 1 ? *sum + light : light;
        }
    }
}

void sim_shade(sim_canvas *canvas, const sim_material material[SIM_MATERIALS_MAX], float room, const float screen[3])
{
    float table[WAVE_SIZE];
    fill_wave(table);
    const bf_float4 shown = {screen[0], screen[1], screen[2], 0};
    for (int y = 0; y < canvas->height; y += SIM_BAND_ROWS) {
        int end = y + SIM_BAND_ROWS < canvas->height ? y + SIM_BAND_ROWS : canvas->height;
        const band of = {canvas->texel, canvas->width, y, end};
        for (int i = 0; i < canvas->width * (end - y); i++) {
            canvas->texel[i].depth = -1e30F;
            canvas->texel[i].material = -1;
        }
        for (int i = 0; i < canvas->grid_count; i++)
            draw_grid(&of, canvas->grid[i]);
        shade_band(canvas, &of, material, table, room, shown);
    }
}

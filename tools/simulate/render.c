#include "simulate/render.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define WAVE_SIZE 256

bf_status sim_canvas_new(int width, int height, sim_canvas *ret, bf_error *err)
{
    size_t pixels = (size_t)width * (size_t)height;
    sim_canvas canvas = {.width = width, .height = height};
    canvas.texel = bf_malloc(pixels * sizeof *canvas.texel);
    canvas.linear = bf_malloc(pixels * sizeof *canvas.linear);
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
    memset(canvas->linear, 0, (size_t)canvas->width * (size_t)canvas->height * sizeof *canvas->linear);
    canvas->exposures = 0;
}

void sim_canvas_expose(sim_canvas *canvas)
{
    int pixels = canvas->width * canvas->height;
    for (int i = 0; i < pixels; i++) {
        canvas->texel[i].depth = -1e30F;
        canvas->texel[i].material = -1;
    }
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

static float edge(const sim_vertex *a, const sim_vertex *b, float x, float y)
{
    return (b->px - a->px) * (y - a->py) - (b->py - a->py) * (x - a->px);
}

static void put(sim_texel *texel, const sim_vertex *const c[3], const float w[3], int material)
{
    float depth = w[0] * c[0]->at.z + w[1] * c[1]->at.z + w[2] * c[2]->at.z;
    if (depth <= texel->depth)
        return;
    *texel = (sim_texel){
        .depth = depth,
        .u = w[0] * c[0]->u + w[1] * c[1]->u + w[2] * c[2]->u,
        .v = w[0] * c[0]->v + w[1] * c[1]->v + w[2] * c[2]->v,
        .ambient = w[0] * c[0]->ambient + w[1] * c[1]->ambient + w[2] * c[2]->ambient,
        .screen = w[0] * c[0]->screen + w[1] * c[1]->screen + w[2] * c[2]->screen,
        .gloss = w[0] * c[0]->gloss + w[1] * c[1]->gloss + w[2] * c[2]->gloss,
        .material = material,
    };
}

static void draw_triangle(sim_canvas *canvas, const sim_vertex *a, const sim_vertex *b, const sim_vertex *third,
                          int material)
{
    const sim_vertex *const c[3] = {a, b, third};
    int x0 = (int)ceilf(fmaxf(0, fminf(a->px, fminf(b->px, third->px)) - 0.5F));
    int y0 = (int)ceilf(fmaxf(0, fminf(a->py, fminf(b->py, third->py)) - 0.5F));
    int x1 = (int)fminf((float)canvas->width - 1, fmaxf(a->px, fmaxf(b->px, third->px)) - 0.5F);
    int y1 = (int)fminf((float)canvas->height - 1, fmaxf(a->py, fmaxf(b->py, third->py)) - 0.5F);
    float area = edge(a, b, third->px, third->py);
    if (x0 > x1 || y0 > y1 || fabsf(area) < 1e-6F)
        return;
    const float one = 1 / area, step_x[2] = {-(third->py - b->py) * one, -(a->py - third->py) * one};
    for (int y = y0; y <= y1; y++) {
        float w0 = edge(b, third, (float)x0 + 0.5F, (float)y + 0.5F) * one;
        float w1 = edge(third, a, (float)x0 + 0.5F, (float)y + 0.5F) * one;
        sim_texel *row = canvas->texel + (size_t)y * (size_t)canvas->width;
        for (int x = x0; x <= x1; x++, w0 += step_x[0], w1 += step_x[1]) {
            const float w[3] = {w0, w1, 1 - w0 - w1};
            /* A hair of overlap: no pixel between two triangles stays empty. */
            if (w[0] >= -1e-4F && w[1] >= -1e-4F && w[2] >= -1e-4F)
                put(&row[x], c, w, material);
        }
    }
}

void sim_draw(sim_canvas *canvas, sim_grid *grid)
{
    for (int i = 0; i < grid->columns * grid->rows; i++)
        project(canvas, &grid->vertex[i]);
    for (int row = 0; row + 1 < grid->rows; row++) {
        const sim_vertex *upper = grid->vertex + (size_t)row * (size_t)grid->columns;
        const sim_vertex *lower = upper + grid->columns;
        for (int i = 0; i + 1 < grid->columns; i++) {
            draw_triangle(canvas, &upper[i], &upper[i + 1], &lower[i], grid->material);
            draw_triangle(canvas, &upper[i + 1], &lower[i], &lower[i + 1], grid->material);
        }
    }
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

static bf_float4 pixel(const uint8_t *p)
{
    int four = 0;
    memcpy(&four, p, sizeof four); /* the fourth byte is the next pixel's, or the image's padding */
    return bf_float4_from_bytes((bf_byte16)(bf_int4){four, 0, 0, 0});
}

/* Bilinear, edges repeated, as light. */
static bf_float4 sample(const bf_image *image, float u, float v)
{
    float x = u < 0 ? 0 : u, y = v < 0 ? 0 : v;
    float right = (float)image->width - 1.001F, bottom = (float)image->height - 1.001F;
    x = x > right ? right : x;
    y = y > bottom ? bottom : y;
    int x0 = (int)x, y0 = (int)y;
    float fx = x - (float)x0, fy = y - (float)y0;
    const uint8_t *p = image->pixels + (size_t)y0 * image->stride + (size_t)x0 * 3, *q = p + image->stride;
    bf_float4 top = pixel(p), low = pixel(q);
    top += fx * (pixel(p + 3) - top);
    low += fx * (pixel(q + 3) - low);
    top += fy * (low - top);
    return top * top * (1 / (255.0F * 255.0F));
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

void sim_shade(sim_canvas *canvas, const sim_material material[SIM_MATERIALS_MAX], float room, const float screen[3])
{
    float table[WAVE_SIZE];
    fill_wave(table);
    const bf_float4 shown = {screen[0], screen[1], screen[2], 0};
    for (int y = 0; y < canvas->height; y++) {
        const sim_texel *texel = canvas->texel + (size_t)y * (size_t)canvas->width;
        bf_float4 *sum = canvas->linear + (size_t)y * (size_t)canvas->width;
        for (int x = 0; x < canvas->width; x++, texel++, sum++) {
            if (texel->material < 0)
                continue;
            const sim_material *m = &material[texel->material];
            bf_float4 light = sample(m->texture, texel->u, texel->v);
            if (m->moire > 0)
                light *= display_pattern(table, m, texel, 2 * (float)y / (float)canvas->height);
            if (!m->emits)
                light *= room * texel->ambient + texel->screen * shown;
            *sum += light + texel->gloss * shown;
        }
    }
}

#include "simulate/render.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define WAVE_SIZE 256
#define LINEAR_STEPS 1024

bf_status sim_canvas_new(int width, int height, sim_canvas *ret, bf_error *err)
{
    size_t pixels = (size_t)width * (size_t)height;
    sim_canvas canvas = {.width = width, .height = height};
    canvas.texel = bf_malloc(pixels * sizeof *canvas.texel);
    canvas.linear = bf_malloc(pixels * 3 * sizeof *canvas.linear);
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
    memset(canvas->linear, 0, (size_t)canvas->width * (size_t)canvas->height * 3 * sizeof *canvas->linear);
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

typedef struct corner {
    float x, y; /* px */
    const sim_vertex *of;
} corner;

static bool project(const sim_canvas *canvas, const sim_vertex *vertex, corner *ret)
{
    const float focal = SIM_FOCAL * (float)canvas->width;
    float distance = focal - vertex->at.z;
    if (distance < 0.05F * focal)
        return false;
    *ret = (corner){0.5F * (float)canvas->width + vertex->at.x * focal / distance,
                    0.5F * (float)canvas->height + vertex->at.y * focal / distance, vertex};
    return true;
}

static float edge(const corner *a, const corner *b, float x, float y)
{
    return (b->x - a->x) * (y - a->y) - (b->y - a->y) * (x - a->x);
}

static void put(sim_texel *texel, const corner c[3], const float w[3], int material)
{
    float depth = w[0] * c[0].of->at.z + w[1] * c[1].of->at.z + w[2] * c[2].of->at.z;
    if (depth <= texel->depth)
        return;
    *texel = (sim_texel){
        .depth = depth,
        .u = w[0] * c[0].of->u + w[1] * c[1].of->u + w[2] * c[2].of->u,
        .v = w[0] * c[0].of->v + w[1] * c[1].of->v + w[2] * c[2].of->v,
        .ambient = w[0] * c[0].of->ambient + w[1] * c[1].of->ambient + w[2] * c[2].of->ambient,
        .screen = w[0] * c[0].of->screen + w[1] * c[1].of->screen + w[2] * c[2].of->screen,
        .gloss = w[0] * c[0].of->gloss + w[1] * c[1].of->gloss + w[2] * c[2].of->gloss,
        .material = material,
    };
}

static void draw_triangle(sim_canvas *canvas, const corner c[3], int material)
{
    float area = edge(&c[0], &c[1], c[2].x, c[2].y);
    if (fabsf(area) < 1e-6F)
        return;
    int x0 = (int)ceilf(fmaxf(0, fminf(c[0].x, fminf(c[1].x, c[2].x)) - 0.5F));
    int y0 = (int)ceilf(fmaxf(0, fminf(c[0].y, fminf(c[1].y, c[2].y)) - 0.5F));
    int x1 = (int)fminf((float)canvas->width - 1, fmaxf(c[0].x, fmaxf(c[1].x, c[2].x)) - 0.5F);
    int y1 = (int)fminf((float)canvas->height - 1, fmaxf(c[0].y, fmaxf(c[1].y, c[2].y)) - 0.5F);
    const float step_x[2] = {-(c[2].y - c[1].y) / area, -(c[0].y - c[2].y) / area};
    for (int y = y0; y <= y1; y++) {
        float w0 = edge(&c[1], &c[2], (float)x0 + 0.5F, (float)y + 0.5F) / area;
        float w1 = edge(&c[2], &c[0], (float)x0 + 0.5F, (float)y + 0.5F) / area;
        sim_texel *row = canvas->texel + (size_t)y * (size_t)canvas->width;
        for (int x = x0; x <= x1; x++, w0 += step_x[0], w1 += step_x[1]) {
            const float w[3] = {w0, w1, 1 - w0 - w1};
            /* A hair of overlap: no pixel between two triangles stays empty. */
            if (w[0] >= -1e-4F && w[1] >= -1e-4F && w[2] >= -1e-4F)
                put(&row[x], c, w, material);
        }
    }
}

void sim_draw(sim_canvas *canvas, const sim_grid *grid)
{
    for (int row = 0; row + 1 < grid->rows; row++) {
        const sim_vertex *upper = grid->vertex + (size_t)row * (size_t)grid->columns;
        const sim_vertex *lower = upper + grid->columns;
        for (int column = 0; column + 1 < grid->columns; column++) {
            corner c[4];
            if (!project(canvas, &upper[column], &c[0]) || !project(canvas, &upper[column + 1], &c[1]) ||
                !project(canvas, &lower[column], &c[2]) || !project(canvas, &lower[column + 1], &c[3]))
                continue;
            draw_triangle(canvas, c, grid->material);
            draw_triangle(canvas, c + 1, grid->material);
        }
    }
}

float sim_linear(float srgb)
{
    float s = srgb / 255;
    return s <= 0.04045F ? s / 12.92F : powf((s + 0.055F) / 1.055F, 2.4F);
}

float sim_srgb(float linear)
{
    if (linear <= 0)
        return 0;
    if (linear >= 1)
        return 255;
    return 255 * (linear <= 0.0031308F ? linear * 12.92F : 1.055F * powf(linear, 1 / 2.4F) - 0.055F);
}

/* Tables that shading looks up; filled for each call's stack, small enough for that. */
typedef struct tables {
    float linear[LINEAR_STEPS + 4]; /* of sRGB x 4 */
    float wave[WAVE_SIZE];
} tables;

static void fill_tables(tables *t)
{
    for (int i = 0; i < LINEAR_STEPS + 4; i++)
        t->linear[i] = sim_linear(fminf(255, (float)i / 4));
    for (int i = 0; i < WAVE_SIZE; i++)
        t->wave[i] = cosf(2 * (float)M_PI * (float)i / WAVE_SIZE);
}

static float wave(const tables *t, float turns)
{
    return t->wave[(int)((turns - floorf(turns)) * WAVE_SIZE) & (WAVE_SIZE - 1)];
}

/* Bilinear, edges repeated. */
static void sample(const tables *t, const bf_image *image, float u, float v, float ret[3])
{
    float x = fminf(fmaxf(u, 0), (float)image->width - 1.001F), y = fminf(fmaxf(v, 0), (float)image->height - 1.001F);
    int x0 = (int)x, y0 = (int)y;
    float fx = x - (float)x0, fy = y - (float)y0;
    const uint8_t *p = image->pixels + (size_t)y0 * image->stride + (size_t)x0 * 3, *q = p + image->stride;
    for (int c = 0; c < 3; c++) {
        float top = (float)p[c] + fx * (float)(p[c + 3] - p[c]), low = (float)q[c] + fx * (float)(q[c + 3] - q[c]);
        ret[c] = t->linear[(int)(4 * (top + fy * (low - top)))];
    }
}

static void shade_display(const tables *t, const sim_material *m, const sim_texel *texel, float y, float rgb[3])
{
    float bars = 1 + m->banding * wave(t, y + m->banding_phase);
    for (int c = 0; c < 3; c++) {
        /* The stripes of one colour of the display lie a third of a display pixel beside the next. */
        float grid = wave(t, texel->u * m->moire_u + (float)c / 3) + 0.6F * wave(t, texel->v * m->moire_v);
        rgb[c] *= bars * (1 + m->moire * grid);
    }
}

void sim_shade(sim_canvas *canvas, const sim_material material[SIM_MATERIALS_MAX], float room, const float screen[3])
{
    tables t;
    fill_tables(&t);
    for (int y = 0; y < canvas->height; y++) {
        const sim_texel *texel = canvas->texel + (size_t)y * (size_t)canvas->width;
        float *sum = canvas->linear + (size_t)y * (size_t)canvas->width * 3;
        for (int x = 0; x < canvas->width; x++, texel++, sum += 3) {
            if (texel->material < 0)
                continue;
            const sim_material *m = &material[texel->material];
            float rgb[3];
            sample(&t, m->texture, texel->u, texel->v, rgb);
            if (m->moire > 0)
                shade_display(&t, m, texel, 2 * (float)y / (float)canvas->height, rgb);
            for (int c = 0; c < 3; c++) {
                float light = m->emits ? 1 : room * texel->ambient + texel->screen * screen[c];
                sum[c] += rgb[c] * light + texel->gloss * screen[c];
            }
        }
    }
}

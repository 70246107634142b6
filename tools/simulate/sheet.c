#include "simulate/sheet.h"

#include <math.h>

#include "base/bytes.h"
#include "base/error.h"

#define COLUMNS 33
#define ROWS 25
#define DENSITY 1.4F /* texture px for one px at Z = 0 */
#define WALL_DENSITY 0.7F

void sim_sheet_done(sim_sheet *sheet)
{
    bf_image_done(&sheet->texture);
    bf_free(sheet->grid.vertex);
    *sheet = (sim_sheet){0};
}

static bf_status sheet_new(float width, float height, float density, int material, sim_sheet *ret, bf_error *err)
{
    sim_sheet sheet = {.width = width, .height = height};
    bf_status status = bf_image_alloc(&sheet.texture, (int)(width * density), (int)(height * density), 3, err);
    if (status != BF_OK)
        return status;
    sheet.grid = (sim_grid){bf_calloc((size_t)COLUMNS * ROWS, sizeof(sim_vertex)), COLUMNS, ROWS, material};
    if (!sheet.grid.vertex) {
        sim_sheet_done(&sheet);
        return bf_fail_memory(err);
    }
    sheet.content = (bf_rect){0, 0, (float)sheet.texture.width, (float)sheet.texture.height};
    *ret = sheet;
    return BF_OK;
}

static void set(bf_image *image, int x, int y, const float rgb[3])
{
    uint8_t *p = image->pixels + (size_t)y * image->stride + (size_t)x * 3;
    for (int c = 0; c < 3; c++)
        p[c] = (uint8_t)fminf(fmaxf(rgb[c] + 0.5F, 0), 255);
}

static bool within(bf_rect rect, int x, int y)
{
    return (float)x >= rect.x0 && (float)x < rect.x1 && (float)y >= rect.y0 && (float)y < rect.y1;
}

static float clampf(float x, float low, float high)
{
    return fminf(fmaxf(x, low), high);
}

/* The part of the still that is printed: around the face, within the still. */
static bf_rect printed_part(const sim_still *still, sim_random *random)
{
    const bf_face *f = &still->face;
    float wide = f->inter_eye_px * (float)sim_uniform(random, 4.5, 7.5), high = wide * 1.25F;
    float fit = fminf(1, fminf((float)still->image.width / wide, (float)still->image.height / high));
    wide *= fit;
    high *= fit;
    float x = (f->landmarks[27].x) - wide / 2, y = f->landmarks[27].y - 0.42F * high;
    x = clampf(x, 0, (float)still->image.width - wide);
    y = clampf(y, 0, (float)still->image.height - high);
    return (bf_rect){x, y, x + wide, y + high};
}

bf_status sim_print_new(const sim_still *still, float inter_eye_px, int material, sim_random *random, sim_sheet *ret,
                        bf_error *err)
{
    bf_rect part = printed_part(still, random);
    float scale = inter_eye_px / still->face.inter_eye_px;
    float border = (float)sim_uniform(random, 0, 0.07);
    bf_status status =
        sheet_new(bf_rect_width(part) * scale * (1 + 2 * border),
                  (bf_rect_height(part) + 2 * border * bf_rect_width(part)) * scale, DENSITY, material, ret, err);
    if (status != BF_OK)
        return status;
    float edge = border * bf_rect_width(part) * scale * DENSITY, step = 1 / (scale * DENSITY);
    float black = (float)sim_uniform(random, 8, 30), white = (float)sim_uniform(random, 205, 245);
    float cast[3];
    for (int c = 0; c < 3; c++)
        cast[c] = (float)sim_uniform(random, 0.93, 1.03);
    ret->content = (bf_rect){edge, edge, (float)ret->texture.width - edge, (float)ret->texture.height - edge};
    ret->gloss = (float)sim_uniform(random, 0, 0.012);
    for (int y = 0; y < ret->texture.height; y++) {
        for (int x = 0; x < ret->texture.width; x++) {
            float rgb[3] = {255, 255, 255}, grain = (float)sim_uniform(random, -4, 4);
            if (within(ret->content, x, y))
                sim_still_sample(still, part.x0 + ((float)x - edge) * step, part.y0 + ((float)y - edge) * step, rgb);
            for (int c = 0; c < 3; c++)
                rgb[c] = (black + rgb[c] / 255 * (white - black)) * cast[c] + grain;
            set(&ret->texture, x, y, rgb);
        }
    }
    return BF_OK;
}

bf_status sim_display_new(int width, int height, float width_px, int material, sim_random *random, sim_sheet *ret,
                          bf_error *err)
{
    float side = (float)sim_uniform(random, 0.015, 0.05), ends = (float)sim_uniform(random, 0.02, 0.11);
    float content_height = width_px * (float)height / (float)width;
    bf_status status =
        sheet_new(width_px * (1 + 2 * side), content_height + 2 * ends * width_px, DENSITY, material, ret, err);
    if (status != BF_OK)
        return status;
    float dx = side * width_px * DENSITY, dy = ends * width_px * DENSITY;
    ret->content = (bf_rect){dx, dy, (float)ret->texture.width - dx, (float)ret->texture.height - dy};
    ret->gloss = (float)sim_uniform(random, 0.004, 0.03);
    float bezel = (float)sim_uniform(random, 6, 40);
    const float rgb[3] = {bezel, bezel, bezel + 2};
    for (int y = 0; y < ret->texture.height; y++)
        for (int x = 0; x < ret->texture.width; x++)
            set(&ret->texture, x, y, rgb);
    return BF_OK;
}

void sim_display_show(sim_sheet *display, const bf_image *picture)
{
    const bf_rect r = display->content;
    float step_x = (float)(picture->width - 1) / bf_rect_width(r),
          step_y = (float)(picture->height - 1) / bf_rect_height(r);
    for (int y = (int)ceilf(r.y0); y < (int)r.y1; y++) {
        int sy = (int)(((float)y - r.y0) * step_y + 0.5F);
        const uint8_t *row = picture->pixels + (size_t)sy * picture->stride;
        uint8_t *out = display->texture.pixels + (size_t)y * display->texture.stride;
        for (int x = (int)ceilf(r.x0); x < (int)r.x1; x++) {
            float at = ((float)x - r.x0) * step_x;
            const uint8_t *p = row + (size_t)(int)at * 3, *q = (int)at + 1 < picture->width ? p + 3 : p;
            float share = at - floorf(at);
            for (int c = 0; c < 3; c++) {
                /* A display's black is grey in a lit room. */
                float value = (float)p[c] + share * (float)(q[c] - p[c]);
                out[3 * x + c] = (uint8_t)(14 + value * 0.93F);
            }
        }
    }
}

/* A soft-edged rectangle of another colour. */
static void paint_thing(bf_image *image, sim_random *random)
{
    float w = (float)image->width, h = (float)image->height;
    float x0 = (float)sim_uniform(random, -0.1, 0.9) * w, y0 = (float)sim_uniform(random, -0.1, 0.9) * h;
    float x1 = x0 + (float)sim_uniform(random, 0.05, 0.35) * w, y1 = y0 + (float)sim_uniform(random, 0.05, 0.5) * h;
    float rgb[3], soft = (float)sim_uniform(random, 1, 7), base = (float)sim_uniform(random, 30, 220);
    for (int c = 0; c < 3; c++)
        rgb[c] = base + (float)sim_uniform(random, -35, 35);
    for (int y = (int)fmaxf(0, y0); y < (int)fminf(h, y1); y++) {
        for (int x = (int)fmaxf(0, x0); x < (int)fminf(w, x1); x++) {
            float inside = fminf(fminf((float)x - x0, x1 - (float)x), fminf((float)y - y0, y1 - (float)y));
            float share = fminf(inside / soft, 1), mixed[3];
            const uint8_t *p = image->pixels + (size_t)y * image->stride + (size_t)x * 3;
            for (int c = 0; c < 3; c++)
                mixed[c] = (float)p[c] + share * (rgb[c] - (float)p[c]);
            set(image, x, y, mixed);
        }
    }
}

bf_status sim_wall_new(int width, int height, int material, sim_random *random, sim_sheet *ret, bf_error *err)
{
    bf_status status = sheet_new((float)width * 2.1F, (float)height * 2.3F, WALL_DENSITY, material, ret, err);
    if (status != BF_OK)
        return status;
    float base = (float)sim_uniform(random, 70, 210), fall = (float)sim_uniform(random, -40, 40);
    float hue[3];
    for (int c = 0; c < 3; c++)
        hue[c] = (float)sim_uniform(random, -18, 18);
    for (int y = 0; y < ret->texture.height; y++) {
        for (int x = 0; x < ret->texture.width; x++) {
            float rgb[3], grain = (float)sim_uniform(random, -3, 3);
            for (int c = 0; c < 3; c++)
                rgb[c] = base + hue[c] + fall * (float)x / (float)ret->texture.width + grain;
            set(&ret->texture, x, y, rgb);
        }
    }
    for (int i = 2 + sim_below(random, 8); i > 0; i--)
        paint_thing(&ret->texture, random);
    return BF_OK;
}

static float radians(double degrees)
{
    return (float)(degrees * M_PI / 180);
}

static sim_point turn(sim_point p, double yaw_deg, double pitch_deg, double roll_deg)
{
    float c = cosf(radians(roll_deg)), s = sinf(radians(roll_deg));
    p = (sim_point){c * p.x - s * p.y, s * p.x + c * p.y, p.z};
    c = cosf(radians(pitch_deg)), s = sinf(radians(pitch_deg));
    p = (sim_point){p.x, c * p.y - s * p.z, s * p.y + c * p.z};
    c = cosf(radians(yaw_deg)), s = sinf(radians(yaw_deg));
    return (sim_point){c * p.x - s * p.z, p.y, s * p.x + c * p.z};
}

void sim_sheet_pose_at(sim_sheet *sheet, const sim_sheet_pose *pose, const sim_shake *shake, int frame_width,
                       const sim_room *room)
{
    float focal = SIM_FOCAL * (float)frame_width;
    for (int i = 0; i < COLUMNS * ROWS; i++) {
        int row = i / COLUMNS;
        float u = (float)(i % COLUMNS) / (COLUMNS - 1), v = (float)row / (ROWS - 1);
        float half = sheet->width / 2, along = (2 * u - 1) * half, angle = pose->bend * (2 * u - 1);
        sim_point p = {along, (v - 0.5F) * sheet->height, 0}, n = {sinf(angle), 0, cosf(angle)};
        if (fabsf(pose->bend) > 1e-3F) {
            float radius = half / pose->bend;
            p.x = radius * sinf(angle);
            p.z = radius * (cosf(angle) - 1);
        }
        p = turn(p, pose->yaw_deg, pose->pitch_deg, pose->roll_deg);
        n = turn(n, pose->yaw_deg, pose->pitch_deg, pose->roll_deg);
        p = (sim_point){p.x + pose->x, p.y + pose->y, p.z + pose->z - focal};
        p = turn(p, shake->yaw_deg, shake->pitch_deg, shake->roll_deg);
        p = (sim_point){p.x - shake->x, p.y - shake->y, p.z + focal};
        float to[3] = {-p.x, -p.y, focal - p.z}, distance = sqrtf(to[0] * to[0] + to[1] * to[1] + to[2] * to[2]);
        float facing = fmaxf(0, (n.x * to[0] + n.y * to[1] + n.z * to[2]) / distance);
        float directed = fmaxf(0, n.x * room->direction[0] + n.y * room->direction[1] + n.z * room->direction[2]);
        float flat = 1 - room->directed + room->directed * room->direction[2];
        float mirror = clampf((facing - 0.985F) / 0.012F, 0, 1);
        sheet->grid.vertex[i] = (sim_vertex){
            .at = p,
            .u = u * (float)(sheet->texture.width - 1),
            .v = v * (float)(sheet->texture.height - 1),
            .ambient = (1 - room->directed + room->directed * directed) / fmaxf(flat, 0.1F),
            .screen = facing * (focal / distance) * (focal / distance),
            .gloss = sheet->gloss * mirror * mirror,
        };
    }
}

#include "simulate/head.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define OUTLINE_STEPS 128
#define CELL_PX 6.0F         /* of the grid, at 640 px */
#define BACKGROUND_Z (-1.1F) /* in focal lengths: about twice as far as the face */

static float smooth(float low, float high, float x)
{
    float t = fminf(fmaxf((x - low) / (high - low), 0), 1);
    return t * t * (3 - 2 * t);
}

static float mix(float a, float b, float share)
{
    return a + share * (b - a);
}

/* The face's own axes: `across` along the eyes, `down` to the chin, unit vectors in rest pixels. */
typedef struct axes {
    bf_point centre, eyes, chin, across, down;
    float half_width, eyes_to_chin;
    float outline[OUTLINE_STEPS]; /* radius of the head's edge around `centre`, by angle from `across` towards `down` */
} axes;

static bf_point mean_of(const bf_point *p, int first, int last)
{
    bf_point sum = {0, 0};
    for (int i = first; i <= last; i++) {
        sum.x += p[i].x / (float)(last - first + 1);
        sum.y += p[i].y / (float)(last - first + 1);
    }
    return sum;
}

static float along(bf_point from, bf_point to, bf_point axis)
{
    return (to.x - from.x) * axis.x + (to.y - from.y) * axis.y;
}

/* Below the ears the edge is the jaw's, above it an ellipse that leaves room for hair. */
static void fill_outline(axes *a, const bf_point *p)
{
    float angle[17], radius[17];
    for (int i = 0; i <= 16; i++) {
        float x = along(a->centre, p[i], a->across), y = along(a->centre, p[i], a->down);
        angle[i] = atan2f(y, x);
        if (angle[i] < -(float)M_PI / 2)
            angle[i] += 2 * (float)M_PI;
        radius[i] = hypotf(x, y);
    }
    float top = 1.12F * a->eyes_to_chin + along(a->eyes, a->centre, a->down);
    for (int s = 0; s < OUTLINE_STEPS; s++) {
        float at = 2 * (float)M_PI * (float)s / OUTLINE_STEPS;
        if (at > 1.5F * (float)M_PI)
            at -= 2 * (float)M_PI;
        float found = -1;
        for (int i = 0; i < 16 && found < 0; i++) {
            if (at <= angle[i] && at >= angle[i + 1])
                found = mix(radius[i], radius[i + 1], (angle[i] - at) / fmaxf(angle[i] - angle[i + 1], 1e-4F));
        }
        /* Up from each ear: the jaw's last radius grows into the skull's. */
        float side = cosf(at) < 0 ? radius[0] : radius[16], up = fmaxf(0, -sinf(at));
        a->outline[s] = found > 0 ? found * 1.03F : mix(side * 1.06F, top, up * up);
    }
}

static float outline_at(const axes *a, float angle)
{
    float turns = angle / (2 * (float)M_PI);
    float at = (turns - floorf(turns)) * OUTLINE_STEPS;
    int s = (int)at % OUTLINE_STEPS;
    return mix(a->outline[s], a->outline[(s + 1) % OUTLINE_STEPS], at - floorf(at));
}

static axes axes_of(const sim_head *head)
{
    const bf_point *p = head->landmark;
    bf_point left = mean_of(p, 36, 41), right = mean_of(p, 42, 47), bridge = mean_of(p, 27, 30);
    axes a = {.eyes = {(left.x + right.x) / 2, (left.y + right.y) / 2}, .chin = p[8]};
    float length = hypotf(right.x - left.x, right.y - left.y);
    a.across = (bf_point){(right.x - left.x) / length, (right.y - left.y) / length};
    a.down = (bf_point){-a.across.y, a.across.x};
    a.half_width = hypotf(p[16].x - p[0].x, p[16].y - p[0].y) / 2;
    a.eyes_to_chin = along(a.eyes, a.chin, a.down);
    /* In the middle between the ears, not of the nose, which is off it when the head is turned. */
    float off = (along(bridge, p[0], a.across) + along(bridge, p[16], a.across)) / 2;
    a.centre = (bf_point){bridge.x + off * a.across.x, bridge.y + off * a.across.y};
    fill_outline(&a, p);
    return a;
}

static float bump(float height, float dx, float dy, float sx, float sy)
{
    float d = dx * dx / (sx * sx) + dy * dy / (sy * sy);
    return d > 9 ? 0 : height * expf(-d / 2);
}

/* What stands out of the ellipsoid, in half face widths. */
static float features(const axes *a, const bf_point *p, bf_point at)
{
    float h = a->half_width, z = 0;
    /* Nose: a ridge that rises to the tip and ends below it. */
    float length = along(p[27], p[30], a->down), t = along(p[27], at, a->down) / fmaxf(length, 1);
    float ridge_x = along(p[27], at, a->across) - t * along(p[27], p[30], a->across);
    float rise = t < 0 ? 0.05F * expf(-t * t * 30) : t < 1 ? 0.05F + 0.25F * t : 0.30F * expf(-(t - 1) * (t - 1) * 22);
    z += bump(rise, ridge_x, 0, (0.07F + 0.07F * fminf(fmaxf(t, 0), 1.2F)) * h, 1);
    for (int eye = 0; eye < 2; eye++) {
        bf_point c = mean_of(p, 36 + 6 * eye, 41 + 6 * eye);
        z -= bump(0.07F, along(c, at, a->across), along(c, at, a->down), 0.17F * h, 0.11F * h);
        bf_point b = mean_of(p, 17 + 5 * eye, 21 + 5 * eye);
        z += bump(0.04F, along(b, at, a->across), along(b, at, a->down), 0.26F * h, 0.09F * h);
    }
    bf_point mouth = mean_of(p, 48, 59);
    z += bump(0.07F, along(mouth, at, a->across), along(mouth, at, a->down), 0.28F * h, 0.14F * h);
    z += bump(0.08F, along(p[8], at, a->across), along(p[8], at, a->down) + 0.15F * h, 0.25F * h, 0.16F * h);
    return z;
}

/* Depth at rest (px) and shares of movement of one place of the picture. */
static float shape_at(const axes *a, const bf_point *p, bf_point at, float focal, sim_flesh *ret)
{
    float h = a->half_width;
    float x = along(a->centre, at, a->across), y = along(a->centre, at, a->down);
    float angle = atan2f(y, x), r = hypotf(x, y) / outline_at(a, angle), below = fmaxf(0, sinf(angle));
    below *= below;
    float rim = 0.5F * h * below; /* the chin is in front of the neck */
    float u = fabsf(along(a->chin, at, a->across)) / h, v = along(a->chin, at, a->down) / h;
    float half = mix(0.6F, 2.4F, smooth(0.2F, 1.7F, v));
    ret->body = (1 - smooth(half, half + 0.6F, u)) * smooth(-0.5F, 0.3F, v);
    ret->head = 1 - smooth(mix(1.12F, 1.0F, below), mix(1.6F, 1.7F, below), r);
    ret->spin = ret->head * (1 - 0.8F * (1 - below) * smooth(0.72F, 1.05F, r));
    ret->body *= 1 - ret->head;
    if (r < 1) {
        float dome = powf(1 - powf(r, 2.4F), 0.55F);
        return rim + (1.02F * h - rim) * dome + h * features(a, p, at) * smooth(0, 0.25F, dome);
    }
    float far = mix(0, BACKGROUND_Z * focal, smooth(1.1F, 1.7F, r));
    float behind = mix(far, -0.15F * h, (1 - smooth(half, half + 0.6F, u)) * smooth(-0.5F, 0.3F, v));
    return mix(rim, behind, smooth(1.0F, 1.35F, r));
}

static void fill_normals(sim_head *head)
{
    int columns = head->grid.columns, rows = head->grid.rows;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            sim_flesh *f = &head->flesh[row * columns + column];
            const sim_flesh *l = column > 0 ? f - 1 : f, *r = column + 1 < columns ? f + 1 : f;
            const sim_flesh *u = row > 0 ? f - columns : f, *d = row + 1 < rows ? f + columns : f;
            float slope_x = (r->rest.z - l->rest.z) / fmaxf(fabsf(r->rest.x - l->rest.x), 1);
            float slope_y = (d->rest.z - u->rest.z) / fmaxf(fabsf(d->rest.y - u->rest.y), 1);
            /* What is no head stands upright, whatever the step in depth around it. */
            slope_x *= f->spin;
            slope_y *= f->spin;
            float length = sqrtf(slope_x * slope_x + slope_y * slope_y + 1);
            f->normal[0] = -slope_x / length;
            f->normal[1] = -slope_y / length;
            f->normal[2] = 1 / length;
        }
    }
}

static void fill_flesh(sim_head *head, int material)
{
    const sim_layout *l = &head->layout;
    const axes a = axes_of(head);
    float cell = CELL_PX * (float)l->width / 640, margin = SIM_MARGIN * (float)l->width;
    float focal = SIM_FOCAL * (float)l->width;
    for (int i = 0; i < head->grid.columns * head->grid.rows; i++) {
        sim_flesh *f = &head->flesh[i];
        sim_vertex *vertex = &head->grid.vertex[i];
        int row = i / head->grid.columns;
        float x = cell * (float)(i % head->grid.columns) - margin, y = cell * (float)row - margin;
        float z = shape_at(&a, head->landmark, (bf_point){x, y}, focal, f);
        float away = (focal - z) / focal;
        f->rest = (sim_point){(x - (float)l->width / 2) * away, (y - (float)l->height / 2) * away, z};
        *vertex = (sim_vertex){.u = (x + margin) * SIM_TEXTURE_SCALE, .v = (y + margin) * SIM_TEXTURE_SCALE};
    }
    head->grid.material = material;
    head->half_width = a.half_width;
    head->half_height = a.eyes_to_chin;
    head->middle = a.centre;
    fill_normals(head);
}

/* Draws the still as it lies in the frame, averaging where it becomes smaller. */
static void fill_photo(const sim_still *still, sim_head *head)
{
    bf_point left = {0, 0}, right = {0, 0};
    left = mean_of(still->face.landmarks, 36, 41);
    right = mean_of(still->face.landmarks, 42, 47);
    const sim_layout *l = &head->layout;
    float scale = l->inter_eye_px / hypotf(right.x - left.x, right.y - left.y);
    bf_point middle = {(left.x + right.x) / 2, (left.y + right.y) / 2};
    float margin = SIM_MARGIN * (float)l->width, step = 1 / (scale * SIM_TEXTURE_SCALE);
    int taps = step <= 1.2F ? 1 : (int)fminf(ceilf(step), 6);
    for (int y = 0; y < head->photo.height; y++) {
        uint8_t *row = head->photo.pixels + (size_t)y * head->photo.stride;
        for (int x = 0; x < head->photo.width; x++) {
            float sum[3] = {0, 0, 0}, rgb[3];
            for (int t = 0; t < taps * taps; t++) {
                float fx = ((float)(t % taps) + 0.5F) / (float)taps - 0.5F, fy = ((float)t / (float)taps);
                fy = (floorf(fy) + 0.5F) / (float)taps - 0.5F;
                float px = ((float)x + fx) / SIM_TEXTURE_SCALE - margin,
                      py = ((float)y + fy) / SIM_TEXTURE_SCALE - margin;
                sim_still_sample(still, middle.x + (px - l->x) / scale, middle.y + (py - l->y) / scale, rgb);
                for (int c = 0; c < 3; c++)
                    sum[c] += rgb[c];
            }
            for (int c = 0; c < 3; c++)
                row[3 * x + c] = (uint8_t)(sum[c] / (float)(taps * taps) + 0.5F);
        }
    }
    for (int i = 0; i < BF_LANDMARKS; i++) {
        head->landmark[i].x = l->x + scale * (still->face.landmarks[i].x - middle.x);
        head->landmark[i].y = l->y + scale * (still->face.landmarks[i].y - middle.y);
    }
}

void sim_head_done(sim_head *head)
{
    bf_image_done(&head->photo);
    bf_image_done(&head->texture);
    bf_free(head->flesh);
    bf_free(head->grid.vertex);
    *head = (sim_head){0};
}

static bf_status head_alloc(const sim_layout *layout, sim_head *head, bf_error *err)
{
    float wide = (float)layout->width * (1 + 2 * SIM_MARGIN), cell = CELL_PX * (float)layout->width / 640;
    float high = (float)layout->height + 2 * SIM_MARGIN * (float)layout->width;
    int width = (int)(wide * SIM_TEXTURE_SCALE), height = (int)(high * SIM_TEXTURE_SCALE);
    bf_status status = bf_image_alloc(&head->photo, width, height, 3, err);
    if (status == BF_OK)
        status = bf_image_alloc(&head->texture, width, height, 3, err);
    if (status != BF_OK)
        return status;
    head->grid.columns = (int)(wide / cell) + 2;
    head->grid.rows = (int)(high / cell) + 2;
    size_t corners = (size_t)head->grid.columns * (size_t)head->grid.rows;
    head->flesh = bf_calloc(corners, sizeof *head->flesh);
    head->grid.vertex = bf_calloc(corners, sizeof *head->grid.vertex);
    return head->flesh && head->grid.vertex ? BF_OK : bf_fail_memory(err);
}

bf_status sim_head_new(const sim_still *still, const sim_layout *layout, int material, sim_head *ret, bf_error *err)
{
    sim_head head = {.layout = *layout};
    bf_status status = head_alloc(layout, &head, err);
    if (status != BF_OK) {
        sim_head_done(&head);
        return status;
    }
    head.yaw_deg = still->face.yaw_deg;
    head.pitch_deg = still->face.pitch_deg;
    head.roll_deg = still->face.roll_deg;
    fill_photo(still, &head);
    for (int i = 0; i < 3; i++)
        head.expression[i] = -1;
    fill_flesh(&head, material);
    *ret = head;
    return BF_OK;
}

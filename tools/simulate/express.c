#include "simulate/express.h"

#include <math.h>
#include <string.h>

#define GAP 0.34F    /* of eyes to chin: a mouth wide open */
#define CLOSED 0.94F /* the lid stops at the lower lashes */
#define STEPS 50     /* of an expression: one moves nothing by a pixel, and little by half of one */

static float smooth(float low, float high, float x)
{
    float t = fminf(fmaxf((x - low) / (high - low), 0), 1);
    return t * t * (3 - 2 * t);
}

static bf_point texture_point(const sim_head *head, int landmark)
{
    float margin = SIM_MARGIN * (float)head->layout.width;
    return (bf_point){(head->landmark[landmark].x + margin) * SIM_TEXTURE_SCALE,
                      (head->landmark[landmark].y + margin) * SIM_TEXTURE_SCALE};
}

static void photo_at(const bf_image *photo, float x, float y, float ret[3])
{
    float px = fminf(fmaxf(x, 0), (float)photo->width - 1.001F), py = fminf(fmaxf(y, 0), (float)photo->height - 1.001F);
    int x0 = (int)px, y0 = (int)py;
    float fx = px - (float)x0, fy = py - (float)y0;
    const uint8_t *p = photo->pixels + (size_t)y0 * photo->stride + (size_t)x0 * 3, *q = p + photo->stride;
    for (int c = 0; c < 3; c++) {
        float top = (float)p[c] + fx * (float)(p[c + 3] - p[c]), low = (float)q[c] + fx * (float)(q[c + 3] - q[c]);
        ret[c] = top + fy * (low - top);
    }
}

static void set_pixel(bf_image *image, int x, int y, const float rgb[3])
{
    uint8_t *p = image->pixels + (size_t)y * image->stride + (size_t)x * 3;
    for (int c = 0; c < 3; c++)
        p[c] = (uint8_t)fminf(fmaxf(rgb[c] + 0.5F, 0), 255);
}

/* The mouth's own axes, in texture pixels. */
typedef struct mouth_axes {
    bf_point centre, across, down, corner[2];
    float half_width, corner_v, to_chin, eyes_to_chin;
} mouth_axes;

static mouth_axes mouth_of(const sim_head *head)
{
    bf_point left = texture_point(head, 48), right = texture_point(head, 54), chin = texture_point(head, 8);
    bf_point upper = texture_point(head, 62), lower = texture_point(head, 66);
    mouth_axes m = {.corner = {left, right}};
    float length = hypotf(right.x - left.x, right.y - left.y);
    m.across = (bf_point){(right.x - left.x) / length, (right.y - left.y) / length};
    m.down = (bf_point){-m.across.y, m.across.x};
    m.half_width = length / 2;
    /* Teeth that show go with the upper lip. */
    m.centre = (bf_point){upper.x + 0.75F * (lower.x - upper.x), upper.y + 0.75F * (lower.y - upper.y)};
    bf_point middle = {(left.x + right.x) / 2, (left.y + right.y) / 2};
    m.corner_v = (middle.x - m.centre.x) * m.down.x + (middle.y - m.centre.y) * m.down.y;
    m.to_chin = (chin.x - m.centre.x) * m.down.x + (chin.y - m.centre.y) * m.down.y;
    m.eyes_to_chin = head->half_height * SIM_TEXTURE_SCALE;
    return m;
}

/* Where in the photo the smiling face's pixel comes from. */
static bf_point unsmile(const mouth_axes *m, float smile, bf_point at)
{
    float sigma = 0.6F * m->half_width;
    bf_point ret = at;
    for (int i = 0; i < 2; i++) {
        float side = i ? 1.0F : -1.0F, out = 0.36F * m->half_width * smile, up = 0.24F * m->half_width * smile;
        bf_point now = {m->corner[i].x + side * out * m->across.x - up * m->down.x,
                        m->corner[i].y + side * out * m->across.y - up * m->down.y};
        float dx = (at.x - now.x) / sigma, dy = (at.y - now.y) / sigma, d = dx * dx + dy * dy;
        float share = d < 3.5F * 3.5F ? expf(-d / 2) : 0;
        ret.x -= share * (side * out * m->across.x - up * m->down.x);
        ret.y -= share * (side * out * m->across.y - up * m->down.y);
    }
    return ret;
}

/* One pixel of an opening mouth: `v` becomes the photo's, or the inside's colour is given. */
static bool inside_mouth(const mouth_axes *m, float gap, float u, float *v, float rgb[3], float *ret_share)
{
    float open = fabsf(u) < 1 ? powf(1 - u * u, 0.7F) : 0, line = m->corner_v * fminf(u * u, 1.5F);
    float top = line - 0.15F * gap * open, bottom = line + 0.85F * gap * open;
    *ret_share = 0;
    if (*v <= top || open <= 0) {
        if (*v <= line) {
            float up = (top - *v) / (0.25F * m->eyes_to_chin);
            *v += 0.15F * gap * open * expf(-up * up);
            return false;
        }
    } else if (*v < bottom) {
        float edge = fminf(*v - top, bottom - *v);
        *ret_share = fminf(edge / 2, 1);
        bool teeth = *v - top < 0.2F * gap && fabsf(u) < 0.75F;
        const float dark[3] = {52, 22, 22}, white[3] = {178, 165, 152};
        float lit = teeth ? 1 - fabsf(u) * 0.5F : 1 - 0.5F * (*v - top) / fmaxf(bottom - top, 1);
        for (int c = 0; c < 3; c++)
            rgb[c] = (teeth ? white[c] : dark[c]) * lit;
        *v = *v < (top + bottom) / 2 ? line - 1 : line + 1;
        return true;
    }
    float lip = 0.85F * gap * open, jaw = 0.85F * gap * expf(-u * u / 5);
    float below = smooth(0, 0.5F * m->eyes_to_chin, *v - bottom);
    float fade = 1 - smooth(m->to_chin + gap, m->to_chin + gap + 0.9F * m->eyes_to_chin, *v);
    *v -= (lip + (jaw - lip) * below) * fade;
    return false;
}

static float lower_end(const mouth_axes *m)
{
    return m->centre.y + m->to_chin + 1.5F * m->eyes_to_chin;
}

static void draw_lower_face(sim_head *head, float mouth, float smile)
{
    const mouth_axes m = mouth_of(head);
    float reach = 3.4F * m.half_width, gap = GAP * m.eyes_to_chin * mouth;
    int x0 = (int)fmaxf(0, m.centre.x - reach), x1 = (int)fminf((float)head->texture.width - 1, m.centre.x + reach);
    int y0 = (int)fmaxf(0, m.centre.y - 2.2F * m.half_width);
    /* A smile alone moves nothing farther down. */
    float end = mouth > 0 ? lower_end(&m) : m.centre.y + 3 * m.half_width;
    int y1 = (int)fminf((float)head->texture.height - 1, end);
    for (int y = y0; y <= y1; y++) {
        for (int x = x0; x <= x1; x++) {
            float dx = (float)x - m.centre.x, dy = (float)y - m.centre.y;
            float along = dx * m.across.x + dy * m.across.y, v = dx * m.down.x + dy * m.down.y;
            float narrow = 1 - 0.12F * mouth, u = along / (m.half_width * narrow), share = 0;
            float inside[3] = {0, 0, 0}, rgb[3];
            /* Out of the mouth's reach sideways the picture stays. */
            float side = 1 - smooth(2.4F, 3.2F, fabsf(u)), was = v;
            if (mouth > 0)
                (void)inside_mouth(&m, gap, u, &v, inside, &share);
            v = was + side * (v - was);
            bf_point at = {m.centre.x + along * m.across.x + v * m.down.x,
                           m.centre.y + along * m.across.y + v * m.down.y};
            at = unsmile(&m, smile, at);
            photo_at(&head->photo, at.x, at.y, rgb);
            for (int c = 0; c < 3; c++)
                rgb[c] += share * (inside[c] - rgb[c]);
            set_pixel(&head->texture, x, y, rgb);
        }
    }
}

/* Height of a lid above x: through its four landmarks, from corner to corner. */
static float lid_at(const bf_point p[4], float x)
{
    for (int i = 0; i < 3; i++) {
        if (x <= p[i + 1].x || i == 2) {
            float t = fminf(fmaxf((x - p[i].x) / fmaxf(p[i + 1].x - p[i].x, 0.5F), 0), 1);
            return p[i].y + t * (p[i + 1].y - p[i].y);
        }
    }
    return p[3].y;
}

/* The skin between brow and lid is drawn down over the eye, lashes first. */
static void draw_eye(sim_head *head, int eye, float closed)
{
    int first = eye ? 42 : 36;
    bf_point upper[4], lower[4];
    const int up[4] = {0, 1, 2, 3}, low[4] = {0, 5, 4, 3};
    for (int i = 0; i < 4; i++) {
        upper[i] = texture_point(head, first + up[i]);
        lower[i] = texture_point(head, first + low[i]);
    }
    float width = upper[3].x - upper[0].x, lift = 0.06F * width;
    float brow = 1e9F;
    for (int i = 0; i < 5; i++)
        brow = fminf(brow, texture_point(head, (eye ? 22 : 17) + i).y);
    float wide = 0.12F * width;
    for (int x = (int)(upper[0].x - wide); x <= (int)(upper[3].x + wide); x++) {
        if (x < 0 || x >= head->texture.width)
            continue;
        float fx = (float)x, from = lid_at(upper, fx) - lift, to = lid_at(lower, fx) + 0.4F * lift;
        float inner = smooth(0, wide, fx - upper[0].x + wide) * smooth(0, wide, upper[3].x + wide - fx);
        float lid = from + (to - from) * CLOSED * closed * inner, top = from - 0.75F * fmaxf(from - brow, width * 0.3F);
        for (int y = (int)fmaxf(0, top); y <= (int)fminf(lid, (float)head->texture.height - 1); y++) {
            float share = ((float)y - top) / fmaxf(lid - top, 1), rgb[3];
            /* Mostly what is next to the lid stretches. */
            float source = top + share * (from - top);
            photo_at(&head->photo, fx, source, rgb);
            set_pixel(&head->texture, x, y, rgb);
        }
    }
}

/* Everything that is ever drawn over lies within these rows. */
static void restore(sim_head *head)
{
    const mouth_axes m = mouth_of(head);
    bool first = head->expression[0] < 0;
    int y0 = first ? 0 : (int)fmaxf(0, m.centre.y + m.to_chin - 2.5F * m.eyes_to_chin);
    int y1 = first ? head->texture.height : (int)fminf((float)head->texture.height, lower_end(&m) + 2);
    size_t stride = head->photo.stride;
    memcpy(head->texture.pixels + (size_t)y0 * stride, head->photo.pixels + (size_t)y0 * stride,
           (size_t)(y1 - y0) * stride);
}

bool sim_express(sim_head *head, double eyes, double mouth, double smile)
{
    const int to[3] = {(int)lround(eyes * STEPS), (int)lround(mouth * STEPS), (int)lround(smile * STEPS)};
    if (memcmp(to, head->expression, sizeof to) == 0)
        return false;
    restore(head);
    if (to[1] > 0 || to[2] > 0)
        draw_lower_face(head, (float)to[1] / STEPS, (float)to[2] / STEPS);
    for (int eye = 0; eye < 2 && to[0] > 0; eye++)
        draw_eye(head, eye, (float)to[0] / STEPS);
    memcpy(head->expression, to, sizeof to);
    return true;
}

void sim_wear_glasses(sim_head *head)
{
    bf_point eye[2];
    for (int i = 0; i < 2; i++) {
        bf_point a = texture_point(head, 36 + 6 * i), b = texture_point(head, 39 + 6 * i);
        eye[i] = (bf_point){(a.x + b.x) / 2, (a.y + b.y) / 2 + 2};
    }
    float apart = hypotf(eye[1].x - eye[0].x, eye[1].y - eye[0].y), radius = 0.4F * apart, thick = 0.03F * apart;
    int x0 = (int)fmaxf(0, fminf(eye[0].x, eye[1].x) - 0.6F * apart);
    int x1 = (int)fminf((float)head->texture.width - 1, fmaxf(eye[0].x, eye[1].x) + 0.6F * apart);
    int y0 = (int)fmaxf(0, fminf(eye[0].y, eye[1].y) - 0.5F * apart);
    int y1 = (int)fminf((float)head->texture.height - 1, fmaxf(eye[0].y, eye[1].y) + 0.5F * apart);
    for (int y = y0; y <= y1; y++) {
        for (int x = x0; x <= x1; x++) {
            float near = 1e9F;
            for (int i = 0; i < 2; i++)
                near = fminf(near, fabsf(hypotf((float)x - eye[i].x, 1.25F * ((float)y - eye[i].y)) - radius));
            float share = fminf(fmaxf((thick - near) / 1.5F, 0), 1) * 0.9F;
            uint8_t *p = head->texture.pixels + (size_t)y * head->texture.stride + (size_t)x * 3;
            for (int c = 0; c < 3; c++)
                p[c] = (uint8_t)((float)p[c] * (1 - share) + 25 * share);
        }
    }
}

#include "support/synthetic_face.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Face coordinates: origin at the eye midpoint, x towards the picture's right, y towards the chin, unit = inter-eye
 * distance. The face is an ellipse whose lowest point is the chin, at T = 1.9. */
#define FACE_A 1.12
#define FACE_B 1.45
#define FACE_Y 0.45

typedef struct colour {
    double v[3];
} colour;

scene scene_default(void)
{
    return (scene){.width = 640,
                   .height = 480,
                   .centre_x = 320,
                   .centre_y = 210,
                   .inter_eye_px = 90,
                   .eye_opening = 0.2,
                   .mouth_opening = 0.02,
                   .brightness = 1,
                   .contrast = 1,
                   .background = 150,
                   .cast = {1, 1, 1},
                   .skin = {205, 155, 130}};
}

uint32_t random_next(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

double random_unit(uint32_t *state)
{
    return random_next(state) / 4294967296.0;
}

static void put(bf_point *p, double x, double y)
{
    *p = (bf_point){(float)x, (float)y};
}

static void jaw_and_brows(bf_point *p)
{
    for (int i = 0; i < 17; i++) {
        double angle = (-18 + i * 216.0 / 16) * M_PI / 180;
        put(&p[i], -FACE_A * cos(angle), FACE_Y + FACE_B * sin(angle));
    }
    for (int i = 0; i < 5; i++) {
        double arch = -0.32 - 0.1 * sin(M_PI * (i + 0.5) / 5);
        put(&p[17 + i], -0.85 + 0.16 * i, arch);
        put(&p[26 - i], 0.85 - 0.16 * i, arch);
    }
}

static void nose_and_eyes(const scene *s, bf_point *p)
{
    static const double wing_x[] = {-0.25, -0.13, 0, 0.13, 0.25}, wing_y[] = {0.72, 0.76, 0.8, 0.76, 0.72};
    for (int i = 0; i < 4; i++)
        put(&p[27 + i], 0, -0.02 + 0.21 * i);
    for (int i = 0; i < 5; i++)
        put(&p[31 + i], wing_x[i], wing_y[i]);
    double half = s->eye_opening / 2;
    for (int eye = 0; eye < 2; eye++) {
        double x = eye == 0 ? -0.5 : 0.5;
        bf_point *e = p + 36 + 6 * eye;
        put(&e[0], x - 0.24, 0);
        put(&e[1], x - 0.08, -half);
        put(&e[2], x + 0.08, -half);
        put(&e[3], x + 0.24, 0);
        put(&e[4], x + 0.08, half);
        put(&e[5], x - 0.08, half);
    }
}

static void mouth(const scene *s, bf_point *p)
{
    static const double x[] = {-0.4, -0.25, -0.1, 0, 0.1, 0.25, 0.4, 0.25, 0.1, 0, -0.1, -0.25};
    static const double y[] = {0, -0.07, -0.1, -0.08, -0.1, -0.07, 0, 0.1, 0.14, 0.15, 0.14, 0.1};
    static const double inner_x[] = {-0.33, -0.12, 0, 0.12, 0.33, 0.12, 0, -0.12};
    static const int inner_side[] = {0, -1, -1, -1, 0, 1, 1, 1};
    double half = s->mouth_opening / 2;
    for (int i = 0; i < 12; i++)
        put(&p[48 + i], x[i], 1.12 + y[i] + (y[i] < 0 ? -half : y[i] > 0 ? half : 0));
    for (int i = 0; i < 8; i++)
        put(&p[60 + i], inner_x[i], 1.12 + inner_side[i] * half);
}

static bool in_ellipse(double x, double y, double cx, double cy, double a, double b)
{
    double dx = (x - cx) / a, dy = (y - cy) / b;
    return dx * dx + dy * dy < 1;
}

static colour grey(double luma)
{
    return (colour){{luma, luma, luma}};
}

static colour shade(const scene *s, double factor)
{
    return (colour){{s->skin[0] * factor, s->skin[1] * factor, s->skin[2] * factor}};
}

/* What lies over the face, if anything does. */
static bool cover_at(const scene *s, double x, double y, colour *ret)
{
    bool left = in_ellipse(x, y, -0.5, 0.08, 0.44, 0.36), right = in_ellipse(x, y, 0.5, 0.08, 0.44, 0.36);
    bool mask = y > 0.45 && in_ellipse(x, y, 0, FACE_Y, FACE_A, FACE_B);
    bool rim = (left || right) && !in_ellipse(x, y, -0.5, 0.08, 0.4, 0.32) && !in_ellipse(x, y, 0.5, 0.08, 0.4, 0.32);
    switch (s->cover) {
    case COVER_SUNGLASSES:
        *ret = grey(22);
        return left || right;
    case COVER_LEFT_LENS:
        *ret = grey(22);
        return left;
    case COVER_CLEAR_GLASSES:
        *ret = grey(40);
        return rim;
    case COVER_GLARE:
        *ret = rim ? grey(40) : grey(254);
        return left || right;
    case COVER_MASK_WHITE:
        *ret = grey(232);
        return mask;
    case COVER_MASK_BLUE:
        *ret = (colour){{110, 160, 205}};
        return mask;
    case COVER_MASK_BLACK:
        *ret = grey(24);
        return mask;
    case COVER_BEARD:
        *ret = (colour){{52, 38, 32}};
        return y > 0.85 && in_ellipse(x, y, 0, FACE_Y, FACE_A, FACE_B) && !in_ellipse(x, y, 0, 1.14, 0.42, 0.17);
    case COVER_NONE:
        break;
    }
    return false;
}

static colour eye_at(const scene *s, double dx, double y)
{
    double iris = hypot(dx, y);
    if (iris < 0.04)
        return grey(15);
    if (iris < 0.1)
        return (colour){{70, 48, 35}};
    (void)s;
    return grey(215);
}

static colour face_at(const scene *s, double x, double y)
{
    double ax = fabs(x), dx = ax - 0.5;
    if (in_ellipse(ax, y, 0.5, 0, 0.24, fmax(s->eye_opening / 2, 0.012)))
        return s->eye_opening < 0.04 ? shade(s, 0.35) : eye_at(s, dx, y);
    if (ax > 0.2 && ax < 0.86 && fabs(y + 0.32 + 0.1 * sin(M_PI * (ax - 0.2) / 0.66)) < 0.05)
        return shade(s, 0.3);
    if (in_ellipse(x, y, 0, 1.12, 0.33, s->mouth_opening / 2))
        return (colour){{60, 20, 20}};
    if (fabs(y - 1.12) < 0.012 && ax < 0.4)
        return shade(s, 0.45);
    if (in_ellipse(x, y, 0, 1.14, 0.4, 0.12 + s->mouth_opening / 2))
        return (colour){{s->skin[0] * 0.88, s->skin[1] * 0.6, s->skin[2] * 0.66}};
    if (in_ellipse(ax, y, 0.12, 0.76, 0.06, 0.03))
        return shade(s, 0.35);
    if (fabs(ax - 0.2) < 0.015 && y > 0.55 && y < 0.76)
        return shade(s, 0.75);
    /* A little modelling and freckle, so that skin is not one colour. */
    double model = 1 - 0.18 * (x * x + 0.4 * (y - FACE_Y) * (y - FACE_Y)) + 0.02 * sin(23 * x) * sin(19 * y);
    return shade(s, model);
}

static colour colour_at(const scene *s, double x, double y)
{
    colour c;
    bool in_face = in_ellipse(x, y, 0, FACE_Y, FACE_A, FACE_B);
    double light = 1;
    if (in_face || in_ellipse(x, y, 0, 0.2, 1.35, 1.75)) {
        if (!cover_at(s, x, y, &c))
            c = in_face && y > -0.75 ? face_at(s, x, y) : grey(38 + 8 * sin(40 * x));
        light = fmax(0, 1 - s->side_light * (x + FACE_A) / (2 * FACE_A));
    } else if (y > 2.1 - 0.15 * fabs(x)) {
        c = (colour){{60, 70, 95}};
    } else {
        c = grey(s->background + 6 * sin(0.9 * x) * cos(1.1 * y));
    }
    for (int i = 0; i < 3; i++)
        c.v[i] = (127 + (c.v[i] * light - 127) * s->contrast) * s->brightness * s->cast[i];
    return c;
}

static uint8_t to_byte(double v)
{
    return (uint8_t)fmin(fmax(v + 0.5, 0), 255);
}

static void draw_pixel(const scene *s, double cos_roll, double sin_roll, int x, int y, uint8_t *ret)
{
    double sum[3] = {0};
    for (int k = 0; k < 4; k++) {
        double px = (x + 0.25 + 0.5 * (k & 1) - s->centre_x) / s->inter_eye_px;
        double py = (y + 0.25 + 0.5 * (k >> 1) - s->centre_y) / s->inter_eye_px;
        colour c = colour_at(s, px * cos_roll + py * sin_roll, py * cos_roll - px * sin_roll);
        for (int i = 0; i < 3; i++)
            sum[i] += c.v[i];
    }
    for (int i = 0; i < 3; i++)
        ret[i] = to_byte(sum[i] / 4);
}

static void fill_face(const scene *s, double cos_roll, double sin_roll, bf_face *ret)
{
    bf_point p[BF_LANDMARKS];
    jaw_and_brows(p);
    nose_and_eyes(s, p);
    mouth(s, p);
    *ret = (bf_face){.detect_probability = 0.99f,
                     .has_geometry = true,
                     .yaw_deg = s->yaw_deg,
                     .pitch_deg = s->pitch_deg,
                     .roll_deg = (float)s->roll_deg,
                     .inter_eye_px = (float)s->inter_eye_px};
    ret->eye_open_probability[0] = ret->eye_open_probability[1] = s->eye_opening < 0.06 ? 0.05f : 0.97f;
    for (int i = 0; i < BF_LANDMARKS; i++) {
        double x = (double)p[i].x, y = (double)p[i].y;
        put(&ret->landmarks[i], s->centre_x + s->inter_eye_px * (x * cos_roll - y * sin_roll),
            s->centre_y + s->inter_eye_px * (x * sin_roll + y * cos_roll));
    }
    ret->box = (bf_rect){(float)(s->centre_x - s->inter_eye_px * FACE_A), (float)(s->centre_y - s->inter_eye_px * 0.9),
                         (float)(s->centre_x + s->inter_eye_px * FACE_A), (float)(s->centre_y + s->inter_eye_px * 1.9)};
}

void scene_draw(const scene *s, bf_image *ret_image, bf_faces *ret_faces)
{
    double cos_roll = cos(s->roll_deg * M_PI / 180), sin_roll = sin(s->roll_deg * M_PI / 180);
    size_t stride = (size_t)s->width * 3;
    bf_image image = {malloc(stride * (size_t)s->height), s->width, s->height, 3, stride};
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++)
            draw_pixel(s, cos_roll, sin_roll, x, y, image.pixels + (size_t)y * stride + (size_t)x * 3);
    if (s->blur_px > 0)
        picture_blur(&image, s->blur_px);
    if (s->noise > 0)
        picture_noise(&image, s->noise);
    *ret_image = image;
    memset(ret_faces, 0, sizeof *ret_faces);
    fill_face(s, cos_roll, sin_roll, &ret_faces->face[0]);
    ret_faces->count = ret_faces->count_all = 1;
}

void scene_free(bf_image *image)
{
    free(image->pixels);
    image->pixels = NULL;
}

/* One pass over `count` pixels that lie `step` bytes apart. */
static void blur_line(uint8_t *line, int count, size_t step, const double *kernel, int radius, double *scratch)
{
    for (int i = 0; i < count; i++) {
        double sum = 0;
        for (int k = -radius; k <= radius; k++) {
            int j = i + k < 0 ? 0 : i + k >= count ? count - 1 : i + k;
            sum += kernel[abs(k)] * line[(size_t)j * step];
        }
        scratch[i] = sum;
    }
    for (int i = 0; i < count; i++)
        line[(size_t)i * step] = to_byte(scratch[i]);
}

void picture_blur(bf_image *image, double sigma_px)
{
    double kernel[128], total = 0;
    int radius = (int)fmin(ceil(3 * sigma_px), 127);
    int longest = image->width > image->height ? image->width : image->height;
    for (int k = 0; k <= radius; k++) {
        kernel[k] = exp(-k * k / (2 * sigma_px * sigma_px));
        total += k == 0 ? kernel[k] : 2 * kernel[k];
    }
    for (int k = 0; k <= radius; k++)
        kernel[k] /= total;
    double *scratch = malloc((size_t)longest * sizeof *scratch);
    for (int y = 0; y < image->height; y++)
        for (size_t c = 0; c < 3; c++)
            blur_line(image->pixels + (size_t)y * image->stride + c, image->width, 3, kernel, radius, scratch);
    for (int x = 0; x < image->width; x++)
        for (size_t c = 0; c < 3; c++)
            blur_line(image->pixels + (size_t)x * 3 + c, image->height, image->stride, kernel, radius, scratch);
    free(scratch);
}

void picture_noise(bf_image *image, double deviation)
{
    uint32_t state = 2463534242u;
    for (int y = 0; y < image->height; y++) {
        uint8_t *line = image->pixels + (size_t)y * image->stride;
        for (int i = 0; i < image->width * 3; i++) {
            /* Twelve uniform numbers make a bell curve of deviation 1. */
            double bell = -6;
            for (int k = 0; k < 12; k++)
                bell += random_unit(&state);
            line[i] = to_byte(line[i] + deviation * bell);
        }
    }
}

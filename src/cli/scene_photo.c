/* The picture with what was found on it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/draw.h"
#include "cli/scene.h"

#define DEGREE (3.14159265358979323846 / 180.0)
#define LANDMARKS 68

typedef struct point {
    double x, y;
} point;

static point at(const scene_view *view, const json_t *pair)
{
    return (point){view->x + view->scale * json_number_value(json_array_get(pair, 0)),
                   view->y + view->scale * json_number_value(json_array_get(pair, 1))};
}

static void trace(cairo_t *cr, const scene_view *view, const json_t *points, size_t first, size_t last, bool closed)
{
    for (size_t i = first; i <= last; i++) {
        point p = at(view, json_array_get(points, i));
        if (i == first)
            cairo_move_to(cr, p.x, p.y);
        else
            cairo_line_to(cr, p.x, p.y);
    }
    if (closed)
        cairo_close_path(cr);
}

/* Strokes the path twice, dark below light, so that it shows on any ground. */
static void stroke_visibly(cairo_t *cr, double width, draw_ink ink, double alpha)
{
    cairo_set_line_width(cr, width + 2.0);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.45 * alpha);
    cairo_stroke_preserve(cr);
    cairo_set_line_width(cr, width);
    draw_set_ink(cr, ink, alpha);
    cairo_stroke(cr);
}

/* Corners only: a whole frame would hide the face's edge. */
static void draw_corners(cairo_t *cr, double x0, double y0, double x1, double y1)
{
    double arm = fmin(x1 - x0, y1 - y0) * 0.18;
    const double xs[2] = {x0, x1}, ys[2] = {y0, y1};
    for (int i = 0; i < 4; i++) {
        double x = xs[i & 1], y = ys[i >> 1];
        cairo_move_to(cr, x + (i & 1 ? -arm : arm), y);
        cairo_line_to(cr, x, y);
        cairo_line_to(cr, x, y + (i >> 1 ? -arm : arm));
    }
}

static void draw_boxes(cairo_t *cr, const scene_view *view, const json_t *record)
{
    const json_t *boxes = scene_get(record, "diagnostics.faces");
    for (size_t i = json_array_size(boxes); i-- > 0;) {
        double side[4];
        for (size_t k = 0; k < 4; k++)
            side[k] = (k % 2 == 0 ? view->x : view->y) +
                      view->scale * json_number_value(json_array_get(json_array_get(boxes, i), k));
        if (i == 0) {
            draw_corners(cr, side[0], side[1], side[2], side[3]);
            stroke_visibly(cr, 3.5, (draw_ink)scene_verdict_ink(record), 1.0);
        } else {
            cairo_rectangle(cr, side[0], side[1], side[2] - side[0], side[3] - side[1]);
            stroke_visibly(cr, 1.2, INK_WHITE, 0.9);
        }
    }
}

static void draw_outline(cairo_t *cr, const scene_view *view, const json_t *record)
{
    const json_t *outline = scene_get(record, "diagnostics.outline");
    if (json_array_size(outline) < 3)
        return;
    const double dashes[] = {2.0, 4.0};
    trace(cr, view, outline, 0, json_array_size(outline) - 1, true);
    cairo_set_dash(cr, dashes, 2, 0);
    stroke_visibly(cr, 1.2, INK_WHITE, 0.8);
    cairo_set_dash(cr, NULL, 0, 0);
}

static void draw_landmarks(cairo_t *cr, const scene_view *view, const json_t *record)
{
    static const struct {
        size_t first, last;
        bool closed;
    } parts[] = {{0, 16, false}, {17, 21, false}, {22, 26, false}, {27, 30, false}, {31, 35, false},
                 {36, 41, true}, {42, 47, true},  {48, 59, true},  {60, 67, true}};
    const json_t *points = scene_get(record, "diagnostics.landmarks");
    if (json_array_size(points) != LANDMARKS)
        return;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        trace(cr, view, points, parts[i].first, parts[i].last, parts[i].closed);
    stroke_visibly(cr, 0.8, INK_WHITE, 0.55);
    const json_t *box = scene_get(record, "diagnostics.primary_box");
    double height =
        view->scale * (json_number_value(json_array_get(box, 3)) - json_number_value(json_array_get(box, 1)));
    double radius = fmin(2.6, fmax(0.9, height / 130.0));
    for (size_t i = 0; i < LANDMARKS; i++) {
        point p = at(view, json_array_get(points, i));
        cairo_new_sub_path(cr);
        cairo_arc(cr, p.x, p.y, radius, 0, 360 * DEGREE);
    }
    cairo_set_line_width(cr, 1.0);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.5);
    cairo_stroke_preserve(cr);
    draw_set_ink(cr, INK_WHITE, 1.0);
    cairo_fill(cr);
}

typedef struct vector {
    double x, y, z; /* right and down in the picture, and towards the viewer */
} vector;

/* Turns a direction of the frontal head as the pose says: pitch first, then yaw, then roll. */
static vector turn(vector v, double yaw, double pitch, double roll)
{
    vector a = {v.x, v.y * cos(pitch) - v.z * sin(pitch), v.y * sin(pitch) + v.z * cos(pitch)};
    vector b = {a.x * cos(yaw) - a.z * sin(yaw), a.y, a.x * sin(yaw) + a.z * cos(yaw)};
    return (vector){b.x * cos(roll) - b.y * sin(roll), b.x * sin(roll) + b.y * cos(roll), b.z};
}

static void draw_pose(cairo_t *cr, const scene_view *view, const json_t *record)
{
    static const struct {
        vector direction;
        draw_ink ink;
    } axes[] = {{{1, 0, 0}, INK_BAD}, {{0, -1, 0}, INK_GOOD}, {{0, 0, 1}, INK_CROP_1}};
    const json_t *points = scene_get(record, "diagnostics.landmarks");
    if (json_array_size(points) != LANDMARKS || !json_is_object(scene_get(record, "diagnostics.pose")))
        return;
    double yaw = scene_number(record, "diagnostics.pose.yaw", 0) * DEGREE;
    double pitch = scene_number(record, "diagnostics.pose.pitch", 0) * DEGREE;
    double roll = scene_number(record, "diagnostics.pose.roll", 0) * DEGREE;
    double length = view->scale * 1.1 * scene_number(record, "diagnostics.inter_eye_px", 0);
    point nose = at(view, json_array_get(points, 30));
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        vector v = turn(axes[i].direction, yaw, pitch, roll);
        cairo_move_to(cr, nose.x, nose.y);
        cairo_line_to(cr, nose.x + length * v.x, nose.y + length * v.y);
        stroke_visibly(cr, 2.4, axes[i].ink, 0.95);
    }
    cairo_arc(cr, nose.x, nose.y, 3.2, 0, 360 * DEGREE);
    draw_set_ink(cr, INK_CROP_1, 1.0);
    cairo_fill(cr);
}

static draw_ink crop_ink(size_t index)
{
    return (draw_ink)(INK_CROP_1 + index % DRAW_CROP_INKS);
}

static void draw_crop_frames(cairo_t *cr, const scene_view *view, const json_t *record)
{
    const json_t *crops = scene_get(record, "diagnostics.crops");
    const double dashes[] = {7.0, 5.0};
    for (size_t i = 0; i < json_array_size(crops); i++) {
        trace(cr, view, scene_get(json_array_get(crops, i), "corners"), 0, 3, true);
        cairo_set_dash(cr, dashes, 2, (double)i * 4.0);
        stroke_visibly(cr, 1.4, crop_ink(i), 0.9);
    }
    cairo_set_dash(cr, NULL, 0, 0);
}

void scene_draw_photo(cairo_t *cr, const scene_view *view, const json_t *record)
{
    cairo_save(cr);
    draw_round_rect(cr, view->x, view->y, view->width, view->height, 10);
    cairo_clip(cr);
    cairo_save(cr);
    cairo_translate(cr, view->x, view->y);
    cairo_scale(cr, view->scale, view->scale);
    cairo_set_source_surface(cr, view->pixels, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    cairo_restore(cr);
    draw_crop_frames(cr, view, record);
    draw_outline(cr, view, record);
    draw_landmarks(cr, view, record);
    draw_pose(cr, view, record);
    draw_boxes(cr, view, record);
    cairo_restore(cr);
}

/* Draws the part of the picture inside the quadrangle p0 p1 p2 p3 (a turned square or rectangle) upright. */
static void draw_crop(cairo_t *cr, const scene_view *view, const json_t *corners, double x, double y, double size)
{
    scene_view plain = {.scale = 1.0};
    point p0 = at(&plain, json_array_get(corners, 0)), p1 = at(&plain, json_array_get(corners, 1)),
          p3 = at(&plain, json_array_get(corners, 3));
    cairo_matrix_t to_picture = {
        (p1.x - p0.x) / size, (p1.y - p0.y) / size, (p3.x - p0.x) / size, (p3.y - p0.y) / size, p0.x, p0.y};
    cairo_save(cr);
    cairo_translate(cr, x, y);
    draw_round_rect(cr, 0, 0, size, size, 6);
    cairo_clip(cr);
    draw_set_ink(cr, INK_LINE, 1.0);
    cairo_paint(cr);
    cairo_pattern_t *pattern = cairo_pattern_create_for_surface(view->pixels);
    cairo_pattern_set_matrix(pattern, &to_picture);
    cairo_pattern_set_filter(pattern, CAIRO_FILTER_GOOD);
    cairo_pattern_set_extend(pattern, CAIRO_EXTEND_PAD);
    cairo_set_source(cr, pattern);
    cairo_paint(cr);
    cairo_pattern_destroy(pattern);
    cairo_restore(cr);
}

void scene_draw_crops(cairo_t *cr, const scene_view *view, const json_t *record, double x, double y, double size)
{
    const json_t *crops = scene_get(record, "diagnostics.crops");
    for (size_t i = 0; i < json_array_size(crops); i++) {
        const json_t *crop = json_array_get(crops, i);
        draw_crop(cr, view, scene_get(crop, "corners"), x, y + 18, size);
        draw_round_rect(cr, x, y + 18, size, size, 6);
        cairo_set_line_width(cr, 2.0);
        draw_set_ink(cr, crop_ink(i), 1.0);
        cairo_stroke(cr);
        (void)draw_text(cr, x, y + 11, size, (draw_font){11.5, false, crop_ink(i)}, scene_text(crop, "model"));
        x += size + SCENE_CROP_GAP;
    }
}

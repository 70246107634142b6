#include "simulate/scene.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "simulate/express.h"

#define PERSON_MATERIAL 0
#define WALL_MATERIAL 0
#define SHEET_MATERIAL 1
#define EXPOSURES_MAX 4
#define PIXELS_PER_EXPOSURE 2.0 /* of blur: fewer are seen as several outlines */

void sim_scene_done(sim_scene *scene)
{
    sim_head_done(&scene->head);
    sim_head_done(&scene->other);
    sim_sheet_done(&scene->wall);
    sim_sheet_done(&scene->sheet);
    sim_canvas_done(&scene->canvas);
    sim_canvas_done(&scene->display_canvas);
    bf_image_done(&scene->picture);
    bf_image_done(&scene->shown);
}

static bool has(const sim_scene *scene, sim_nuisance nuisance)
{
    return (scene->options.nuisances & (unsigned)nuisance) != 0;
}

/* How brightly, how cleanly and with whose light the camera sees. */
static sim_light_options light_options(const sim_scene *scene, sim_flash_answer answer, uint64_t seed)
{
    sim_random random = sim_random_from(seed, 41);
    sim_light_options o = {
        .screen = sim_uniform(&random, 0.2, 0.4),
        .level = sim_uniform(&random, 0.9, 1.1),
        .auto_expose = sim_uniform(&random, 0.2, 0.9),
        .auto_white = sim_uniform(&random, 0, 0.5),
        .lag_ms = sim_uniform(&random, 40, 110),
        .drift = sim_uniform(&random, 0.005, 0.02),
        .noise = sim_uniform(&random, 1.2, 2.4),
        .answer = answer,
        .seed = seed,
    };
    if (answer == SIM_FLASH_IMITATED)
        o.lag_ms = sim_uniform(&random, 180, 450);
    if (has(scene, SIM_DIM)) {
        o.screen = sim_uniform(&random, 0.7, 1.1);
        o.level *= 0.55;
        o.noise = sim_uniform(&random, 3.5, 5.5);
    }
    if (has(scene, SIM_BRIGHT)) {
        o.screen = sim_uniform(&random, 0.03, 0.08);
        o.level *= 1.15;
    }
    if (has(scene, SIM_DARK))
        o.level = 0.07;
    if (scene->options.loops)
        o.drift = 0;
    if (has(scene, SIM_NOISY))
        o.noise = sim_uniform(&random, 6, 8);
    return o;
}

static sim_room room_of(const sim_scene *scene, sim_random *random)
{
    double turn = sim_uniform(random, -1.2, 1.2), lift = sim_uniform(random, 0.2, 0.9);
    return (sim_room){
        .direction = {(float)(sin(turn) * cos(lift)), (float)-sin(lift), (float)(cos(turn) * cos(lift))},
        .directed = (float)sim_uniform(random, 0.1, 0.5),
        .backlight = has(scene, SIM_BACKLIT) ? (float)sim_uniform(random, 2.5, 4) : 1,
    };
}

static sim_shake shake_of(const sim_scene *scene, sim_random *random)
{
    /* Two in five sit before a camera that stands; the others hold it. */
    float held = !scene->options.loops && sim_chance(random, 0.6) ? (float)sim_uniform(random, 0.5, 1.5) : 0.02F;
    if (has(scene, SIM_SHAKY))
        held = (float)sim_uniform(random, 3.5, 6);
    float size = held * (float)scene->options.width / 640;
    float approach = held > 0.1F ? (float)sim_uniform(random, 0.3, 1) : 0;
    return (sim_shake){1.6F * size, 1.6F * size, 0.12F * held, 0.12F * held, 0.2F * held, approach};
}

static sim_layout layout_of(const sim_scene *scene, const sim_still *still, int width, int height, sim_random *random)
{
    float unit = (float)(width < height ? (float)width * 4 / 3 : (float)width) / 640;
    double eyes = has(scene, SIM_FAR) ? sim_uniform(random, 24, 32) : sim_uniform(random, 62, 84);
    sim_layout l = {width, height, (float)eyes * unit, 0, 0};
    l.x = (float)width * (float)sim_uniform(random, 0.46, 0.54);
    l.y = (float)height * (float)sim_uniform(random, 0.40, 0.47);
    /* Where the photo ends above the head, it rather ends at the frame's edge. */
    const bf_point *p = still->face.landmarks;
    float above = (p[36].y + p[45].y) / 2 * l.inter_eye_px / still->face.inter_eye_px;
    l.y = fmaxf(fminf(l.y, above), 0.36F * (float)height);
    return l;
}

static sim_manner manner_of(const sim_scene *scene, sim_random *random)
{
    sim_manner m = sim_usual_manner;
    m.reaction_ms = sim_uniform(random, 450, 800);
    m.pace = sim_uniform(random, 0.85, 1.25);
    m.extent = sim_uniform(random, 0.85, 1.1);
    if (has(scene, SIM_SLOW)) {
        m.reaction_ms *= 1.4;
        m.pace *= 1.5;
    }
    if (has(scene, SIM_PARTIAL)) {
        m.extent = sim_uniform(random, 0.35, 0.55);
        m.skip = 0.3;
    }
    if (scene->recipe->early)
        m.reaction_ms = -sim_uniform(random, 600, 1200);
    return m;
}

/* The plan of another session: as long, with other steps, times and colours. */
static bf_status make_other_plan(sim_scene *scene, bf_error *err)
{
    const bf_plan *plan = scene->options.plan;
    bf_status status = BF_OK;
    bool same = true;
    for (uint64_t tries = 0; tries < 20 && same && status == BF_OK; tries++) {
        status = sim_make_plan(plan->step_count - 1, plan->flash.form, scene->options.seed + 7919 * (tries + 1),
                               &scene->other_plan, err);
        for (int i = 0; i < plan->step_count && status == BF_OK; i++)
            same = (i == 0 || same) && plan->step[i].type == scene->other_plan.step[i].type;
    }
    return status;
}

/* The same steps, each in the place of the next. */
static void reorder_plan(sim_scene *scene)
{
    const bf_plan *plan = scene->options.plan;
    scene->other_plan = *plan;
    int asked = plan->step_count - 1;
    for (int i = 0; i < asked; i++)
        scene->other_plan.step[1 + i].type = plan->step[1 + (i + 1) % asked].type;
}

static const bf_plan *script_plan(sim_scene *scene, sim_script script)
{
    if (!scene->options.plan || script == SIM_SCRIPT_NONE)
        return NULL;
    return script == SIM_SCRIPT_PLAN ? scene->options.plan : &scene->other_plan;
}

static bf_status begin_person(sim_scene *scene, const sim_still *still, const sim_still *other, int width, int height,
                              sim_random *random, bf_error *err)
{
    sim_layout layout = layout_of(scene, still, width, height, random);
    bf_status status = sim_head_new(still, &layout, PERSON_MATERIAL, &scene->head, err);
    if (status == BF_OK && scene->recipe->swap) {
        if (!other)
            return bf_fail(err, BF_INVALID_ARGUMENT, "To swap the person, there has to be another.");
        layout = layout_of(scene, other, width, height, random);
        status = sim_head_new(other, &layout, PERSON_MATERIAL, &scene->other, err);
    }
    sim_manner manner = manner_of(scene, random);
    if (scene->recipe->surface == SIM_SURFACE_DISPLAY && scene->recipe->person == SIM_SCRIPT_NONE)
        manner.rest = 0;
    sim_perform(script_plan(scene, scene->recipe->person), &manner, scene->options.seconds * 1000, scene->options.seed,
                &scene->person);
    if (scene->options.loops)
        scene->person.loop_ms = scene->options.seconds * 1000;
    return status;
}

static bf_status begin_sheet(sim_scene *scene, const sim_still *still, sim_random *random, bf_error *err)
{
    int width = scene->options.width, height = scene->options.height;
    float unit = (float)width / 640;
    bf_status status = sim_wall_new(width, height, WALL_MATERIAL, random, &scene->wall, err);
    if (status != BF_OK)
        return status;
    scene->at = (sim_sheet_pose){(float)sim_uniform(random, -25, 25) * unit,
                                 (float)sim_uniform(random, -15, 15) * unit,
                                 0,
                                 sim_uniform(random, -5, 5),
                                 sim_uniform(random, -5, 5),
                                 sim_uniform(random, -3, 3),
                                 scene->recipe->bend * (float)sim_uniform(random, 0.5, 1)};
    sim_manner manner = manner_of(scene, random);
    manner.rest = scene->recipe->hand;
    sim_perform(script_plan(scene, scene->recipe->sheet), &manner, scene->options.seconds * 1000,
                scene->options.seed + 1, &scene->hand);
    if (scene->recipe->surface == SIM_SURFACE_PRINT)
        return sim_print_new(still, (float)sim_uniform(random, 60, 88) * unit, SHEET_MATERIAL, random, &scene->sheet,
                             err);
    bool upright = sim_chance(random, 0.5);
    int shown_width = upright ? height * 3 / 4 : width, shown_height = height;
    float share = (float)(upright ? sim_uniform(random, 0.55, 0.8) : sim_uniform(random, 0.8, 1.1));
    status =
        sim_display_new(shown_width, shown_height, share * (float)width, SHEET_MATERIAL, random, &scene->sheet, err);
    if (status == BF_OK)
        status = sim_canvas_new(shown_width, shown_height, &scene->display_canvas, err);
    if (status == BF_OK)
        status = bf_image_alloc(&scene->shown, shown_width, shown_height, 3, err);
    return status;
}

static void begin_materials(sim_scene *scene, sim_random *random)
{
    if (!scene->has_sheet) {
        scene->material[PERSON_MATERIAL].texture = &scene->head.texture;
        return;
    }
    scene->material[WALL_MATERIAL].texture = &scene->wall.texture;
    sim_material *sheet = &scene->material[SHEET_MATERIAL];
    sheet->texture = &scene->sheet.texture;
    if (scene->recipe->surface != SIM_SURFACE_DISPLAY)
        return;
    sheet->emits = true;
    sheet->moire = (float)sim_uniform(random, 0.01, 0.10);
    sheet->moire_u = (float)sim_uniform(random, 1080, 2000) / (float)scene->sheet.texture.width;
    sheet->moire_v = sheet->moire_u;
    sheet->banding = (float)sim_uniform(random, 0, 0.05);
}

static bf_status begin_all(sim_scene *scene, const sim_still *still, const sim_still *other, bf_error *err)
{
    const sim_options *o = &scene->options;
    sim_random random = sim_random_from(o->seed, 61);
    bf_status status = sim_canvas_new(o->width, o->height, &scene->canvas, err);
    if (status == BF_OK)
        status = bf_image_alloc(&scene->picture, o->width, o->height, 3, err);
    sim_script script = scene->recipe->person;
    if (status == BF_OK && o->plan && o->plan->step_count > 1 && script == SIM_SCRIPT_OTHER)
        status = make_other_plan(scene, err);
    else if (o->plan && o->plan->step_count > 1 && script == SIM_SCRIPT_REORDERED)
        reorder_plan(scene);
    else if (o->plan)
        scene->other_plan = *o->plan;
    scene->has_sheet = scene->recipe->surface != SIM_SURFACE_PERSON;
    scene->room = room_of(scene, &random);
    scene->display_room = room_of(scene, &random);
    scene->shake_size = shake_of(scene, &random);
    scene->swap_ms = o->seconds * 1000 * sim_uniform(&random, 0.4, 0.6);
    scene->exposure_ms = has(scene, SIM_DIM) ? 33 : sim_uniform(&random, 8, 25);
    scene->glasses = has(scene, SIM_GLASSES);
    if (status == BF_OK && scene->has_sheet)
        status = begin_sheet(scene, still, &random, err);
    bool display = scene->recipe->surface == SIM_SURFACE_DISPLAY;
    if (status == BF_OK && (display || !scene->has_sheet))
        status = begin_person(scene, still, other, display ? scene->shown.width : o->width,
                              display ? scene->shown.height : o->height, &random, err);
    if (status == BF_OK)
        begin_materials(scene, &random);
    return status;
}

bf_status sim_scene_begin(sim_scene *scene, const sim_still *still, const sim_still *other, const sim_options *options,
                          bf_error *err)
{
    scene->options = *options;
    scene->recipe = &sim_recipes[options->what];
    bf_status status = begin_all(scene, still, other, err);
    if (status != BF_OK)
        return status;
    /* A capture of another session shows that session's flash. */
    const bf_plan *plan = scene->recipe->person == SIM_SCRIPT_OTHER ? &scene->other_plan : options->plan;
    sim_light_options light = light_options(scene, scene->recipe->answer, options->seed);
    sim_light_begin(&scene->light, scene->has_sheet ? options->plan : plan, &light);
    light = light_options(scene, scene->recipe->person == SIM_SCRIPT_OTHER ? SIM_FLASH_LIT : SIM_FLASH_NONE,
                          options->seed + 1);
    sim_light_begin(&scene->display_light, plan, &light);
    return BF_OK;
}

static sim_shake shake_at(const sim_scene *scene, double ms)
{
    const sim_shake *s = &scene->shake_size;
    uint64_t seed = scene->options.seed;
    double at = ms / 1000;
    return (sim_shake){s->x * (float)sim_tremor(seed, 0, at),        s->y * (float)sim_tremor(seed, 1, at),
                       s->yaw_deg * (float)sim_tremor(seed, 2, at),  s->pitch_deg * (float)sim_tremor(seed, 3, at),
                       s->roll_deg * (float)sim_tremor(seed, 4, at), s->approach};
}

static void draw_person(sim_scene *scene, sim_canvas *canvas, double ms, const sim_shake *shake, const sim_room *room)
{
    sim_head *head = scene->recipe->swap && ms >= scene->swap_ms ? &scene->other : &scene->head;
    sim_pose pose = sim_pose_at(&scene->person, ms);
    /* Within one exposure of several the face's expression stays. */
    if (canvas->exposures == 1) {
        bool drawn = sim_express(head, pose.eyes, pose.mouth, pose.smile);
        if (scene->glasses && drawn)
            sim_wear_glasses(head);
    }
    sim_head_pose(head, &pose, shake, room);
    sim_draw(canvas, &head->grid);
    scene->material[scene->has_sheet ? 2 : PERSON_MATERIAL].texture = &head->texture;
}

static sim_sheet_pose sheet_pose_at(const sim_scene *scene, double ms)
{
    sim_pose pose = sim_pose_at(&scene->hand, ms);
    double hand = scene->recipe->hand, s = ms / 1000;
    uint64_t seed = scene->options.seed;
    sim_sheet_pose at = scene->at;
    float unit = (float)scene->options.width / 640;
    double sway = scene->recipe->sway_deg;
    at.x += unit * (float)(hand * 3.5 * sim_tremor(seed, 10, s) + 60 * pose.x + sway * sim_wander(seed, 17, s));
    at.y += unit * (float)(hand * 3.5 * sim_tremor(seed, 11, s) + 60 * pose.y);
    at.z += SIM_FOCAL * (float)scene->options.width * (float)(1 - 1 / pose.closeness);
    at.yaw_deg += pose.yaw_deg + hand * 1.2 * sim_tremor(seed, 12, s) + sway * sim_wander(seed, 15, s);
    at.pitch_deg += pose.pitch_deg + hand * 1.2 * sim_tremor(seed, 13, s) + 0.5 * sway * sim_wander(seed, 16, s);
    at.roll_deg += pose.roll_deg + hand * 0.8 * sim_tremor(seed, 14, s);
    return at;
}

/* What the display shows: the person as recorded, in a room of the recording's own. */
static void draw_display(sim_scene *scene, double ms, uint64_t frame)
{
    static const sim_shake steady;
    sim_material recorded[SIM_MATERIALS_MAX] = {{0}};
    float screen[3];
    sim_canvas_begin(&scene->display_canvas);
    sim_canvas_expose(&scene->display_canvas);
    draw_person(scene, &scene->display_canvas, ms, &steady, &scene->display_room);
    recorded[PERSON_MATERIAL].texture = scene->material[2].texture;
    sim_light_at(&scene->display_light, ms, screen);
    sim_shade(&scene->display_canvas, recorded, scene->display_light.ambient, screen);
    sim_develop(&scene->display_light, &scene->display_canvas, ms, frame, &scene->shown);
    sim_display_show(&scene->sheet, &scene->shown);
}

static void expose(sim_scene *scene, double ms)
{
    sim_shake shake = shake_at(scene, ms);
    float screen[3];
    sim_light_at(&scene->light, ms, screen);
    sim_canvas_expose(&scene->canvas);
    if (scene->has_sheet) {
        sim_sheet_pose wall = {.z = -1.1F * SIM_FOCAL * (float)scene->options.width};
        wall.z *= 0.45F;
        sim_sheet_pose_at(&scene->wall, &wall, &shake, scene->options.width, &scene->room);
        sim_draw(&scene->canvas, &scene->wall.grid);
        sim_sheet_pose at = sheet_pose_at(scene, ms);
        sim_sheet_pose_at(&scene->sheet, &at, &shake, scene->options.width, &scene->room);
        sim_draw(&scene->canvas, &scene->sheet.grid);
        scene->material[SHEET_MATERIAL].banding_phase = (float)(ms / 1000 * (0.3 + (double)(scene->options.seed % 7)));
    } else {
        draw_person(scene, &scene->canvas, ms, &shake, &scene->room);
    }
    sim_shade(&scene->canvas, scene->material, scene->light.ambient, screen);
}

/* How far things move while the shutter is open, px. */
static double blur_px(const sim_scene *scene, double ms)
{
    double until = ms + scene->exposure_ms, unit = scene->options.width / 640.0;
    sim_shake a = shake_at(scene, ms), b = shake_at(scene, until);
    double focal = (double)SIM_FOCAL * scene->options.width * M_PI / 180;
    double px = hypot((double)(b.x - a.x) + focal * (double)(b.yaw_deg - a.yaw_deg),
                      (double)(b.y - a.y) + focal * (double)(b.pitch_deg - a.pitch_deg));
    const sim_performance *who = scene->has_sheet ? &scene->hand : &scene->person;
    sim_pose p = sim_pose_at(who, ms), q = sim_pose_at(who, until);
    px += unit * 2 * (fabs(q.yaw_deg - p.yaw_deg) + fabs(q.pitch_deg - p.pitch_deg));
    px += unit * 120 * fabs(q.closeness - p.closeness);
    if (scene->has_sheet) {
        sim_sheet_pose c = sheet_pose_at(scene, ms), d = sheet_pose_at(scene, until);
        px += hypot((double)(d.x - c.x), (double)(d.y - c.y));
    }
    return px;
}

void sim_scene_draw(sim_scene *scene, double ms, uint64_t frame, sim_truth *ret_truth)
{
    if (scene->recipe->surface == SIM_SURFACE_DISPLAY)
        draw_display(scene, ms, frame);
    int exposures = (int)fmin(1 + blur_px(scene, ms) / PIXELS_PER_EXPOSURE, EXPOSURES_MAX);
    sim_canvas_begin(&scene->canvas);
    for (int i = 0; i < exposures; i++)
        expose(scene, ms + scene->exposure_ms * i / exposures);
    sim_develop(&scene->light, &scene->canvas, ms, frame, &scene->picture);
    sim_pose pose = sim_pose_at(scene->has_sheet ? &scene->hand : &scene->person, ms);
    const sim_head *head = scene->recipe->swap && ms >= scene->swap_ms ? &scene->other : &scene->head;
    *ret_truth = (sim_truth){
        .ms = ms,
        .yaw_deg = pose.yaw_deg + (double)head->yaw_deg,
        .pitch_deg = pose.pitch_deg + (double)head->pitch_deg,
        .roll_deg = pose.roll_deg + (double)head->roll_deg,
        .closeness = pose.closeness,
        .eyes = pose.eyes,
        .mouth = pose.mouth,
        .smile = pose.smile,
    };
    sim_screen_at(scene->options.plan, ms, ret_truth->screen);
}

/* Everything before one camera, drawn at any moment. */
#ifndef SIM_SCENE_H
#define SIM_SCENE_H

#include "simulate/recipe.h"
#include "simulate/sheet.h"

typedef struct sim_scene {
    const sim_recipe *recipe;
    sim_options options;
    bool has_sheet, glasses;
    sim_head head, other;  /* before the camera or on the display; `other` only with a swap */
    sim_sheet wall, sheet; /* for prints and displays */
    sim_performance person, hand;
    double swap_ms;
    sim_room room, display_room;
    sim_shake shake_size;
    sim_light light, display_light; /* of the scene; of the recording that the display shows */
    sim_material material[SIM_MATERIALS_MAX];
    sim_sheet_pose at; /* of the sheet at rest */
    sim_canvas canvas, display_canvas;
    bf_image picture, shown; /* developed; what the display shows */
    double exposure_ms;
    bf_plan other_plan;
} sim_scene;

/* OUT_OF_MEMORY. The scene does not move in memory while it lives. Free with sim_scene_done. */
bf_status sim_scene_begin(sim_scene *scene, const sim_still *still, const sim_still *other, const sim_options *options,
                          bf_error *err);
void sim_scene_done(sim_scene *scene);

/* Draws the moment into scene->picture. `frame` seeds its noise. */
void sim_scene_draw(sim_scene *scene, double ms, uint64_t frame, sim_truth *ret_truth);

#endif

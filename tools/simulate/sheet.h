/* Flat things before a camera: a print, a display, the wall of the room behind them. */
#ifndef SIM_SHEET_H
#define SIM_SHEET_H

#include "simulate/head.h"

typedef struct sim_sheet {
    bf_image texture;
    float width, height; /* px at Z = 0 */
    bf_rect content;     /* of the texture, what shows the picture: the rest is border or bezel */
    float gloss;         /* how much of the screen is mirrored */
    sim_grid grid;
} sim_sheet;

typedef struct sim_sheet_pose {
    float x, y, z; /* of the middle */
    double yaw_deg, pitch_deg, roll_deg;
    float bend; /* radians from the middle to the left or right edge: bent around an upright axis */
} sim_sheet_pose;

void sim_sheet_done(sim_sheet *sheet);

/* A print of the still's middle part around the face on paper with a white border. */
bf_status sim_print_new(const sim_still *still, float inter_eye_px, int material, sim_random *random, sim_sheet *ret,
                        bf_error *err);
/* A display that shows pictures of width x height; its content is black until sim_display_show. */
bf_status sim_display_new(int width, int height, float width_px, int material, sim_random *random, sim_sheet *ret,
                          bf_error *err);
void sim_display_show(sim_sheet *display, const bf_image *picture);
/* A room's wall with things on it, large enough to fill the frame at its depth. */
bf_status sim_wall_new(int width, int height, int material, sim_random *random, sim_sheet *ret, bf_error *err);

void sim_sheet_pose_at(sim_sheet *sheet, const sim_sheet_pose *pose, const sim_shake *shake, int frame_width,
                       const sim_room *room);

#endif

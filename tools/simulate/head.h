/* A person made of one photo: the picture as it is at rest, a depth for each part of it, and how much each part goes
 * with the head. Rest pixels are those of the frame while the person looks into the camera. */
#ifndef SIM_HEAD_H
#define SIM_HEAD_H

#include "simulate/perform.h"
#include "simulate/random.h"
#include "simulate/render.h"
#include "simulate/still.h"

#define SIM_MARGIN 0.2F         /* of the frame's width: how far the picture goes on outside the frame */
#define SIM_TEXTURE_SCALE 1.25F /* texture pixels for one rest pixel */

/* How the person sits in the frame at rest. */
typedef struct sim_layout {
    int width, height;  /* of the frame */
    float inter_eye_px; /* 70 is a usual distance at 640 px */
    float x, y;         /* where the face is: centre of the eyes, px */
} sim_layout;

typedef struct sim_flesh {
    sim_point rest;   /* back-projected */
    float normal[3];  /* at rest */
    float head, body; /* 0..1: share of the head's movement, of the body's */
    float spin;       /* of the head's turn about its own middle: little at its edge, which stays when a ball turns */
} sim_flesh;

typedef struct sim_head {
    sim_layout layout;
    bf_image photo;                     /* the still, laid out: texture pixels */
    bf_image texture;                   /* the same with the present expression */
    bf_point landmark[BF_LANDMARKS];    /* rest px, from the frame's upper left corner */
    float yaw_deg, pitch_deg, roll_deg; /* of the still */
    float half_width, half_height;      /* of the face at rest: jaw to jaw, eyes to chin */
    bf_point middle;                    /* of the head */
    int expression[3];                  /* of the texture, in steps: eyes, mouth, smile; -1: not drawn yet */
    sim_flesh *flesh;                   /* columns x rows */
    sim_grid grid;
} sim_head;

/* Lays the still out and gives it depth. OUT_OF_MEMORY. Free with sim_head_done. */
bf_status sim_head_new(const sim_still *still, const sim_layout *layout, int material, sim_head *ret, bf_error *err);
void sim_head_done(sim_head *head);

/* Where the camera is off its place. */
typedef struct sim_shake {
    float x, y;                         /* shift of the camera, px at Z = 0 */
    float yaw_deg, pitch_deg, roll_deg; /* turn of the camera */
    float approach;                     /* 0..1: how much of coming closer is the camera's movement */
} sim_shake;

typedef struct sim_room {
    float direction[3]; /* where the room's light comes from, unit vector */
    float directed;     /* its share, 0..1 */
    float backlight;    /* background's brightness over the person's; 1 as in the photo */
} sim_room;

/* Puts the surface where the pose has it. */
void sim_head_pose(sim_head *head, const sim_pose *pose, const sim_shake *shake, const sim_room *room);

#endif

/* Draws a face-like picture together with the landmarks that a perfect face pipeline would find on it, so that the
 * quality measures can be tested without models and without photographs of people. */
#ifndef TESTS_SUPPORT_SYNTHETIC_FACE_H
#define TESTS_SUPPORT_SYNTHETIC_FACE_H

#include <stdint.h>

#include "face/face.h"
#include "image/image.h"

typedef enum scene_cover {
    COVER_NONE,
    COVER_SUNGLASSES,
    COVER_LEFT_LENS,
    COVER_CLEAR_GLASSES,
    COVER_GLARE,
    COVER_MASK_WHITE,
    COVER_MASK_BLUE,
    COVER_MASK_BLACK,
    COVER_BEARD
} scene_cover;

/* Start from scene_default() and change what the test is about. */
typedef struct scene {
    int width, height;         /* px */
    double centre_x, centre_y; /* eye midpoint, px */
    double inter_eye_px;
    double roll_deg;          /* turns picture and landmarks */
    float yaw_deg, pitch_deg; /* numbers only: the drawing stays frontal */
    double eye_opening;       /* lid distance in inter-eye distances */
    double mouth_opening;
    double brightness; /* multiplies everything */
    double contrast;   /* around mid-grey */
    double side_light; /* 0 even; 1: one side of the face is black */
    double background; /* luma 0..255 behind the head */
    double cast[3];    /* multiplies R, G, B */
    double skin[3];    /* R, G, B 0..255 */
    double blur_px;    /* standard deviation of a Gaussian */
    double noise;      /* standard deviation, grey levels, added last */
    scene_cover cover;
} scene;

scene scene_default(void);

/* The caller frees ret_image->pixels with scene_free. `ret_faces` gets one face with geometry. */
void scene_draw(const scene *s, bf_image *ret_image, bf_faces *ret_faces);
void scene_free(bf_image *image);

/* Gaussian blur of an RGB picture in place. */
void picture_blur(bf_image *image, double sigma_px);

/* Adds noise with the given standard deviation; the same every time. */
void picture_noise(bf_image *image, double deviation);

/* Deterministic random numbers (xorshift); state must not be 0. */
uint32_t random_next(uint32_t *state);
double random_unit(uint32_t *state); /* 0..1 */

#endif

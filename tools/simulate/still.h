/* The photo a sequence is made from. */
#ifndef SIM_STILL_H
#define SIM_STILL_H

#include "pipeline/judge.h"

typedef struct sim_still {
    bf_image image;
    bf_face face; /* the largest, measured by the library's own networks */
} sim_still;

/* NO_FACE when there is none; else as bf_decode_still and bf_face_measure. Free with sim_still_done. */
bf_status sim_still_read(bf_judge *judge, const char *path, sim_still *ret, bf_error *err);
void sim_still_done(sim_still *still);

/* A colour of the still, bilinear; outside it the edge is stretched, so that a narrow photo fills a wide picture. */
void sim_still_sample(const sim_still *still, float x, float y, float ret[3]);

#endif

/* Following one face through a sequence of frames, and noticing when that is no longer the same one: it is lost and
 * another is taken up, or a second person stays. Knows boxes only, no appearance. A plain value; pure. */
#ifndef BF_FACE_TRACK_H
#define BF_FACE_TRACK_H

#include "face/face.h"

/* A second face counts when it has at least this share of the followed face's area. */
#define BF_TRACK_OTHER_SHARE 0.2f

typedef struct bf_track {
    bool following;  /* a face is being followed; `box` is where it was last */
    bf_rect box;     /* px */
    double seen_ms;  /* when it was last there */
    int found;       /* in which the followed face was there */
    int breaks;      /* times at which another place was taken up instead of the face that was followed */
    double break_ms; /* when the first of them was */
    double lost_ms;  /* the longest time between two frames with the face, frames without it in between */
    int others;      /* frames with a second face that counts */
    double other_ms; /* the longest time that one stayed, short gaps in between left out of account */
    double other_since_ms, other_until_ms; /* of the second face seen last */
    bool lost;                             /* in the frame before */
} bf_track;

/* Looks at the faces of the next frame (times never fall; boxes in the same px all along) and returns the index of the
 * followed one, or -1 when it is not there. The first to be followed is the largest. */
int bf_track_follow(bf_track *track, const bf_faces *faces, double ms);

#endif

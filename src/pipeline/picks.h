/* The few frames of a clip that are looked at closely, in original pixels: the best of each of its parts. A clip's
 * length is not known while it is read, so the parts grow: when they do not reach, each two neighbours become one.
 * Memory does not grow with the clip. */
#ifndef BF_PIPELINE_PICKS_H
#define BF_PIPELINE_PICKS_H

#include <stdbool.h>

#include "decode/decode.h"
#include "face/face.h"
#include "record/record.h"

/* A kept frame. */
typedef struct bf_pick {
    bool used;
    bf_image rgb;   /* original pixels */
    bf_faces faces; /* the followed one first, with geometry; px of `rgb` */
    bf_media_facts media;
    double worth; /* larger is better */
    bool passes;  /* the quality gate */
    int index;    /* among the coded frames */
    double ms;
} bf_pick;

typedef struct bf_picks {
    bf_pick pick[BF_RECORD_CHOSEN_MAX];
    double begin_ms, part_ms; /* pick[i] is of the time from begin_ms + i x part_ms on; begin_ms < 0: nothing yet */
} bf_picks;

/* `stated_ms`: the duration that the container states, not trusted; 0 unknown. Wipes what was kept before. */
void bf_picks_start(bf_picks *picks, double stated_ms);

/* The place for a frame of this time and worth, empty but for the memory of its pixels; NULL when a better one of its
 * part is kept already. Times never fall. The caller fills it and sets `used`. */
bf_pick *bf_picks_offer(bf_picks *picks, double ms, bool passes, double worth);

/* The best of all, one that passes before any that does not; NULL when there is none. */
const bf_pick *bf_picks_best(const bf_picks *picks);

/* Whether pick[index] is looked at closely: those that pass, or the best when none does. */
bool bf_picks_is_chosen(const bf_picks *picks, int index);

/* Wipes all pictures. */
void bf_picks_done(bf_picks *picks);

#endif

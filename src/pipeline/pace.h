/* Which moments of a clip are analysed: about fifteen a second of a short one, fewer of a long one, and never more
 * than BF_SEQUENCE_FRAMES_MAX, whatever length the container states. Pure. */
#ifndef BF_PIPELINE_PACE_H
#define BF_PIPELINE_PACE_H

typedef struct bf_pace {
    double gap_ms; /* between two frames on the average */
    double due_ms;
    int next_mark; /* analysed frames at which the gap doubles */
} bf_pace;

/* `stated_ms`: the duration that the container states, not trusted; 0 unknown. */
bf_pace bf_pace_start(double stated_ms);

/* After the frame at `ms`, which was the `analysed`-th (from 1): the earliest time of the next one. */
double bf_pace_next(bf_pace *pace, double ms, int analysed);

#endif

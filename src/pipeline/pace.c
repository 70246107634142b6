#include "pipeline/pace.h"

#include <math.h>

#include "liveness/sequence.h"

/* A little under the time between two frames at fifteen a second, so that none is passed over because it came early. */
#define GAP_MS 60.0
/* Frames for the stated duration; the others are for what lasts longer than stated. */
#define PLANNED 160
#define SPARE 5 /* a clip that lasts as long as stated never comes to its mark */

bf_pace bf_pace_start(double stated_ms)
{
    /* A duration that is not known may be any: half of the frames go to what a short clip would last. */
    if (!(stated_ms > 0.0))
        return (bf_pace){GAP_MS, BF_SEQUENCE_FRAMES_MAX / 2};
    double gap_ms = fmax(stated_ms / PLANNED, GAP_MS);
    return (bf_pace){gap_ms, (int)fmin(stated_ms / gap_ms, PLANNED) + SPARE};
}

double bf_pace_next(bf_pace *pace, double ms, int analysed)
{
    if (analysed >= pace->next_mark) {
        pace->gap_ms *= 2;
        pace->next_mark += (BF_SEQUENCE_FRAMES_MAX - pace->next_mark + 1) / 2;
    }
    return ms + pace->gap_ms;
}

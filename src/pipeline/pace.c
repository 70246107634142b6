#include "pipeline/pace.h"

#include <math.h>

#include "liveness/sequence.h"

/* A little under the time between two frames at fifteen a second, so that none is passed over because it came early. */
#define GAP_MS 64.5
/* Frames for the stated duration; the others are for what lasts longer than stated. */
#define PLANNED 160
#define SPARE 5 /* a clip that lasts as long as stated never comes to its mark */

bf_pace bf_pace_start(double stated_ms)
{
    /* A duration that is not known may be any: half of the frames go to what a short clip would last. */
    if (!(stated_ms > 0.0))
        return (bf_pace){GAP_MS, -1, BF_SEQUENCE_FRAMES_MAX / 2};
    double gap_ms = fmax(stated_ms / PLANNED, GAP_MS);
    return (bf_pace){gap_ms, -1, (int)fmin(stated_ms / gap_ms, PLANNED) + SPARE};
}

double bf_pace_next(bf_pace *pace, double ms, int analysed)
{
    if (analysed >= pace->next_mark) {
        pace->gap_ms *= 2;
        pace->next_mark += (BF_SEQUENCE_FRAMES_MAX - pace->next_mark + 1) / 2;
    }
    /* Counted from when the frame was due, or a clip whose frames do not fall on the due times would be seen less;
     * but a frame that is late does not make the next ones come sooner. */
    double due_ms = pace->due_ms < 0.0 ? ms : pace->due_ms;
    pace->due_ms = fmax(due_ms + pace->gap_ms, ms + pace->gap_ms / 2);
    return pace->due_ms;
}

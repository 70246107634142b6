/* How well a series of colours over time fits a sequence that was shown, and how well others would. Pure. */
#ifndef BF_LIVENESS_FLASH_ANSWER_H
#define BF_LIVENESS_FLASH_ANSWER_H

#include "capture/plan.h"
#include "liveness/sequence.h"

#define BF_FLASH_LAGS 16 /* 0..600 ms */
#define BF_FLASH_LAG_STEP_MS 40.0
#define BF_FLASH_SIGNALS 3  /* log R/G, log B/G, log luminance */
#define BF_FLASH_OTHERS 400 /* sequences that could have been shown instead */

/* One patch, or a difference of two, over the frames. */
typedef struct bf_flash_series {
    float at[BF_SEQUENCE_FRAMES_MAX][BF_FLASH_SIGNALS];
    bool seen[BF_SEQUENCE_FRAMES_MAX];
} bf_flash_series;

typedef struct bf_flash_times {
    const double *ms; /* of the frames, borrowed */
    int count;
} bf_flash_times;

/* Sums over the frames that show each colour, for one lag. */
typedef struct bf_flash_slots {
    double sum[BF_PLAN_COLOURS_MAX][BF_FLASH_SIGNALS];
    double squares[BF_FLASH_SIGNALS];
    int frames[BF_PLAN_COLOURS_MAX];
    int total;
} bf_flash_slots;

/* How a series answers the flash. */
typedef struct bf_flash_answer {
    bool judged;         /* every colour has frames */
    double fit;          /* correlation with what was shown, at the best lag; -1..1 */
    double lag_ms;       /* that lag */
    int lag;             /* its number */
    double others_share; /* of the other sequences that fit better */
} bf_flash_answer;

/* `signals`: how many of the signals count (2: colour only, which exposure does not change; 3: luminance too). */
void bf_flash_answer_find(const bf_flash *flash, const bf_flash_times *times, const bf_flash_series *series,
                          int signals, bf_flash_answer *ret);

void bf_flash_slots_fill(const bf_flash *flash, const bf_flash_times *times, const bf_flash_series *series,
                         double lag_ms, bf_flash_slots *ret);

/* How strongly the series follows what was shown: log units per unit of linear light, by least squares over the colour
 * signals; its standard error. */
void bf_flash_gain(const bf_flash *flash, const bf_flash_slots *slots, double *ret_gain, double *ret_error);

#endif

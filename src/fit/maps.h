/* The ways to turn raw values into log-likelihood ratios, each as a map that the product reads. */
#ifndef BF_FIT_MAPS_H
#define BF_FIT_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "calibrate/calibrate.h"

/* From the simplest to the most pliant; the last two are shown to compare with. */
typedef enum bf_fit_method {
    BF_FIT_PLATT,
    BF_FIT_BANDS,
    BF_FIT_ISOTONIC,
    BF_FIT_MIN_MAX,
    BF_FIT_Z_SCORE,
    BF_FIT_METHODS
} bf_fit_method;
#define BF_FIT_CANDIDATES 3 /* of them, from the first, may be chosen without being asked for */

/* "platt", as in calibration files. */
const char *bf_fit_method_name(bf_fit_method method);
/* false when there is no such method. */
bool bf_fit_method_from_name(const char *name, bf_fit_method *ret);

/* One presentation. Both classes' weights sum to half the count. */
typedef struct bf_fit_sample {
    double raw, weight;
    bool live;
} bf_fit_sample;

/* Fits to samples of so many `persons` (of each class, added) in rising order of raw:
 *
 *   platt     logistic regression on raw; its slope, over standard deviations of raw, is held back by a normal prior of
 *             variance 2, against which all presentations of a person together count as one
 *   bands     at most 10 bands of equal weight; in each the log of the shares, one more counted on either side; pooled
 *             until they rise
 *   isotonic  pool adjacent violators; blocks of at least 10 presentations and a thirtieth of all; shares as of bands
 *   min-max   the place between the least and the largest raw, taken as the probability
 *   z-score   the distance from the mean in standard deviations, taken as the log-odds
 *
 * Bands and blocks become knots at their mean raw. Numbers are rounded as files hold them. INVALID_ARGUMENT: a class is
 * missing, or raw has a scale that no file can hold. OUT_OF_MEMORY. */
bf_status bf_fit_map(bf_calibration_map *ret, bf_fit_method method, const bf_fit_sample *samples, size_t count,
                     size_t persons, bf_error *err);

/* Straight lines over the ratios of `map`: ratio -> slope x ratio + intercept, slope > 0. */
void bf_fit_map_bend(bf_calibration_map *map, double slope, double intercept);

#endif

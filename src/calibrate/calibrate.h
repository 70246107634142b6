/* From a detector's raw value to a natural-log likelihood ratio, bona fide over attack: one small versioned file
 * per detector (calibration/DETECTOR.yaml), bound to the version it was fitted on.
 *
 *   format: 1                      # of this file's layout
 *   detector: passive-fr           # name in bf_evidence.detector
 *   version: 1.0.0                 # of the calibration
 *   fitted_on:
 *     detector_version: 1.0.0      # bf_evidence.version must be exactly this
 *     model_sha256: 64 hex digits  # of the published weights; absent without them or where they are re-exported
 *     dataset: words, for people
 *     live: 315                    # counts of samples of each class
 *     attack: 281
 *   method: isotonic             # how it was fitted, for people: platt, isotonic, bands, min-max or z-score
 *   knots:                       # straight lines from knot to knot; constant outside
 *     - {raw: -4.0, llr: -3.1}   # 2 to 32 of them; raw rises, llr never falls
 *     - {raw: 5.5, llr: 2.9}
 *   platt:                       # or, instead of knots, one straight line
 *     slope: 0.81                # > 0, so larger raw is never less bona fide
 *     intercept: -0.3            # log-odds of bona fide = slope x raw + intercept under the fit's own prior
 *     prior_log_odds: 0.0        # log(P(live) / P(attack)) of the weighted training set; subtracted
 *   by_channel:                  # optional: a map of its own (knots or platt) for captures of a channel
 *     mobile_web:
 *       platt: {slope: 0.7, intercept: -0.5, prior_log_odds: 0.0}
 *   llr:
 *     min: -6.0                  # < 0; the result is clamped to [min, max]
 *     max: 4.0                   # > 0
 *
 * After J. Platt, "Probabilistic outputs for support vector machines" (1999), and B. Zadrozny and C. Elkan,
 * "Transforming classifier scores into accurate multiclass probability estimates" (2002). */
#ifndef BF_CALIBRATE_CALIBRATE_H
#define BF_CALIBRATE_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/words.h"
#include "base/yaml.h"
#include "liveness/detector.h"

#define BF_LLR_LIMIT_MAX 20.0 /* no file may claim a stronger ratio than e^20 */
#define BF_KNOTS_MIN 2
#define BF_KNOTS_MAX 32
#define BF_KNOT_RAW_MAX 1e12

typedef struct bf_knot {
    double raw, llr;
} bf_knot;

/* One curve from raw to llr, which never falls. */
typedef struct bf_calibration_map {
    int knots; /* 0: the straight line slope x raw + intercept - prior_log_odds */
    bf_knot knot[BF_KNOTS_MAX];
    double slope, intercept, prior_log_odds;
} bf_calibration_map;

/* A plain value: read-only after parsing, copied freely, shared between threads. */
typedef struct bf_calibration {
    char detector[BF_NAME_MAX];
    char version[BF_NAME_MAX];
    char id[BF_CONFIG_ID_SIZE]; /* "DETECTOR@VERSION+<first 12 hex of the file's sha256>" for records */
    char detector_version[BF_NAME_MAX];
    char model_sha256[BF_SHA256_HEX_SIZE]; /* "" when the file binds no weights */
    bf_calibration_map map;
    bool has_channel[BF_CHANNEL_COUNT];
    bf_calibration_map by_channel[BF_CHANNEL_COUNT]; /* takes the place of `map` where has_channel */
    double llr_min, llr_max;
} bf_calibration;

/* Parses one file. `name` stands in error messages. CONFIG_INVALID with file and line on any fault (unknown keys,
 * missing keys, numbers out of range), OUT_OF_MEMORY. *ret is written only on success and owns nothing. */
bf_status bf_calibration_parse(const void *yaml, size_t size, const char *name, bf_calibration *ret, bf_error *err);

/* Whether the calibration may be used for this detector, version and weights; CONFIG_INVALID with a hint when not.
 * `model_sha256` may be NULL or "" for a detector without weights; it is compared only when the file binds weights,
 * and then a missing hash does not match. Call it once at load time. */
bf_status bf_calibration_check(const bf_calibration *calibration, const char *detector, const char *detector_version,
                               const char *model_sha256, bf_error *err);

/* raw -> log-likelihood ratio, not clamped: for fitting. NaN gives NaN. */
double bf_calibration_map_llr(const bf_calibration_map *map, double raw);

/* raw -> clamped log-likelihood ratio of a capture of that channel; monotone (never falls when raw rises). NaN gives
 * llr_min. Any thread. */
double bf_calibration_llr(const bf_calibration *calibration, bf_channel channel, double raw);

/* Fills live_llr and sets `calibrated` when the evidence is PRESENT and detector and version are those of the
 * calibration; otherwise clears both (fail closed) and leaves the rest alone. Any thread. */
void bf_calibration_apply(const bf_calibration *calibration, bf_channel channel, bf_evidence *evidence);

/* Reads the map `llr: {min, max}` of `root`: -20 <= min < 0 < max <= 20 (BF_LLR_LIMIT_MAX). Written only on success. */
bf_status bf_calibration_llr_range(const bf_yaml *doc, const bf_yaml_node *root, double *ret_min, double *ret_max,
                                   bf_error *err);

#endif

/* Combining calibrated evidence into one log-likelihood ratio by an explicit, versioned rule (fusion/NAME.yaml):
 * configurations in order of preference, each over the evidence it needs. Evidence that is absent stays absent: it is
 * never replaced by a number; a configuration that needs it is passed over.
 *
 *   format: 1
 *   name: default
 *   version: 1.0.0
 *   live_prior: 0.5              # P(bona fide) at which live_probability is stated
 *   llr: {min: -8.0, max: 8.0}   # clamp of the fused ratio
 *   configurations:              # the first whose `needs` are all present and calibrated is used
 *     - name: dual-passive       # logistic: a weighted sum
 *       bias: 0.1
 *       needs:
 *         passive-fr: 0.9        # detector: weight (0 < weight <= 4) of its live_llr
 *         silentface-v2: 0.7
 *       against:                 # optional: evidence that can only lower the score, when it is present; its absence
 *         passive.context: 0.8   # changes nothing
 *       besides:                 # optional: evidence that counts both ways, when it is present; its absence changes
 *         sequence.flash: 1      # nothing. How much it can raise the score is the clamp of its calibration.
 *     - name: weakest            # the weakest of several: the least of weight x live_llr over `needs`
 *       bias: 0.3
 *       rule: minimum            # optional; `sum` is the default
 *       needs: {passive-fr: 0.5, passive.texture: 0.5}
 *     - name: boosted            # gradient-boosted trees: every tree adds the value of the leaf that is reached
 *       bias: 0.0
 *       needs: [passive-fr]      # names only; trees may also ask for evidence that is not needed
 *       trees:
 *         - value: 0.02          # what is expected before the split: the mean of what lies below it
 *           detector: passive-fr
 *           split: 0.5           # live_llr < split goes `below`, anything else `above`
 *           absent: below        # where it goes when the detector is absent; not for what is needed
 *           below: {value: -0.4} # a node again, or only a value: a leaf
 *           above: {value: 0.4}
 *
 * fused live_llr = clamp(bias + what is made of `needs` + sum of weight x min(live_llr, 0) over those of `against` that
 * are present + sum of weight x live_llr over those of `besides` that are present);
 * live_probability = 1 / (1 + exp(-(live_llr + prior log-odds))).
 *
 * No file can make stronger evidence for bona fide lower the ratio: weights are above 0, and a tree in which a leaf
 * `above` a split is less than one `below` it is refused. A tree credits each change of value on the way to its leaf to
 * the detector that was asked there, so that contributions add up.
 */
#ifndef BF_FUSE_FUSE_H
#define BF_FUSE_FUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "liveness/detector.h"

#define BF_FUSION_CONFIGURATIONS_MAX 8
#define BF_FUSION_TREES_MAX 64 /* of one configuration */
#define BF_FUSION_DEPTH_MAX 4  /* splits from a tree's root to a leaf */

typedef struct bf_fusion bf_fusion;

typedef struct bf_fused {
    bool present;            /* some configuration applied; otherwise liveness was not judged and all else is 0 */
    double live_llr;         /* natural log, after the clamp */
    double live_probability; /* 0..1 at bf_fusion_live_prior */
    char configuration[BF_NAME_MAX];       /* name of the configuration used; "" when not present */
    double bias;                           /* with all contributions it adds up to live_llr before its clamp */
    double contribution[BF_DETECTORS_MAX]; /* what it added, indexed as the evidence passed in; 0 when not used */
    bool used[BF_DETECTORS_MAX];
} bf_fused;

/* Parses a fusion file. CONFIG_INVALID with file and line on any fault (also a configuration that can never be
 * reached because an earlier one needs no more than it), OUT_OF_MEMORY. The caller frees with bf_fusion_free. The
 * object is read-only afterwards and may be shared between threads. */
bf_status bf_fusion_parse(const void *yaml, size_t size, const char *name, bf_fusion **ret, bf_error *err);
void bf_fusion_free(bf_fusion **fusion);

const char *bf_fusion_id(const bf_fusion *fusion); /* "NAME@VERSION+<first 12 hex of the file's sha256>" for records */
double bf_fusion_live_prior(const bf_fusion *fusion);

/* Whether any configuration needs this detector or hears it: which detectors a judgement has to run. */
bool bf_fusion_uses(const bf_fusion *fusion, const char *detector);

/* The distinct detectors of all configurations, in the order they first appear; returns how many were written. */
int bf_fusion_detectors(const bf_fusion *fusion, const char *ret[BF_DETECTORS_MAX]);

/* Fuses `count` (at most BF_DETECTORS_MAX) pieces of evidence. Pure; total; any thread. */
void bf_fusion_apply(const bf_fusion *fusion, const bf_evidence *evidence, int count, bf_fused *ret);

#endif

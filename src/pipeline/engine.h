/* What an engine is made of. Read-only once bf_engine_new has returned. */
#ifndef BF_PIPELINE_ENGINE_H
#define BF_PIPELINE_ENGINE_H

#include "bonafide/engine.h"
#include "calibrate/calibrate.h"
#include "fuse/fuse.h"
#include "infer/net.h"
#include "pipeline/detectors.h"
#include "policy/policy.h"
#include "record/record.h"

/* The networks that every judgement needs, by what they are for (models/stack.yaml names one model for each). */
typedef enum bf_role {
    BF_ROLE_DETECTION,
    BF_ROLE_LANDMARKS,
    BF_ROLE_POSE,
    BF_ROLE_EYE_STATE,
    BF_ROLE_EMBEDDING,
    BF_ROLE_COUNT
} bf_role;

/* A liveness detector and the calibration of what it says. */
typedef struct bf_engine_detector {
    char name[BF_NAME_MAX];
    char version[BF_NAME_MAX];        /* that its evidence will name */
    bf_net *net;                      /* NULL: one of our own, see pipeline/detectors.h */
    const bf_sequence_detector *clip; /* over the frames of a clip; NULL for those that look at a picture */
    bool fused;                       /* the fusion file needs it; others run only for full evidence */
    bf_reason against;                /* what a decision calls its evidence against */
    bool calibrated;
    bf_calibration calibration;
} bf_engine_detector;

struct bf_engine {
    bf_net *role[BF_ROLE_COUNT];
    bf_own_models own_models;
    bf_engine_detector detector[BF_DETECTORS_MAX];
    int detector_count;
    bool match_calibrated;
    bf_calibration match_calibration;
    bf_fusion *fusion;
    bf_policy *policy[BF_POLICIES_MAX];
    int policy_count;
    bool mirror;
    bf_decode_limits limits;
    bf_record_versions versions; /* all but the policy and the fusion configuration, which differ by request */
    double (*clock_ms)(void *clock_data);
    void *clock_data;
};

/* Milliseconds now, or 0 without a clock. */
double bf_engine_now(const bf_engine *engine);

/* The policy of a journey; NULL when there is none. */
const bf_policy *bf_engine_policy(const bf_engine *engine, const char *flow);

#endif

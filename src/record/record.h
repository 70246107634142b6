/* The record: everything one judgement saw, concluded and was made with. Plain data; the pipeline fills it, and
 * record/json.h writes it. Zero-initialised it is a valid record of nothing judged. Not shared between threads while
 * it is being filled. */
#ifndef BF_RECORD_RECORD_H
#define BF_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/limits.h"
#include "bonafide/engine.h"
#include "calibrate/calibrate.h"
#include "capture/plan.h"
#include "decode/decode.h"
#include "face/face.h"
#include "face/track.h"
#include "integrity/integrity.h"
#include "liveness/sequence.h"
#include "liveness/stream/fingerprint.h"
#include "policy/policy.h"
#include "quality/quality.h"

#define BF_REQUEST_ID_SIZE 80  /* with the NUL */
#define BF_RECORD_CROPS_MAX 16 /* crops that networks saw */
#define BF_RECORD_CHOSEN_MAX 6 /* frames of a clip that the detectors for stills looked at */
#define BF_RECORD_SEQUENCE_MAX 8

/* What was asked, as far as it can change the decision: replay asks the same again. */
typedef struct bf_record_request {
    char flow[BF_NAME_MAX]; /* journey, "account_opening" */
    bf_channel channel;
    bf_risk_context risk;
    bool full_evidence; /* detectors ran although an earlier stage had already decided */
    bool mirror;        /* liveness networks also saw the mirror image */
    bf_match_order match_order;
    bool kill_switch; /* the operator had switched automatic decisions off */
    bool planned;     /* `plan` is what the capture was asked to do */
    bf_plan plan;
} bf_record_request;

/* One file that was given: the capture, or the reference portrait. */
typedef struct bf_record_input {
    bool given;
    size_t bytes;
    char sha256[BF_SHA256_HEX_SIZE];
    int width, height;    /* upright, px; 0 when it could not be decoded */
    bf_media_facts media; /* .container names the format */
} bf_record_input;

/* A frame of a clip in original pixels. */
typedef struct bf_record_frame {
    int index; /* among the coded frames */
    double ms;
} bf_record_frame;

/* What was seen of a burst or a video. `input`, `faces` and `quality` of the record are those of its best frame. */
typedef struct bf_record_capture {
    bool sequence; /* the media was a burst or a video; the rest is valid */
    bf_clip_facts clip;
    int analysed;                                 /* frames that were looked at */
    double begin_ms, end_ms;                      /* the first and the last of them */
    bf_record_frame chosen[BF_RECORD_CHOSEN_MAX]; /* by time */
    int chosen_count;
    int best; /* of `chosen`; valid when there is one */
    bf_track track;
    bf_sequence_evidence detail[BF_RECORD_SEQUENCE_MAX]; /* findings and figures of what stands in `evidence` too */
    int detail_count;
    bf_clip_fingerprint fingerprint; /* to know the capture again; empty when no detector took it */
} bf_record_capture;

typedef struct bf_match_facts {
    bf_status reference_status; /* BF_OK or a BF_REFERENCE_* code; valid when the reference was given */
    bool present;               /* both embeddings were compared */
    double similarity;          /* cosine, -1..1; valid when present */
    bool calibrated;            /* same_llr is valid */
    double same_llr;            /* natural-log likelihood ratio, same person over different people */
} bf_match_facts;

typedef struct bf_record_model {
    char name[BF_NAME_MAX];
    char version[BF_NAME_MAX];
    char sha256[BF_SHA256_HEX_SIZE]; /* of the bytes that ran */
    bool optimised;                  /* the rewritten file ran, not the published one */
} bf_record_model;

typedef struct bf_record_versions {
    char code[BF_NAME_MAX];    /* "0.1.0" */
    char build[BF_NAME_MAX];   /* what the code was built from and with; "" when unknown */
    char runtime[BF_NAME_MAX]; /* "onnxruntime 1.29.0" */
    bf_record_model model[BF_MODELS_MAX];
    int model_count;
    char calibration[BF_DETECTORS_MAX + 1][BF_CONFIG_ID_SIZE]; /* one per calibrated detector, and the match's */
    int calibration_count;
    char fusion[BF_CONFIG_ID_SIZE];         /* version of the fusion file */
    char fusion_configuration[BF_NAME_MAX]; /* which of its configurations was used, "default" */
    char policy[128];                       /* bf_policy_version() */
} bf_record_versions;

typedef enum bf_stage {
    BF_STAGE_DECODE,   /* of all frames of a clip */
    BF_STAGE_FACES,    /* detection */
    BF_STAGE_GEOMETRY, /* landmarks, pose, eyes */
    BF_STAGE_QUALITY,
    BF_STAGE_SEQUENCE, /* detectors over all frames of a clip, and choosing frames */
    BF_STAGE_LIVENESS,
    BF_STAGE_REFERENCE, /* decoding, detection and embedding of the reference portrait */
    BF_STAGE_MATCH,
    BF_STAGE_POLICY,
    BF_STAGE_COUNT
} bf_stage;

/* The part of the picture that one network saw; corners in pixels of the upright picture, clockwise from the
 * tensor's upper left. */
typedef struct bf_record_crop {
    char model[BF_NAME_MAX];
    bf_point corner[4];
} bf_record_crop;

struct bf_record {
    char request_id[BF_REQUEST_ID_SIZE]; /* the caller's; "" when none was given */
    bf_record_request request;
    bf_record_input input;
    bf_record_input reference;

    bf_status status; /* BF_OK, or why the capture could not be judged */
    bf_error error;   /* message, hint and detail when status is not BF_OK */

    bf_record_capture capture;
    bf_challenge_outcome challenge; /* what came of the plan's steps */
    bf_light_outcome light;         /* and of its light; what the policy made of it is policy.light */
    bf_signals signals;             /* of the capture path */
    bf_faces faces;                 /* count 0 when none was looked for or found */
    bool measured;                  /* quality is valid */
    bf_quality quality;
    bf_evidence evidence[BF_DETECTORS_MAX];
    int evidence_count;
    bool liveness_present;   /* some calibrated evidence was fused */
    double live_probability; /* 0..1 at the fusion's stated prior; valid when liveness_present */
    double live_llr;         /* fused natural-log likelihood ratio; valid when liveness_present */
    double fusion_bias;      /* with the contributions of the evidence it adds up to live_llr, but for its clamp */
    bf_match_facts match;
    bf_policy_output policy; /* always filled: there is a decision for every input */

    bf_record_versions versions;

    double total_ms;                 /* 0 when no clock was given */
    double stage_ms[BF_STAGE_COUNT]; /* 0 for a stage that did not run, or without a clock */

    bf_record_crop crop[BF_RECORD_CROPS_MAX]; /* for people who want to see why; may be empty */
    int crop_count;
    bf_point outline[BF_FACE_OUTLINE_MAX]; /* of the primary face's mask, px of the upright picture; may be empty */
    int outline_count;
};

/* "ok": judged. "could_not_judge": the capture was read but gives nothing to judge by (the quality family).
 * "error": the input could not be read, or something of ours failed. Static text. */
const char *bf_record_status_name(const bf_record *record);

/* The record's status, or NO_LIVENESS_EVIDENCE when it says OK but holds no verdict: what the outside is told. */
bf_status bf_record_outcome(const bf_record *record);

/* "live", "spoof" or "uncertain" after the policy's band; NULL when nothing was judged. Static text. */
const char *bf_record_label(const bf_record *record);

/* "still", "burst" or "video"; static text. */
const char *bf_record_media_kind(const bf_record *record);

/* "decode", "faces", ... ; static text. */
const char *bf_stage_name(bf_stage stage);

#endif

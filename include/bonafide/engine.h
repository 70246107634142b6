/** @file engine.h
 *  Judging: from the bytes of a photo to an explained decision.
 *
 *  A bf_engine holds what is shared and read-only: networks, calibration, fusion, policies. A bf_judge holds one
 *  thread's buffers. A bf_record is the outcome. Judging is a pure function of the request and the engine's files:
 *  the same bytes give the same record on any thread, apart from timings.
 */
#ifndef BONAFIDE_ENGINE_H
#define BONAFIDE_ENGINE_H

#include <stddef.h>

#include "bonafide/decision.h"
#include "bonafide/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Shared, read-only state; any number of threads may use it at once. */
typedef struct bf_engine bf_engine;
/** One thread's state; never used by two threads at once. */
typedef struct bf_judge bf_judge;
/** The outcome of one judgement; immutable, any thread may read it. */
typedef struct bf_record bf_record;

/** Ceilings on the pictures that are read; 0 in a field means the default of src/base/limits.h. */
typedef struct bf_limits {
    size_t input_bytes_max;   /**< bytes of one file; default 20 MiB */
    size_t pixels_max;        /**< width x height; default 40 million, at most 500 million */
    int side_min_px;          /**< least width and least height; default 100 */
    size_t decoder_bytes_max; /**< memory a decoder may take besides the pixels; default 256 MiB */
    int jpeg_scans_max;       /**< scans of a progressive JPEG; default 100 */
} bf_limits;

/** How an engine is made. Zero-initialise and set struct_size; NULL or 0 in a field means the default. Strings are
 *  borrowed for the call only. */
typedef struct bf_engine_options {
    size_t struct_size;      /**< sizeof(bf_engine_options) */
    const char *data_dir;    /**< folder with models/, policies/, calibration/ and fusion/; required */
    const char *weights_dir; /**< folder with the weights; required */
    const char *fusion;      /**< name of the fusion file without ".yaml"; default "default" */
    bool mirror;             /**< average each passive network over the picture and its mirror image (twice the cost) */
    bf_limits limits;        /**< ceilings on captures and references */
    double (*clock_ms)(void *clock_data); /**< monotonic milliseconds for the timings; NULL leaves them out */
    void *clock_data; /**< passed to clock_ms; must outlive the engine; clock_ms is called from any thread */
} bf_engine_options;

/** Loads and verifies models, calibration, fusion and policies.
 *  The first call in a process sets ORT_DISABLE_TELEMETRY in its environment: make the first engine before starting
 *  threads that use the environment.
 *  On success the caller owns *ret_engine and frees it with bf_engine_free after every judge made from it.
 *  Errors: INVALID_ARGUMENT, MODEL_UNAVAILABLE, MODEL_TAMPERED, MODEL_UNAPPROVED, MODEL_INVALID, CONFIG_INVALID,
 *  IO_ERROR, OUT_OF_MEMORY; *ret_engine is then untouched. */
BF_API bf_status bf_engine_new(const bf_engine_options *options, bf_engine **ret_engine, bf_error *err);

/** Frees an engine and sets the pointer to NULL; accepts NULL and a pointer to NULL. */
BF_API void bf_engine_free(bf_engine **engine);

/** Makes one thread's state. The engine must outlive it. The caller frees it with bf_judge_free. */
BF_API bf_status bf_judge_new(const bf_engine *engine, bf_judge **ret_judge, bf_error *err);

/** Frees a judge, wiping its buffers; accepts NULL. */
BF_API void bf_judge_free(bf_judge **judge);

/** When the face is compared with the reference. The decision is the same either way. */
typedef enum bf_match_order {
    BF_MATCH_AFTER_LIVENESS, /**< in sequence: not at all when quality or liveness has already settled the outcome */
    BF_MATCH_ALWAYS          /**< in parallel to liveness, the signals kept apart: whenever both faces can be used */
} bf_match_order;

/** What to judge. Zero-initialise and set struct_size. Everything is borrowed for the call only. */
typedef struct bf_request {
    size_t struct_size;     /**< sizeof(bf_request) */
    const char *request_id; /**< goes into the record; NULL leaves it out */
    const void *media;      /**< bytes of a photo, a capture file or a video, not trusted; told apart by content */
    size_t media_size;      /**< bytes */
    /** Why the media could not be had (IO_ERROR, IMAGE_TOO_LARGE, ...): the record says so, and `media` is not looked
     *  at. NULL when it was had. */
    const bf_error *media_error;
    const void *reference;      /**< bytes of the ID portrait; NULL when none is to be compared */
    size_t reference_size;      /**< bytes */
    const char *flow;           /**< journey, the name of a policy; default "account_opening" */
    const char *channel;        /**< "android_app", "ios_app", "mobile_web", "desktop_web", "kiosk"; NULL = not said */
    const char *context_json;   /**< risk context as JSON text, see docs/reference/record.md; NULL = low risk */
    const char *plan_json;      /**< what this capture was asked to do, see docs/reference/capture.md; NULL = nothing */
    bool full_evidence;         /**< run every known detector, even when quality failed; the decision is the same */
    bf_match_order match_order; /**< default BF_MATCH_AFTER_LIVENESS */
    bool kill_switch; /**< automatic decisions are off: what is judged decides as the policy's kill_switch says */
} bf_request;

/** Judges one capture: a still photo, a burst of frames or a short video. Whatever the bytes are, the answer is BF_OK
 *  with a record whose decision says what to do next; unreadable input, poor quality and internal failures are told
 *  apart inside the record. On success the caller owns *ret_record. Errors: INVALID_ARGUMENT (unknown flow, channel or
 *  context key; a plan that is none), OUT_OF_MEMORY (no record could be made); *ret_record is then untouched. */
BF_API bf_status bf_judge_capture(bf_judge *judge, const bf_request *request, bf_record **ret_record, bf_error *err);

/** Compares two portraits only: no liveness, no policy bands; the record's match holds the similarity and the
 *  outcome by the bands of `flow` (NULL = "account_opening"). Ownership and errors as bf_judge_capture. */
BF_API bf_status bf_judge_match(bf_judge *judge, const bf_request *request, bf_record **ret_record, bf_error *err);

/** Frees a record; accepts NULL. */
BF_API void bf_record_free(bf_record **record);

/** What to do next. */
BF_API bf_decision bf_record_decision(const bf_record *record);
/** "approve", "retry", "challenge", "review" or "reject". */
BF_API const char *bf_record_decision_name(const bf_record *record);
/** Liveness band; BF_BAND_NOT_JUDGED when judging was impossible. */
BF_API bf_band bf_record_band(const bf_record *record);
/** Calibrated probability of a bona fide presentation in percent at the fusion's stated prior; -1 when not judged. */
BF_API double bf_record_score(const bf_record *record);
/** Comparison with the reference. */
BF_API bf_match_outcome bf_record_match(const bf_record *record);
/** Cosine similarity -1..1; -2 when nothing was compared. */
BF_API double bf_record_similarity(const bf_record *record);
/** Why the faces were not compared although a reference was given: a BF_REFERENCE_ code, or what is wrong with the
 *  capture. BF_OK when they were compared, or when nothing had to be. */
BF_API bf_status bf_record_match_problem(const bf_record *record);
/** BF_OK when liveness was judged, else why not (NO_FACE, CORRUPT_IMAGE, INPUT_QUALITY_TOO_LOW, ...). */
BF_API bf_status bf_record_error(const bf_record *record);
/** One sentence about bf_record_error(); "" when that is BF_OK. Lives as long as the record. */
BF_API const char *bf_record_error_message(const bf_record *record);
/** First reason of the decision; lives as long as the record. */
BF_API const char *bf_record_reason(const bf_record *record);
/** The `index`-th reason of the decision, the first of all at 0; NULL past the last. Static text. EVIDENCE_ ones come
 *  last: what weighed most against a clear pass, heaviest first. They are for operators, not for the person. */
BF_API const char *bf_record_reason_at(const bf_record *record, int index);
/** The `index`-th guidance code ("move_closer"), most important first; NULL past the last. Static text. */
BF_API const char *bf_record_guidance(const bf_record *record, int index);

/** Frames of a burst or a video that were looked at; 0 for a still. */
BF_API int bf_record_frames(const bf_record *record);
/** Milliseconds from the first to the last of them. */
BF_API double bf_record_duration_ms(const bf_record *record);
/** What was noticed over the frames ("another_face"), by detector, the `index`-th; NULL past the last. Static text. */
BF_API const char *bf_record_finding(const bf_record *record, int index);

/** Whether timings are left out of the text, so that equal judgements give equal bytes. */
#define BF_JSON_NO_TIMING 1u
/** Indented, for people. */
#define BF_JSON_PRETTY 2u
/** With every face's box, the landmarks, the crops that networks saw and the face mask's outline, for drawing. */
#define BF_JSON_GEOMETRY 4u

/** The whole record as JSON (see api/record.schema.json). The caller frees *ret_json with free(). */
BF_API bf_status bf_record_json(const bf_record *record, unsigned flags, char **ret_json, bf_error *err);

#ifdef __cplusplus
}
#endif
#endif

/* What the looks at one capture share: the client's report as a plain structure, and the list that is filled. Private
 * to src/integrity/. */
#ifndef BF_INTEGRITY_LOOK_H
#define BF_INTEGRITY_LOOK_H

#include <stdbool.h>

#include "base/attr.h"
#include "integrity/integrity.h"

typedef enum bf_kind {
    BF_KIND_VIRTUAL_CAMERA,
    BF_KIND_TEST_CAMERA,
    BF_KIND_ALTERED_CAMERA,
    BF_KIND_RELAYED_CAMERA,
    BF_KIND_CAMERA_UNNAMED,
    BF_KIND_NO_CAMERA_LISTED,
    BF_KIND_REAR_CAMERA,
    BF_KIND_SETTINGS_BEYOND_CAPABILITIES,
    BF_KIND_SIZE_NOT_AS_REQUESTED,
    BF_KIND_FRAME_SIZE_MISMATCH,
    BF_KIND_FRAMES_TOO_FAST,
    BF_KIND_SIZE_CHANGED,
    BF_KIND_MIRRORED,
    BF_KIND_FILE_UPLOAD,
    BF_KIND_GET_USER_MEDIA_REPLACED,
    BF_KIND_ENUMERATE_DEVICES_REPLACED,
    BF_KIND_CANVAS_REPLACED,
    BF_KIND_AUTOMATED_BROWSER,
    BF_KIND_HEADLESS_BROWSER,
    BF_KIND_IMPOSSIBLE_SCREEN,
    BF_KIND_PLATFORM_MISMATCH,
    BF_KIND_EMULATOR,
    BF_KIND_ROOTED,
    BF_KIND_DEBUGGER,
    BF_KIND_HOOKED_API,
    BF_KIND_SCREEN_CAPTURE,
    BF_KIND_REMOTE_CONTROL,
    BF_KIND_ATTESTATION_FAILED,
    BF_KIND_INJECTED_STREAM,
    BF_KIND_NO_CLIENT_REPORT,
    BF_KIND_MALFORMED_REPORT,
    BF_KIND_FOREIGN_CLIENT,
    BF_KIND_STALE_CHALLENGE,
    BF_KIND_CHALLENGE_UNNAMED,
    BF_KIND_PLAN_NOT_SHOWN,
    BF_KIND_SHOWN_AT_OTHER_TIMES,
    BF_KIND_DURATION_MISMATCH,
    BF_KIND_UNEXPLAINED_GAP,
    BF_KIND_REGULAR_TIMES,
    BF_KIND_PAGE_HIDDEN,
    BF_KIND_CLOCK_DRIFT,
    BF_KIND_EDITED_MEDIA,
    BF_KIND_GENERATED_MEDIA,
    BF_KIND_REENCODED_MEDIA,
    BF_KIND_FRAMES_NOT_FROM_PAGE,
    BF_KIND_ENCODER_MISMATCH,
    BF_KIND_SEEN_BEFORE,
    BF_KIND_SEEN_SIMILAR,
    BF_KIND_COUNT
} bf_kind;

/* A claim that may be missing. */
typedef enum bf_claim { BF_CLAIM_NONE, BF_CLAIM_NO, BF_CLAIM_YES } bf_claim;

/* NAN where a number is missing. */
typedef struct bf_report_mode {
    double width, height, frame_rate;
} bf_report_mode;

/* The client's report. Text is printable ASCII, cut where it is long, '?' for what is none; "" when missing. */
typedef struct bf_report {
    bool given;         /* there is a report */
    char malformed[32]; /* the first key that is not of its type, or that a page of ours would not have left out */
    char sdk[64];
    char user_agent[512];
    char platform[64];
    char capture[16];
    double screen_width, screen_height, pixel_ratio, touch_points;
    bf_claim webdriver, mirrored;
    bool camera_given;
    char label[128], facing[32];
    double device_count;
    bf_report_mode settings, requested, most; /* `most`: what the capabilities allow */
    bf_claim get_user_media_native, enumerate_devices_native, canvas_native;
    double frames_dropped, hidden_ms, rotations, clock_drift_ms;
    bool device[BF_KIND_COUNT]; /* flags of `device`, by the signal of the same name */
} bf_report;

/* Reads the client's JSON. Total: what is not of its type is left out and named in `malformed`. */
void bf_report_read(const json_t *client, bf_report *ret);

/* Whether the report claims to come from our page. */
bool bf_report_is_web(const bf_report *report);

/* What is filled while looking: every kind at most once. */
typedef struct bf_findings {
    bool found[BF_KIND_COUNT];
    char detail[BF_KIND_COUNT][BF_SIGNAL_DETAIL_SIZE];
} bf_findings;

void bf_find(bf_findings *findings, bf_kind kind, const char *format, ...) BF_PRINTF(3, 4);

/* Letters in lower case, everything else but digits a space, with a space before and behind: so " obs " is a word and
 * "virtual" a part of one. */
void bf_words_of(const char *text, char *ret, size_t size);

/* The looks, each at one part. */
void bf_look_at_camera(const bf_integrity_input *input, const bf_report *report, bf_findings *findings);
void bf_look_at_client(const bf_integrity_input *input, const bf_report *report, bf_findings *findings);
void bf_look_at_media(const bf_integrity_input *input, const bf_report *report, bf_findings *findings);
void bf_look_at_timing(const bf_integrity_input *input, const bf_report *report, bf_findings *findings);

/* The browser engine that a user agent claims; OTHER when it does not say. Every browser on iOS is WebKit. */
typedef enum bf_engine_claim {
    BF_ENGINE_CLAIM_OTHER,
    BF_ENGINE_CLAIM_CHROMIUM,
    BF_ENGINE_CLAIM_GECKO,
    BF_ENGINE_CLAIM_WEBKIT
} bf_engine_claim;
bf_engine_claim bf_engine_of(const char *user_agent);

#endif

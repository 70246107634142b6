/* Versioned rules: evidence in, decision and reasons out. Pure; a loaded policy is read-only and shared by threads.
 * docs/reference/policy.md describes the files. */
#ifndef BF_POLICY_POLICY_H
#define BF_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/words.h"
#include "bonafide/codes.h"
#include "bonafide/decision.h"
#include "bonafide/policy.h"
#include "bonafide/status.h"
#include "integrity/integrity.h"
#include "liveness/sequence.h"
#include "quality/quality.h"

typedef enum bf_risk_tier { BF_RISK_LOW, BF_RISK_MEDIUM, BF_RISK_HIGH } bf_risk_tier;

#define BF_CALLER_SIGNALS_MAX 16                          /* of one caller */
#define BF_DEVICE_SIGNALS_MAX (BF_CALLER_SIGNALS_MAX + 1) /* and one that the service found out */

/* What the caller (the operator's back end, trusted) says about the session. */
typedef struct bf_risk_context {
    bf_risk_tier risk_tier;
    char device_signals[BF_DEVICE_SIGNALS_MAX][BF_NAME_MAX]; /* names such as "emulator", "rooted", "virtual_camera" */
    int device_signal_count;
    double document_confidence; /* 0..1; negative = unknown */
    int retry_count;            /* attempts already made in this session */
    int uncertain_count;        /* those of them that were judged but not clear */
    int previous_failures;      /* earlier sessions of this subject that were rejected */
} bf_risk_context;

/* Everything the rules may look at. */
typedef struct bf_policy_input {
    bf_status judging;           /* BF_OK, or why the capture could not be decoded or judged (input, quality, model,
                                     internal families) */
    const bf_quality *quality;   /* NULL when no face was measured */
    const bf_evidence *evidence; /* what was fused, for the reasons only; no rule looks at it */
    int evidence_count;
    bool liveness_present;   /* some calibrated evidence was fused */
    double live_probability; /* 0..1 at the fusion's stated prior; valid when liveness_present */
    bool match_requested;
    bf_status reference_status;     /* BF_OK or a BF_REFERENCE_* code; valid when match_requested */
    bool match_present;             /* both embeddings were compared */
    double match_similarity;        /* cosine, -1..1; valid when match_present */
    bf_challenge_outcome challenge; /* of the asked steps; NOT_ASKED only when the plan asked for none */
    bf_light_outcome light;         /* of the flash, likewise */
    bf_channel channel;
    bf_risk_context risk;
    const bf_signals *signals; /* about the capture path; they count as device signals do. NULL: none */
    bool kill_switch;          /* the operator has switched automatic decisions off */
} bf_policy_input;

#define BF_REASONS_MAX 16 /* of the policy 12 at most */
#define BF_EVIDENCE_REASONS_MAX 3
#define BF_EVIDENCE_AGAINST                                                                                            \
    (-0.25) /* a contribution up to this weighs against the person: it lowers the odds by 22 % */
#define BF_GUIDANCES_MAX 8

typedef struct bf_policy_output {
    bf_decision decision;
    bf_band band;
    bf_match_outcome match;
    bf_light_outcome light; /* NOT_ASKED also where the capture was not judged or the policy wants none */
    bool quality_passed;    /* false when a gate threshold was missed or no face was measured */
    bool measure_failed[BF_MEASURE_COUNT];
    bf_reason reasons[BF_REASONS_MAX]; /* reasons[0] is the first reason; those of evidence (bf_reason_is_evidence) are
                                          the last */
    int reason_count;
    bf_guidance guidance[BF_GUIDANCES_MAX]; /* most important first */
    int guidance_count;
    char rule[BF_NAME_MAX]; /* id of the rule that decided, for the operator */
} bf_policy_output;

typedef struct bf_policy bf_policy;

/* Parses and lints a policy that stands alone; any fault is CONFIG_INVALID with file and line ("name:line: ..."),
 * or OUT_OF_MEMORY. `name` is the file name used in messages. The caller frees *ret with bf_policy_free; it is
 * untouched on failure. A policy that says `extends` needs bf_policy_parse_extending or bf_policy_read. */
bf_status bf_policy_parse(const void *yaml, size_t size, const char *name, bf_policy **ret, bf_error *err);

/* The bytes of a policy file. Borrowed. */
typedef struct bf_policy_text {
    const void *yaml;
    size_t size;
    const char *name;
} bf_policy_text;

/* The same for a policy and the base its `extends` names. `base` may be NULL. */
bf_status bf_policy_parse_extending(const bf_policy_text *own, const bf_policy_text *base, bf_policy **ret,
                                    bf_error *err);

/* Lints such a policy as bf_policy_lint does, and runs its test cases; `report`, which may be NULL, receives each. */
bf_status bf_policy_lint_text(const bf_policy_text *own, const bf_policy_text *base, bf_policy_report report,
                              void *context, bf_error *err);

/* Reads a policy file and, where it says `extends`, the base beside it, and parses both. IO_ERROR when a file cannot
 * be read; else as bf_policy_parse. */
bf_status bf_policy_read(const char *path, bf_policy **ret, bf_error *err);

void bf_policy_free(bf_policy **policy);

#define BF_POLICIES_MAX 32 /* of one installation */

/* Reads every policies/NAME.yaml of the data folder, in the order of their names. A policy each for its journey; at
 * least one. Errors as above. On success the caller frees the *ret_count policies with bf_policies_free. */
bf_status bf_policies_read(const char *data_dir, bf_policy *ret[BF_POLICIES_MAX], int *ret_count, bf_error *err);
void bf_policies_free(bf_policy *list[], int count);

const char *bf_policy_flow(const bf_policy *policy); /* "account_opening" */

/* "account_opening@1.0.0+<first 12 hex digits of the SHA-256 of the file, followed by its base where it has one>":
 * `cat account_opening.yaml base.yaml | sha256sum` shows the same digits. */
const char *bf_policy_version(const bf_policy *policy);

/* Attempts already made on the channel at which no more are asked for: one more than that are made at most. */
int bf_policy_retry_cap(const bf_policy *policy, bf_channel channel);

/* What the person's device may leave out of a plan by itself; bits. The caller may leave out anything. */
typedef enum bf_excuse { BF_EXCUSE_NONE, BF_EXCUSE_STEPS, BF_EXCUSE_FLASH, BF_EXCUSE_ANY } bf_excuse;

/* What a capture of a session is asked to show, before exclusions and wishes of the person (which may take steps and
 * the flash away, or make the flash gentle). */
typedef struct bf_capture_ask {
    bf_excuse excuse;         /* also where nothing is asked yet */
    bool active;              /* false: nothing is asked but to look into the camera, and the rest is zero */
    int steps_min, steps_max; /* asked steps besides the first look, 1..BF_POLICY_STEPS_MAX */
    bf_flash_form flash;
} bf_capture_ask;

#define BF_POLICY_STEPS_MAX 4

/* What the policy's section `capture` asks of the session's next capture. `risk` is what is known so far: the tier,
 * raised by device signals. `challenged`: some decision of this session was "challenge" or some plan of it was active;
 * from then on every capture is asked for more, so that nobody comes back to a passive one. Total. */
bf_capture_ask bf_policy_capture(const bf_policy *policy, bf_channel channel, const bf_risk_context *risk,
                                 bool challenged);

/* The thresholds of a channel: the least probability 0..1 of the bands pass and uncertain, and the least cosine of
 * strong and weak matches. */
typedef struct bf_policy_bands {
    double pass, uncertain;
    bool match_required;
    double strong, weak;
} bf_policy_bands;
bf_policy_bands bf_policy_bands_of(const bf_policy *policy, bf_channel channel);

/* Measures that pass the gate of a channel, though only just: for deciding again about what was measured before. */
void bf_policy_quality_passing(const bf_policy *policy, bf_channel channel, bf_quality *ret);

/* The quality gate alone, for callers that want to stop before the expensive stages. Returns whether it passed; fills
 * quality_passed, measure_failed and guidance, and sets everything else to zero. `quality` may be NULL: not passed.
 * bf_policy_decide judges quality by this very gate. */
bool bf_policy_gate(const bf_policy *policy, bf_channel channel, const bf_quality *quality, bf_policy_output *ret);

/* The match band of one similarity (cosine) on a channel: STRONG, WEAK or NONE; NOT_JUDGED for a number that is no
 * cosine. */
bf_match_outcome bf_policy_match_outcome(const bf_policy *policy, bf_channel channel, double similarity);

/* Decides. Total: every input yields a decision, and anything unforeseen yields review or retry, never approve.
 * Numbers out of range count against approval: a probability that is none is not judged, an unknown risk tier is high,
 * an unknown channel has no overrides. When the capture could not be judged (judging is not BF_OK, or the gate failed)
 * the band is NOT_JUDGED, whatever the evidence. */
void bf_policy_decide(const bf_policy *policy, const bf_policy_input *input, bf_policy_output *ret);

const char *bf_decision_name(bf_decision decision);
const char *bf_band_name(bf_band band);
const char *bf_match_outcome_name(bf_match_outcome outcome);
const char *bf_light_name(bf_light_outcome light);
const char *bf_risk_tier_name(bf_risk_tier tier);
bool bf_risk_tier_from_name(const char *name, bf_risk_tier *ret);

#endif

/* A parsed policy, and the situations its rules speak about. Private to src/policy/.
 *
 * Rules never see raw numbers. The input is first reduced to a *situation*: one word for each of eleven facts. There
 * are finitely many situations, so the linter can visit every one and prove what a policy can and cannot do. */
#ifndef BF_POLICY_RULES_H
#define BF_POLICY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/yaml.h"
#include "policy/policy.h"

#define BF_POLICY_SIGNALS_MAX 64
#define BF_POLICY_TEXT_MAX 2048 /* rationale, with the NUL */

typedef enum bf_fact {
    BF_FACT_CAPTURE, /* could the capture be judged at all, else why not */
    BF_FACT_BAND,    /* liveness */
    BF_FACT_MATCH,
    BF_FACT_CHALLENGE, /* what came of the asked steps */
    BF_FACT_LIGHT,     /* what came of the screen's light */
    BF_FACT_RISK,      /* the caller's tier, raised by device signals */
    BF_FACT_DEVICE,    /* the gravest device signal */
    BF_FACT_CHANNEL,
    BF_FACT_ATTEMPT,  /* how many attempts were made, and how many were not clear, against the retry caps */
    BF_FACT_FAILURES, /* previous failures */
    BF_FACT_DOCUMENT, /* confidence in the document behind the reference */
    BF_FACT_COUNT
} bf_fact;

typedef enum bf_capture {
    BF_CAPTURE_OK,
    BF_CAPTURE_INPUT_UNUSABLE,
    BF_CAPTURE_NO_FACE,
    BF_CAPTURE_MULTIPLE_FACES,
    BF_CAPTURE_LOW_QUALITY,
    BF_CAPTURE_ERROR, /* of ours; another attempt may succeed */
    BF_CAPTURE_OUTAGE /* of ours; another attempt cannot succeed until an operator has acted */
} bf_capture;

/* The band and channel facts are bf_band and bf_channel; risk is bf_risk_tier, challenge is bf_challenge_outcome,
 * light is bf_light_outcome. */

/* Finer than bf_match_outcome, because it matters why nothing was compared. The first four have its numbers. */
typedef enum bf_match_fact {
    BF_MATCH_FACT_NOT_REQUESTED,
    BF_MATCH_FACT_STRONG,
    BF_MATCH_FACT_WEAK,
    BF_MATCH_FACT_NONE,
    BF_MATCH_FACT_REFERENCE_UNUSABLE, /* the portrait is at fault */
    BF_MATCH_FACT_NOT_COMPARED,       /* requested, portrait not at fault, no similarity */
    BF_MATCH_FACT_MISSING             /* the policy requires a match and none was requested */
} bf_match_fact;

/* What a device signal does, from harmless to grave. MEDIUM and HIGH raise the risk tier; the graver ones make it
 * high and forbid everything milder than their name (the linter sees to that); a challenge that was followed settles
 * CHALLENGE. */
typedef enum bf_effect {
    BF_EFFECT_LOW,
    BF_EFFECT_MEDIUM,
    BF_EFFECT_HIGH,
    BF_EFFECT_CHALLENGE,
    BF_EFFECT_REVIEW,
    BF_EFFECT_REJECT
} bf_effect;

typedef enum bf_device {
    BF_DEVICE_CLEAR,
    BF_DEVICE_RISK,
    BF_DEVICE_CHALLENGE,
    BF_DEVICE_REVIEW,
    BF_DEVICE_REJECT
} bf_device;

/* EARLY: another attempt may be asked for, whatever the cause. LATE: no more after a capture that was judged but not
 * clear. LAST: nothing more may be asked of the person. */
typedef enum bf_attempt { BF_ATTEMPT_EARLY, BF_ATTEMPT_LATE, BF_ATTEMPT_LAST } bf_attempt;

typedef enum bf_failures { BF_FAILURES_NONE, BF_FAILURES_SOME, BF_FAILURES_MANY } bf_failures;

typedef enum bf_document { BF_DOCUMENT_UNKNOWN, BF_DOCUMENT_OK, BF_DOCUMENT_LOW } bf_document;

#define BF_FACT_VALUES_MAX 7
_Static_assert(BF_POLICY_RULES_MAX <= 64, "a set of rules fits 64 bits");

typedef struct bf_situation {
    uint8_t value[BF_FACT_COUNT];
} bf_situation;

/* A set of situations that is a product: for each fact, a set of allowed values; one bit per value of each fact. */
typedef uint64_t bf_fact_mask;

/* One measure's thresholds. */
typedef struct bf_measure_gate {
    bool used;
    bool optional;             /* a measure that could not be assessed does not count */
    int value_min;             /* 0..100; 0 = none */
    double native_min;         /* -INFINITY = none */
    double native_max;         /* INFINITY = none */
    bf_guidance guidance;      /* fault below, or without direction */
    bf_guidance guidance_high; /* fault above */
} bf_measure_gate;

typedef struct bf_device_signal {
    char name[BF_NAME_MAX];
    bf_effect effect;
} bf_device_signal;

/* When the challenge comes. SEQUENCE: a passive capture first, a challenge when the decision is one. PARALLEL: with the
 * first capture. ADAPTIVE: as SEQUENCE at low risk, as PARALLEL from medium risk up. */
typedef enum bf_pattern { BF_PATTERN_SEQUENCE, BF_PATTERN_PARALLEL, BF_PATTERN_ADAPTIVE } bf_pattern;

typedef struct bf_steps {
    int min, max;
} bf_steps;

/* Every value that may differ by channel. */
typedef struct bf_policy_settings {
    bf_measure_gate gate[BF_MEASURE_COUNT];
    double pass, uncertain; /* least probability, 0..1 */
    bool match_required;
    double strong, weak;     /* least cosine */
    int retry_cap;           /* attempts already made at which no more are asked for */
    int uncertain_cap;       /* the same, of attempts that were judged but not clear */
    bf_decision escalate_to; /* CHALLENGE or REVIEW */
    bf_effect other_signal;  /* effect of a signal that is not listed */
    bf_device_signal signal[BF_POLICY_SIGNALS_MAX];
    int signal_count;
    double document_confidence_min;
    int failures_many;
    bf_decision kill_switch; /* REVIEW or REJECT */
    bf_pattern pattern;
    bf_steps steps, steps_at_risk; /* of a challenge; at high risk */
    bf_flash_form flash;
    bf_excuse excuse;
} bf_policy_settings;

typedef struct bf_rule {
    char id[BF_NAME_MAX];
    bf_fact_mask when;
    bf_decision decision;
    bf_reason reason;
    bf_guidance guidance[BF_GUIDANCES_MAX];
    int guidance_count; /* 0 = the usual guidance of the decision */
    bool from_base;
    int line;
} bf_rule;

struct bf_policy {
    char flow[BF_NAME_MAX];
    char version[2 * BF_NAME_MAX];
    char rationale[BF_POLICY_TEXT_MAX];
    bf_policy_settings settings[BF_CHANNEL_COUNT];
    bf_rule rule[BF_POLICY_RULES_MAX];
    int rule_count;                                    /* the last one catches all */
    uint64_t allow[BF_FACT_COUNT][BF_FACT_VALUES_MAX]; /* bit i: rule i accepts this value of the fact */
};

/* What the rules make of a situation. */
typedef struct bf_verdict {
    int rule;             /* index of the first rule that applies; -1 when none does, which the linter excludes */
    bf_decision decision; /* after the retry caps */
    bool capped;          /* a retry cap changed the rule's decision */
} bf_verdict;

/* ---- facts.c ---- */

const char *bf_fact_name(bf_fact fact);
/* NULL-terminated words of a fact, indexed by its value. */
const char *const *bf_fact_words(bf_fact fact);
int bf_fact_size(bf_fact fact);
bf_fact_mask bf_fact_bit(bf_fact fact, int value);
bf_fact_mask bf_fact_bits(bf_fact fact); /* every value of the fact */
bf_fact_mask bf_situation_mask(const bf_situation *situation);

/* Visits every situation that can arise under the policy: set *ret to zero and `*ret_started` to false before the
 * first call; false when there are no more. */
bool bf_situation_next(const bf_policy *policy, bf_situation *ret, bool *ret_started);

/* Whether the situation can arise: the facts do not contradict each other or the settings of its channel. */
bool bf_situation_possible(const bf_policy *policy, const bf_situation *situation);

#define BF_SITUATION_TEXT_SIZE 256
/* The best that can have come of the light when that came of the steps. */
bf_light_outcome bf_light_best(const bf_policy_settings *settings, bf_challenge_outcome challenge);

/* "capture ok, band pass, match strong, ..." */
void bf_situation_describe(const bf_situation *situation, char ret[BF_SITUATION_TEXT_SIZE]);

/* ---- names.c ---- */

extern const char *const BF_DECISION_WORDS[]; /* NULL-terminated, indexed by bf_decision */
extern const char *const BF_EFFECT_WORDS[];

/* ---- observe.c, verdict.c ---- */

/* Reduces an input to a situation, which is always a possible one. Fills quality_passed, measure_failed and the gate's
 * guidance in *ret, which the caller has set to zero. */
bf_situation bf_policy_observe(const bf_policy *policy, const bf_policy_input *input, bf_policy_output *ret);

/* The gravest effect of the signals about the capture path; LOW when there are none. */
bf_effect bf_policy_signals_effect(const bf_policy_settings *settings, const bf_signals *signals);

/* The risk tier that a caller's context alone leads to. A context that cannot be true is high risk. */
bf_risk_tier bf_policy_context_risk(const bf_policy_settings *settings, const bf_risk_context *risk);

/* Whether the caller or the capture path gives the signal. */
bool bf_policy_has_signal(const bf_policy_input *input, const char *name);

/* The decision of a situation. This is all of the deciding: bf_policy_decide reduces its input to a situation and adds
 * reasons and guidance, so what the linter proves of this function holds for every input. */
bf_verdict bf_policy_apply(const bf_policy *policy, const bf_situation *situation);

/* Whether a reason is true in a situation. */
bool bf_reason_holds(bf_reason reason, const bf_situation *situation);

/* ---- gate.c ---- */

typedef struct bf_gate_result {
    bool passed;
    bf_capture capture; /* OK, NO_FACE, MULTIPLE_FACES or LOW_QUALITY */
} bf_gate_result;

/* Applies the quality thresholds; fills measure_failed and adds guidance, most important first. */
bf_gate_result bf_policy_gate_apply(const bf_policy_settings *settings, const bf_quality *quality,
                                    bf_policy_output *ret);

/* A native value that the gate's bounds accept. */
double bf_gate_good_native(const bf_measure_gate *gate);

/* Guidance that a measure gets unless the policy names another: for too little, and for too much. */
bf_guidance bf_gate_guidance_low(bf_measure_id id);
bf_guidance bf_gate_guidance_high(bf_measure_id id);

/* The settings of a channel; those without overrides when there is no such channel. */
const bf_policy_settings *bf_policy_settings_of(const bf_policy *policy, bf_channel channel);

/* Appends a code unless it is there already or there is no room. */
void bf_guidance_add(bf_policy_output *output, bf_guidance code);

/* ---- settings.c ---- */

/* Which settings have been given, so that none is silently defaulted. */
typedef struct bf_settings_given {
    bool pass, uncertain, required, strong, weak, cap, uncertain_cap, escalate_to, other, confidence_min, many,
        kill_switch, quality, pattern, steps, steps_at_risk, flash, excuse;
} bf_settings_given;

/* Lays the sections of one map (a file's root, or a channel's overrides) over the settings and checks that they do not
 * contradict each other. */
bf_status bf_settings_apply(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                            bf_settings_given *given, bf_error *err);

/* Fails, naming the first setting that nobody gave. */
bf_status bf_settings_complete(const bf_yaml *doc, const bf_settings_given *given, bf_error *err);

/* Keys of sections, for checking the keys of a root or a channel. */
#define BF_SETTINGS_KEYS                                                                                               \
    "quality", "liveness", "match", "retries", "device_risk", "document", "previous_failures", "kill_switch", "capture"

/* Finds `word` among `words`, reporting an unknown one with the nearest. `what` names the kind of word. */
bf_status bf_policy_word(const bf_yaml *doc, const bf_yaml_node *node, const char *what, const char *const words[],
                         int *ret, bf_error *err);
bf_status bf_policy_guidance(const bf_yaml *doc, const bf_yaml_node *node, bf_guidance *ret, bf_error *err);

/* ---- capture.c ---- */

extern const char *const BF_PATTERN_WORDS[];
extern const char *const BF_FLASH_WORDS[]; /* indexed by bf_flash_form */
extern const char *const BF_EXCUSE_WORDS[];

/* Lays the section `capture` over the settings. */
bf_status bf_settings_apply_capture(const bf_yaml *doc, const bf_yaml_node *map, bf_policy_settings *settings,
                                    bf_settings_given *given, bf_error *err);

/* ---- rules_parse.c, lint.c ---- */

/* The documents of a policy; `base` is NULL when it stands alone. */
typedef struct bf_policy_documents {
    const bf_yaml *own;
    const bf_yaml *base;
} bf_policy_documents;

/* The base's rules first, then the policy's own. */
bf_status bf_policy_parse_rules(const bf_policy_documents *documents, bf_policy *policy, bf_error *err);

/* Visits every situation and refuses rules that can never apply and decisions that must not be. */
bf_status bf_policy_check(const bf_policy_documents *documents, const bf_policy *policy, bf_error *err);

/* "FILE:LINE: message" for a rule. */
bf_status bf_rule_fail(const bf_policy_documents *documents, const bf_rule *rule, bf_error *err, const char *format,
                       ...) BF_PRINTF(4, 5);

/* ---- parse.c ---- */

/* A policy with its documents, as the linter, the test runner and explain need it. */
typedef struct bf_policy_bundle {
    bf_yaml *own, *base;
    bf_policy *policy;
} bf_policy_bundle;

/* Parses, lints and checks the syntax of the test cases. `bundle` starts at zero, or with `own` parsed already. Whether
 * it succeeds or not, the caller frees what is in it with bf_policy_bundle_done. */
bf_status bf_policy_bundle_parse(const bf_policy_text *own, const bf_policy_text *base, bf_policy_bundle *bundle,
                                 bf_error *err);
bf_status bf_policy_bundle_read(const char *path, bf_policy_bundle *bundle, bf_error *err);
void bf_policy_bundle_done(bf_policy_bundle *bundle);

#endif

/* Test cases inside policy files. Private to src/policy/. */
#ifndef BF_POLICY_CASES_H
#define BF_POLICY_CASES_H

#include "policy/rules.h"

/* What one case gives and expects. Words for band, match and attempt are turned into numbers at the thresholds of the
 * channel it runs on. Text points into the document. */
typedef struct bf_test_case {
    const char *name;
    int line;

    bf_status judging;
    bf_status reference;
    bf_band band;
    double score; /* 0..100; negative: by `band` */
    bf_match_fact match;
    double similarity; /* -1..1; below -1: by `match` */
    bf_measure measure[BF_MEASURE_COUNT];
    bf_challenge_outcome challenge;
    int light;                           /* bf_light_outcome; negative: the best there can be */
    bool native_given[BF_MEASURE_COUNT]; /* else a native value inside the policy's bounds is made up */
    bf_risk_tier risk;
    const bf_yaml_node *device;  /* list of signals from the caller; NULL = none */
    const bf_yaml_node *capture; /* list of signals about the capture path; NULL = none */
    double document_confidence;
    bf_attempt attempt;
    int retry_count;     /* negative: by `attempt` */
    int uncertain_count; /* negative: as retry_count */
    int previous_failures;
    int channel; /* negative: every channel */
    bool kill_switch;

    bf_decision decision;
    bf_reason reason;
    const bf_yaml_node *reasons;  /* all reasons in order; NULL = not looked at */
    const bf_yaml_node *guidance; /* all guidance in order; NULL = not looked at */
    const char *rule;             /* NULL = not looked at */
} bf_test_case;

bf_status bf_case_parse(const bf_yaml *doc, const bf_yaml_node *node, bf_test_case *ret, bf_error *err);

/* The list of cases of a document; NULL when it has none. */
const bf_yaml_node *bf_cases_of(const bf_yaml *doc);

/* Checks the syntax of every case of a document. */
bf_status bf_cases_check(const bf_yaml *doc, const bf_policy *policy, bf_error *err);

/* Runs one case on one channel and marks the rule that decided. Returns whether all was as expected; otherwise
 * `message` says what differed. */
bool bf_case_run(const bf_policy *policy, const bf_test_case *test, bf_channel channel, bool hit[BF_POLICY_RULES_MAX],
                 char *message, size_t message_size);

#endif

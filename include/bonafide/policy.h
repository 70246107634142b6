/** @file policy.h
 *  Checking, testing and explaining policy files. A policy is the versioned YAML file that turns evidence into a
 *  decision; docs/reference/policy.md describes the format. All functions read `path` and, where it says `extends`,
 *  the base file beside it; they keep no state and may run in any thread.
 */
#ifndef BONAFIDE_POLICY_H
#define BONAFIDE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Checks a policy file: its syntax, its thresholds, that every rule can fire, that no situation is approved without
 *  passed liveness, and that every rule is covered by at least one of the file's own test cases. The first fault is
 *  reported as BF_CONFIG_INVALID with "FILE:LINE: ..."; BF_IO_ERROR when a file cannot be read; BF_OUT_OF_MEMORY. */
BF_API bf_status bf_policy_lint(const char *path, bf_error *err);

/** One test case of a policy that was run. Text is borrowed for the time of the call. */
typedef struct bf_policy_case {
    size_t struct_size;  /**< size of this structure as the library knows it */
    const char *file;    /**< file the case stands in: the policy or its base */
    int line;            /**< 1-based line of the case */
    const char *name;    /**< its name */
    const char *channel; /**< the channel it ran on; a case that names none runs on every channel */
    bool passed;         /**< the decision was as expected */
    const char *message; /**< what differed; empty when passed */
} bf_policy_case;

/** Receives each case in order. */
typedef void (*bf_policy_report)(void *context, const bf_policy_case *result);

/** Counts of a test run. */
typedef struct bf_policy_test_result {
    size_t passed; /**< runs as expected; a case counts once per channel it ran on */
    size_t failed; /**< runs that differed, and rules that no case reaches */
} bf_policy_test_result;

/** Runs the test cases of a policy file. BF_OK means that they ran: look at ret->failed for the outcome. `report` may
 *  be NULL. Rules that no case reaches are reported as failed cases. A file that cannot be loaded fails as in
 *  bf_policy_lint. `*ret` is written only on success. */
BF_API bf_status bf_policy_test(const char *path, bf_policy_report report, void *context, bf_policy_test_result *ret,
                                bf_error *err);

/** Receives the explanation piece by piece, as UTF-8 text with newlines. */
typedef void (*bf_policy_write)(void *context, const char *text);

/** Explains a policy file in readable text: the thresholds that hold on each channel, the rules in their order, and
 *  the decision for each combination of liveness, match and risk. Fails as bf_policy_lint, except that missing test
 *  cases are no fault here; nothing is written then. */
BF_API bf_status bf_policy_explain(const char *path, bf_policy_write write, void *context, bf_error *err);

#ifdef __cplusplus
}
#endif
#endif

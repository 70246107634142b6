/* Other bands for a journey: its policy file with nothing else changed, proved by the linter before anybody sees it. */
#ifndef BF_FIT_POLICY_PATCH_H
#define BF_FIT_POLICY_PATCH_H

#include "base/bytes.h"
#include "evaluate/page.h"
#include "policy/policy.h"

#define BF_PATCH_CHANNELS 6   /* the values of bf_channel; UNSPECIFIED stands for the journey's common bands */
#define BF_PATCH_CASES_MAX 64 /* failing cases that are named; the others are counted */
#define BF_PATCH_WHY_BYTES_MAX 1200
/* Where a reason begins that an earlier patch wrote; a later one takes its place. */
#define BF_PATCH_MARK "Bands by bonafide threshold:"

/* Scores 0..100. */
typedef struct bf_policy_band {
    double pass, uncertain;
} bf_policy_band;

typedef struct bf_policy_patch {
    char name[128];                   /* of the file, without its folder: "account_opening.yaml" */
    char base_name[256];              /* what it extends, seen from its folder; "" for nothing */
    bf_bytes own, base;               /* the texts of the new policy */
    bf_bytes diff;                    /* from the old file to the new */
    bf_policy *policy;                /* what they say */
    char *broken[BF_PATCH_CASES_MAX]; /* test cases of the file that state the old bands: "FILE:LINE: NAME: what" */
    size_t broken_count;              /* all of them, also beyond the list */
} bf_policy_patch;

/* Reads the policy file at `path` and changes the bands of each channel, the version (its second number goes up) and
 * the rationale, to whose end BF_PATCH_MARK and `why` are added. On success the caller calls bf_policy_patch_done.
 * CONFIG_INVALID: the file is faulty, the bands stand in it in a form that cannot be changed line by line, or the
 * linter refuses the result; the message says which. IO_ERROR, OUT_OF_MEMORY. */
bf_status bf_policy_patch_make(bf_policy_patch *ret, const char *path, const bf_policy_band band[BF_PATCH_CHANNELS],
                               const char *why, bf_error *err);
void bf_policy_patch_done(bf_policy_patch *patch);

#endif

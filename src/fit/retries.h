/* What a policy costs: every presentation of a table is decided again by the policy itself, with its retries. */
#ifndef BF_FIT_RETRIES_H
#define BF_FIT_RETRIES_H

#include "evaluate/journey.h"
#include "fit/rows.h"
#include "policy/policy.h"

/* Of persons who try again as long as they are asked to. */
typedef struct bf_retries {
    uint64_t persons;
    bf_journey_state after[BF_ATTEMPTS_MAX]; /* all NaN when there are no persons */
    double captures;                         /* that a person makes, on average */
    uint64_t assumed;                        /* presentations that were taken for matched, see below */
} bf_retries;

/* Decides the presentations of one kind (0: bona fide, else 1 + species). Each attempt ends as one of the person's own
 * presentations of that kind would under the policy, any of them as likely, with the count of attempts, and of those
 * that were judged but not clear, as it stands by then; persons count alike. A challenge ends the journey, since the
 * table does not know what would come of it.
 *
 * A row is decided by its channel, by why it has no score, by the gate as it was, by the match outcome and by the band
 * that the policy puts its score in. Where the policy requires a match and the row was compared with nothing, the match
 * is taken for strong: the attacker holds the victim's portrait. OUT_OF_MEMORY. */
bf_status bf_retries_measure(bf_retries *ret, const bf_rows *rows, const bf_policy *policy, uint16_t kind,
                             bf_error *err);

#endif

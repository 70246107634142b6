/* The state machine of a session: pure, so that every edge of docs/reference/sessions.md is a row of a test. */
#include <string.h>

#include "bonafide/words.h"
#include "session/session.h"

bf_admission bf_session_admit(const bf_session *session, int token_attempt, int64_t now_ms)
{
    bool token = token_attempt > 0;
    if (token && token_attempt < session->attempt)
        return (bf_admission){.status = BF_ATTEMPT_REPLAYED, .replayed = true};
    if (token_attempt > session->attempt) /* nobody has been given such a token */
        return (bf_admission){.status = BF_UNAUTHENTICATED};
    switch (session->state) {
    case BF_SESSION_CREATED:
    case BF_SESSION_IN_PROGRESS:
        break;
    case BF_SESSION_COMPLETED: /* by this very attempt */
        return (bf_admission){.status = BF_SESSION_FINISHED, .replayed = token};
    case BF_SESSION_TIMED_OUT:
        return (bf_admission){.status = BF_SESSION_EXPIRED, .stale = token};
    case BF_SESSION_CANCELLED:
        return (bf_admission){.status = BF_SESSION_FINISHED};
    }
    if (bf_session_is_claimed(session, now_ms))
        return (bf_admission){.status = BF_ATTEMPT_IN_PROGRESS};
    return (bf_admission){.status = BF_OK};
}

/* Whether a capture was judged and the person, not the portrait or ourselves, is asked for a clearer one. */
static bool is_uncertain(const bf_decided *decided)
{
    return decided->judged && strcmp(decided->reason, bf_reason_name(BF_REASON_REFERENCE_UNUSABLE)) != 0 &&
           strcmp(decided->reason, bf_reason_name(BF_REASON_INTERNAL_ERROR)) != 0;
}

/* Whether a challenge is asked for because of what was seen, and not because the risk or the journey wants one. */
static bool is_unclear(const bf_decided *decided)
{
    return strcmp(decided->reason, bf_reason_name(BF_REASON_LIVENESS_UNCERTAIN)) == 0 ||
           strcmp(decided->reason, bf_reason_name(BF_REASON_MATCH_WEAK)) == 0;
}

/* Whether another attempt may follow. */
static bool may_go_on(const bf_session *session, int attempts_max, int64_t now_ms)
{
    return session->attempt < attempts_max && now_ms < session->ends_ms;
}

bf_outcome bf_session_outcome(const bf_session *session, const bf_decided *decided, int attempts_max, int64_t now_ms)
{
    const char *limit = bf_reason_name(BF_REASON_RETRY_LIMIT);
    const char *no_challenge = bf_reason_name(BF_REASON_CHALLENGE_UNAVAILABLE);
    bf_outcome outcome = {.over = true, .decision = "review", .reason = decided->reason, .answer = "done"};
    if (strcmp(decided->decision, "approve") == 0 && decided->judged) {
        if (!decided->answered) {
            outcome.reason = no_challenge;
            return outcome;
        }
        outcome.decision = "approve";
        outcome.answer = "pass";
    } else if (strcmp(decided->decision, "reject") == 0) {
        outcome.decision = "reject";
    } else if (strcmp(decided->decision, "challenge") == 0) {
        if (strcmp(session->mode, "passive") == 0)
            outcome.reason = no_challenge;
        else if (may_go_on(session, attempts_max, now_ms))
            return (bf_outcome){.answer = "challenge", .challenge = true, .uncertain = is_unclear(decided)};
        else
            outcome.reason = limit;
    } else if (strcmp(decided->decision, "retry") == 0) {
        if (may_go_on(session, attempts_max, now_ms))
            return (bf_outcome){.answer = "retry", .uncertain = is_uncertain(decided)};
        outcome.reason = limit;
    }
    return outcome;
}

bf_outcome bf_session_outcome_unasked(void)
{
    return (bf_outcome){.over = true,
                        .decision = "review",
                        .reason = bf_reason_name(BF_REASON_CHALLENGE_UNAVAILABLE),
                        .answer = "done"};
}

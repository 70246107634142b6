#include "monitor/families.h"

#include <string.h>

#include "base/words.h"
#include "policy/policy.h"
#include "record/record.h"

/* Each list of bounds is chosen for the values that matter to an alert; docs/reference/metrics.md repeats them. */
static const double REQUEST_SECONDS[] = {0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12};
static const double STAGE_SECONDS[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2};
static const double QUEUE_SECONDS[] = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5};
static const double SCORES[] = {1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99};
static const double SIMILARITIES[] = {0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9};
static const double ATTEMPTS[] = {0, 1, 2, 3, 4, 5, 7, 10};
static const double SESSION_SECONDS[] = {5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1800};

#define BOUNDS(list) .bound = (list), .bound_count = (int)(sizeof(list) / sizeof((list)[0]))
#define NO_LABELS .label_count = 0
#define LABEL(name, of) .label_count = 1, .label = {name}, .set = {of}

const bf_family BF_FAMILIES[BF_FAMILY_COUNT] = {
    [BF_FAMILY_REQUESTS] = {"bonafide_requests_total", "Requests that were answered, by operation and HTTP status.",
                            .label_count = 2, .label = {"route", "code"}, .set = {BF_SET_ROUTE, BF_SET_HTTP},
                            .sparse = true},
    [BF_FAMILY_REQUEST_SECONDS] = {"bonafide_request_seconds", "Time from the first byte of a request to its answer.",
                                   LABEL("route", BF_SET_ROUTE), BOUNDS(REQUEST_SECONDS), .sparse = true},
    [BF_FAMILY_DECISIONS] = {"bonafide_decisions_total", "Decisions, by journey and channel.", .label_count = 3,
                             .label = {"flow", "channel", "decision"},
                             .set = {BF_SET_FLOW, BF_SET_CHANNEL, BF_SET_DECISION}, .sparse = true},
    [BF_FAMILY_REASONS] = {"bonafide_decision_reasons_total", "First reasons of decisions.",
                           LABEL("reason", BF_SET_REASON)},
    [BF_FAMILY_JUDGEMENTS] = {"bonafide_judgements_total", "What judging a capture came to, by journey.",
                              .label_count = 2, .label = {"flow", "outcome"}, .set = {BF_SET_FLOW, BF_SET_OUTCOME},
                              .sparse = true},
    [BF_FAMILY_MATCHES] = {"bonafide_matches_total", "Outcomes of comparing with the reference portrait.",
                           LABEL("outcome", BF_SET_MATCH)},
    [BF_FAMILY_ERRORS] = {"bonafide_judgement_errors_total", "Why captures were not judged.",
                          LABEL("code", BF_SET_CODE), .sparse = true},
    [BF_FAMILY_JUDGE_SECONDS] = {"bonafide_judge_seconds", "Time that judging took in a worker, queueing apart.",
                                 NO_LABELS, BOUNDS(REQUEST_SECONDS)},
    [BF_FAMILY_STAGE_SECONDS] = {"bonafide_stage_seconds", "Time of each stage of judging.",
                                 LABEL("stage", BF_SET_STAGE), BOUNDS(STAGE_SECONDS), .sparse = true},
    [BF_FAMILY_QUEUE_SECONDS] = {"bonafide_queue_wait_seconds", "Time that captures waited for a worker.", NO_LABELS,
                                 BOUNDS(QUEUE_SECONDS)},
    [BF_FAMILY_SCORE] = {"bonafide_live_score", "Scores of judged captures, 100 = certainly live.",
                         LABEL("flow", BF_SET_FLOW), BOUNDS(SCORES), .sparse = true},
    [BF_FAMILY_SIMILARITY] = {"bonafide_match_similarity", "Cosine similarity of face and reference portrait.",
                              NO_LABELS, BOUNDS(SIMILARITIES)},
    [BF_FAMILY_MEASURE_FAILURES] = {"bonafide_quality_failures_total", "Captures that failed a quality measure.",
                                    LABEL("measure", BF_SET_MEASURE)},
    [BF_FAMILY_SECURITY] = {"bonafide_security_signals_total", "Requests that looked like an attack or a mistake.",
                            LABEL("signal", BF_SET_SIGNAL)},
    [BF_FAMILY_SESSIONS] = {"bonafide_sessions_ended_total", "Sessions that ended, by journey, channel and state.",
                            .label_count = 3, .label = {"flow", "channel", "state"},
                            .set = {BF_SET_FLOW, BF_SET_CHANNEL, BF_SET_STATE}, .sparse = true},
    [BF_FAMILY_SESSION_ATTEMPTS] = {"bonafide_session_attempts", "Attempts of sessions that ended.",
                                    LABEL("state", BF_SET_STATE), BOUNDS(ATTEMPTS)},
    [BF_FAMILY_SESSION_SECONDS] = {"bonafide_session_seconds", "Time from opening a session to its end.",
                                   LABEL("state", BF_SET_STATE), BOUNDS(SESSION_SECONDS)},
    [BF_FAMILY_WEBHOOKS] = {"bonafide_webhooks_total", "Tries to deliver a webhook, by outcome.",
                            LABEL("outcome", BF_SET_DELIVERY)},
};

/* The operations of api/openapi.yaml; a test compares. */
static const char *const ROUTES[] = {
    "liveness",        "match",        "session_create", "session_get",  "session_erase",  "session_reference",
    "session_attempt", "session_plan", "session_media",  "decision_get", "decision_erase", "audit_checkpoint",
    "audit_proof",     "health",       "ready",          "metrics",      "openapi",        "docs"};
static const char *const HTTP[] = {"200", "201", "204", "304", "400", "401", "403", "404", "405",
                                   "406", "408", "409", "410", "411", "412", "413", "415", "417",
                                   "422", "423", "429", "431", "500", "501", "503", "505"};
static const char *const OUTCOMES[] = {"live", "spoof", "uncertain", "could_not_judge", "error"};
static const char *const SIGNALS[] = {
    [BF_SECURITY_UNAUTHENTICATED] = "unauthenticated", [BF_SECURITY_FORBIDDEN] = "forbidden",
    [BF_SECURITY_BAD_SIGNATURE] = "bad_signature",     [BF_SECURITY_REPLAYED_ATTEMPT] = "replayed_attempt",
    [BF_SECURITY_STALE_TOKEN] = "stale_token",         [BF_SECURITY_FOREIGN_SESSION] = "foreign_session",
    [BF_SECURITY_RATE_LIMITED] = "rate_limited",       [BF_SECURITY_QUARANTINED] = "quarantined",
    [BF_SECURITY_SLOW_CLIENT] = "slow_client",         [BF_SECURITY_MALFORMED] = "malformed"};
static const char *const STATES[] = {"COMPLETED", "EXPIRED", "CANCELLED"};
static const char *const DELIVERIES[] = {"delivered", "retried", "failed"};

_Static_assert(sizeof SIGNALS / sizeof SIGNALS[0] == BF_SECURITY_COUNT, "every signal has a name");

static void add(bf_values *values, const char *value)
{
    if (values->count < BF_SET_VALUES_MAX)
        values->value[values->count++] = value;
}

static void add_list(bf_values *values, const char *const list[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(values, list[i]);
}

#define ADD_LIST(values, list) add_list(values, list, sizeof(list) / sizeof((list)[0]))

/* Codes are numbered with gaps; one more number than there can be codes is looked at. */
static void add_codes(bf_values *values)
{
    for (int number = 1; number < 256; number++) {
        const char *name = bf_status_name((bf_status)number);
        if (strcmp(name, "UNKNOWN") != 0)
            add(values, name);
    }
}

void bf_families_fill_sets(bf_values set[BF_SET_COUNT])
{
    ADD_LIST(&set[BF_SET_ROUTE], ROUTES);
    ADD_LIST(&set[BF_SET_HTTP], HTTP);
    for (int i = BF_CHANNEL_UNSPECIFIED; i <= BF_CHANNEL_KIOSK; i++)
        add(&set[BF_SET_CHANNEL], bf_channel_name((bf_channel)i));
    for (int i = BF_DECISION_REVIEW; i <= BF_DECISION_APPROVE; i++)
        add(&set[BF_SET_DECISION], bf_decision_name((bf_decision)i));
    for (int i = 0; i < BF_REASON_COUNT; i++)
        add(&set[BF_SET_REASON], bf_reason_name((bf_reason)i));
    ADD_LIST(&set[BF_SET_OUTCOME], OUTCOMES);
    for (int i = BF_MATCH_NOT_REQUESTED; i <= BF_MATCH_NOT_JUDGED; i++)
        add(&set[BF_SET_MATCH], bf_match_outcome_name((bf_match_outcome)i));
    add_codes(&set[BF_SET_CODE]);
    for (int i = 0; i < BF_STAGE_COUNT; i++)
        add(&set[BF_SET_STAGE], bf_stage_name((bf_stage)i));
    for (int i = 0; i < BF_MEASURE_COUNT; i++)
        add(&set[BF_SET_MEASURE], bf_measure_name((bf_measure_id)i));
    ADD_LIST(&set[BF_SET_SIGNAL], SIGNALS);
    ADD_LIST(&set[BF_SET_STATE], STATES);
    ADD_LIST(&set[BF_SET_DELIVERY], DELIVERIES);
}

size_t bf_family_width(const bf_family *family)
{
    return family->bound ? (size_t)family->bound_count + 2 : 1;
}

size_t bf_family_combinations(const bf_metrics *metrics, const bf_family *family)
{
    size_t count = 1;
    for (int i = 0; i < family->label_count; i++)
        count *= (size_t)metrics->set[family->set[i]].count;
    return count;
}

int bf_values_find(const bf_values *values, const char *value)
{
    for (int i = 0; value && i < values->count - 1; i++) {
        if (strcmp(values->value[i], value) == 0)
            return i;
    }
    return values->count - 1;
}

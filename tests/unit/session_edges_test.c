/* Every edge of the table in docs/reference/sessions.md: a session in each state, each thing that can happen to it,
 * what is answered, and the state afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/session_kit.h"

#define TOKEN_MS 180000 /* the settings' own */
#define ENDS_MS 900000
#define CLAIM_MS 50000

typedef enum situation {
    CREATED,          /* nothing sent yet */
    CREATED_DUE,      /* and its time is over, unnoticed */
    CLAIMED,          /* the first attempt is being judged */
    CLAIMED_LATE,     /* it is, and the token's time has passed meanwhile */
    CLAIM_LAPSED,     /* whoever judged it never came back */
    CLAIM_LAPSED_DUE, /* the same, and the token's time is over */
    RETRIED,          /* the second attempt is expected */
    RETRIED_DUE,
    APPROVED, /* at the first attempt */
    EXPIRED,
    CANCELLED, /* and erased */
    SITUATIONS
} situation;

typedef enum event {
    ATTEMPT_1, /* by the person, with the token of that attempt */
    ATTEMPT_2,
    ATTEMPT_3,
    BACK_END,  /* the back end sends the next attempt */
    REFERENCE, /* the back end sets the portrait */
    LOOK,      /* the back end looks */
    ERASE,
    TIDY,
    EVENTS
} event;

typedef struct edge {
    bf_status status;
    const char *state; /* afterwards */
} edge;

#define OK BF_OK
#define REPLAYED BF_ATTEMPT_REPLAYED
#define BUSY BF_ATTEMPT_IN_PROGRESS
#define FINISHED BF_SESSION_FINISHED
#define OVER BF_SESSION_EXPIRED
#define FORGED BF_UNAUTHENTICATED /* nobody was given such a token */

/* The judge approves, so an attempt that is let in completes the session. */
static const edge EDGE[SITUATIONS][EVENTS] = {
    [CREATED] = {{OK, "COMPLETED"},
                 {FORGED, "CREATED"},
                 {FORGED, "CREATED"},
                 {OK, "COMPLETED"},
                 {OK, "CREATED"},
                 {OK, "CREATED"},
                 {OK, "CANCELLED"},
                 {OK, "CREATED"}},
    [CREATED_DUE] = {{OVER, "EXPIRED"},
                     {FORGED, "EXPIRED"},
                     {FORGED, "EXPIRED"},
                     {OVER, "EXPIRED"},
                     {OVER, "EXPIRED"},
                     {OK, "EXPIRED"},
                     {OK, "CANCELLED"},
                     {OK, "EXPIRED"}},
    [CLAIMED] = {{BUSY, "IN_PROGRESS"},
                 {FORGED, "IN_PROGRESS"},
                 {FORGED, "IN_PROGRESS"},
                 {BUSY, "IN_PROGRESS"},
                 {BUSY, "IN_PROGRESS"},
                 {OK, "IN_PROGRESS"},
                 {OK, "CANCELLED"},
                 {OK, "IN_PROGRESS"}},
    [CLAIMED_LATE] = {{BUSY, "IN_PROGRESS"},
                      {FORGED, "IN_PROGRESS"},
                      {FORGED, "IN_PROGRESS"},
                      {BUSY, "IN_PROGRESS"},
                      {BUSY, "IN_PROGRESS"},
                      {OK, "IN_PROGRESS"},
                      {OK, "CANCELLED"},
                      {OK, "IN_PROGRESS"}},
    [CLAIM_LAPSED] = {{OK, "COMPLETED"},
                      {FORGED, "IN_PROGRESS"},
                      {FORGED, "IN_PROGRESS"},
                      {OK, "COMPLETED"},
                      {OK, "IN_PROGRESS"},
                      {OK, "IN_PROGRESS"},
                      {OK, "CANCELLED"},
                      {OK, "IN_PROGRESS"}},
    [CLAIM_LAPSED_DUE] = {{OVER, "EXPIRED"},
                          {FORGED, "EXPIRED"},
                          {FORGED, "EXPIRED"},
                          {OVER, "EXPIRED"},
                          {OVER, "EXPIRED"},
                          {OK, "EXPIRED"},
                          {OK, "CANCELLED"},
                          {OK, "EXPIRED"}},
    [RETRIED] = {{REPLAYED, "IN_PROGRESS"},
                 {OK, "COMPLETED"},
                 {FORGED, "IN_PROGRESS"},
                 {OK, "COMPLETED"},
                 {BF_REFERENCE_FIXED, "IN_PROGRESS"},
                 {OK, "IN_PROGRESS"},
                 {OK, "CANCELLED"},
                 {OK, "IN_PROGRESS"}},
    [RETRIED_DUE] = {{REPLAYED, "EXPIRED"},
                     {OVER, "EXPIRED"},
                     {FORGED, "EXPIRED"},
                     {OVER, "EXPIRED"},
                     {OVER, "EXPIRED"},
                     {OK, "EXPIRED"},
                     {OK, "CANCELLED"},
                     {OK, "EXPIRED"}},
    [APPROVED] = {{FINISHED, "COMPLETED"},
                  {FORGED, "COMPLETED"},
                  {FORGED, "COMPLETED"},
                  {FINISHED, "COMPLETED"},
                  {FINISHED, "COMPLETED"},
                  {OK, "COMPLETED"},
                  {OK, "COMPLETED"},
                  {OK, "COMPLETED"}},
    [EXPIRED] = {{OVER, "EXPIRED"},
                 {FORGED, "EXPIRED"},
                 {FORGED, "EXPIRED"},
                 {OVER, "EXPIRED"},
                 {OVER, "EXPIRED"},
                 {OK, "EXPIRED"},
                 {OK, "EXPIRED"},
                 {OK, "EXPIRED"}},
    [CANCELLED] = {{FINISHED, "CANCELLED"},
                   {FORGED, "CANCELLED"},
                   {FORGED, "CANCELLED"},
                   {FINISHED, "CANCELLED"},
                   {FINISHED, "CANCELLED"},
                   {OK, "CANCELLED"},
                   {OK, "CANCELLED"},
                   {OK, "CANCELLED"}},
};

/* A claim as a replica leaves it that dies while it judges. */
static void claim_and_die(kit *k, const char *id)
{
    kit_sql_number(k,
                   "UPDATE session SET state = 'IN_PROGRESS', claim = 'somebody', claimed_until_ms = $1 WHERE id = $2",
                   id, k->now_ms + CLAIM_MS);
}

static void retry_once(kit *k, const char *id)
{
    char answer[16];
    k->script = (kit_script){.decision = "retry", .reason = "QUALITY_TOO_LOW", .not_judged = true};
    assert_int_equal(kit_attempt(k, id, 1, answer), BF_OK);
    assert_string_equal(answer, "retry");
    k->script = (kit_script){.decision = "approve", .reason = "LIVE"};
}

static bf_status erase(kit *k, const char *id)
{
    kit_request request = {.who = &KIT_BACK_END, .id = id};
    return kit_call(k, bf_service_session_erase, &request, NULL, NULL, NULL);
}

/* Brings a new session there; the clock stands where the event is to happen. */
static void bring(kit *k, situation to, char id[BF_SESSION_ID_SIZE])
{
    char answer[16];
    kit_create(k, "", id);
    switch (to) {
    case CREATED:
    case SITUATIONS:
        break;
    case CREATED_DUE:
        k->now_ms += TOKEN_MS;
        break;
    case CLAIMED:
        claim_and_die(k, id);
        break;
    case CLAIMED_LATE:
        k->now_ms += TOKEN_MS - 1;
        claim_and_die(k, id);
        k->now_ms += 2;
        break;
    case CLAIM_LAPSED:
        claim_and_die(k, id);
        k->now_ms += CLAIM_MS;
        break;
    case CLAIM_LAPSED_DUE:
        claim_and_die(k, id);
        k->now_ms += TOKEN_MS;
        break;
    case RETRIED:
        retry_once(k, id);
        break;
    case RETRIED_DUE:
        retry_once(k, id);
        k->now_ms += TOKEN_MS + 1000;
        break;
    case APPROVED:
        assert_int_equal(kit_attempt(k, id, 1, answer), BF_OK);
        assert_string_equal(answer, "pass");
        break;
    case EXPIRED:
        k->now_ms += TOKEN_MS;
        assert_int_equal(bf_service_tidy(k->service, k->now_ms, NULL), BF_OK);
        break;
    case CANCELLED:
        assert_int_equal(erase(k, id), BF_OK);
        break;
    }
}

static bf_status happen(kit *k, event what, const char *id)
{
    char body[96];
    (void)snprintf(body, sizeof body, "{\"session_id\":\"%s\"}", id);
    kit_request attempt = {.who = &KIT_BACK_END, .body = body, .image = "a picture"};
    kit_request reference = {.who = &KIT_BACK_END, .id = id, .body = "{}", .reference = "a portrait"};
    kit_request look = {.who = &KIT_BACK_END, .id = id};
    switch (what) {
    case ATTEMPT_1:
        return kit_attempt(k, id, 1, NULL);
    case ATTEMPT_2:
        return kit_attempt(k, id, 2, NULL);
    case ATTEMPT_3:
        return kit_attempt(k, id, 3, NULL);
    case BACK_END:
        return kit_call(k, bf_service_liveness, &attempt, NULL, NULL, NULL);
    case REFERENCE:
        return kit_call(k, bf_service_session_reference, &reference, NULL, NULL, NULL);
    case LOOK:
        return kit_call(k, bf_service_session_get, &look, NULL, NULL, NULL);
    case ERASE:
        return erase(k, id);
    case TIDY:
    case EVENTS:
        break;
    }
    return bf_service_tidy(k->service, k->now_ms, NULL);
}

static void check_edge(kit *k, situation from, event what)
{
    char id[BF_SESSION_ID_SIZE], label[64];
    int64_t now_ms = k->now_ms;
    bring(k, from, id);
    bf_status status = happen(k, what, id);
    bf_session session = {0};
    kit_load(k, id, &session);
    const edge *expected = &EDGE[from][what];
    (void)snprintf(label, sizeof label, "situation %d, event %d: %s, %s", (int)from, (int)what, bf_status_name(status),
                   bf_session_state_name(session.state));
    if (status != expected->status || strcmp(bf_session_state_name(session.state), expected->state) != 0)
        fail_msg("%s", label);
    assert_int_equal(session.erased_ms != 0, what == ERASE || from == CANCELLED);
    assert_int_equal(session.finished_ms != 0, !bf_session_is_open(&session));
    assert_int_equal(session.decision[0] != 0, session.state == BF_SESSION_COMPLETED);
    bf_session_done(&session);
    k->now_ms = now_ms;
}

static void test_every_edge(void **state)
{
    kit *k = *state;
    for (int from = 0; from < SITUATIONS; from++) {
        for (int what = 0; what < EVENTS; what++)
            check_edge(k, (situation)from, (event)what);
    }
}

/* ---- who comes back after the claim has lapsed ---- */

typedef struct late {
    kit *k;
    const char *id;
} late;

static void set_another_portrait(void *context)
{
    const late *at = context;
    at->k->script.meanwhile = NULL;
    kit_request set = {.who = &KIT_BACK_END, .id = at->id, .body = "{}", .reference = "another portrait"};
    assert_int_equal(kit_call(at->k, bf_service_session_reference, &set, NULL, NULL, NULL), BF_ATTEMPT_IN_PROGRESS);
    at->k->now_ms += CLAIM_MS + 1000;
    assert_int_equal(kit_call(at->k, bf_service_session_reference, &set, NULL, NULL, NULL), BF_OK);
}

/* What was compared with one portrait does not decide a session that now has another. */
static void test_a_decision_is_about_the_portrait_that_is_set(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], answer[16];
    int64_t now_ms = k->now_ms;
    kit_create(k, "", id);
    kit_request set = {.who = &KIT_BACK_END, .id = id, .body = "{}", .reference = "a portrait"};
    assert_int_equal(kit_call(k, bf_service_session_reference, &set, NULL, NULL, NULL), BF_OK);
    late at = {k, id};
    k->script = (kit_script){.decision = "approve", .reason = "LIVE_AND_MATCHED", .meanwhile = set_another_portrait};
    k->script.meanwhile_context = &at;
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_ATTEMPT_IN_PROGRESS);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE session_id = $1", id), 0);
    assert_int_equal(kit_attempt(k, id, 1, answer), BF_OK);
    assert_string_equal(answer, "pass");
    k->now_ms = now_ms;
}

/* ---- what is counted and told about refused uploads ---- */

static void test_replays_are_counted_and_told(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    bf_session session = {0};
    bring(k, RETRIED, id);
    int64_t before = kit_leaves(k, "security", id);
    for (int i = 0; i < 3; i++)
        assert_int_equal(kit_attempt(k, id, 1, NULL), BF_ATTEMPT_REPLAYED);
    kit_load(k, id, &session);
    assert_int_equal(session.replays, 3);
    assert_int_equal(kit_leaves(k, "security", id) - before, 3);
    bf_session_done(&session);
    /* The token that completed the session was used up by that. */
    assert_int_equal(kit_attempt(k, id, 2, NULL), BF_OK);
    assert_int_equal(kit_attempt(k, id, 2, NULL), BF_SESSION_FINISHED);
    kit_load(k, id, &session);
    assert_int_equal(session.replays, 4);
    bf_session_done(&session);
}

static void test_a_flood_of_replays_does_not_flood_the_log(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    bf_session session = {0};
    bring(k, RETRIED, id);
    for (int i = 0; i < 40; i++)
        assert_int_equal(kit_attempt(k, id, 1, NULL), BF_ATTEMPT_REPLAYED);
    kit_load(k, id, &session);
    assert_int_equal(session.replays, 40);
    assert_int_equal(kit_leaves(k, "security", id), 16);
    bf_session_done(&session);
}

static void test_a_stale_upload_is_told(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    int64_t now_ms = k->now_ms;
    bring(k, CREATED_DUE, id);
    assert_int_equal(kit_attempt(k, id, 1, NULL), BF_SESSION_EXPIRED);
    assert_int_equal(kit_leaves(k, "security", id), 1);
    k->now_ms = now_ms;
}

static void test_somebody_elses_session_is_not_there(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE], other[BF_SESSION_ID_SIZE], body[96];
    kit_create(k, "", id);
    kit_create(k, "", other);
    (void)snprintf(body, sizeof body, "{\"session_id\":\"%s\"}", id);
    bf_principal person = kit_person(other, 1);
    kit_request look = {.who = &KIT_OTHER_BACK_END, .id = id};
    kit_request reference = {.who = &KIT_OTHER_BACK_END, .id = id, .body = "{}", .reference = "a portrait"};
    kit_request judge = {.who = &KIT_OTHER_BACK_END, .body = body, .image = "a picture"};
    kit_request attempt = {.who = &person, .id = id, .body = "{}", .image = "a picture"};
    assert_int_equal(kit_call(k, bf_service_session_get, &look, NULL, NULL, NULL), BF_NOT_FOUND);
    assert_int_equal(kit_call(k, bf_service_session_erase, &look, NULL, NULL, NULL), BF_NOT_FOUND);
    assert_int_equal(kit_call(k, bf_service_session_reference, &reference, NULL, NULL, NULL), BF_NOT_FOUND);
    assert_int_equal(kit_call(k, bf_service_liveness, &judge, NULL, NULL, NULL), BF_NOT_FOUND);
    assert_int_equal(kit_call(k, bf_service_session_attempt, &attempt, NULL, NULL, NULL), BF_NOT_FOUND);
    bf_session session = {0};
    kit_load(k, id, &session);
    assert_int_equal(session.state, BF_SESSION_CREATED);
    bf_session_done(&session);
}

/* ---- what a decision does ---- */

typedef struct consequence {
    const char *decision, *reason;
    bool not_judged;
    const char *answer, *state, *outcome, *why;
    int quality, uncertain;
} consequence;

static const consequence CONSEQUENCE[] = {
    {"approve", "LIVE", false, "pass", "COMPLETED", "approve", "LIVE", 0, 0},
    {"approve", "LIVE_AND_MATCHED", false, "pass", "COMPLETED", "approve", "LIVE_AND_MATCHED", 0, 0},
    {"review", "LIVENESS_UNCERTAIN", false, "done", "COMPLETED", "review", "LIVENESS_UNCERTAIN", 0, 0},
    {"review", "KILL_SWITCH", false, "done", "COMPLETED", "review", "KILL_SWITCH", 0, 0},
    {"reject", "LIVENESS_FAILED", false, "done", "COMPLETED", "reject", "LIVENESS_FAILED", 0, 0},
    {"challenge", "RISK_HIGH", false, "done", "COMPLETED", "review", "CHALLENGE_UNAVAILABLE", 0, 0},
    {"retry", "QUALITY_TOO_LOW", true, "retry", "IN_PROGRESS", "", "", 1, 0},
    {"retry", "INPUT_UNUSABLE", true, "retry", "IN_PROGRESS", "", "", 1, 0},
    {"retry", "LIVENESS_UNCERTAIN", false, "retry", "IN_PROGRESS", "", "", 0, 1},
    {"retry", "MATCH_WEAK", false, "retry", "IN_PROGRESS", "", "", 0, 1},
    {"retry", "REFERENCE_UNUSABLE", false, "retry", "IN_PROGRESS", "", "", 1, 0},
    {"retry", "INTERNAL_ERROR", false, "retry", "IN_PROGRESS", "", "", 1, 0},
    /* What makes no sense is never an approval. */
    {"approve", "LIVE", true, "done", "COMPLETED", "review", "LIVE", 0, 0},
    {"hooray", "LIVE", false, "done", "COMPLETED", "review", "LIVE", 0, 0},
};

static void test_every_decision(void **state)
{
    kit *k = *state;
    for (size_t i = 0; i < sizeof CONSEQUENCE / sizeof *CONSEQUENCE; i++) {
        const consequence *row = &CONSEQUENCE[i];
        char id[BF_SESSION_ID_SIZE], answer[16];
        kit_create(k, "", id);
        k->script = (kit_script){.decision = row->decision, .reason = row->reason, .not_judged = row->not_judged};
        assert_int_equal(kit_attempt(k, id, 1, answer), BF_OK);
        assert_string_equal(answer, row->answer);
        bf_session session = {0};
        kit_load(k, id, &session);
        assert_string_equal(bf_session_state_name(session.state), row->state);
        assert_string_equal(session.decision, row->outcome);
        assert_string_equal(session.reason, row->why);
        assert_int_equal(session.quality_retries, row->quality);
        assert_int_equal(session.uncertain_retries, row->uncertain);
        assert_int_equal(session.attempt, row->outcome[0] ? 1 : 2);
        bf_session_done(&session);
    }
    k->script = (kit_script){.decision = "approve", .reason = "LIVE"};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_edge),
        cmocka_unit_test(test_a_decision_is_about_the_portrait_that_is_set),
        cmocka_unit_test(test_replays_are_counted_and_told),
        cmocka_unit_test(test_a_flood_of_replays_does_not_flood_the_log),
        cmocka_unit_test(test_a_stale_upload_is_told),
        cmocka_unit_test(test_somebody_elses_session_is_not_there),
        cmocka_unit_test(test_every_decision),
    };
    return kit_run_over_both("session_edges", tests, sizeof tests / sizeof *tests);
}

/* Captures that were seen before: found by their bytes and by their frames, whoever sends them and when; forgotten with
 * the session, and by age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "capture/file.h"
#include "support/session_kit.h"

#define FRAMES 20
#define FRAME_BYTES 6000
#define DAY_MS (24LL * 3600 * 1000)

/* A burst of frames, each filled with bytes that follow from its number. */
static bf_bytes burst(const char *nonce, const int *number, int count, size_t frame_bytes)
{
    static uint8_t pixels[FRAMES][FRAME_BYTES];
    bf_capture_frame frame[FRAMES];
    bf_capture_file file = {.frame = frame, .frame_count = count};
    bf_bytes bytes = {0};
    for (int i = 0; i < count; i++) {
        for (size_t at = 0; at < frame_bytes; at++)
            pixels[i][at] = (uint8_t)((unsigned)number[i] * 131u + at * 7u + (at >> 8));
        memcpy(pixels[i], &number[i], sizeof number[i]);
        frame[i] = (bf_capture_frame){pixels[i], frame_bytes, 100.0 * i};
    }
    (void)snprintf(file.nonce, sizeof file.nonce, "%s", nonce);
    assert_int_equal(bf_capture_file_write(&file, &bytes, NULL), BF_OK);
    return bytes;
}

static bf_bytes burst_of(const char *nonce, int first, int step)
{
    int number[FRAMES];
    for (int i = 0; i < FRAMES; i++)
        number[i] = first + i * step;
    return burst(nonce, number, FRAMES, FRAME_BYTES);
}

/* Sends it; whether the judgement that decided knew it as seen before. */
static bool seen(kit *k, const char *id, int attempt, const void *data, size_t size)
{
    uint8_t copy[(FRAMES + 1) * FRAME_BYTES];
    assert_true(size <= sizeof copy);
    memcpy(copy, data, size);
    bf_principal who = kit_person(id, attempt);
    kit_request request = {.who = &who, .id = id, .body = "{}", .image_bytes = {copy, size}};
    int before = atomic_load(&k->judged);
    assert_int_equal(kit_call(k, bf_service_session_attempt, &request, NULL, NULL, NULL), BF_OK);
    bool knew = strstr(k->context, "\"seen_before\"") != NULL;
    assert_int_equal(atomic_load(&k->judged) - before, knew ? 2 : 1);
    return knew;
}

static bool seen_text(kit *k, const char *id, int attempt, const char *text)
{
    return seen(k, id, attempt, text, strlen(text));
}

static bool seen_burst(kit *k, bf_bytes bytes)
{
    char id[BF_SESSION_ID_SIZE];
    kit_create(k, "", id);
    bool knew = seen(k, id, 1, bytes.data, bytes.size);
    bf_bytes_done(&bytes);
    return knew;
}

static void remember(kit *k)
{
    k->service->settings.seen_days = 30;
    k->script = (kit_script){.decision = "approve", .reason = "LIVE"};
}

static void test_the_same_bytes_in_another_session(void **state)
{
    kit *k = *state;
    char first[BF_SESSION_ID_SIZE], second[BF_SESSION_ID_SIZE];
    remember(k);
    kit_create(k, "", first);
    kit_create(k, "\"risk_context\":{\"device_signals\":[\"vpn\"]}", second);
    assert_false(seen_text(k, first, 1, "a photo of the sea"));
    assert_true(seen_text(k, second, 1, "a photo of the sea"));
    assert_non_null(strstr(k->context, "\"vpn\""));
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM decision WHERE session_id = $1", second), 1);
}

static void test_the_same_bytes_once_more_in_one_session(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    remember(k);
    kit_create(k, "", id);
    k->script = (kit_script){.decision = "retry", .reason = "QUALITY_TOO_LOW", .not_judged = true};
    assert_false(seen_text(k, id, 1, "a photo of the wood"));
    assert_true(seen_text(k, id, 2, "a photo of the wood"));
    assert_false(seen_text(k, id, 3, "another photo of the wood"));
}

static void test_another_clients_captures_are_not_looked_at(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    json_t *body = NULL;
    remember(k);
    kit_request request = {.who = &KIT_OTHER_BACK_END, .body = "{\"flow_type\":\"account_opening\"}"};
    assert_int_equal(kit_call(k, bf_service_session_create, &request, NULL, &body, NULL), BF_OK);
    const char *other = json_string_value(json_object_get(json_object_get(body, "session"), "id"));
    bf_principal who = kit_person(other, 1);
    (void)snprintf(who.client, sizeof who.client, "shop");
    kit_request attempt = {.who = &who, .id = other, .body = "{}", .image = "a photo of a hill"};
    assert_int_equal(kit_call(k, bf_service_session_attempt, &attempt, NULL, NULL, NULL), BF_OK);
    kit_create(k, "", id);
    assert_false(seen_text(k, id, 1, "a photo of a hill"));
    json_decref(body);
}

static void test_the_same_frames_in_a_new_file(void **state)
{
    kit *k = *state;
    static const char NONCE[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    remember(k);
    assert_false(seen_burst(k, burst_of("", 1000, 1)));
    assert_true(seen_burst(k, burst_of(NONCE, 1000, 1)));  /* renamed to another plan */
    assert_true(seen_burst(k, burst_of(NONCE, 1019, -1))); /* backwards */
    assert_true(seen_burst(k, burst_of(NONCE, 995, 1)));   /* most of them, and some new ones */
    assert_false(seen_burst(k, burst_of("", 2000, 1)));
    assert_false(seen_burst(k, burst_of("", 2019, 1))); /* one frame in common may be chance */
}

static void test_empty_pictures_are_alike(void **state)
{
    kit *k = *state;
    int number[FRAMES];
    remember(k);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < FRAMES; i++)
            number[i] = i < FRAMES - 1 ? 3000 + i : 3100 + round; /* the last one differs */
        assert_false(seen_burst(k, burst("", number, FRAMES, 4000)));
    }
}

static void test_a_damaged_file_is_compared_as_a_whole(void **state)
{
    kit *k = *state;
    remember(k);
    for (int round = 0; round < 2; round++) {
        bf_bytes bytes = burst_of("", 4000, 1);
        bytes.size -= 10;
        assert_int_equal(seen_burst(k, bytes), round == 1);
    }
}

static void test_erasure_forgets(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    remember(k);
    kit_create(k, "", id);
    bf_bytes bytes = burst_of("", 5000, 1);
    assert_false(seen(k, id, 1, bytes.data, bytes.size));
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM capture_seen WHERE session_id = $1", id), 9);
    kit_request request = {.who = &KIT_BACK_END, .id = id};
    assert_int_equal(kit_call(k, bf_service_session_erase, &request, NULL, NULL, NULL), BF_OK);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM capture_seen WHERE session_id = $1", id), 0);
    assert_false(seen_burst(k, bytes));
}

static void test_what_is_old_is_forgotten(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    int64_t now_ms = k->now_ms;
    remember(k);
    kit_create(k, "", id);
    assert_false(seen_text(k, id, 1, "a photo of old"));
    k->now_ms = now_ms + 29 * DAY_MS;
    kit_create(k, "", id);
    assert_true(seen_text(k, id, 1, "a photo of old"));
    k->now_ms = now_ms + 60 * DAY_MS;
    kit_create(k, "", id);
    assert_false(seen_text(k, id, 1, "a photo of old"));
    k->now_ms = now_ms + 91 * DAY_MS;
    for (int i = 0; i < 3; i++)
        assert_int_equal(bf_service_tidy(k->service, k->now_ms, NULL), BF_OK);
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM capture_seen", NULL), 0);
    k->now_ms = now_ms;
}

static void test_nothing_is_remembered_where_nobody_wants_it(void **state)
{
    kit *k = *state;
    remember(k);
    k->service->settings.seen_days = 0;
    char id[BF_SESSION_ID_SIZE];
    for (int i = 0; i < 2; i++) {
        kit_create(k, "", id);
        assert_false(seen_text(k, id, 1, "a photo of nothing"));
    }
    assert_int_equal(kit_count(k, "SELECT COUNT(*) FROM capture_seen WHERE session_id = $1", id), 0);
}

/* Sixteen frames that move; `changed` bits of each are others. */
static void look_of(uint64_t seed, uint64_t changed, char ret[400])
{
    size_t used = (size_t)snprintf(ret, 400, "[");
    for (int i = 0; i < BF_CLIP_FRAMES; i++) {
        uint64_t frame = (seed + (uint64_t)i) * UINT64_C(0x9e3779b97f4a7c15);
        used += (size_t)snprintf(ret + used, 400 - used, "%s\"%016llx\"", i ? "," : "",
                                 (unsigned long long)(frame ^ (frame >> 29) ^ changed));
    }
    (void)snprintf(ret + used, 400 - used, "]");
}

/* Whether a capture that looks like this, but has other bytes, is known as similar. */
static bool looks_known(kit *k, const char *id, int attempt, uint64_t seed, uint64_t changed)
{
    static int count;
    char look[400], text[64];
    look_of(seed, changed, look);
    (void)snprintf(text, sizeof text, "a capture of its own, number %d", count++);
    k->script.fingerprint = look;
    k->script.challenge = "not_asked";
    bf_principal who = kit_person(id, attempt);
    kit_request request = {.who = &who, .id = id, .body = "{}", .image = text};
    assert_int_equal(kit_call(k, bf_service_session_attempt, &request, NULL, NULL, NULL), BF_OK);
    assert_null(strstr(k->context, "\"seen_before\""));
    return strstr(k->context, "\"seen_similar\"") != NULL;
}

static void test_what_looks_the_same(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    remember(k);
    k->script = (kit_script){.decision = "retry", .reason = "QUALITY_TOO_LOW", .not_judged = true};
    kit_create(k, "", id);
    assert_false(looks_known(k, id, 1, 7, 0));
    assert_false(looks_known(k, id, 2, 7, 1)); /* the same person tries again in the same place */
    kit_create(k, "", id);
    assert_true(looks_known(k, id, 1, 7, 0x100000001));
    kit_create(k, "", id);
    assert_false(looks_known(k, id, 1, 7000, 0));
    /* Its traces go with it. */
    kit_request request = {.who = &KIT_BACK_END, .id = id};
    assert_int_equal(kit_call(k, bf_service_session_erase, &request, NULL, NULL, NULL), BF_OK);
    kit_create(k, "", id);
    assert_false(looks_known(k, id, 1, 7000, 0));
}

typedef struct rival {
    kit *k;
    char id[BF_SESSION_ID_SIZE];
} rival;

/* Another session brings the same bytes, and is decided, while they are being judged. */
static void attempt_meanwhile(void *context)
{
    const rival *other = context;
    other->k->script.meanwhile = NULL;
    assert_false(seen_text(other->k, other->id, 1, "a photo in a race"));
}

static void test_two_at_once(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    rival other = {.k = k};
    remember(k);
    kit_create(k, "", other.id);
    kit_create(k, "", id);
    k->script.meanwhile = attempt_meanwhile;
    k->script.meanwhile_context = &other;
    bf_principal who = kit_person(id, 1);
    kit_request request = {.who = &who, .id = id, .body = "{}", .image = "a photo in a race"};
    assert_int_equal(kit_call(k, bf_service_session_attempt, &request, NULL, NULL, NULL), BF_OK);
    assert_non_null(strstr(k->context, "\"seen_before\""));
}

/* What the caller says cannot crowd ours out, nor the other way round. */
static void test_the_signal_has_room(void **state)
{
    kit *k = *state;
    char id[BF_SESSION_ID_SIZE];
    remember(k);
    static const char FULL[] =
        "\"risk_context\":{\"device_signals\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\","
        "\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\"]}";
    for (int i = 0; i < 2; i++) {
        kit_create(k, FULL, id);
        assert_int_equal(seen_text(k, id, 1, "a photo of a crowd"), i == 1);
        assert_non_null(strstr(k->context, "\"p\""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_bytes_in_another_session),
        cmocka_unit_test(test_the_same_bytes_once_more_in_one_session),
        cmocka_unit_test(test_another_clients_captures_are_not_looked_at),
        cmocka_unit_test(test_the_same_frames_in_a_new_file),
        cmocka_unit_test(test_empty_pictures_are_alike),
        cmocka_unit_test(test_a_damaged_file_is_compared_as_a_whole),
        cmocka_unit_test(test_erasure_forgets),
        cmocka_unit_test(test_what_is_old_is_forgotten),
        cmocka_unit_test(test_nothing_is_remembered_where_nobody_wants_it),
        cmocka_unit_test(test_what_looks_the_same),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_the_signal_has_room),
    };
    return kit_run_over_both("session_seen", tests, sizeof tests / sizeof *tests);
}

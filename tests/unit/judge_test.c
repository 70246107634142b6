/* The main path as a caller sees it: real models, real photos. Skipped without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/judge_kit.h"

#define PHOTOS 8
#define THREADS 4

static const char *const PHOTO[PHOTOS] = {"person-1", "person-2", "person-3", "person-4",
                                          "person-5", "person-7", "sample1",  "sample3"};

typedef struct fixture {
    bf_engine *engine;
    bf_bytes photo[PHOTOS];
    bf_bytes other; /* person 1 on another day */
} fixture;

static int set_up(void **state)
{
    static fixture f;
    bf_error err = {0};
    bf_status status = judge_kit_engine(&f.engine, &err);
    for (int i = 0; i < PHOTOS && status == BF_OK; i++)
        status = judge_kit_photo(PHOTO[i], &f.photo[i]);
    if (status == BF_OK)
        status = judge_kit_photo("person-1-other", &f.other);
    if (status != BF_OK && status != BF_MODEL_UNAVAILABLE) {
        (void)fprintf(stderr, "%s %s\n", err.message, err.hint);
        return -1;
    }
    *state = status == BF_OK ? &f : NULL;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    if (!f)
        return 0;
    bf_engine_free(&f->engine);
    for (int i = 0; i < PHOTOS; i++)
        bf_bytes_done(&f->photo[i]);
    bf_bytes_done(&f->other);
    return 0;
}

static fixture *need(void **state)
{
    if (!*state)
        skip();
    return *state;
}

static void group_photos_ask_for_one_person(void **state)
{
    fixture *f = need(state);
    for (int i = 6; i < PHOTOS; i++) {
        bf_request request = judge_kit_request(&f->photo[i]);
        bf_record *record = judge_kit_judge(f->engine, &request);
        assert_int_equal(bf_record_error(record), BF_MULTIPLE_FACES);
        assert_int_equal(bf_record_decision(record), BF_DECISION_RETRY);
        assert_int_equal(bf_record_band(record), BF_BAND_NOT_JUDGED);
        assert_string_equal(bf_record_guidance(record, 0), "one_person_only");
        assert_true(bf_record_score(record) < 0);
        bf_record_free(&record);
    }
}

static void garbage_is_a_retry_not_a_spoof(void **state)
{
    fixture *f = need(state);
    static const uint8_t junk[300] = "this is not a picture";
    bf_bytes bytes = {(uint8_t *)(uintptr_t)junk, sizeof junk};
    bf_request request = judge_kit_request(&bytes);
    bf_record *record = judge_kit_judge(f->engine, &request);
    assert_int_equal(bf_record_error(record), BF_UNSUPPORTED_FORMAT);
    assert_int_equal(bf_record_decision(record), BF_DECISION_RETRY);
    assert_int_equal(bf_record_band(record), BF_BAND_NOT_JUDGED);
    bf_record_free(&record);
    request.media_size = 0;
    record = judge_kit_judge(f->engine, &request);
    assert_int_equal(bf_record_error(record), BF_EMPTY_INPUT);
    bf_record_free(&record);
}

static void limits_are_the_callers_to_set(void **state)
{
    fixture *f = need(state);
    char weights[512];
    (void)snprintf(weights, sizeof weights, "%s/weights", getenv("BONAFIDE_CACHE_DIR"));
    bf_engine_options options = {.struct_size = sizeof options,
                                 .data_dir = getenv("BONAFIDE_SOURCE_DIR"),
                                 .weights_dir = weights,
                                 .limits = {.pixels_max = 100000}};
    bf_engine *engine = NULL;
    assert_int_equal(bf_engine_new(&options, &engine, NULL), BF_OK);
    bf_request request = judge_kit_request(&f->photo[3]);
    bf_record *record = judge_kit_judge(engine, &request);
    assert_int_equal(bf_record_error(record), BF_IMAGE_TOO_LARGE);
    bf_record_free(&record);
    bf_engine_free(&engine);
    options.limits.pixels_max = 1000000000;
    assert_int_equal(bf_engine_new(&options, &engine, NULL), BF_INVALID_ARGUMENT);
    assert_null(engine);
}

static void match_never_changes_the_liveness_score(void **state)
{
    fixture *f = need(state);
    bf_request alone = judge_kit_request(&f->photo[3]);
    bf_record *without = judge_kit_judge(f->engine, &alone);
    assert_true(bf_record_score(without) >= 0);
    const bf_bytes *references[] = {&f->other, &f->photo[4], &f->photo[6]};
    for (size_t i = 0; i < 3; i++) {
        bf_request request = alone;
        request.reference = references[i]->data;
        request.reference_size = references[i]->size;
        bf_record *with = judge_kit_judge(f->engine, &request);
        assert_true(bf_record_score(with) == bf_record_score(without));
        assert_int_equal(bf_record_band(with), bf_record_band(without));
        bf_record_free(&with);
    }
    bf_record_free(&without);
}

static void the_same_person_matches_and_others_do_not(void **state)
{
    fixture *f = need(state);
    for (int i = 0; i < 6; i++) {
        bf_request request = judge_kit_request(&f->photo[i]);
        request.reference = f->other.data;
        request.reference_size = f->other.size;
        request.match_order = BF_MATCH_ALWAYS;
        bf_record *record = judge_kit_judge(f->engine, &request);
        if (i == 0)
            assert_true(bf_record_similarity(record) > 0.4);
        else
            assert_true(bf_record_similarity(record) < 0.35);
        bf_record_free(&record);
    }
}

static void sequence_and_parallel_decide_alike(void **state)
{
    fixture *f = need(state);
    for (int i = 2; i < PHOTOS; i += 2) {
        for (int k = 0; k < PHOTOS; k += 3) {
            bf_request request = judge_kit_request(&f->photo[i]);
            request.reference = f->photo[k].data;
            request.reference_size = f->photo[k].size;
            bf_record *sequence = judge_kit_judge(f->engine, &request);
            request.match_order = BF_MATCH_ALWAYS;
            bf_record *parallel = judge_kit_judge(f->engine, &request);
            assert_int_equal(bf_record_decision(sequence), bf_record_decision(parallel));
            assert_string_equal(bf_record_reason(sequence), bf_record_reason(parallel));
            bf_record_free(&sequence);
            bf_record_free(&parallel);
        }
    }
}

/* With the switch on, what is judged waits for a person, what cannot be judged keeps its guidance, and a replay of the
 * record says the same. */
static void the_kill_switch_stops_automatic_decisions(void **state)
{
    fixture *f = need(state);
    for (int i = 0; i < PHOTOS; i++) {
        bf_request request = judge_kit_request(&f->photo[i]);
        bf_record *off = judge_kit_judge(f->engine, &request);
        request.kill_switch = true;
        bf_record *on = judge_kit_judge(f->engine, &request);
        assert_true(bf_record_score(on) == bf_record_score(off));
        bool judged = bf_record_band(on) != BF_BAND_NOT_JUDGED;
        assert_int_equal(bf_record_decision(on), judged ? BF_DECISION_REVIEW : bf_record_decision(off));
        assert_string_equal(bf_record_reason(on), judged ? "KILL_SWITCH" : bf_record_reason(off));
        judge_kit_replay(f->engine, on, &f->photo[i]);
        bf_record_free(&on);
        bf_record_free(&off);
    }
}

typedef struct worker {
    const fixture *f;
    char *text[PHOTOS];
} worker;

static void *judge_all(void *argument)
{
    worker *w = argument;
    bf_judge *judge = NULL;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): skip() does not return */
    if (bf_judge_new(w->f->engine, &judge, NULL) != BF_OK)
        return NULL;
    for (int i = 0; i < PHOTOS; i++) {
        bf_request request = judge_kit_request(&w->f->photo[i]);
        request.reference = w->f->other.data;
        request.reference_size = w->f->other.size;
        bf_record *record = NULL;
        if (bf_judge_capture(judge, &request, &record, NULL) == BF_OK)
            (void)bf_record_json(record, BF_JSON_NO_TIMING, &w->text[i], NULL);
        bf_record_free(&record);
    }
    bf_judge_free(&judge);
    return NULL;
}

static void the_same_bytes_give_the_same_record_on_any_thread(void **state)
{
    fixture *f = need(state);
    worker alone = {.f = f}, crowd[THREADS];
    pthread_t thread[THREADS];
    (void)judge_all(&alone);
    for (int t = 0; t < THREADS; t++) {
        crowd[t] = (worker){.f = f};
        assert_int_equal(pthread_create(&thread[t], NULL, judge_all, &crowd[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_join(thread[t], NULL), 0);
    for (int i = 0; i < PHOTOS; i++) {
        assert_non_null(alone.text[i]);
        for (int t = 0; t < THREADS; t++) {
            assert_non_null(crowd[t].text[i]);
            assert_string_equal(crowd[t].text[i], alone.text[i]);
            free(crowd[t].text[i]);
        }
        free(alone.text[i]);
    }
}

/* A failed allocation may cost the answer or the judgement, but never turns into an approval that an undisturbed run
 * would not have given, and never leaks (the sanitizers watch). */
static void survives_every_allocation_failure(void **state)
{
    fixture *f = need(state);
    bf_request request = judge_kit_request(&f->photo[0]);
    request.reference = f->other.data;
    request.reference_size = f->other.size;
    bf_judge *judge = NULL;
    assert_int_equal(bf_judge_new(f->engine, &judge, NULL), BF_OK);
    bf_record *undisturbed = judge_kit_judge(f->engine, &request);
    char *expected = judge_kit_text(undisturbed);
    size_t nth = 1;
    for (;; nth++) {
        bf_record *record = NULL;
        bf_error err = {0};
        bf_alloc_fail_after(nth, 0);
        bf_status status = bf_judge_capture(judge, &request, &record, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        if (made < nth) {
            char *text = judge_kit_text(record);
            assert_string_equal(text, expected);
            free(text);
            bf_record_free(&record);
            break;
        }
        if (status == BF_OK && bf_record_decision(record) == BF_DECISION_APPROVE)
            assert_int_equal(bf_record_error(record), BF_OK);
        if (status != BF_OK)
            assert_int_equal(status, BF_OUT_OF_MEMORY);
        bf_record_free(&record);
    }
    assert_true(nth > 3);
    free(expected);
    bf_record_free(&undisturbed);
    bf_judge_free(&judge);
}

static void an_engine_survives_every_allocation_failure(void **state)
{
    (void)need(state);
    /* Loading takes a third of a second, so later allocations are only sampled. */
    for (size_t nth = 1;; nth += nth < 10 ? 1 : nth / 4) {
        bf_engine *engine = NULL;
        bf_error err = {0};
        bf_alloc_fail_after(nth, 1);
        bf_status status = judge_kit_engine(&engine, &err);
        size_t made = bf_alloc_fail_after(0, 0);
        bf_engine_free(&engine);
        if (made < nth) {
            assert_int_equal(status, BF_OK);
            return;
        }
        assert_int_equal(status, BF_OUT_OF_MEMORY);
    }
}

static void wrong_requests_are_refused_with_a_hint(void **state)
{
    fixture *f = need(state);
    bf_judge *judge = NULL;
    bf_record *record = NULL;
    bf_error err = {0};
    assert_int_equal(bf_judge_new(f->engine, &judge, NULL), BF_OK);
    bf_request request = judge_kit_request(&f->photo[0]);
    request.flow = "acount_opening";
    assert_int_equal(bf_judge_capture(judge, &request, &record, &err), BF_INVALID_ARGUMENT);
    assert_non_null(strstr(err.hint, "account_opening"));
    request.flow = NULL;
    request.channel = "fax";
    assert_int_equal(bf_judge_capture(judge, &request, &record, &err), BF_INVALID_ARGUMENT);
    request.channel = NULL;
    request.context_json = "{\"risk\": 1}";
    assert_int_equal(bf_judge_capture(judge, &request, &record, &err), BF_INVALID_ARGUMENT);
    request.context_json = NULL;
    request.struct_size = 1;
    assert_int_equal(bf_judge_capture(judge, &request, &record, &err), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_judge_match(judge, &request, &record, &err), BF_INVALID_ARGUMENT);
    assert_null(record);
    bf_judge_free(&judge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_photos_ask_for_one_person),
        cmocka_unit_test(garbage_is_a_retry_not_a_spoof),
        cmocka_unit_test(limits_are_the_callers_to_set),
        cmocka_unit_test(match_never_changes_the_liveness_score),
        cmocka_unit_test(the_same_person_matches_and_others_do_not),
        cmocka_unit_test(sequence_and_parallel_decide_alike),
        cmocka_unit_test(the_kill_switch_stops_automatic_decisions),
        cmocka_unit_test(the_same_bytes_give_the_same_record_on_any_thread),
        cmocka_unit_test(survives_every_allocation_failure),
        cmocka_unit_test(an_engine_survives_every_allocation_failure),
        cmocka_unit_test(wrong_requests_are_refused_with_a_hint),
    };
    judge_kit_choose_cases();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Bursts through the whole of judging: real models, frames made of real photos. Skipped without them. */
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
#include "capture/file.h"
#include "pipeline/judge.h"
#include "record/record.h"
#include "support/judge_kit.h"

#define THREADS 3
#define FRAME_MS 66.7
#define FRAMES_MAX 100

enum { ME, ME_OTHER_DAY, SOMEBODY, GROUP, PHOTOS };

static const char *const PHOTO[PHOTOS] = {"person-1", "person-1-other", "person-4", "sample1"};
static const char ACTIVE_PLAN[] =
    "{\"nonce\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"attempt\":1,"
    "\"duration_ms\":4000,\"steps\":[{\"type\":\"hold_still\",\"from_ms\":0,\"until_ms\":1000},"
    "{\"type\":\"turn_left\",\"from_ms\":1200,\"until_ms\":3600}],\"flash\":null}";

typedef struct fixture {
    bf_engine *engine;
    bf_bytes photo[PHOTOS];
} fixture;

static int set_up(void **state)
{
    static fixture f;
    bf_error err = {0};
    bf_status status = judge_kit_engine(&f.engine, &err);
    if (status != BF_OK && status != BF_MODEL_UNAVAILABLE) {
        (void)fprintf(stderr, "%s %s\n", err.message, err.hint);
        return -1;
    }
    for (int i = 0; i < PHOTOS && status == BF_OK; i++)
        status = judge_kit_photo(PHOTO[i], &f.photo[i]);
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
    return 0;
}

static fixture *need(void **state)
{
    if (!*state)
        skip();
    return *state;
}

/* A burst whose frame i is photo which[i]. */
static bf_bytes burst_of(const fixture *f, const int *which, int count)
{
    static bf_capture_frame frames[FRAMES_MAX];
    assert_in_range(count, 1, FRAMES_MAX);
    for (int i = 0; i < count; i++)
        frames[i] = (bf_capture_frame){f->photo[which[i]].data, f->photo[which[i]].size, i * FRAME_MS};
    const bf_capture_file file = {.frame = frames, .frame_count = count};
    bf_bytes bytes = {0};
    bf_error err = {0};
    if (bf_capture_file_write(&file, &bytes, &err) != BF_OK)
        fail_msg("%s", err.message);
    return bytes;
}

/* `first` frames of one photo, then `second` of another. */
static bf_bytes burst_of_two(const fixture *f, int photo, int first, int then, int second)
{
    int which[FRAMES_MAX];
    assert_in_range(first + second, 1, FRAMES_MAX);
    for (int i = 0; i < first + second; i++)
        which[i] = i < first ? photo : then;
    return burst_of(f, which, first + second);
}

static const bf_evidence *evidence_of(const bf_record *record, const char *detector)
{
    for (int i = 0; i < record->evidence_count; i++) {
        if (strcmp(record->evidence[i].detector, detector) == 0)
            return &record->evidence[i];
    }
    fail_msg("no evidence of %s", detector);
    return NULL;
}

/* Detectors for stills see the same pixels on a burst as on a photo, so they say the same. The photo is small
 * enough to be analysed as it is. */
static void a_burst_of_one_photo_is_measured_as_the_photo(void **state)
{
    fixture *f = need(state);
    bf_bytes media = burst_of_two(f, SOMEBODY, 1, SOMEBODY, 0);
    bf_request still = judge_kit_request(&f->photo[SOMEBODY]), burst = judge_kit_request(&media);
    bf_record *of_still = judge_kit_judge(f->engine, &still), *of_burst = judge_kit_judge(f->engine, &burst);
    assert_true(of_burst->capture.sequence);
    assert_int_equal(of_burst->capture.analysed, 1);
    assert_int_equal(of_burst->status, of_still->status);
    assert_memory_equal(&of_burst->quality, &of_still->quality, sizeof of_still->quality);
    for (int i = 0; i < of_still->evidence_count; i++) {
        const bf_evidence *one = &of_still->evidence[i], *other = evidence_of(of_burst, one->detector);
        assert_int_equal(one->status, other->status);
        assert_true(one->raw == other->raw && one->live_llr == other->live_llr);
    }
    assert_int_equal(evidence_of(of_burst, "sequence.consistency")->status, BF_EVIDENCE_NOT_APPLICABLE);
    bf_record_free(&of_still);
    bf_record_free(&of_burst);
    bf_bytes_done(&media);
}

static void several_frames_are_chosen_and_agree(void **state)
{
    fixture *f = need(state);
    bf_bytes media = burst_of_two(f, ME, 30, ME_OTHER_DAY, 30);
    bf_request request = judge_kit_request(&media);
    request.full_evidence = true;
    bf_record *record = judge_kit_judge(f->engine, &request);
    assert_int_equal(record->capture.clip.frames_coded, 60);
    assert_int_equal(record->capture.analysed, 60);
    assert_true(record->capture.chosen_count >= 3);
    for (int i = 1; i < record->capture.chosen_count; i++)
        assert_true(record->capture.chosen[i].ms > record->capture.chosen[i - 1].ms);
    assert_int_equal(record->capture.track.found, 60);
    const bf_evidence *same = evidence_of(record, "sequence.consistency");
    assert_int_equal(same->status, BF_EVIDENCE_PRESENT);
    assert_true(same->raw > 0.4);
    bf_record_free(&record);
    bf_bytes_done(&media);
}

static void a_swap_half_way_is_caught(void **state)
{
    fixture *f = need(state);
    static const int shares[] = {10, 30, 50};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        bf_bytes media = burst_of_two(f, ME, shares[i], SOMEBODY, 60 - shares[i]);
        bf_request request = judge_kit_request(&media);
        request.reference = f->photo[ME_OTHER_DAY].data;
        request.reference_size = f->photo[ME_OTHER_DAY].size;
        bf_record *record = judge_kit_judge(f->engine, &request);
        if (record->status == BF_OK) {
            const bf_evidence *same = evidence_of(record, "sequence.consistency");
            assert_int_equal(same->status, BF_EVIDENCE_PRESENT);
            assert_true(same->raw < 0.3);
        }
        assert_int_not_equal(bf_record_decision(record), BF_DECISION_APPROVE);
        assert_int_not_equal(bf_record_band(record), BF_BAND_PASS);
        bf_record_free(&record);
        bf_bytes_done(&media);
    }
}

static void several_people_and_damaged_frames_are_not_judged(void **state)
{
    fixture *f = need(state);
    bf_bytes media = burst_of_two(f, ME, 5, GROUP, 40);
    bf_request request = judge_kit_request(&media);
    bf_record *record = judge_kit_judge(f->engine, &request);
    assert_int_equal(bf_record_error(record), BF_MULTIPLE_FACES);
    assert_int_equal(bf_record_band(record), BF_BAND_NOT_JUDGED);
    assert_int_equal(bf_record_decision(record), BF_DECISION_RETRY);
    assert_string_equal(bf_record_guidance(record, 0), "one_person_only");
    bf_record_free(&record);
    bf_bytes_done(&media);

    media = burst_of_two(f, ME, 20, ME, 0);
    media.data[media.size - f->photo[ME].size + 2000] ^= 0xff;
    media.size -= 700; /* the last frame is cut short, and the sizes no longer add up */
    request = judge_kit_request(&media);
    record = judge_kit_judge(f->engine, &request);
    assert_int_equal(bf_record_error(record), BF_CORRUPT_IMAGE);
    assert_string_equal(bf_record_media_kind(record), "burst");
    assert_int_equal(bf_record_band(record), BF_BAND_NOT_JUDGED);
    assert_int_equal(bf_record_decision(record), BF_DECISION_RETRY);
    bf_record_free(&record);
    media.size += 700;
    bf_bytes_done(&media);
}

/* A photo may be bona fide, but nobody can see on it that a step was done. */
static void a_photo_is_no_answer_to_a_plan(void **state)
{
    fixture *f = need(state);
    bf_request request = judge_kit_request(&f->photo[ME]);
    request.reference = f->photo[ME_OTHER_DAY].data;
    request.reference_size = f->photo[ME_OTHER_DAY].size;
    request.plan_json = ACTIVE_PLAN;
    bf_record *record = judge_kit_judge(f->engine, &request);
    assert_int_equal(record->challenge, BF_CHALLENGE_UNCLEAR);
    assert_int_equal(bf_record_band(record), BF_BAND_NOT_JUDGED);
    assert_string_equal(bf_record_status_name(record), "could_not_judge");
    assert_int_equal(bf_record_decision(record), BF_DECISION_RETRY);
    assert_true(bf_record_score(record) < 0);
    bf_record_free(&record);
    bf_judge *judge = NULL;
    assert_int_equal(bf_judge_new(f->engine, &judge, NULL), BF_OK);
    request.plan_json = "{\"steps\":[]}";
    assert_int_equal(bf_judge_capture(judge, &request, &record, NULL), BF_INVALID_ARGUMENT);
    assert_null(record);
    bf_judge_free(&judge);
}

/* The same photo over and over: what was asked is not done, and no camera gives such a stream. */
static void a_photo_sent_as_a_burst_is_found_out(void **state)
{
    fixture *f = need(state);
    bf_bytes media = burst_of_two(f, SOMEBODY, 60, SOMEBODY, 0);
    bf_request request = judge_kit_request(&media);
    bf_record *still_like = judge_kit_judge(f->engine, &request);
    assert_int_equal(still_like->challenge, BF_CHALLENGE_NOT_ASKED);
    assert_true(evidence_of(still_like, "sequence.stream")->live_llr < -1);
    assert_int_not_equal(bf_record_band(still_like), BF_BAND_PASS);
    request.plan_json = ACTIVE_PLAN;
    bf_record *asked = judge_kit_judge(f->engine, &request);
    assert_int_equal(asked->challenge, BF_CHALLENGE_NOT_FOLLOWED);
    assert_int_not_equal(bf_record_decision(asked), BF_DECISION_APPROVE);
    assert_true(asked->signals.count > 0); /* it names no plan */
    bf_record_free(&asked);
    bf_record_free(&still_like);
    bf_bytes_done(&media);
}

static void a_replay_says_the_same(void **state)
{
    fixture *f = need(state);
    bf_bytes media = burst_of_two(f, ME, 12, ME_OTHER_DAY, 12);
    bf_request request = judge_kit_request(&media);
    request.plan_json = ACTIVE_PLAN;
    bf_record *record = judge_kit_judge(f->engine, &request);
    judge_kit_replay(f->engine, record, &media);
    bf_record_free(&record);
    bf_bytes_done(&media);
}

/* Detectors keep the frame before while they run, and nothing afterwards. */
static void nothing_of_a_clip_is_kept(void **state)
{
    fixture *f = need(state);
    bf_bytes media = burst_of_two(f, ME, 2, GROUP, 1);
    bf_request request = judge_kit_request(&media);
    bf_judge *judge = NULL;
    bf_record *record = NULL;
    int states = 0;
    assert_int_equal(bf_judge_new(f->engine, &judge, NULL), BF_OK);
    assert_int_equal(bf_judge_capture(judge, &request, &record, NULL), BF_OK);
    assert_int_equal(record->capture.analysed, 3);
    for (int i = 0; i < f->engine->detector_count; i++) {
        const uint8_t *bytes = judge->detector_state[i];
        for (size_t k = 0; bytes && k < f->engine->detector[i].clip->state_size; k++)
            assert_int_equal(bytes[k], 0);
        states += bytes != NULL;
    }
    assert_int_equal(states, 4);
    assert_null(judge->image.pixels);
    assert_null(judge->sequence.small.pixels);
    assert_null(judge->sequence.grey.pixels);
    bf_record_free(&record);
    bf_judge_free(&judge);
    bf_bytes_done(&media);
}

typedef struct worker {
    const fixture *f;
    const bf_bytes *media;
    char *text[2];
} worker;

static void *judge_twice(void *argument)
{
    worker *w = argument;
    bf_judge *judge = NULL;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): skip() does not return */
    if (bf_judge_new(w->f->engine, &judge, NULL) != BF_OK)
        return NULL;
    for (int i = 0; i < 2; i++) {
        bf_request request = judge_kit_request(w->media);
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
    bf_bytes media = burst_of_two(f, ME, 8, ME_OTHER_DAY, 8);
    worker all[THREADS];
    pthread_t thread[THREADS];
    for (int t = 0; t < THREADS; t++) {
        all[t] = (worker){.f = f, .media = &media};
        assert_int_equal(pthread_create(&thread[t], NULL, judge_twice, &all[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_join(thread[t], NULL), 0);
    for (int t = 0; t < THREADS; t++) {
        for (int i = 0; i < 2; i++) {
            assert_non_null(all[t].text[i]);
            assert_string_equal(all[t].text[i], all[0].text[0]);
        }
    }
    for (int t = 0; t < THREADS; t++) {
        free(all[t].text[1]);
        free(all[t].text[0]);
    }
    bf_bytes_done(&media);
}

/* A failed allocation costs the answer or the judgement, and never leaks (the sanitizers watch). */
static void survives_allocation_failures(void **state)
{
    fixture *f = need(state);
    bf_bytes media = burst_of_two(f, ME, 2, ME_OTHER_DAY, 1);
    bf_request request = judge_kit_request(&media);
    request.plan_json = ACTIVE_PLAN;
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
        if (status == BF_OK)
            assert_int_not_equal(bf_record_error(record), BF_OK);
        else
            assert_int_equal(status, BF_OUT_OF_MEMORY);
        bf_record_free(&record);
    }
    assert_true(nth > 6);
    free(expected);
    bf_record_free(&undisturbed);
    bf_judge_free(&judge);
    bf_bytes_done(&media);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_of_one_photo_is_measured_as_the_photo),
        cmocka_unit_test(several_frames_are_chosen_and_agree),
        cmocka_unit_test(a_swap_half_way_is_caught),
        cmocka_unit_test(several_people_and_damaged_frames_are_not_judged),
        cmocka_unit_test(a_photo_is_no_answer_to_a_plan),
        cmocka_unit_test(a_photo_sent_as_a_burst_is_found_out),
        cmocka_unit_test(a_replay_says_the_same),
        cmocka_unit_test(nothing_of_a_clip_is_kept),
        cmocka_unit_test(the_same_bytes_give_the_same_record_on_any_thread),
        cmocka_unit_test(survives_allocation_failures),
    };
    judge_kit_choose_cases();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

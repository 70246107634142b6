#include "support/judge_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bonafide/replay.h"

bf_status judge_kit_engine(bf_engine **ret, bf_error *err)
{
    char weights[512];
    const char *source = getenv("BONAFIDE_SOURCE_DIR"), *cache = getenv("BONAFIDE_CACHE_DIR");
    if (!source || !cache)
        return BF_MODEL_UNAVAILABLE;
    (void)snprintf(weights, sizeof weights, "%s/weights", cache);
    bf_engine_options options = {.struct_size = sizeof options, .data_dir = source, .weights_dir = weights};
    return bf_engine_new(&options, ret, err);
}

bf_status judge_kit_photo(const char *name, bf_bytes *ret)
{
    char path[512];
    const char *cache = getenv("BONAFIDE_CACHE_DIR");
    (void)snprintf(path, sizeof path, "%s/samples/%s.jpg", cache ? cache : "", name);
    return cache && bf_bytes_read_file(ret, path, 1u << 24, NULL) == BF_OK ? BF_OK : BF_MODEL_UNAVAILABLE;
}

bf_request judge_kit_request(const bf_bytes *media)
{
    return (bf_request){.struct_size = sizeof(bf_request), .media = media->data, .media_size = media->size};
}

bf_record *judge_kit_judge(const bf_engine *engine, const bf_request *request)
{
    bf_judge *judge = NULL;
    bf_record *record = NULL;
    bf_error err = {0};
    assert_int_equal(bf_judge_new(engine, &judge, &err), BF_OK);
    if (bf_judge_capture(judge, request, &record, &err) != BF_OK)
        fail_msg("%s", err.message);
    bf_judge_free(&judge);
    return record;
}

char *judge_kit_text(const bf_record *record)
{
    char *json = NULL;
    assert_int_equal(bf_record_json(record, BF_JSON_NO_TIMING, &json, NULL), BF_OK);
    return json;
}

void judge_kit_replay(const bf_engine *engine, const bf_record *record, const bf_bytes *media)
{
    char *text = judge_kit_text(record);
    bf_replay *replay = NULL;
    bf_differences *differences = NULL;
    assert_int_equal(bf_replay_read(text, strlen(text), "record", &replay, NULL), BF_OK);
    bf_request again = judge_kit_request(media);
    bf_replay_request(replay, &again);
    bf_record *replayed = judge_kit_judge(engine, &again);
    assert_int_equal(bf_replay_compare(replay, replayed, &differences, NULL), BF_OK);
    assert_int_equal(bf_differences_count(differences), 0);
    bf_differences_free(&differences);
    bf_replay_free(&replay);
    bf_record_free(&replayed);
    free(text);
}

void judge_kit_choose_cases(void)
{
#ifdef __SANITIZE_THREAD__
    cmocka_set_test_filter("*_on_any_thread");
#endif
}

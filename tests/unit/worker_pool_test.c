/* Judging in worker processes: that it is the same judging, whatever goes on around it. Skipped without the
 * networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdatomic.h>

#include "bonafide/words.h"
#include "capture/file.h"
#include "support/hostile.h"
#include "support/videos.h"
#include "worker_test.h"

static const char *const SAMPLES[] = {"person-1", "person-3", "person-5", "person-6", "sample1"};
#define SAMPLE_COUNT (sizeof SAMPLES / sizeof *SAMPLES)

static double clock_ms(void *data)
{
    (void)data;
    return bf_time_steady_ms();
}

/* The record's text without times; the caller frees it. */
static char *without_times(const bf_bytes *record)
{
    json_t *root = json_loadb((const char *)record->data, record->size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_int_equal(strlen((const char *)record->data), record->size);
    size_t index;
    json_t *evidence;
    json_array_foreach(json_object_get(root, "evidence"), index, evidence)(void)
        json_object_set_new(evidence, "ms", json_null());
    assert_true(json_number_value(json_object_get(root, "latency_ms")) > 0.0);
    (void)json_object_set_new(root, "latency_ms", json_null());
    (void)json_object_clear(json_object_get(root, "latency"));
    char *text = json_dumps(root, JSON_REAL_PRECISION(12));
    json_decref(root);
    return text;
}

typedef struct pair {
    bf_pool *pool;
    bf_engine *engine;
    bf_judge *judge;
} pair;

/* A pool, and an engine in this process to compare it with. */
static pair open_pair(void)
{
    bf_pool_options options = pool_options();
    pair p = {.pool = open_pool(&options)};
    bf_engine_options engine = {.struct_size = sizeof engine,
                                .data_dir = options.data_dir,
                                .weights_dir = options.weights_dir,
                                .clock_ms = clock_ms};
    assert_int_equal(bf_engine_new(&engine, &p.engine, NULL), BF_OK);
    assert_int_equal(bf_judge_new(p.engine, &p.judge, NULL), BF_OK);
    return p;
}

static void close_pair(pair *p)
{
    bf_judge_free(&p->judge);
    bf_engine_free(&p->engine);
    bf_pool_free(&p->pool);
}

/* Judges both ways and compares bytes. */
static void same_both_ways(const pair *p, const bf_bytes *media, const bf_bytes *reference, bf_job job)
{
    bf_region region = media->size > 0 ? region_of(media) : BF_REGION_NONE, portrait = BF_REGION_NONE;
    bf_request request = {.struct_size = sizeof request,
                          .request_id = job.request_id,
                          .media = media->data ? media->data : (const uint8_t *)"",
                          .media_size = media->size,
                          .flow = job.flow,
                          .channel = job.channel,
                          .context_json = job.context_json,
                          .kill_switch = job.kill_switch};
    job.media = &region;
    if (reference) {
        portrait = region_of(reference);
        job.reference = &portrait;
        request.reference = reference->data;
        request.reference_size = reference->size;
    }
    bf_record *record = NULL;
    bf_bytes answer = {0};
    bf_error err = {0};
    char *expected = NULL;
    if (bf_pool_judge(p->pool, &job, &answer, NULL, &err) != BF_OK)
        fail_msg("%s: %s", job.request_id, err.message);
    assert_int_equal((job.match_only ? bf_judge_match : bf_judge_capture)(p->judge, &request, &record, NULL), BF_OK);
    assert_int_equal(bf_record_json(record, BF_JSON_NO_TIMING, &expected, NULL), BF_OK);
    char *got = without_times(&answer);
    if (strcmp(got, expected) != 0)
        fail_msg("%s:\n%s\n%s", job.request_id, got, expected);
    free(got);
    free(expected);
    bf_record_free(&record);
    bf_bytes_done(&answer);
    bf_region_done(&region);
    bf_region_done(&portrait);
}

static void photos_are_judged_as_without_workers(void **state)
{
    (void)state;
    pair p = open_pair();
    bf_bytes other = read_sample("person-1-other");
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        bf_bytes photo = read_sample(SAMPLES[i]);
        const bf_job jobs[] = {
            {.request_id = SAMPLES[i]},
            {.request_id = "with-all",
             .flow = "login_step_up",
             .channel = "kiosk",
             .kill_switch = i % 2 == 0,
             .context_json = "{\"risk_tier\":\"medium\",\"retry_count\":2,\"uncertain_count\":1}"},
            {.request_id = "match", .match_only = true},
        };
        same_both_ways(&p, &photo, NULL, jobs[0]);
        same_both_ways(&p, &photo, &other, jobs[1]);
        same_both_ways(&p, &photo, &other, jobs[2]);
        bf_bytes_done(&photo);
    }
    bf_bytes_done(&other);
    close_pair(&p);
}

/* Every kind of file, broken or not, goes through the sandbox without tripping over it. */
static void hostile_files_are_judged_as_without_workers(void **state)
{
    (void)state;
    pair p = open_pair();
    size_t count = 0;
    const test_hostile *files = test_hostile_files(&count);
    for (size_t i = 0; i < count; i++) {
        bf_bytes bytes = files[i].make();
        same_both_ways(&p, &bytes, NULL, (bf_job){.request_id = "hostile"});
        bf_bytes_done(&bytes);
    }
    bf_image pattern = test_pattern(640, 480), noise = test_noise(1600, 1200, 5);
    bf_bytes encoded[] = {test_heic(&pattern, &(test_heic_options){.orientation = 6}),
                          test_heic_grid(&pattern),
                          test_webp(&pattern, &(test_webp_options){.lossless = true}),
                          test_webp(&pattern, &(test_webp_options){0}),
                          test_png(&pattern, &(test_png_options){.kind = TEST_PNG_RGB16, .interlaced = true}),
                          test_jpeg(&noise, &(test_jpeg_options){.progressive = true, .h = 2, .v = 2})};
    for (size_t i = 0; i < sizeof encoded / sizeof *encoded; i++)
        same_both_ways(&p, &encoded[i], &encoded[0], (bf_job){.request_id = "encoded"});
    for (size_t i = 0; i < sizeof encoded / sizeof *encoded; i++)
        bf_bytes_done(&encoded[i]);
    bf_image_done(&pattern);
    bf_image_done(&noise);
    bf_pool_facts facts;
    bf_pool_look(p.pool, &facts);
    assert_int_equal(facts.restarts, 0);
    assert_int_equal(facts.lost, 0);
    close_pair(&p);
}

/* A burst of copies of a picture, 100 ms apart, that names a client. */
static bf_bytes burst_of(const bf_bytes *jpeg, int count)
{
    bf_capture_frame frame[32];
    bf_bytes bytes = {0};
    for (int i = 0; i < count; i++)
        frame[i] = (bf_capture_frame){jpeg->data, jpeg->size, 100.0 * i};
    bf_capture_file file = {.frame = frame, .frame_count = count, .client = json_pack("{s:s}", "sdk", "test/1")};
    assert_int_equal(bf_capture_file_write(&file, &bytes, NULL), BF_OK);
    json_decref(file.client);
    return bytes;
}

static void captures_are_judged_as_without_workers(void **state)
{
    (void)state;
    pair p = open_pair();
    bf_bytes photo = read_sample("person-1");
    bf_bytes clips[] = {burst_of(&photo, 8),
#ifdef BF_HAS_VIDEO
                        test_video(&(test_video_options){.width = 640, .height = 480, .b_frames = 2, .audio = true}),
                        test_video(&(test_video_options){.orientation = 6, .width = 320, .height = 240}),
                        test_video(&(test_video_options){.encoder = "libvpx", .container = "webm", .grow_at = 5}),
                        test_video(&(test_video_options){.encoder = "libvpx-vp9", .container = "webm"}),
#endif
                        burst_of(&photo, 1)};
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++) {
        if (clips[i].size == 0)
            continue;
        same_both_ways(&p, &clips[i], NULL, (bf_job){.request_id = "clip"});
        for (size_t at = 1; at < 4; at++) { /* damaged as well */
            clips[i].data[clips[i].size * at / 4] ^= 0x5a;
            same_both_ways(&p, &clips[i], NULL, (bf_job){.request_id = "damaged"});
        }
        bf_bytes_done(&clips[i]);
    }
    bf_bytes_done(&photo);
    bf_pool_facts facts;
    bf_pool_look(p.pool, &facts);
    assert_int_equal(facts.restarts, 0);
    assert_int_equal(facts.lost, 0);
    close_pair(&p);
}

static void requests_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    bf_pool *pool = open_pool(&options);
    bf_region none = BF_REGION_NONE;
    static char longest[80];
    memset(longest, 'i', sizeof longest - 1);
    const struct {
        bf_job job;
        const char *says;
    } rows[] = {
        {{.request_id = "a", .media = &none, .flow = "nowhere"}, "There is no journey named 'nowhere'."},
        {{.request_id = "a", .media = &none, .channel = "fax"}, "There is no channel named 'fax'."},
        {{.request_id = "a", .media = &none, .context_json = "{\"a\":1}"}, "risk context: unknown key 'a'."},
        {{.request_id = "a", .media = &none, .match_only = true}, "A comparison needs two pictures."},
        {{.request_id = NULL, .media = &none}, "A job needs media"},
        {{.request_id = "", .media = &none}, "A job needs media"},
        {{.request_id = "a b", .media = &none}, "A job needs media"},
        {{.request_id = "a", .media = NULL}, "A job needs media"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bf_error err = {0};
        bf_bytes record = {0};
        assert_int_equal(bf_pool_judge(pool, &rows[i].job, &record, NULL, &err), BF_INVALID_ARGUMENT);
        assert_int_equal(strncmp(err.message, rows[i].says, strlen(rows[i].says)), 0);
        assert_null(record.data);
    }
    bf_bytes record = {0};
    const bf_job job = {.request_id = longest, .media = &none, .reference = &none};
    assert_int_equal(bf_pool_judge(pool, &job, &record, NULL, NULL), BF_OK);
    assert_non_null(strstr((const char *)record.data, "EMPTY_INPUT"));
    bf_bytes_done(&record);
    bf_pool_free(&pool);
    assert_null(pool);
    bf_pool_free(&pool);
}

static void a_pool_that_cannot_be_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *data, *weights, *fusion, *program;
        bf_status status;
    } rows[] = {
        {"/nowhere", "/nowhere", NULL, NULL, BF_IO_ERROR},
        {"", "/nowhere", NULL, NULL, BF_INVALID_ARGUMENT},
        {NULL, NULL, NULL, NULL, BF_INVALID_ARGUMENT},
        {"/nowhere", "/nowhere", NULL, "/nowhere/bonafide", BF_INTERNAL},
        {"/nowhere", "/nowhere", NULL, "/bin/true", BF_INTERNAL},
        {"/nowhere", "/nowhere", "a-name-that-is-longer-than-any-name-of-a-fusion-file-may-be-at-all", NULL,
         BF_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bf_pool_options options = pool_options();
        bf_pool *pool = NULL;
        bf_error err = {0};
        options.data_dir = rows[i].data;
        options.weights_dir = rows[i].weights;
        options.fusion = rows[i].fusion;
        options.program = rows[i].program;
        assert_int_equal(bf_pool_new(&options, &pool, &err), rows[i].status);
        assert_true(err.message[0]);
        assert_null(pool);
        pid_t pids[PIDS_MAX];
        assert_int_equal(children_of(getpid(), pids), 0);
    }
}

/* ---- many at once ---- */

typedef struct crowd {
    bf_pool *pool;
    const bf_bytes *photos;
    int rounds;
    atomic_int failed;
    atomic_int done;
    double wait_ms_max;
} crowd;

static void *judge_many(void *data)
{
    crowd *c = data;
    for (int i = 0; i < c->rounds; i++) {
        char id[32];
        double wait_ms = -1;
        (void)snprintf(id, sizeof id, "job-%d", i);
        if (judge_bytes(c->pool, &c->photos[i % 2], id, &wait_ms) != BF_OK || wait_ms < 0)
            c->failed++;
        c->done++;
    }
    return NULL;
}

#define CROWD 8

static void many_threads_are_served(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    bf_pool *pool = open_pool(&options);
    bf_bytes photos[2] = {read_sample("person-2"), read_sample("sample1")};
    crowd c = {.pool = pool, .photos = photos, .rounds = 8};
    pthread_t threads[CROWD];
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, judge_many, &c), 0);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    bf_pool_facts facts;
    bf_pool_look(pool, &facts);
    assert_int_equal(c.failed, 0);
    assert_int_equal(facts.judged, CROWD * 8);
    assert_int_equal(facts.busy + facts.queued, 0);
    assert_int_equal(facts.lost + facts.restarts + facts.refused, 0);
    assert_true(facts.ready);
    assert_int_equal(facts.workers, 2);
    assert_int_equal(facts.queue_max, 16);
    bf_pool_free(&pool);
    bf_bytes_done(&photos[0]);
    bf_bytes_done(&photos[1]);
}

static void reloading_drops_no_job(void **state)
{
    (void)state;
    bf_pool_options options = pool_options();
    bf_pool *pool = open_pool(&options);
    bf_bytes photos[2] = {read_sample("person-2"), read_sample("sample1")};
    crowd c = {.pool = pool, .photos = photos, .rounds = 30};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, judge_many, &c), 0);
    pid_t before = only_nursery();
    for (int i = 0; i < 3; i++)
        assert_int_equal(bf_pool_reload(pool, NULL), BF_OK);
    assert_true(c.done < 4 * 30);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    bf_pool_facts facts;
    bf_pool_look(pool, &facts);
    assert_int_equal(c.failed, 0);
    assert_int_equal(facts.judged, 4 * 30);
    assert_int_equal(facts.lost + facts.restarts, 0);
    /* Each reload replaced one, and each ends when its workers have. */
    pid_t pids[PIDS_MAX];
    for (int waited = 0; children_of(getpid(), pids) > 1 && waited < SOON_MS; waited += 5)
        nap(5);
    assert_int_not_equal(only_nursery(), before);
    bf_pool_free(&pool);
    bf_bytes_done(&photos[0]);
    bf_bytes_done(&photos[1]);
}

/* ---- a policy that does not load ---- */

/* Lets a folder of our own show a folder or file of the source tree. */
static void link_to(const char *root, const char *name)
{
    char from[2048], to[2048];
    (void)snprintf(from, sizeof from, "%s/%s", variable("BONAFIDE_SOURCE_DIR"), name);
    (void)snprintf(to, sizeof to, "%s/%s", root, name);
    assert_int_equal(symlink(from, to), 0);
}

/* Links every policy of the source tree, or removes them again. */
static void each_policy(const char *root, bool remove)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/policies", variable("BONAFIDE_SOURCE_DIR"));
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s%spolicies/%s", remove ? root : "", remove ? "/" : "", entry->d_name);
        if (remove)
            (void)unlink(path);
        else
            link_to(root, path);
    }
    if (folder)
        (void)closedir(folder);
}

/* A data folder of our own: what the source tree has, with policies that can be changed. */
static void make_data(char root[256])
{
    char path[1024];
    (void)snprintf(root, 256, "/tmp/bonafide-worker-test-XXXXXX");
    assert_non_null(mkdtemp(root));
    (void)snprintf(path, sizeof path, "%s/policies", root);
    assert_int_equal(mkdir(path, 0700), 0);
    link_to(root, "models");
    link_to(root, "calibration");
    link_to(root, "fusion");
    each_policy(root, false);
}

static void remove_data(const char *root)
{
    static const char *const names[] = {"models", "calibration", "fusion"};
    char path[1024];
    each_policy(root, true);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", root, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/policies", root);
    (void)rmdir(path);
    assert_int_equal(rmdir(root), 0);
}

static bool has_flow(bf_pool *pool, const char *flow)
{
    bf_region none = BF_REGION_NONE;
    bf_bytes record = {0};
    const bf_job job = {.request_id = "a", .media = &none, .flow = flow};
    bf_status status = bf_pool_judge(pool, &job, &record, NULL, NULL);
    bf_bytes_done(&record);
    assert_true(status == BF_OK || status == BF_INVALID_ARGUMENT);
    return status == BF_OK;
}

static void a_broken_policy_leaves_the_old_in_service(void **state)
{
    (void)state;
    char root[256], path[512], other[512];
    make_data(root);
    bf_pool_options options = pool_options();
    options.data_dir = root;
    bf_pool *pool = open_pool(&options);
    bf_error err = {0};
    (void)snprintf(path, sizeof path, "%s/policies/video_kyc.yaml", root);
    (void)snprintf(other, sizeof other, "%s/video_kyc.yaml", root);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(bf_bytes_write_file(path, "flow: x\n", 8, NULL), BF_OK);
    assert_int_equal(bf_pool_reload(pool, &err), BF_CONFIG_INVALID);
    assert_non_null(strstr(err.message, "video_kyc.yaml"));
    assert_true(has_flow(pool, "video_kyc"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(bf_pool_reload(pool, &err), BF_OK);
    assert_false(has_flow(pool, "video_kyc"));
    assert_true(has_flow(pool, "account_opening"));
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(bf_pool_reload(pool, &err), BF_OK);
    assert_true(has_flow(pool, "video_kyc"));
    bf_pool_free(&pool);
    remove_data(root);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "nursery") == 0)
        return bf_nursery_run(BF_NURSERY_FD);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(photos_are_judged_as_without_workers),
        cmocka_unit_test(hostile_files_are_judged_as_without_workers),
        cmocka_unit_test(captures_are_judged_as_without_workers),
        cmocka_unit_test(requests_that_make_no_sense_are_refused),
        cmocka_unit_test(a_pool_that_cannot_be_says_why),
        cmocka_unit_test(many_threads_are_served),
        cmocka_unit_test(reloading_drops_no_job),
        cmocka_unit_test(a_broken_policy_leaves_the_old_in_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

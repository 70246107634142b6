/* Signals about the capture path: what arrived, what it answers, and what is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "integrity_test.h"

static void an_honest_capture_gives_no_signal(void **state)
{
    (void)state;
    scene s;
    set_up(&s);
    expect(&s, NULL);
    s.input.plan = NULL; /* judged without its session */
    expect(&s, NULL);
    tear_down(&s);
    bf_media_facts still = {.container = BF_CONTAINER_JPEG, .exif_present = true, .exif_software = "HDR+ 1.0.540"};
    s.input = (bf_integrity_input){.media = &still};
    expect(&s, NULL);
}

static void what_arrived_is_measured(void **state)
{
    (void)state;
    scene s;
    set_up(&s);
    s.facts.width = 1920;
    s.facts.height = 1080;
    expect(&s, "frame_size_mismatch"); /* larger than the camera gives */
    tear_down(&s);
    set_up(&s);
    s.facts.width = 640;
    s.facts.height = 480;
    expect(&s, "frame_size_mismatch"); /* of another shape */
    s.facts.width = 360;
    s.facts.height = 640;
    expect(&s, NULL); /* only held upright */
    s.facts.size_changes = 2;
    expect(&s, "size_changed");
    change(&s, "timing.rotations", "1");
    expect(&s, NULL);
    tear_down(&s);
    set_up(&s);
    for (int i = 20; i < FRAMES; i++)
        s.frame[i].ms += 1700;
    change(&s, "timing.frames_dropped", "0");
    s.plan.duration_ms = 5000;
    expect(&s, "unexplained_gap");
    change(&s, "timing.hidden_ms", "1600");
    expect(&s, "page_hidden");
    tear_down(&s);
    set_up(&s);
    for (int i = 0; i < FRAMES; i++)
        s.frame[i].ms = 100.0 * i;
    expect(&s, "regular_times");
    tear_down(&s);
}

static void files_tell_who_wrote_them(void **state)
{
    (void)state;
    static const struct {
        const char *software, *signal;
    } programs[] = {
        {"Adobe Photoshop 25.0 (Windows)", "edited_media"},
        {"GIMP 2.10.36", "edited_media"},
        {"Snapseed 2.0", "edited_media"},
        {"Midjourney v6", "generated_media"},
        {"FaceFusion 3.1", "generated_media"},
        {"Lavc61.3.100", "reencoded_media"},
        {"ImageMagick 7.1", "reencoded_media"},
        {"Picasa", NULL},
        {"MediaTek Camera Application", NULL},
        {"18.5", NULL},
    };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        scene s;
        bf_media_facts media = {.container = BF_CONTAINER_JPEG, .exif_present = true};
        bf_clip_facts clip = {.container = BF_CONTAINER_MP4, .width = 640, .height = 480};
        (void)snprintf(media.exif_software, sizeof media.exif_software, "%s", programs[i].software);
        s.input = (bf_integrity_input){.media = &media};
        expect(&s, programs[i].signal);
        (void)snprintf(clip.encoder, sizeof clip.encoder, "%s", programs[i].software);
        s.input = (bf_integrity_input){.facts = &clip};
        expect(&s, programs[i].signal);
    }
}

/* JPEGs of Chromium's and Firefox's canvas have the example tables and no EXIF. */
static void frames_that_no_page_made(void **state)
{
    (void)state;
    scene s;
    set_up(&s);
    s.media.jpeg_tables_standard = false;
    expect(&s, "encoder_mismatch");
    change(&s, "sdk", "\"bonafide-ios/1.0\""); /* an app has its own encoder */
    expect(&s, NULL);
    tear_down(&s);
    set_up(&s);
    (void)snprintf(s.media.subsampling, sizeof s.media.subsampling, "4:2:2");
    expect(&s, "encoder_mismatch");
    s.media.exif_present = true;
    expect(&s, "frames_not_from_page");
    tear_down(&s);
    set_up(&s);
    s.media.progressive = true;
    expect(&s, "frames_not_from_page");
    s.media.progressive = false;
    s.media.orientation = 6;
    expect(&s, "frames_not_from_page");
    tear_down(&s);
}

static void a_capture_for_another_plan_is_stale(void **state)
{
    (void)state;
    scene s;
    set_up(&s);
    s.file.nonce[0] = 'f';
    expect(&s, "stale_challenge");
    assert_int_equal(s.signals.signal[0].severity, BF_SIGNAL_SEVERE);
    assert_int_equal(s.signals.signal[0].source, BF_SIGNAL_MEASURED);
    s.file.nonce[0] = 0;
    expect(&s, "challenge_unnamed");
    s.plan.step_count = 1;
    s.plan.flash = (bf_flash){0};
    expect(&s, NULL); /* nothing was asked */
    tear_down(&s);
    set_up(&s);
    s.input.file = NULL; /* a photo or video in answer to an active plan */
    expect(&s, "challenge_unnamed");
    tear_down(&s);
}

static void the_page_has_to_have_shown_the_plan(void **state)
{
    (void)state;
    scene s;
    set_up(&s);
    s.file.shown[1] = (bf_capture_shown){"turn_right", 1012};
    expect(&s, "plan_not_shown");
    assert_string_equal(find(&s, "plan_not_shown")->detail, "turn_left");
    tear_down(&s);
    set_up(&s);
    s.file.shown[1] = (bf_capture_shown){"blink", 1012}; /* the other way round */
    s.file.shown[2] = (bf_capture_shown){"turn_left", 2216};
    expect_also(&s, "plan_not_shown", "shown_at_other_times");
    tear_down(&s);
    set_up(&s);
    s.file.shown[5] = (bf_capture_shown){"#fffffe", 3212};
    expect(&s, "plan_not_shown");
    tear_down(&s);
    set_up(&s);
    s.file.shown[2].ms = 900;
    expect(&s, "shown_at_other_times");
    tear_down(&s);
    set_up(&s);
    s.file.shown_count = 0;
    expect(&s, "plan_not_shown");
    s.plan.duration_ms = 9000;
    expect_also(&s, "duration_mismatch", "plan_not_shown");
    tear_down(&s);
    set_up(&s);
    s.plan.duration_ms = 1500;
    expect(&s, "duration_mismatch");
    tear_down(&s);
}

/* A client that lies about everything at once: what fits is kept, the gravest first. */
static void the_gravest_come_first(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {"sdk", "\"\""}, /* our page's completeness and encoder are not asked for then */
        {"camera.label", "\"OBS\\n\\u00e9 Virtual\""},
        {"camera.device_count", "0"},
        {"camera.facing", "\"environment\""},
        {"camera.settings", "{\"width\":99,\"height\":5,\"frame_rate\":1}"},
        {"camera.capabilities", "{\"width\":{\"max\":9},\"frameRate\":{\"max\":0.5}}"},
        {"mirrored", "true"},
        {"capture", "\"upload\""},
        {"webdriver", "true"},
        {"screen.width", "0"},
        {"tamper", "{\"get_user_media_native\":false,\"enumerate_devices_native\":false,\"canvas_native\":false}"},
        {"device", "{\"emulator\":true,\"rooted\":true,\"debugger\":true,\"hooked_api\":true,\"remote_control\":true,"
                   "\"attestation_failed\":true,\"injected_stream\":true,\"screen_capture\":true}"},
        {"timing", "{\"hidden_ms\":1e9,\"clock_drift_ms\":-1e9,\"frames_dropped\":false}"},
        {"platform", "\"iPhone\""},
        {"user_agent", "\"Windows NT headless\""}};
    scene s;
    set_up(&s);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        change(&s, changes[i][0], changes[i][1]);
    s.file.nonce[5] = 'f';
    s.file.shown_count = 0;
    bf_integrity_look(&s.input, &s.signals);
    assert_int_equal(s.signals.count, BF_SIGNALS_MAX);
    for (int i = 1; i < s.signals.count; i++) {
        assert_true(s.signals.signal[i].severity <= s.signals.signal[i - 1].severity);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(s.signals.signal[i].name, s.signals.signal[j].name);
    }
    assert_string_equal(s.signals.signal[0].name, "hooked_api");
    assert_string_equal(find(&s, "virtual_camera")->detail, "OBS??? Virtual");
    tear_down(&s);
}

static void words_of_signals(void **state)
{
    (void)state;
    assert_string_equal(bf_signal_severity_name(BF_SIGNAL_NOTE), "note");
    assert_string_equal(bf_signal_severity_name(BF_SIGNAL_WEAK), "weak");
    assert_string_equal(bf_signal_severity_name(BF_SIGNAL_STRONG), "strong");
    assert_string_equal(bf_signal_severity_name(BF_SIGNAL_SEVERE), "severe");
    assert_string_equal(bf_signal_severity_name((bf_signal_severity)9), "unknown");
    assert_string_equal(bf_signal_source_name(BF_SIGNAL_CLAIMED), "client_claimed");
    assert_string_equal(bf_signal_source_name(BF_SIGNAL_MEASURED), "server_measured");
}

static bf_bytes read_source(const char *name)
{
    char path[4096];
    const char *root = getenv("BONAFIDE_SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    bf_bytes bytes = {0};
    assert_int_equal(bf_bytes_read_file(&bytes, path, 1 << 20, NULL), BF_OK);
    return bytes;
}

/* Every signal stands in the reference with its severity and source, and the reference names no other; the shipped
 * policies know them all, so that none falls under "other" by accident. */
static void every_signal_is_documented_and_known_to_the_policies(void **state)
{
    (void)state;
    bf_bytes page = read_source("docs/reference/integrity.md"), base = read_source("policies/base/common.yaml");
    int count = 0, rows = 0;
    const bf_signal_kind *kinds = bf_signal_kinds(&count);
    for (int i = 0; i < count; i++) {
        char row[256], setting[128];
        (void)snprintf(row, sizeof row, "\n| `%s` | %s | %s |", kinds[i].name,
                       bf_signal_severity_name(kinds[i].severity),
                       kinds[i].source == BF_SIGNAL_CLAIMED ? "client" : "server");
        (void)snprintf(setting, sizeof setting, "\n  %s: ", kinds[i].name);
        if (!strstr((char *)page.data, row) || !strstr((char *)base.data, setting))
            fail_msg("%s is not in docs/reference/integrity.md or not in policies/base/common.yaml", kinds[i].name);
    }
    const char *at = strstr((char *)page.data, "## Signals"),
               *end = strstr((char *)page.data, "## What each attack meets");
    assert_true(at && end && at < end);
    for (; at && at < end; at = strstr(at + 1, "\n| `"))
        rows++;
    assert_int_equal(rows - 1, count);
    bf_bytes_done(&page);
    bf_bytes_done(&base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_capture_gives_no_signal),
        cmocka_unit_test(what_arrived_is_measured),
        cmocka_unit_test(files_tell_who_wrote_them),
        cmocka_unit_test(frames_that_no_page_made),
        cmocka_unit_test(a_capture_for_another_plan_is_stale),
        cmocka_unit_test(the_page_has_to_have_shown_the_plan),
        cmocka_unit_test(the_gravest_come_first),
        cmocka_unit_test(words_of_signals),
        cmocka_unit_test(every_signal_is_documented_and_known_to_the_policies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the tests of the capture path share: one honest capture as our page sends it, to be spoilt in one place. */
#ifndef BF_TESTS_INTEGRITY_TEST_H
#define BF_TESTS_INTEGRITY_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "integrity/integrity.h"
#include "support/plans.h"

#define FRAMES 40

static const char HONEST[] =
    "{\"sdk\":\"bonafide-web/0.1.0\",\"user_agent\":\"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\",\"platform\":\"Windows\",\"language\":\"en\","
    "\"screen\":{\"width\":1920,\"height\":1080,\"pixel_ratio\":1},\"touch_points\":0,\"webdriver\":false,"
    "\"capture\":\"camera\",\"camera\":{\"label\":\"HD Pro Webcam C920 (046d:082d)\",\"device_count\":1,"
    "\"facing\":null,\"settings\":{\"width\":1280,\"height\":720,\"frame_rate\":30},"
    "\"capabilities\":{\"width\":{\"min\":1,\"max\":1920},\"height\":{\"min\":1,\"max\":1080},"
    "\"frameRate\":{\"min\":0,\"max\":30}},\"requested\":{\"width\":1280,\"height\":720,\"frame_rate\":30}},"
    "\"tamper\":{\"get_user_media_native\":true,\"enumerate_devices_native\":true,\"canvas_native\":true},"
    "\"timing\":{\"frames_dropped\":1,\"hidden_ms\":0,\"rotations\":0,\"clock_drift_ms\":0.4},\"mirrored\":false}";

/* One capture as our page sends it, and everything that is looked at about it. */
typedef struct scene {
    bf_plan plan;
    bf_capture_frame frame[FRAMES];
    bf_capture_file file;
    bf_clip_facts facts;
    bf_media_facts media;
    bf_integrity_input input;
    bf_signals signals;
} scene;

static inline void set_up(scene *s)
{
    *s = (scene){.plan = {.nonce = NONCE, .attempt = 1, .step_count = 3, .duration_ms = 4000},
                 .file = {.nonce = NONCE, .frame_count = FRAMES, .shown_count = 7},
                 .facts = {.container = BF_CONTAINER_BURST, .codec = "jpeg", .width = 640, .height = 360},
                 .media = {.container = BF_CONTAINER_JPEG,
                           .orientation = 1,
                           .subsampling = "4:2:0",
                           .jpeg_quality = 75,
                           .jpeg_tables_standard = true,
                           .has_icc_profile = true}};
    s->plan.step[0] = (bf_step){BF_STEP_HOLD_STILL, 0, 800};
    s->plan.step[1] = (bf_step){BF_STEP_TURN_LEFT, 1000, 2000};
    s->plan.step[2] = (bf_step){BF_STEP_BLINK, 2200, 3000};
    s->plan.flash = (bf_flash){.form = BF_FLASH_FULL, .colour_count = 4, .from_ms = 2400, .each_ms = 400};
    static const uint8_t colours[4][3] = {{255, 32, 32}, {32, 255, 255}, {255, 255, 255}, {32, 255, 32}};
    memcpy(s->plan.flash.colour, colours, sizeof colours);
    static const bf_capture_shown shown[] = {{"hold_still", 0}, {"turn_left", 1012}, {"blink", 2216},
                                             {"#ff2020", 2409}, {"#20ffff", 2811},   {"#ffffff", 3212},
                                             {"#20ff20", 3614}};
    memcpy(s->file.shown, shown, sizeof shown);
    for (int i = 0; i < FRAMES; i++)
        s->frame[i] = (bf_capture_frame){(const uint8_t *)"x", 1, 100.0 * i + (double)(i * 7 % 5)};
    s->file.frame = s->frame;
    s->file.client = json_loads(HONEST, 0, NULL);
    assert_non_null(s->file.client);
    s->input = (bf_integrity_input){&s->plan, &s->file, &s->facts, &s->media};
}

static inline void tear_down(scene *s)
{
    json_decref(s->file.client);
}

static inline const bf_signal *find(const scene *s, const char *name)
{
    for (int i = 0; i < s->signals.count; i++) {
        if (strcmp(s->signals.signal[i].name, name) == 0)
            return &s->signals.signal[i];
    }
    return NULL;
}

/* Looks, and checks that this signal is the only one besides `also`. NULL: there is none. */
static inline void expect_also(scene *s, const char *name, const char *also)
{
    bf_integrity_look(&s->input, &s->signals);
    if (name && !find(s, name))
        print_error("missing: %s\n", name);
    for (int i = 0; i < s->signals.count; i++) {
        const char *got = s->signals.signal[i].name;
        if ((name && strcmp(got, name) == 0) || (also && strcmp(got, also) == 0))
            continue;
        fail_msg("%s: unexpected %s (%s)", name ? name : "honest", got, s->signals.signal[i].detail);
    }
    assert_true(!name || find(s, name));
    assert_true(!also || find(s, also));
}

static inline void expect(scene *s, const char *name)
{
    expect_also(s, name, NULL);
}

/* Sets client.a.b (path "a.b") to the JSON value; NULL takes it away. */
static inline void change(scene *s, const char *path, const char *value)
{
    char text[512], wrapped[1024];
    (void)snprintf(text, sizeof text, "%s", path);
    json_t *object = s->file.client;
    char *key = text;
    for (char *dot = strchr(key, '.'); dot; dot = strchr(key, '.')) {
        *dot = 0;
        object = json_object_get(object, key);
        assert_non_null(object);
        key = dot + 1;
    }
    if (!value) {
        assert_int_equal(json_object_del(object, key), 0);
        return;
    }
    (void)snprintf(wrapped, sizeof wrapped, "[%s]", value);
    json_t *list = json_loads(wrapped, 0, NULL);
    assert_non_null(list);
    assert_int_equal(json_object_set(object, key, json_array_get(list, 0)), 0);
    json_decref(list);
}

static inline void change_text(scene *s, const char *path, const char *text)
{
    char quoted[512];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", text);
    change(s, path, quoted);
}

#endif

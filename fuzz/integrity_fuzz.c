/* The client's report is anybody's JSON. Whatever it holds, and whatever plan, times and facts stand beside it, looking
 * ends, and what is found is known, ordered, told once and safe to print. The first line of the input is numbers that
 * the rest of the scene is made of; the JSON follows. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "integrity/integrity.h"
#include "promise.h"

#define FRAMES 30

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The knobs of the scene: bytes up to the first newline, zero beyond. */
typedef struct knobs {
    const uint8_t *at;
    size_t left;
} knobs;

static int turn(knobs *from)
{
    if (from->left == 0)
        return 0;
    from->left--;
    return *from->at++;
}

static void make_plan(knobs *from, bf_plan *ret)
{
    (void)snprintf(ret->nonce, sizeof ret->nonce, "%064x", (unsigned)turn(from) % 3);
    ret->step_count = 1 + turn(from) % BF_PLAN_STEPS_MAX;
    for (int i = 0; i < ret->step_count; i++)
        ret->step[i] = (bf_step){(bf_step_type)(turn(from) % BF_STEP_TYPE_COUNT), i * 1000, i * 1000 + 900};
    ret->flash.colour_count = turn(from) % (BF_PLAN_COLOURS_MAX + 1);
    for (int i = 0; i < ret->flash.colour_count; i++)
        ret->flash.colour[i][0] = (uint8_t)turn(from);
    ret->flash.each_ms = turn(from) * 4;
    ret->duration_ms = turn(from) * 100;
}

static void make_file(knobs *from, bf_capture_frame frame[FRAMES], bf_capture_file *ret)
{
    double ms = 0;
    int step = turn(from);
    ret->frame = frame;
    ret->frame_count = 1 + turn(from) % FRAMES;
    for (int i = 0; i < ret->frame_count; i++) {
        frame[i] = (bf_capture_frame){(const uint8_t *)"x", 1, ms};
        ms += step + (turn(from) & 15);
    }
    if (turn(from) % 4)
        (void)snprintf(ret->nonce, sizeof ret->nonce, "%064x", (unsigned)turn(from) % 3);
    ret->shown_count = turn(from) % 12;
    for (int i = 0; i < ret->shown_count; i++) {
        const char *step_name = bf_step_type_name((bf_step_type)(turn(from) % BF_STEP_TYPE_COUNT));
        (void)snprintf(ret->shown[i].what, sizeof ret->shown[i].what, "%s", step_name);
        ret->shown[i].ms = turn(from) * 40;
    }
}

static void make_facts(knobs *from, bf_clip_facts *facts, bf_media_facts *media)
{
    *facts = (bf_clip_facts){.width = turn(from) * 8, .height = turn(from) * 8, .size_changes = turn(from) % 3};
    *media = (bf_media_facts){.container = (bf_container)(turn(from) % 3),
                              .orientation = turn(from) % 9,
                              .exif_present = turn(from) % 2 == 1,
                              .jpeg_tables_standard = turn(from) % 2 == 1,
                              .progressive = turn(from) % 4 == 3};
    for (size_t i = 0; i + 1 < sizeof facts->encoder; i++)
        facts->encoder[i] = media->exif_software[i] = (char)turn(from);
}

static void check(const bf_signals *signals)
{
    int known = 0;
    const bf_signal_kind *kinds = bf_signal_kinds(&known);
    promise(signals->count >= 0 && signals->count <= BF_SIGNALS_MAX, "signals fit");
    for (int i = 0; i < signals->count; i++) {
        const bf_signal *signal = &signals->signal[i];
        bool found = false;
        for (int k = 0; k < known; k++)
            found = found || (kinds[k].name == signal->name && kinds[k].severity == signal->severity);
        promise(found, "a signal is one of the kinds");
        promise(i == 0 || signal->severity <= signals->signal[i - 1].severity, "the gravest come first");
        for (int j = 0; j < i; j++)
            promise(signals->signal[j].name != signal->name, "a signal is told once");
        size_t length = strnlen(signal->detail, sizeof signal->detail);
        promise(length < sizeof signal->detail, "a detail ends");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    knobs from = {data, line ? (size_t)(line - data) : 0};
    const uint8_t *json = line ? line + 1 : data;
    size_t json_size = size - (size_t)(json - data);
    bf_plan plan = {0};
    bf_capture_frame frame[FRAMES];
    bf_capture_file file = {.client =
                                json_loadb((const char *)json, json_size, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL)};
    bf_clip_facts facts;
    bf_media_facts media;
    bf_signals signals;
    int parts = turn(&from);
    make_plan(&from, &plan);
    make_file(&from, frame, &file);
    make_facts(&from, &facts, &media);
    bf_integrity_input input = {parts & 1 ? NULL : &plan, parts & 2 ? NULL : &file, parts & 4 ? NULL : &facts,
                                parts & 8 ? NULL : &media};
    bf_integrity_look(&input, &signals);
    check(&signals);
    json_decref(file.client);
    return 0;
}

/* bonafide replay: judges again what a record was made of, and says what differs. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "bonafide/replay.h"
#include "cli/bundle.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/term.h"

#define DIFFERENCES_SHOWN 40

enum { OPTION_MEDIA, OPTION_REFERENCE, OPTION_FPS, OPTION_ENGINE };

static const cli_option OPTIONS[] = {
    {"media", 'm', "FILE", "the photo that was judged"},
    {"reference", 'r', "FILE", "the reference portrait, when the record has one"},
    {"fps", 0, "N", "of a folder of frames: frames a second (15)"},
    CLI_ENGINE_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

typedef struct replay {
    const cli_command *command;
    const char *media_path, *reference_path;
    int fps; /* of a folder of frames without times */
    cli_engine_options engine;
    bf_replay *record;
    bf_bytes media, reference;
} replay;

/* Reads a file and makes sure that it is the one of the record. */
static int read_same(const replay *r, const char *path, const char *sha256, const char *what, bf_bytes *ret)
{
    bf_error err = {0};
    if (cli_bundle_read(path, r->fps, ret, &err) != BF_OK)
        return cli_fail_error(r->command, &err);
    char now[65];
    bf_media_sha256(ret->data, ret->size, now);
    if (strcmp(now, sha256) == 0)
        return 0;
    return cli_fail(r->command, CLI_UNREADABLE,
                    "%s is not the %s of the record: its SHA-256 is %s, the record says %s.", path, what, now,
                    sha256[0] ? sha256 : "nothing");
}

static int read_inputs(replay *r, const char *record_path)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes text = {0};
    bf_error err = {0};
    int code = cli_read_document(r->command, record_path, &text);
    if (code != 0)
        return code;
    if (bf_replay_read(text.data, text.size, record_path, &r->record, &err) != BF_OK) {
        (void)cli_fail_error(r->command, &err);
        return CLI_UNREADABLE;
    }
    const char *reference_sha256 = bf_replay_reference_sha256(r->record);
    if (!reference_sha256 != !r->reference_path)
        return cli_fail_usage(r->command, reference_sha256
                                              ? "the record has a reference portrait; give it with --reference."
                                              : "the record has no reference portrait.");
    code = read_same(r, r->media_path, bf_replay_media_sha256(r->record), "media", &r->media);
    if (code == 0 && reference_sha256)
        code = read_same(r, r->reference_path, reference_sha256, "reference portrait", &r->reference);
    return code;
}

static void print_differences(const bf_differences *differences)
{
    int count = bf_differences_count(differences), versions = bf_differences_of_versions(differences);
    for (int i = 0; i < count && i < DIFFERENCES_SHOWN; i++) {
        char path[200], recorded[200], now[200];
        bf_difference one = bf_differences_at(differences, i);
        (void)cli_text_copy(one.path, 120, true, path, sizeof path);
        (void)cli_text_copy(one.recorded, 120, false, recorded, sizeof recorded);
        (void)cli_text_copy(one.now, 120, false, now, sizeof now);
        if (i == 0 && versions > 0)
            (void)printf("Versions that differ, and so may explain the rest:\n");
        if (i == versions)
            (void)printf("%s that differ:\n", versions > 0 ? "Other values" : "Values");
        (void)printf("  %s: recorded %s, now %s\n", path, recorded[0] ? recorded : "nothing", now[0] ? now : "nothing");
    }
    if (count > DIFFERENCES_SHOWN)
        (void)printf("  ... and %d more\n", count - DIFFERENCES_SHOWN);
}

/* 0 when everything is reproduced; else 11 with the same decision and 12 with another one. */
static int report(const replay *r, const bf_record *now)
{
    bf_error err = {0};
    bf_differences *differences = NULL;
    if (bf_replay_compare(r->record, now, &differences, &err) != BF_OK)
        return cli_fail_error(r->command, &err);
    int count = bf_differences_count(differences);
    bool same = bf_differences_same_decision(differences);
    print_differences(differences);
    if (count == 0)
        (void)printf("Reproduced bit for bit: %s.\n", bf_record_decision_name(now));
    else
        (void)printf("%s (%s); %d values differ.\n", same ? "The same decision" : "ANOTHER DECISION",
                     bf_record_decision_name(now), count);
    bf_differences_free(&differences);
    return cli_finish_output(r->command, count == 0 ? 0 : same ? CLI_CHALLENGE_OR_REVIEW : CLI_REJECT);
}

static int judge_again(replay *r)
{
    BF_CLEANUP(bf_engine_free) bf_engine *engine = NULL;
    BF_CLEANUP(bf_judge_free) bf_judge *judge = NULL;
    BF_CLEANUP(bf_record_free) bf_record *now = NULL;
    bf_error err = {0};
    r->engine.mirror = r->engine.mirror || bf_replay_mirror(r->record);
    int code = cli_engine_open(r->command, &r->engine, &engine);
    if (code != 0)
        return code;
    bf_request request = {.struct_size = sizeof request};
    bf_replay_request(r->record, &request);
    request.media = r->media.data;
    request.media_size = r->media.size;
    request.reference = r->reference.data;
    request.reference_size = r->reference.size;
    if (bf_judge_new(engine, &judge, &err) != BF_OK || bf_judge_capture(judge, &request, &now, &err) != BF_OK)
        return cli_fail_error(r->command, &err);
    return report(r, now);
}

static int run(const cli_command *command, int argc, char **argv)
{
    replay r = {.command = command, .fps = CLI_BUNDLE_FPS};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (key == OPTION_MEDIA)
            r.media_path = parser.value;
        else if (key == OPTION_REFERENCE)
            r.reference_path = parser.value;
        else if (key == OPTION_FPS) {
            if (!cli_read_number(command, "fps", parser.value, 1, CLI_BUNDLE_FPS_MAX, &r.fps))
                return CLI_USAGE;
        } else
            cli_engine_option(&r.engine, key - OPTION_ENGINE, parser.value);
    }
    if (parser.ended)
        return parser.code;
    if (!r.media_path)
        return cli_fail_usage(command, "--media is missing: the photo that was judged.");
    int code = read_inputs(&r, parser.operand[0]);
    if (code == 0)
        code = judge_again(&r);
    bf_bytes_done(&r.media);
    bf_bytes_done(&r.reference);
    bf_replay_free(&r.record);
    return code;
}

const cli_command CLI_REPLAY = {
    .name = "replay",
    .operands = "RECORD",
    .summary = "Judge again what a record was made of",
    .about =
        "RECORD is one JSON document as 'bonafide check --json' prints it (- for standard input). The exit status is 0 "
        "when every value is reproduced, 11 when values differ but the decision is the same, 12 when the decision is "
        "another one.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

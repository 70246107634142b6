/* bonafide check: judges photos, videos and bursts of frames. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "bonafide/words.h"
#include "cli/bundle.h"
#include "cli/commands.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "cli/show.h"

enum {
    OPTION_REFERENCE,
    OPTION_FLOW,
    OPTION_CHANNEL,
    OPTION_CONTEXT,
    OPTION_PLAN,
    OPTION_FRAMES,
    OPTION_FPS,
    OPTION_JSON,
    OPTION_JSONL,
    OPTION_GEOMETRY,
    OPTION_JOBS,
    OPTION_FULL_EVIDENCE,
    OPTION_MATCH_ALWAYS,
    OPTION_ENGINE
};

static const cli_option OPTIONS[] = {
    {"reference", 'r', "FILE", "compare with the face on this picture, such as an ID portrait"},
    {"flow", 'f', "NAME", "the journey whose policy decides (account_opening)"},
    {"channel", 'c', "NAME", "where the photos come from: android_app, ios_app, mobile_web, desktop_web or kiosk"},
    {"context", 0, "FILE", "what is known about the session, as JSON"},
    {"plan", 0, "FILE", "what was asked of the captures, as JSON"},
    {"frames", 0, NULL, "each folder holds the JPEG frames of one capture, in the order of names"},
    {"fps", 0, "N", "with --frames: frames a second (15)"},
    {"json", 0, NULL, "print each record as an indented JSON document"},
    {"jsonl", 0, NULL, "print each record as one line of JSON"},
    {"geometry", 0, NULL, "with landmarks, crops and outlines in the JSON"},
    {"jobs", 'j', "N", "threads (one for each processor)"},
    {"full-evidence", 0, NULL, "run every detector, also where the outcome is settled; the decision is the same"},
    {"match-always", 0, NULL, "compare faces also where the outcome is settled; the decision is the same"},
    CLI_ENGINE_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

typedef struct check {
    const cli_command *command;
    const char *reference, *context, *plan;
    int fps; /* 0: not said */
    bool json, jsonl, geometry;
    int jobs;
    cli_engine_options engine;
    bf_request request;
    cli_files files;
    cli_table table;
    cli_tally tally;
    cli_progress progress;
    int code;
} check;

static bool set_option(check *c, int key, const char *value)
{
    switch (key) {
    case OPTION_REFERENCE:
        c->reference = value;
        break;
    case OPTION_FLOW:
        c->request.flow = value;
        break;
    case OPTION_CHANNEL:
        c->request.channel = value;
        break;
    case OPTION_CONTEXT:
        c->context = value;
        break;
    case OPTION_PLAN:
        c->plan = value;
        break;
    case OPTION_FRAMES:
        c->files.kind = CLI_FILES_FRAMES;
        break;
    case OPTION_FPS:
        return cli_read_number(c->command, "fps", value, 1, CLI_BUNDLE_FPS_MAX, &c->fps);
    case OPTION_JSON:
        c->json = true;
        break;
    case OPTION_JSONL:
        c->jsonl = true;
        break;
    case OPTION_GEOMETRY:
        c->geometry = true;
        break;
    case OPTION_JOBS:
        return cli_read_number(c->command, "jobs", value, 1, CLI_JOBS_MAX, &c->jobs);
    case OPTION_FULL_EVIDENCE:
        c->request.full_evidence = true;
        break;
    case OPTION_MATCH_ALWAYS:
        c->request.match_order = BF_MATCH_ALWAYS;
        break;
    default:
        cli_engine_option(&c->engine, key - OPTION_ENGINE, value);
    }
    return true;
}

/* The decision's code, except where nothing of the input could be judged through no fault of the person. */
static int code_of(const bf_record *record)
{
    bf_status status = bf_record_error(record);
    if (status == BF_OK || strcmp(bf_status_family(status), "quality") == 0)
        return cli_code_of_decision(bf_record_decision(record));
    return cli_code_of_status(status);
}

static bool print_json(const check *c, const bf_record *record)
{
    bf_error err = {0};
    unsigned flags = (c->json ? BF_JSON_PRETTY : 0) | (c->geometry ? BF_JSON_GEOMETRY : 0) |
                     (c->engine.no_timing ? BF_JSON_NO_TIMING : 0);
    char *text = NULL;
    if (bf_record_json(record, flags, &text, &err) != BF_OK) {
        (void)cli_fail_error(c->command, &err);
        return false;
    }
    (void)puts(text);
    free(text);
    return true;
}

static bool take(void *data, size_t index, const bf_record *record)
{
    check *c = data;
    int code = code_of(record);
    c->code = code > c->code ? code : c->code;
    cli_tally_add(&c->tally, record);
    cli_progress_hide(&c->progress);
    bool printed = true;
    if (c->json || c->jsonl)
        printed = print_json(c, record);
    else
        cli_table_row(&c->table, c->files.path[index], record);
    if (!printed)
        c->code = CLI_INTERNAL;
    /* Each result is seen as soon as it is there, also through a pipe. A reader that has gone ends the work. */
    printed = printed && fflush(stdout) == 0;
    cli_progress_show(&c->progress, index + 1);
    return printed;
}

static void start_table(check *c)
{
    int longest = 0;
    for (size_t i = 0; i < c->files.count; i++) {
        int width = cli_text_width(c->files.path[i]);
        longest = width > longest ? width : longest;
    }
    c->table = cli_table_for(longest, c->reference != NULL);
    if (!c->json && !c->jsonl && c->files.count > 1)
        cli_table_header(&c->table);
}

static int judge(check *c, const bf_engine *engine)
{
    bf_error err = {0};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int jobs = c->jobs > 0 ? c->jobs : processors > 0 ? (int)processors : 1;
    if ((size_t)jobs > c->files.count)
        jobs = (int)c->files.count;
    cli_work work = {engine, &c->files, c->request, jobs < CLI_JOBS_MAX ? jobs : CLI_JOBS_MAX,
                     c->fps ? c->fps : CLI_BUNDLE_FPS};
    double started_ms = cli_now_ms();
    start_table(c);
    c->progress = cli_progress_start(c->files.count);
    bf_status status = cli_judge_all(&work, take, c, &err);
    cli_progress_hide(&c->progress);
    if (status != BF_OK)
        return cli_fail_error(c->command, &err);
    if (!c->json && !c->jsonl && c->files.count > 1)
        cli_tally_print(&c->tally, c->engine.no_timing ? -1.0 : (cli_now_ms() - started_ms) / 1e3, c->table.colours);
    return cli_finish_output(c->command, c->code);
}

/* Reads what the request needs besides the photos, and judges. */
static int prepare_and_judge(check *c)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes reference = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes context = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes plan = {0};
    BF_CLEANUP(bf_engine_free) bf_engine *engine = NULL;
    bf_error err = {0};
    if (c->context) {
        int code = cli_read_document(c->command, c->context, &context);
        if (code != 0)
            return code;
        c->request.context_json = (const char *)context.data;
    }
    if (c->plan) {
        int code = cli_read_document(c->command, c->plan, &plan);
        if (code != 0)
            return code;
        c->request.plan_json = (const char *)plan.data;
    }
    if (c->reference) {
        if (cli_read_media(c->reference, &reference, &err) != BF_OK)
            return cli_fail_error(c->command, &err);
        c->request.reference = reference.data;
        c->request.reference_size = reference.size;
    }
    int code = cli_engine_open(c->command, &c->engine, &engine);
    return code == 0 ? judge(c, engine) : code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    check c = {.command = command, .files.kind = CLI_FILES_CAPTURES, .request = {.struct_size = sizeof c.request}};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (!set_option(&c, key, parser.value))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    if (c.json && c.jsonl)
        return cli_fail_usage(command, "--json and --jsonl exclude each other.");
    if (c.fps && c.files.kind != CLI_FILES_FRAMES)
        return cli_fail_usage(command, "--fps goes with --frames.");
    bf_error err = {0};
    bf_status status = BF_OK;
    for (int i = 0; i < parser.operand_count && status == BF_OK; i++)
        status = cli_files_add(&c.files, parser.operand[i], &err);
    int code = status == BF_OK ? prepare_and_judge(&c) : cli_fail_error(command, &err);
    cli_files_done(&c.files);
    return code;
}

const cli_command CLI_CHECK = {
    .name = "check",
    .operands = "FILE...",
    .summary = "Judge photos, videos and bursts: is a real person there",
    .about =
        "Each FILE is a photo (JPEG, PNG, WebP, HEIC), a video (MP4, MOV, WebM), a capture file, - for standard "
        "input, or a folder. A folder with a capture.json is one capture; of any other, each photo and video in it "
        "is judged by itself, unless --frames says that its photos are the frames of one capture. The exit status is 0 "
        "for approve, 10 "
        "for retry, 11 for challenge or review, 12 for reject, 65 for unreadable input; of several files the "
        "largest.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = -1,
    .run = run,
};

/* bonafide inspect: draws what was found and why, on a copy of the picture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/attr.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/show.h"
#ifdef CLI_HAS_CAIRO
#include "cli/scene.h"
#endif

enum { OPTION_OUTPUT, OPTION_REFERENCE, OPTION_FLOW, OPTION_CHANNEL, OPTION_CONTEXT, OPTION_ENGINE };

static const cli_option OPTIONS[] = {
    {"output", 'o', "FILE", "the PNG file to write"},
    {"reference", 'r', "FILE", "compare with the face on this picture"},
    {"flow", 'f', "NAME", "the journey whose policy decides (account_opening)"},
    {"channel", 'c', "NAME", "where the photo comes from: android_app, ios_app, mobile_web, desktop_web or kiosk"},
    {"context", 0, "FILE", "what is known about the session, as JSON"},
    CLI_ENGINE_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

typedef struct inspect {
    const cli_command *command;
    const char *path, *output, *reference_path, *context_path;
    cli_engine_options engine;
    bf_request request;
    bf_bytes media, reference, context;
} inspect;

#ifdef CLI_HAS_CAIRO
/* The picture that was judged: the photo, or the best frame of a clip. Adds to the heading which frame that is. */
static bf_status decode(const inspect *in, const json_t *document, bf_picture *ret, char *heading, size_t size,
                        bf_error *err)
{
    const json_t *capture = scene_get(document, "capture"), *chosen = scene_get(capture, "chosen");
    if (strcmp(scene_text(capture, "kind"), "still") == 0)
        return bf_picture_decode(in->media.data, in->media.size, ret, err);
    int index = 0;
    double ms = 0;
    for (size_t i = 0; i < json_array_size(chosen); i++) {
        const json_t *frame = json_array_get(chosen, i);
        if (!json_is_true(scene_get(frame, "best")))
            continue;
        index = (int)scene_number(frame, "index", 0);
        ms = scene_number(frame, "ms", 0);
    }
    size_t used = strlen(heading);
    (void)snprintf(heading + used, size - used, "  (frame %d at %.1f s, the best of %.0f in %.1f s)", index, ms / 1e3,
                   scene_number(capture, "frames.analysed", 0), scene_number(capture, "duration_ms", 0) / 1e3);
    return bf_picture_decode_frame(in->media.data, in->media.size, index, ret, err);
}

static int draw(const inspect *in, const bf_record *record)
{
    BF_CLEANUP(bf_picture_done) bf_picture picture = {0};
    bf_error err = {0};
    char *text = NULL;
    if (bf_record_json(record, BF_JSON_GEOMETRY, &text, &err) != BF_OK)
        return cli_fail_error(in->command, &err);
    json_t *document = json_loads(text, 0, NULL);
    free(text);
    if (!document)
        return cli_fail(in->command, CLI_INTERNAL, "there was not enough memory.");
    const char *slash = strrchr(in->path, '/');
    char name[256];
    (void)cli_text_copy(slash ? slash + 1 : in->path, 80, true, name, sizeof name);
    bf_status status = decode(in, document, &picture, name, sizeof name, &err);
    int code = status == BF_OK ? 0 : cli_fail_error(in->command, &err);
    if (status == BF_OK && scene_write(&picture, document, name, in->output, &err) != BF_OK) {
        (void)cli_fail_error(in->command, &err);
        code = CLI_INTERNAL;
    }
    json_decref(document);
    return code;
}
#else
static int draw(const inspect *in, const bf_record *record)
{
    (void)record;
    return cli_fail(in->command, CLI_INTERNAL, "this program was built without cairo, which draws.");
}
#endif

static int judge(const inspect *in, const bf_engine *engine)
{
    BF_CLEANUP(bf_judge_free) bf_judge *judge = NULL;
    BF_CLEANUP(bf_record_free) bf_record *record = NULL;
    bf_error err = {0};
    if (bf_judge_new(engine, &judge, &err) != BF_OK || bf_judge_capture(judge, &in->request, &record, &err) != BF_OK)
        return cli_fail_error(in->command, &err);
    int code = draw(in, record);
    if (code != 0)
        return code;
    cli_table table = cli_table_for(cli_text_width(in->path), in->reference_path != NULL);
    cli_table_row(&table, in->path, record);
    (void)printf("drawn in %s\n", in->output);
    return cli_finish_output(in->command, 0);
}

static int read_inputs(inspect *in)
{
    bf_error err = {0};
    if (cli_read_media(in->path, &in->media, &err) != BF_OK ||
        (in->reference_path && cli_read_media(in->reference_path, &in->reference, &err) != BF_OK))
        return cli_fail_error(in->command, &err);
    int code = in->context_path ? cli_read_document(in->command, in->context_path, &in->context) : 0;
    if (code != 0)
        return code;
    in->request.media = in->media.data;
    in->request.media_size = in->media.size;
    in->request.reference = in->reference.data;
    in->request.reference_size = in->reference.size;
    in->request.context_json = (const char *)in->context.data;
    /* People look at everything there is. */
    in->request.full_evidence = true;
    in->request.match_order = BF_MATCH_ALWAYS;
    return 0;
}

static void set_option(inspect *in, int key, const char *value)
{
    switch (key) {
    case OPTION_OUTPUT:
        in->output = value;
        break;
    case OPTION_REFERENCE:
        in->reference_path = value;
        break;
    case OPTION_FLOW:
        in->request.flow = value;
        break;
    case OPTION_CHANNEL:
        in->request.channel = value;
        break;
    case OPTION_CONTEXT:
        in->context_path = value;
        break;
    default:
        cli_engine_option(&in->engine, key - OPTION_ENGINE, value);
    }
}

static int run(const cli_command *command, int argc, char **argv)
{
    inspect in = {.command = command, .request = {.struct_size = sizeof in.request}};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;)
        set_option(&in, key, parser.value);
    if (parser.ended)
        return parser.code;
    if (!in.output)
        return cli_fail_usage(command, "--output is missing: the PNG file to write.");
    in.path = parser.operand[0];
    BF_CLEANUP(bf_engine_free) bf_engine *engine = NULL;
    int code = read_inputs(&in);
    if (code == 0)
        code = cli_engine_open(command, &in.engine, &engine);
    if (code == 0)
        code = judge(&in, engine);
    bf_bytes_done(&in.media);
    bf_bytes_done(&in.reference);
    bf_bytes_done(&in.context);
    return code;
}

const cli_command CLI_INSPECT = {
    .name = "inspect",
    .operands = "FILE",
    .summary = "Draw what was found on a photo and why it was judged so",
    .about =
        "Writes a PNG with the faces, landmarks, pose, what each network saw, the measures and the evidence. The exit "
        "status is 0 when it was written, whatever the verdict.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

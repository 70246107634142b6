/* bonafide match: compares two faces, and says nothing about liveness. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "bonafide/words.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/show.h"

enum { OPTION_FLOW, OPTION_CHANNEL, OPTION_JSON, OPTION_ENGINE };

static const cli_option OPTIONS[] = {
    {"flow", 'f', "NAME", "the journey whose match bands hold (account_opening)"},
    {"channel", 'c', "NAME",
     "where the first picture comes from: android_app, ios_app, mobile_web, desktop_web, kiosk"},
    {"json", 0, NULL, "print the record as JSON"},
    CLI_ENGINE_OPTION_ROWS,
    {NULL, 0, NULL, NULL},
};

static int code_of_outcome(bf_match_outcome outcome)
{
    switch (outcome) {
    case BF_MATCH_STRONG:
        return CLI_APPROVE;
    case BF_MATCH_WEAK:
        return CLI_CHALLENGE_OR_REVIEW;
    case BF_MATCH_NONE:
        return CLI_REJECT;
    case BF_MATCH_NOT_REQUESTED:
    case BF_MATCH_NOT_JUDGED:
        break;
    }
    return CLI_RETRY;
}

/* A face that cannot be used is a reason to try again; a picture that cannot be read is an unreadable input. */
static int code_of_problem(bf_status problem)
{
    bool face = problem == BF_REFERENCE_NO_FACE || problem == BF_REFERENCE_MULTIPLE_FACES ||
                problem == BF_REFERENCE_QUALITY_TOO_LOW || strcmp(bf_status_family(problem), "quality") == 0;
    return face ? CLI_RETRY : cli_code_of_status(problem);
}

static void print_outcome(const bf_record *record)
{
    static const struct {
        const char *text;
        cli_colour colour;
    } words[] = {[BF_MATCH_NOT_REQUESTED] = {"not judged", CLI_YELLOW},
                 [BF_MATCH_STRONG] = {"strong: the same person", CLI_GREEN},
                 [BF_MATCH_WEAK] = {"weak: a resemblance that does not suffice", CLI_YELLOW},
                 [BF_MATCH_NONE] = {"none: another person", CLI_RED},
                 [BF_MATCH_NOT_JUDGED] = {"not judged", CLI_YELLOW}};
    bf_match_outcome outcome = bf_record_match(record);
    bool colours = cli_term_colours(stdout);
    (void)printf("%s%s%s", cli_colour_start(colours, words[outcome].colour), words[outcome].text,
                 cli_colour_end(colours, words[outcome].colour));
    if (bf_record_similarity(record) >= -1.0)
        (void)printf(", similarity %.4f", bf_record_similarity(record));
    bf_status problem = bf_record_match_problem(record);
    if (problem != BF_OK)
        (void)printf(": %s", bf_status_text(problem));
    (void)putchar('\n');
}

static int compare(const cli_command *command, const cli_engine_options *options, const bf_request *request, bool json)
{
    BF_CLEANUP(bf_engine_free) bf_engine *engine = NULL;
    BF_CLEANUP(bf_judge_free) bf_judge *judge = NULL;
    BF_CLEANUP(bf_record_free) bf_record *record = NULL;
    bf_error err = {0};
    int code = cli_engine_open(command, options, &engine);
    if (code != 0)
        return code;
    char *text = NULL;
    if (bf_judge_new(engine, &judge, &err) != BF_OK || bf_judge_match(judge, request, &record, &err) != BF_OK)
        return cli_fail_error(command, &err);
    if (json) {
        unsigned flags = BF_JSON_PRETTY | (options->no_timing ? BF_JSON_NO_TIMING : 0);
        if (bf_record_json(record, flags, &text, &err) != BF_OK)
            return cli_fail_error(command, &err);
        (void)puts(text);
        free(text);
    } else {
        print_outcome(record);
    }
    code = code_of_problem(bf_record_match_problem(record));
    return cli_finish_output(command, code == 0 ? code_of_outcome(bf_record_match(record)) : code);
}

static int run(const cli_command *command, int argc, char **argv)
{
    cli_engine_options engine = {0};
    bf_request request = {.struct_size = sizeof request};
    bool json = false;
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (key == OPTION_FLOW)
            request.flow = parser.value;
        else if (key == OPTION_CHANNEL)
            request.channel = parser.value;
        else if (key == OPTION_JSON)
            json = true;
        else
            cli_engine_option(&engine, key - OPTION_ENGINE, parser.value);
    }
    if (parser.ended)
        return parser.code;
    BF_CLEANUP(bf_bytes_done) bf_bytes first = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes second = {0};
    bf_error err = {0};
    if (cli_read_media(parser.operand[0], &first, &err) != BF_OK ||
        cli_read_media(parser.operand[1], &second, &err) != BF_OK)
        return cli_fail_error(command, &err);
    request.media = first.data;
    request.media_size = first.size;
    request.reference = second.data;
    request.reference_size = second.size;
    return compare(command, &engine, &request, json);
}

const cli_command CLI_MATCH = {
    .name = "match",
    .operands = "PHOTO REFERENCE",
    .summary = "Compare the faces on two pictures",
    .about =
        "Says whether both show the same person; nothing about whether anyone was really there. The exit status is "
        "0 for a strong match, 11 for a weak one, 12 for none, and 10 when one of the faces cannot be used.",
    .options = OPTIONS,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};

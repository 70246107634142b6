/* bonafide policy: checks, tests and explains policy files. */
#include <stdio.h>

#include "bonafide/policy.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/term.h"

enum { OPTION_VERBOSE };

static const cli_option NO_OPTIONS[] = {{NULL, 0, NULL, NULL}};
static const cli_option TEST_OPTIONS[] = {
    [OPTION_VERBOSE] = {"verbose", 'v', NULL, "also print the cases that passed"},
    {NULL, 0, NULL, NULL},
};

/* A policy that is not valid is an input that cannot be used. */
static int fail_policy(const cli_command *command, const bf_error *err)
{
    int code = cli_fail_error(command, err);
    return err->status == BF_CONFIG_INVALID ? CLI_UNREADABLE : code;
}

static int lint(const cli_command *command, int argc, char **argv)
{
    int code = 0;
    cli_parser parser = cli_parser_start(command, argc, argv);
    (void)cli_parser_next(&parser);
    if (parser.ended)
        return parser.code;
    for (int i = 0; i < parser.operand_count; i++) {
        bf_error err = {0};
        if (bf_policy_lint(parser.operand[i], &err) == BF_OK) {
            (void)printf("%s: no fault\n", parser.operand[i]);
            continue;
        }
        int failed = fail_policy(command, &err);
        code = failed > code ? failed : code;
    }
    return cli_finish_output(command, code);
}

typedef struct report {
    bool verbose, colours;
} report;

static void report_case(void *context, const bf_policy_case *result)
{
    const report *r = context;
    if (result->passed && !r->verbose)
        return;
    cli_colour colour = result->passed ? CLI_GREEN : CLI_RED;
    (void)printf("%s%s%s  %s:%d: %s%s%s%s%s\n", cli_colour_start(r->colours, colour), result->passed ? "pass" : "FAIL",
                 cli_colour_end(r->colours, colour), result->file, result->line, result->name,
                 result->channel[0] ? " on " : "", result->channel, result->passed ? "" : ": ", result->message);
}

static int test(const cli_command *command, int argc, char **argv)
{
    int code = 0;
    report r = {.colours = cli_term_colours(stdout)};
    cli_parser parser = cli_parser_start(command, argc, argv);
    while (cli_parser_next(&parser) == OPTION_VERBOSE)
        r.verbose = true;
    if (parser.ended)
        return parser.code;
    for (int i = 0; i < parser.operand_count; i++) {
        bf_error err = {0};
        bf_policy_test_result result = {0};
        int one = 0;
        if (bf_policy_test(parser.operand[i], report_case, &r, &result, &err) != BF_OK) {
            one = fail_policy(command, &err);
        } else {
            (void)printf("%s: %zu passed, %zu failed\n", parser.operand[i], result.passed, result.failed);
            one = result.failed > 0 ? CLI_REJECT : 0;
        }
        code = one > code ? one : code;
    }
    return cli_finish_output(command, code);
}

static void write_text(void *context, const char *text)
{
    (void)context;
    (void)fputs(text, stdout);
}

static int explain(const cli_command *command, int argc, char **argv)
{
    bf_error err = {0};
    cli_parser parser = cli_parser_start(command, argc, argv);
    (void)cli_parser_next(&parser);
    if (parser.ended)
        return parser.code;
    if (bf_policy_explain(parser.operand[0], write_text, NULL, &err) != BF_OK)
        return fail_policy(command, &err);
    return cli_finish_output(command, 0);
}

const cli_command CLI_POLICY_LINT = {
    .name = "policy lint",
    .operands = "FILE...",
    .summary = "Check policy files for faults",
    .about =
        "Unknown keys, contradictory bands, rules that cannot fire and rules without a test case are faults; each is "
        "reported with its line. The exit status is 65 when there is one.",
    .options = NO_OPTIONS,
    .operands_min = 1,
    .operands_max = -1,
    .run = lint,
};

const cli_command CLI_POLICY_TEST = {
    .name = "policy test",
    .operands = "FILE...",
    .summary = "Run the test cases of policy files",
    .about = "The exit status is 12 when a case fails, and 65 when a file has a fault.",
    .options = TEST_OPTIONS,
    .operands_min = 1,
    .operands_max = -1,
    .run = test,
};

const cli_command CLI_POLICY_EXPLAIN = {
    .name = "policy explain",
    .operands = "FILE",
    .summary = "Explain what a policy decides, in words",
    .options = NO_OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = explain,
};

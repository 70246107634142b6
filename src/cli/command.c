#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/yaml.h"
#include "bonafide/words.h"
#include "cli/help.h"

#define HELP_KEY 1000
#define LONG_KEY 2000 /* keys of options without a letter begin here */

BF_PRINTF(2, 0) static void say(const cli_command *command, const char *format, va_list args)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "bonafide%s%s: ", command ? " " : "", command ? command->name : "");
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
}

int cli_fail(const cli_command *command, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(command, format, args);
    va_end(args);
    return code;
}

int cli_fail_usage(const cli_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(command, format, args);
    va_end(args);
    (void)fprintf(stderr, "Try 'bonafide %s%s--help'.\n", command ? command->name : "", command ? " " : "");
    return CLI_USAGE;
}

int cli_code_of_status(bf_status status)
{
    const char *family = bf_status_family(status);
    if (status == BF_OK)
        return 0;
    if (strcmp(family, "usage") == 0)
        return CLI_USAGE;
    return strcmp(family, "input") == 0 || strcmp(family, "reference") == 0 ? CLI_UNREADABLE : CLI_INTERNAL;
}

int cli_code_of_decision(bf_decision decision)
{
    switch (decision) {
    case BF_DECISION_APPROVE:
        return CLI_APPROVE;
    case BF_DECISION_RETRY:
        return CLI_RETRY;
    case BF_DECISION_REJECT:
        return CLI_REJECT;
    case BF_DECISION_CHALLENGE:
    case BF_DECISION_REVIEW:
        break;
    }
    return CLI_CHALLENGE_OR_REVIEW;
}

int cli_fail_error(const cli_command *command, const bf_error *err)
{
    (void)cli_fail(command, 0, "%s", err->message);
    if (err->detail[0])
        (void)fprintf(stderr, "  %s\n", err->detail);
    if (err->hint[0])
        (void)fprintf(stderr, "  %s\n", err->hint);
    return cli_code_of_status(err->status);
}

bool cli_read_number(const cli_command *command, const char *option, const char *text, int min, int max, int *ret)
{
    char *end = NULL;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        (void)cli_fail_usage(command, "--%s must be a whole number from %d to %d, not '%s'.", option, min, max, text);
        return false;
    }
    *ret = (int)number;
    return true;
}

cli_parser cli_parser_start(const cli_command *command, int argc, char **argv)
{
    opterr = 0;
    optind = 0; /* glibc starts anew */
    return (cli_parser){.command = command, .argc = argc, .argv = argv};
}

static int end(cli_parser *parser, int code)
{
    parser->ended = true;
    parser->code = code;
    return -1;
}

static int fail_unknown_option(cli_parser *parser)
{
    const cli_command *command = parser->command;
    const char *word = parser->argv[optind > 0 ? optind - 1 : 0];
    if (optopt != 0 && strncmp(word, "--", 2) == 0)
        return end(parser, cli_fail_usage(command, "'%.*s' takes no value.", (int)strcspn(word, "="), word));
    if (optopt != 0)
        return end(parser, cli_fail_usage(command, "unknown option '-%c'.", optopt));
    const char *names[CLI_OPTIONS_MAX + 2] = {"help"};
    for (int i = 0; command->options[i].name; i++)
        names[i + 1] = command->options[i].name;
    char bare[64];
    (void)snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *nearest = bf_nearest_word(bare, names);
    return end(parser,
               cli_fail_usage(command, "unknown option '--%s'%s%s%s", bare, nearest ? "; did you mean '--" : ".",
                              nearest ? nearest : "", nearest ? "'?" : ""));
}

/* Builds getopt's tables from ours. */
static void fill_tables(const cli_command *command, char letters[], struct option options[])
{
    size_t used = 0;
    letters[used++] = ':';
    letters[used++] = 'h';
    int count = 0;
    for (; command->options[count].name; count++) {
        const cli_option *option = &command->options[count];
        int key = option->letter ? option->letter : LONG_KEY + count;
        options[count] = (struct option){option->name, option->value ? required_argument : no_argument, NULL, key};
        if (option->letter) {
            letters[used++] = option->letter;
            if (option->value)
                letters[used++] = ':';
        }
    }
    letters[used] = '\0';
    options[count] = (struct option){"help", no_argument, NULL, HELP_KEY};
}

static int finish_operands(cli_parser *parser)
{
    const cli_command *command = parser->command;
    parser->operand = parser->argv + optind;
    parser->operand_count = parser->argc - optind;
    if (parser->operand_count < command->operands_min)
        return end(parser, cli_fail_usage(command, "%s is missing.", command->operands));
    if (command->operands_max >= 0 && parser->operand_count > command->operands_max)
        return end(parser, cli_fail_usage(command, "unexpected '%s'.", parser->operand[command->operands_max]));
    return -1;
}

int cli_parser_next(cli_parser *parser)
{
    const cli_command *command = parser->command;
    char letters[2 * CLI_OPTIONS_MAX + 3];
    struct option options[CLI_OPTIONS_MAX + 2] = {0};
    fill_tables(command, letters, options);
    int key = getopt_long(parser->argc, parser->argv, letters, options, NULL);
    parser->value = optarg;
    if (key == -1)
        return finish_operands(parser);
    if (key == 'h' || key == HELP_KEY) {
        cli_help_command(command);
        return end(parser, 0);
    }
    if (key == ':')
        return end(parser, cli_fail_usage(command, "'%s' needs a value.", parser->argv[optind - 1]));
    if (key == '?')
        return fail_unknown_option(parser);
    if (key >= LONG_KEY)
        return key - LONG_KEY;
    for (int i = 0; command->options[i].name; i++) {
        if (command->options[i].letter == key)
            return i;
    }
    return end(parser, CLI_INTERNAL);
}

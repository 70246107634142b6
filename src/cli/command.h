/* A command's options and its help, and how both are read. */
#ifndef BF_CLI_COMMAND_H
#define BF_CLI_COMMAND_H

#include <stdbool.h>

#include "bonafide/engine.h"

/* What the program ends with. */
enum {
    CLI_APPROVE = 0,      /* also: done, and a comparison that passes */
    CLI_FAILED = 1,       /* a comparison: a criterion is broken */
    CLI_INCONCLUSIVE = 2, /* a comparison: too little data to tell */
    CLI_RETRY = 10,
    CLI_CHALLENGE_OR_REVIEW = 11,
    CLI_REJECT = 12,
    CLI_REFUSED = 13, /* the table cannot support what was asked for */
    CLI_USAGE = 64,
    CLI_UNREADABLE = 65,
    CLI_INTERNAL = 70
};

#define CLI_OPTIONS_MAX 24 /* of one command, without --help */

typedef struct cli_option {
    const char *name;  /* long form without dashes; NULL ends a table */
    char letter;       /* short form; 0 when there is none */
    const char *value; /* what its value is called; NULL for a switch */
    const char *help;
} cli_option;

typedef struct cli_command cli_command;
struct cli_command {
    const char *name;     /* "check", "policy lint" */
    const char *operands; /* "FILE..."; "" when there are none */
    const char *summary;  /* one line, no full stop */
    const char *about;    /* more, or NULL */
    const cli_option *options;
    int operands_min, operands_max; /* -1: any number */
    int (*run)(const cli_command *command, int argc, char **argv);
};

/* Several commands under one name; `name` is "" for the program itself. */
typedef struct cli_group {
    const char *name;
    const char *summary;
    const cli_command *const *commands;       /* ends with NULL */
    const struct cli_group *const *subgroups; /* ends with NULL; may be NULL */
} cli_group;

/* Reading the options of one command. */
typedef struct cli_parser {
    const cli_command *command;
    int argc;
    char **argv;
    char *value;    /* of the option that was read last */
    char **operand; /* what is no option; filled once all options were read */
    int operand_count;
    bool ended; /* the command must end now, with `code`: help was asked for, or the usage is wrong */
    int code;
} cli_parser;

cli_parser cli_parser_start(const cli_command *command, int argc, char **argv);

/* The index of the next option in the command's table; -1 at the end, also when parser->ended. */
int cli_parser_next(cli_parser *parser);

/* Runs the command that argv[1] names. */
int cli_group_run(const cli_group *group, int argc, char **argv);

/* Writes "bonafide COMMAND: message" to standard error; the second also says how to get help. Return `code`, and
 * CLI_USAGE. `command` may be NULL. */
int cli_fail(const cli_command *command, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int cli_fail_usage(const cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an error of the library, with its hint and detail; the code follows from its family. */
int cli_fail_error(const cli_command *command, const bf_error *err);
int cli_code_of_status(bf_status status);
int cli_code_of_decision(bf_decision decision);

/* Reads a whole number from `min` to `max`; else says what is wrong and returns false. */
bool cli_read_number(const cli_command *command, const char *option, const char *text, int min, int max, int *ret);

#endif

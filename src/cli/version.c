/* bonafide version: what this is. */
#include <stdio.h>

#include "bonafide/words.h"
#include "cli/commands.h"
#include "cli/open.h"

static const cli_option OPTIONS[] = {{NULL, 0, NULL, NULL}};

static int run(const cli_command *command, int argc, char **argv)
{
    cli_parser parser = cli_parser_start(command, argc, argv);
    (void)cli_parser_next(&parser);
    if (parser.ended)
        return parser.code;
    (void)printf("bonafide %s (%s), onnxruntime %s\n", bf_version(), bf_version_build(), bf_version_runtime());
    return cli_finish_output(command, 0);
}

const cli_command CLI_VERSION = {
    .name = "version",
    .operands = "",
    .summary = "Print the version",
    .options = OPTIONS,
    .run = run,
};

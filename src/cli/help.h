/* Help texts, from the tables of commands and options. */
#ifndef BF_CLI_HELP_H
#define BF_CLI_HELP_H

#include "cli/command.h"

void cli_help_command(const cli_command *command);
void cli_help_group(const cli_group *group);

#endif

/* What the commands about models share. */
#ifndef BF_CLI_MODELS_H
#define BF_CLI_MODELS_H

#include "cli/command.h"
#include "cli/place.h"

/* Rows for a command's table of options; at most one option of its own may follow. */
#define CLI_MODELS_PLACE_ROWS                                                                                          \
    {"data", 0, "DIR", "folder with models/ and policies/"},                                                           \
    {                                                                                                                  \
        "weights", 0, "DIR", "folder with the networks' weights"                                                       \
    }
enum { CLI_MODELS_DATA, CLI_MODELS_WEIGHTS, CLI_MODELS_OWN };

/* Reads the options and finds the folders. *ret_own becomes the value of the command's own option ("" for a switch),
 * and stays as it is without it. Returns false when the command must end with *ret_code. */
bool cli_models_start(cli_parser *parser, cli_place *ret_place, const char **ret_own, int *ret_code);

#endif

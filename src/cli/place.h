/* Where the product's files are: models, policies, calibrations (data) and the networks' weights. */
#ifndef BF_CLI_PLACE_H
#define BF_CLI_PLACE_H

#include "bonafide/status.h"

#define CLI_PATH_SIZE 4096

typedef struct cli_place {
    char data[CLI_PATH_SIZE];
    char weights[CLI_PATH_SIZE];
} cli_place;

/* Finds both folders. What the user gave (either may be NULL) is taken as it is; else $BONAFIDE_HOME, else
 * ../share/bonafide seen from the program, else the source tree that the program was built in. Weights are in
 * weights/ of that folder, in weights/ of $BONAFIDE_CACHE_DIR, or in .cache/weights/ of that folder. IO_ERROR when no
 * data is found. */
bf_status cli_place_find(const char *data, const char *weights, cli_place *ret, bf_error *err);

#endif

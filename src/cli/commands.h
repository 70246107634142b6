/* The commands of the program. */
#ifndef BF_CLI_COMMANDS_H
#define BF_CLI_COMMANDS_H

#include "cli/command.h"

extern const cli_command CLI_CALIBRATE, CLI_COMPARE, CLI_ERRORS, CLI_EVAL;
extern const cli_command CLI_FUSE;
extern const cli_command CLI_THRESHOLD;
extern const cli_command CLI_CHECK, CLI_INSPECT, CLI_MATCH, CLI_REPLAY, CLI_SERVE, CLI_VERSION;
extern const cli_command CLI_MODELS_LIST, CLI_MODELS_VERIFY, CLI_MODELS_IMPORT, CLI_MODELS_OPTIMISE;
extern const cli_command CLI_AUDIT_EXPORT, CLI_AUDIT_VERIFY, CLI_AUDIT_CHECKPOINT, CLI_AUDIT_KEY;
extern const cli_command CLI_KEYS_CREATE, CLI_KEYS_LIST, CLI_KEYS_ROTATE, CLI_KEYS_REVOKE;
extern const cli_command CLI_KILLSWITCH_ON, CLI_KILLSWITCH_OFF, CLI_KILLSWITCH_STATUS;
extern const cli_command CLI_VAULT_ROTATE_KEY;
extern const cli_command CLI_DATASET_DIFF, CLI_DATASET_INIT, CLI_DATASET_SPLIT, CLI_DATASET_SUMMARY;
extern const cli_command CLI_DATASET_VALIDATE, CLI_SCORE;
extern const cli_command CLI_POLICY_LINT, CLI_POLICY_TEST, CLI_POLICY_EXPLAIN;

/* The hidden command `nursery`, which takes nothing. */
int cli_nursery(void);

#endif

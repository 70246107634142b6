/* The program: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/open.h"
#include "cli/term.h"

static const cli_command *const MODELS[] = {&CLI_MODELS_LIST, &CLI_MODELS_VERIFY, &CLI_MODELS_IMPORT,
                                            &CLI_MODELS_OPTIMISE, NULL};
static const cli_command *const POLICY[] = {&CLI_POLICY_LINT, &CLI_POLICY_TEST, &CLI_POLICY_EXPLAIN, NULL};
static const cli_command *const AUDIT[] = {&CLI_AUDIT_EXPORT, &CLI_AUDIT_VERIFY, &CLI_AUDIT_CHECKPOINT, &CLI_AUDIT_KEY,
                                           NULL};
static const cli_command *const KEYS[] = {&CLI_KEYS_CREATE, &CLI_KEYS_LIST, &CLI_KEYS_ROTATE, &CLI_KEYS_REVOKE, NULL};
static const cli_command *const KILLSWITCH[] = {&CLI_KILLSWITCH_ON, &CLI_KILLSWITCH_OFF, &CLI_KILLSWITCH_STATUS, NULL};
static const cli_command *const VAULT[] = {&CLI_VAULT_ROTATE_KEY, NULL};
static const cli_command *const DATASET[] = {&CLI_DATASET_INIT,  &CLI_DATASET_VALIDATE, &CLI_DATASET_SUMMARY,
                                             &CLI_DATASET_SPLIT, &CLI_DATASET_DIFF,     NULL};
static const cli_group AUDIT_GROUP = {"audit", "Export and verify the audit log of the service", AUDIT, NULL};
static const cli_group DATASET_GROUP = {"dataset", "Make, check, count and cut labelled sets of captures", DATASET,
                                        NULL};
static const cli_group KEYS_GROUP = {"keys", "Make, list and end the API keys of the service", KEYS, NULL};
static const cli_group KILLSWITCH_GROUP = {"killswitch", "Stop the service from approving anything", KILLSWITCH, NULL};
static const cli_group MODELS_GROUP = {"models", "See, check and add the networks that judge", MODELS, NULL};
static const cli_group POLICY_GROUP = {"policy", "Check, test and explain the policies that decide", POLICY, NULL};
static const cli_group VAULT_GROUP = {"vault", "Change the key of what the service stores encrypted", VAULT, NULL};
static const cli_group *const GROUPS[] = {&MODELS_GROUP, &POLICY_GROUP, &KEYS_GROUP,    &KILLSWITCH_GROUP,
                                          &VAULT_GROUP,  &AUDIT_GROUP,  &DATASET_GROUP, NULL};
static const cli_command *const COMMANDS[] = {&CLI_CALIBRATE, &CLI_CHECK,     &CLI_COMPARE, &CLI_ERRORS, &CLI_EVAL,
                                              &CLI_FUSE,      &CLI_INSPECT,   &CLI_MATCH,   &CLI_REPLAY, &CLI_SCORE,
                                              &CLI_SERVE,     &CLI_THRESHOLD, &CLI_VERSION, NULL};
static const cli_group PROGRAM = {"", "Judge whether a real person is in front of the camera", COMMANDS, GROUPS};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "nursery") == 0)
        return cli_nursery();
    cli_term_start();
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return CLI_VERSION.run(&CLI_VERSION, 1, argv);
    int code = cli_group_run(&PROGRAM, argc, argv);
    /* A command that failed has said why. */
    return code == 0 ? cli_finish_output(NULL, code) : code;
}

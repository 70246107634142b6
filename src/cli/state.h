/* What the commands that work beside the server (keys, audit, vault, killswitch) open: the server's configuration, its
 * store and its keys. */
#ifndef BF_CLI_STATE_H
#define BF_CLI_STATE_H

#include "access/master.h"
#include "audit/log.h"
#include "cli/command.h"
#include "server/config.h"
#include "store/store.h"

/* What a command needs; CLI_NEEDS_WRITING opens the store for writing and signs every head of the audit log. */
enum { CLI_NEEDS_STORE = 1, CLI_NEEDS_WRITING = 2 | CLI_NEEDS_STORE, CLI_NEEDS_MASTER = 4, CLI_NEEDS_LOG_KEY = 8 };

/* Zero-initialise; close with cli_state_close whether or not cli_state_open succeeded. */
typedef struct cli_state {
    bf_config config;
    bf_store *store;
    bf_master master;
    bf_log_key log_key;
    char actor[32]; /* "uid:N", for the audit log */
} cli_state;

/* The row for a command's table of options. */
#define CLI_CONFIG_OPTION_ROW                                                                                          \
    {                                                                                                                  \
        "config", 0, "FILE", "configuration of the server ($BONAFIDE_CONFIG)"                                          \
    }

/* Opens what `needs` names. `config_path` may be NULL: then $BONAFIDE_CONFIG, else /etc/bonafide/bonafide.yaml. On
 * failure says why and returns the exit code, else 0. */
int cli_state_open(const cli_command *command, const char *config_path, unsigned needs, cli_state *ret);
void cli_state_close(cli_state *state);

/* The master key of the environment, else of the configuration's file; with `create` that file is made if missing. */
bf_status cli_state_master(const bf_config *config, bool create, bf_master *ret, bf_error *err);

#endif

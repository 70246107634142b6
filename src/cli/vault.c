/* bonafide vault: changes the master key. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/state.h"
#include "vault/vault.h"

enum { CONFIG, NEW_KEY, CREATE };
static const cli_option OPTIONS[] = {
    CLI_CONFIG_OPTION_ROW,
    {"new-key", 'n', "FILE", "file of the new master key"},
    {"create", 0, NULL, "make that file, with a random key, when it is not there"},
    {NULL, 0, NULL, NULL},
};

typedef struct rotation {
    const char *config, *new_key;
    bool create;
} rotation;

static void print_next(const cli_state *state, const rotation *request, const bf_master *next)
{
    (void)printf("Next:\n"
                 "  1. Make the new key the server's, on every machine. Either\n"
                 "       master_key: %s\n"
                 "     in the configuration, or put it where the old one is (%s),\n"
                 "     or into $%s.\n"
                 "  2. Start the servers. They refuse to start with any key but %s.\n"
                 "  3. Keep the old key as long as backups of the store from before are kept.\n"
                 "Client tokens of open sessions are no longer good: those sessions need to be opened anew.\n",
                 request->new_key, state->config.master_key, BF_CONFIG_ENV_MASTER_KEY, next->id);
}

static int rotate_locked(const cli_command *command, const rotation *request, cli_state *state, const bf_master *next)
{
    bf_error err = {0};
    int lock = -1;
    if (bf_vault_lock(state->config.vault_dir, &lock, &err) != BF_OK)
        return cli_fail_error(command, &err);
    bf_vault_rotation done = {0};
    bf_status status = bf_vault_rotate(state->store, &state->master, next, state->actor, &done, &err);
    bf_vault_unlock(&lock);
    if (status == BF_OK || done.unreadable > 0)
        (void)printf("From master key %s to %s: %lld session keys and %lld signing secrets were sealed anew.\n",
                     state->master.id, next->id, (long long)done.session_keys, (long long)done.api_keys);
    if (status == BF_OK || done.unreadable > 0)
        print_next(state, request, next);
    if (status != BF_OK)
        return cli_fail_error(command, &err);
    return cli_finish_output(command, 0);
}

static int rotate(const cli_command *command, const rotation *request)
{
    bf_error err = {0};
    bf_master next = {0};
    cli_state state = {0};
    /* The new key is read first: nothing is opened, and nothing waited for, when it is not usable. */
    if (bf_master_read(request->new_key, request->create, &next, &err) != BF_OK) {
        if (err.status == BF_IO_ERROR && !request->create && !err.hint[0])
            bf_fail_hint(&err, "--create makes one.");
        return cli_fail_error(command, &err);
    }
    int code = cli_state_open(command, request->config, CLI_NEEDS_WRITING | CLI_NEEDS_MASTER, &state);
    if (code == 0)
        code = rotate_locked(command, request, &state, &next);
    cli_state_close(&state);
    bf_master_done(&next);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    rotation request = {0};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (key == CONFIG)
            request.config = parser.value;
        else if (key == NEW_KEY)
            request.new_key = parser.value;
        else
            request.create = true;
    }
    if (parser.ended)
        return parser.code;
    if (!request.new_key)
        return cli_fail_usage(command, "--new-key is missing: the file of the new master key.");
    return rotate(command, &request);
}

const cli_command CLI_VAULT_ROTATE_KEY = {
    .name = "vault rotate-key",
    .operands = "",
    .summary = "Seal what is secret in the store by another master key",
    .about = "Stop every server first. What is encrypted by sessions' keys stays as it is; only those keys and the "
             "signing secrets of API keys are sealed anew. An interrupted rotation goes on when it is started again.",
    .options = OPTIONS,
    .run = run,
};

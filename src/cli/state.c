#include "cli/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

bf_status cli_state_master(const bf_config *config, bool create, bf_master *ret, bf_error *err)
{
    const char *told = getenv(BF_CONFIG_ENV_MASTER_KEY);
    if (told && told[0])
        return bf_master_parse(told, strlen(told), ret, err);
    return bf_master_read(config->master_key, create, ret, err);
}

static bf_status open_store(cli_state *state, unsigned needs, bf_error *err)
{
    bool writes = (needs & CLI_NEEDS_WRITING) == CLI_NEEDS_WRITING;
    bf_store_options options = {
        .url = state->config.store_url,
        .readers = 1,
        .wait_ms_max = state->config.store_wait_ms,
        .create = writes,
        .read_only = !writes,
    };
    bf_status status = bf_store_open(&options, &state->store, err);
    if (status != BF_OK || !writes)
        return status;
    bf_store_before_commit(state->store, bf_audit_seal, &state->log_key);
    return bf_store_read(state->store, bf_audit_check_head, &state->log_key, err);
}

static bf_status open_state(cli_state *state, const char *path, unsigned needs, bf_error *err)
{
    bool writes = (needs & CLI_NEEDS_WRITING) == CLI_NEEDS_WRITING;
    bf_status status = bf_config_read(path, &state->config, err);
    if (status == BF_OK && (needs & CLI_NEEDS_MASTER))
        status = cli_state_master(&state->config, false, &state->master, err);
    /* Whoever writes appends to the audit log, whose head has to be signed. */
    if (status == BF_OK && ((needs & CLI_NEEDS_LOG_KEY) || writes))
        status = bf_log_key_read(state->config.audit_key, state->config.audit_origin, false, &state->log_key, err);
    if (status == BF_OK && (needs & CLI_NEEDS_STORE))
        status = open_store(state, needs, err);
    return status;
}

int cli_state_open(const cli_command *command, const char *config_path, unsigned needs, cli_state *ret)
{
    bf_error err = {0};
    (void)snprintf(ret->actor, sizeof ret->actor, "uid:%u", (unsigned)getuid());
    if (sodium_init() < 0)
        return cli_fail(command, CLI_INTERNAL, "libsodium cannot start.");
    bf_status status = open_state(ret, bf_config_path(config_path), needs, &err);
    if (status == BF_OK)
        return 0;
    (void)cli_fail_error(command, &err);
    return status == BF_CONFIG_INVALID || status == BF_IO_ERROR ? CLI_USAGE : CLI_INTERNAL;
}

void cli_state_close(cli_state *state)
{
    bf_store_free(&state->store);
    bf_log_key_done(&state->log_key);
    bf_master_done(&state->master);
}

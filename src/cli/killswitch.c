/* bonafide killswitch: makes every journey answer as if nothing could be trusted. */
#include <stdio.h>

#include "base/attr.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/state.h"
#include "session/service.h"
#include "store/time.h"

static const cli_option OPTIONS[] = {CLI_CONFIG_OPTION_ROW, {NULL, 0, NULL, NULL}};

typedef struct job {
    cli_state state;
    bool on;
} job;

static void job_done(job *j)
{
    cli_state_close(&j->state);
}

static bf_status write_switch(bf_db *db, void *context, bf_error *err)
{
    job *j = context;
    return bf_kill_switch_write(db, j->on, bf_time_now_ms(), j->state.actor, err);
}

static bf_status read_switch(bf_db *db, void *context, bf_error *err)
{
    job *j = context;
    return bf_kill_switch_read(db, &j->on, err);
}

static int run(const cli_command *command, int argc, char **argv, unsigned needs, bool on)
{
    BF_CLEANUP(job_done) job j = {.on = on};
    const char *config = NULL;
    bf_error err = {0};
    bool writes = needs == CLI_NEEDS_WRITING;
    cli_parser parser = cli_parser_start(command, argc, argv);
    while (cli_parser_next(&parser) >= 0)
        config = parser.value;
    if (parser.ended)
        return parser.code;
    int code = cli_state_open(command, config, needs, &j.state);
    if (code != 0)
        return code;
    bf_status status = writes ? bf_store_write(j.state.store, write_switch, &j, &err)
                              : bf_store_read(j.state.store, read_switch, &j, &err);
    if (status != BF_OK)
        return cli_fail_error(command, &err);
    (void)printf("The kill switch is %s.\n", j.on ? "on" : "off");
    return cli_finish_output(command, 0);
}

static int turn_on(const cli_command *command, int argc, char **argv)
{
    return run(command, argc, argv, CLI_NEEDS_WRITING, true);
}

static int turn_off(const cli_command *command, int argc, char **argv)
{
    return run(command, argc, argv, CLI_NEEDS_WRITING, false);
}

static int tell(const cli_command *command, int argc, char **argv)
{
    return run(command, argc, argv, CLI_NEEDS_STORE, false);
}

const cli_command CLI_KILLSWITCH_ON = {
    .name = "killswitch on",
    .operands = "",
    .summary = "Stop approving: every journey answers review or reject",
    .about =
        "Which of the two is what the journey's policy says. It counts from the next judgement on, in every replica, "
        "and is written to the audit log.",
    .options = OPTIONS,
    .run = turn_on,
};

const cli_command CLI_KILLSWITCH_OFF = {
    .name = "killswitch off",
    .operands = "",
    .summary = "Let the policies decide again",
    .options = OPTIONS,
    .run = turn_off,
};

const cli_command CLI_KILLSWITCH_STATUS = {
    .name = "killswitch status",
    .operands = "",
    .summary = "Tell whether the kill switch is on",
    .options = OPTIONS,
    .run = tell,
};

/* bonafide keys: makes, lists, rotates and revokes API keys. */
#include "cli/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/state.h"
#include "store/time.h"

#define DAY_MS (24LL * 3600 * 1000)
#define HOUR_MS (3600LL * 1000)
#define DAYS_MAX 3650
#define HOURS_MAX (24 * 366)
#define OVERLAP_HOURS 24

enum { CONFIG, JSON, ROLE, CLIENT, LABEL, SIGNED, EXPIRES };
enum { OVERLAP = JSON + 1 };

#define JSON_ROW                                                                                                       \
    {                                                                                                                  \
        "json", 0, NULL, "print JSON"                                                                                  \
    }

static const cli_option CREATE_OPTIONS[] = {
    [CONFIG] = CLI_CONFIG_OPTION_ROW,
    [JSON] = JSON_ROW,
    [ROLE] = {"role", 'r', "ROLE", "integrator, reviewer, auditor or operator"},
    [CLIENT] = {"client", 0, "NAME", "whose key it is, of a-z 0-9 _ -"},
    [LABEL] = {"label", 'l', "TEXT", "a note for people"},
    [SIGNED] = {"signed", 0, NULL, "refuse requests that are not signed"},
    [EXPIRES] = {"expires", 0, "DAYS", "end it after 1 to 3650 days (never)"},
    {NULL, 0, NULL, NULL},
};
static const cli_option LIST_OPTIONS[] = {[CONFIG] = CLI_CONFIG_OPTION_ROW, [JSON] = JSON_ROW, {NULL, 0, NULL, NULL}};
static const cli_option ROTATE_OPTIONS[] = {
    [CONFIG] = CLI_CONFIG_OPTION_ROW,
    [JSON] = JSON_ROW,
    [OVERLAP] = {"overlap", 0, "HOURS", "let the old key be good for 0 to 8784 more hours (24)"},
    {NULL, 0, NULL, NULL},
};
static const cli_option REVOKE_OPTIONS[] = {[CONFIG] = CLI_CONFIG_OPTION_ROW, {NULL, 0, NULL, NULL}};

/* What was asked for, and what came of it. */
typedef struct job {
    const char *config;
    bool json;
    bf_key_request request;
    const char *id; /* of the key to rotate or revoke */
    int days, hours;
    int64_t now_ms, old_ends_ms;
    cli_state state;
    bf_new_key made;
    bf_key_facts old, *keys;
    size_t count;
} job;

static void job_done(job *j)
{
    cli_state_close(&j->state);
    bf_new_key_done(&j->made);
    bf_free(j->keys);
}

static void read_option(job *j, int key, const char *value)
{
    if (key == CONFIG)
        j->config = value;
    else if (key == JSON)
        j->json = true;
    else if (key == CLIENT)
        j->request.client = value;
    else if (key == LABEL)
        j->request.label = value;
    else if (key == SIGNED)
        j->request.must_sign = true;
}

/* The person in front of a camera has a token, never a key. */
static bool read_role(const char *name, bf_access_role *ret)
{
    return bf_access_role_from_name(name, ret) && *ret != BF_ACCESS_PERSON;
}

/* A whole key in place of its id would stand in the list of processes for all to see, and then in nobody's hands. */
static int check_id(const cli_command *command, const char *id)
{
    if (strncmp(id, "bf_", 3) != 0)
        return 0;
    return cli_fail_usage(command, "Give the key's id only, the 16 digits after 'bf_'; the rest is secret.");
}

static int open_state(const cli_command *command, job *j, unsigned needs)
{
    j->now_ms = bf_time_now_ms();
    return cli_state_open(command, j->config, needs, &j->state);
}

static int fail(const cli_command *command, const bf_error *err)
{
    int code = cli_fail_error(command, err);
    return err->status == BF_NOT_FOUND ? CLI_USAGE : code;
}

static int finish(const cli_command *command, bool printed)
{
    return cli_finish_output(command, printed ? 0 : CLI_INTERNAL);
}

static bf_status create_key(bf_db *db, void *context, bf_error *err)
{
    job *j = context;
    return bf_key_create(db, &j->state.master, &j->request, j->state.actor, &j->made, err);
}

static int create(const cli_command *command, int argc, char **argv)
{
    BF_CLEANUP(job_done) job j = {.request.label = ""};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        read_option(&j, key, parser.value);
        if (key == ROLE && !read_role(parser.value, &j.request.role))
            return cli_fail_usage(command, "--role must be integrator, reviewer, auditor or operator, not '%s'.",
                                  parser.value);
        if (key == EXPIRES && !cli_read_number(command, "expires", parser.value, 1, DAYS_MAX, &j.days))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    if (!j.request.role)
        return cli_fail_usage(command, "--role is missing: what the key may do.");
    if (!j.request.client)
        return cli_fail_usage(command, "--client is missing: whose key it is.");
    bf_error err = {0};
    int code = open_state(command, &j, CLI_NEEDS_WRITING | CLI_NEEDS_MASTER);
    if (code != 0)
        return code;
    j.request.now_ms = j.now_ms;
    j.request.expires_ms = j.days ? j.now_ms + j.days * DAY_MS : 0;
    if (bf_store_write(j.state.store, create_key, &j, &err) != BF_OK)
        return fail(command, &err);
    cli_new_key shown = {.key = &j.made,
                         .client = j.request.client,
                         .label = j.request.label,
                         .role = j.request.role,
                         .must_sign = j.request.must_sign};
    return finish(command, cli_keys_print_new(&shown, j.json));
}

static bf_status list_keys(bf_db *db, void *context, bf_error *err)
{
    job *j = context;
    bf_free(j->keys);
    j->keys = NULL;
    return bf_key_list(db, &j->keys, &j->count, err);
}

static int list(const cli_command *command, int argc, char **argv)
{
    BF_CLEANUP(job_done) job j = {0};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;)
        read_option(&j, key, parser.value);
    if (parser.ended)
        return parser.code;
    bf_error err = {0};
    int code = open_state(command, &j, CLI_NEEDS_STORE);
    if (code != 0)
        return code;
    if (bf_store_read(j.state.store, list_keys, &j, &err) != BF_OK)
        return fail(command, &err);
    return finish(command, cli_keys_print_list(j.keys, j.count, j.now_ms, j.json));
}

/* The row of the old key says what the new one is. */
static bf_status rotate_key(bf_db *db, void *context, bf_error *err)
{
    job *j = context;
    bf_status status =
        bf_key_rotate(db, &j->state.master, j->id, j->now_ms, j->old_ends_ms, j->state.actor, &j->made, err);
    if (status == BF_OK)
        status = bf_key_get(db, j->id, &j->old, err);
    return status;
}

static int rotate(const cli_command *command, int argc, char **argv)
{
    BF_CLEANUP(job_done) job j = {.hours = OVERLAP_HOURS};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;) {
        if (key != OVERLAP)
            read_option(&j, key, parser.value);
        else if (!cli_read_number(command, "overlap", parser.value, 0, HOURS_MAX, &j.hours))
            return CLI_USAGE;
    }
    if (parser.ended)
        return parser.code;
    j.id = parser.operand[0];
    bf_error err = {0};
    int code = check_id(command, j.id);
    if (code == 0)
        code = open_state(command, &j, CLI_NEEDS_WRITING | CLI_NEEDS_MASTER);
    if (code != 0)
        return code;
    j.old_ends_ms = j.now_ms + j.hours * HOUR_MS;
    if (bf_store_write(j.state.store, rotate_key, &j, &err) != BF_OK)
        return fail(command, &err);
    cli_new_key shown = {.key = &j.made,
                         .client = j.old.client,
                         .label = j.old.label,
                         .role = j.old.role,
                         .must_sign = j.old.must_sign,
                         .old_id = j.id,
                         .old_ends_ms = j.old.expires_ms};
    return finish(command, cli_keys_print_new(&shown, j.json));
}

static bf_status revoke_key(bf_db *db, void *context, bf_error *err)
{
    job *j = context;
    return bf_key_revoke(db, j->id, j->now_ms, j->state.actor, err);
}

static int revoke(const cli_command *command, int argc, char **argv)
{
    BF_CLEANUP(job_done) job j = {0};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int key; (key = cli_parser_next(&parser)) >= 0;)
        read_option(&j, key, parser.value);
    if (parser.ended)
        return parser.code;
    j.id = parser.operand[0];
    bf_error err = {0};
    int code = check_id(command, j.id);
    if (code == 0)
        code = open_state(command, &j, CLI_NEEDS_WRITING);
    if (code != 0)
        return code;
    if (bf_store_write(j.state.store, revoke_key, &j, &err) != BF_OK)
        return fail(command, &err);
    (void)printf("Key %s is revoked.\n", j.id);
    return cli_finish_output(command, 0);
}

const cli_command CLI_KEYS_CREATE = {
    .name = "keys create",
    .operands = "",
    .summary = "Make an API key",
    .about = "The key and its signing secret are shown once; the store keeps a hash of the key. A key has one role: "
             "integrator (a back end: judges, opens sessions), reviewer (reads cases), auditor (reads decisions and "
             "proofs of all clients) or operator (metrics, erasure).",
    .options = CREATE_OPTIONS,
    .run = create,
};

const cli_command CLI_KEYS_LIST = {
    .name = "keys list",
    .operands = "",
    .summary = "List the API keys, without their secrets",
    .options = LIST_OPTIONS,
    .run = list,
};

const cli_command CLI_KEYS_ROTATE = {
    .name = "keys rotate",
    .operands = "ID",
    .summary = "Replace an API key by a new one",
    .about = "The new key has the client, role, label and life of the old one, which stays good for a while.",
    .options = ROTATE_OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = rotate,
};

const cli_command CLI_KEYS_REVOKE = {
    .name = "keys revoke",
    .operands = "ID",
    .summary = "End an API key at once",
    .options = REVOKE_OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = revoke,
};

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "cli/keys.h"
#include "cli/term.h"
#include "record/parse.h"
#include "store/time.h"

#define LABEL_COLUMNS 32

/* NULL is a value of its own in JSON: never. */
static json_t *time_json(int64_t ms)
{
    char text[BF_TIME_TEXT_SIZE];
    if (ms == 0)
        return json_null();
    bf_time_text(ms, text);
    return json_string(text);
}

static bool print_json(const json_t *value)
{
    bool printed = value && json_dumpf(value, stdout, JSON_INDENT(2)) == 0;
    return printed && putchar('\n') != EOF;
}

static bool print_new_json(const cli_new_key *key)
{
    BF_CLEANUP(bf_json_release)
    json_t *value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "id", key->key->id, "key", key->key->key,
                              "signing_secret", key->key->signing_secret, "client", key->client, "role",
                              bf_access_role_name(key->role), "label", key->label, "must_sign", (int)key->must_sign,
                              "expires", time_json(key->key->expires_ms));
    if (value && key->old_id)
        (void)json_object_set_new(value, "replaces",
                                  json_pack("{s:s, s:o}", "id", key->old_id, "ends", time_json(key->old_ends_ms)));
    return print_json(value);
}

bool cli_keys_print_new(const cli_new_key *key, bool json)
{
    char time[BF_TIME_TEXT_SIZE] = "never";
    if (json)
        return print_new_json(key);
    if (key->key->expires_ms)
        bf_time_text(key->key->expires_ms, time);
    (void)printf("id              %s\nclient          %s\nrole            %s\nexpires         %s\n"
                 "key             %s\nsigning secret  %s\n",
                 key->key->id, key->client, bf_access_role_name(key->role), time, key->key->key,
                 key->key->signing_secret);
    if (key->must_sign)
        (void)printf("Requests with this key have to be signed with its signing secret.\n");
    if (key->old_id) {
        bf_time_text(key->old_ends_ms, time);
        (void)printf("Key %s ends at %s.\n", key->old_id, time);
    }
    if (isatty(STDOUT_FILENO))
        (void)fprintf(stderr,
                      "Keep the key and the signing secret now: they are shown this once. Clear the screen after.\n");
    return true;
}

static const char *state_of(const bf_key_facts *key, int64_t now_ms)
{
    if (key->revoked_ms)
        return "revoked";
    if (key->expires_ms && key->expires_ms <= now_ms)
        return "expired";
    return key->rotated_to[0] ? "rotated" : "valid";
}

static json_t *key_json(const bf_key_facts *key, int64_t now_ms)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:s?}", "id", key->id, "client", key->client,
                     "role", bf_access_role_name(key->role), "label", key->label, "must_sign", (int)key->must_sign,
                     "state", state_of(key, now_ms), "created", time_json(key->created_ms), "expires",
                     time_json(key->expires_ms), "revoked", time_json(key->revoked_ms), "rotated_to",
                     key->rotated_to[0] ? key->rotated_to : NULL);
}

static bool print_list_json(const bf_key_facts *keys, size_t count, int64_t now_ms)
{
    BF_CLEANUP(bf_json_release) json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) {
        if (json_array_append_new(list, key_json(&keys[i], now_ms)) != 0)
            return false;
    }
    return print_json(list);
}

static void print_row(const bf_key_facts *key, int client_width, int64_t now_ms, bool colours)
{
    char ends[BF_TIME_TEXT_SIZE] = "never", label[4 * BF_KEY_LABEL_MAX];
    const char *state = state_of(key, now_ms);
    int64_t ends_ms = key->revoked_ms ? key->revoked_ms : key->expires_ms;
    cli_colour colour = strcmp(state, "valid") == 0 ? CLI_GREEN : strcmp(state, "rotated") == 0 ? CLI_YELLOW : CLI_DIM;
    if (ends_ms)
        bf_time_text(ends_ms, ends);
    (void)cli_text_copy(key->label, LABEL_COLUMNS, false, label, sizeof label);
    (void)printf("%-16s  %-*s  %-10s  %s%-7s%s  %-24s  %-6s  %s\n", key->id, client_width, key->client,
                 bf_access_role_name(key->role), cli_colour_start(colours, colour), state,
                 cli_colour_end(colours, colour), ends, key->must_sign ? "yes" : "no", label);
}

bool cli_keys_print_list(const bf_key_facts *keys, size_t count, int64_t now_ms, bool json)
{
    if (json)
        return print_list_json(keys, count, now_ms);
    bool colours = cli_term_colours(stdout);
    int width = (int)strlen("CLIENT");
    for (size_t i = 0; i < count; i++)
        width = (int)strlen(keys[i].client) > width ? (int)strlen(keys[i].client) : width;
    (void)printf("%s%-16s  %-*s  %-10s  %-7s  %-24s  %-6s  %s%s\n", cli_colour_start(colours, CLI_DIM), "ID", width,
                 "CLIENT", "ROLE", "STATE", "ENDS", "SIGNED", "LABEL", cli_colour_end(colours, CLI_DIM));
    for (size_t i = 0; i < count; i++)
        print_row(&keys[i], width, now_ms, colours);
    return true;
}

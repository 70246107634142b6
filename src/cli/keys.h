/* How API keys are shown. */
#ifndef BF_CLI_KEYS_H
#define BF_CLI_KEYS_H

#include "access/keys.h"

/* Prints a new key with its secrets, the only time that they are seen; as JSON, or for people, who are warned when they
 * look at a terminal. `old_id` and `old_ends_ms` tell which key it follows (NULL: none). False without memory. */
typedef struct cli_new_key {
    const bf_new_key *key;
    const char *client, *label;
    bf_access_role role;
    bool must_sign;
    const char *old_id;
    int64_t old_ends_ms;
} cli_new_key;
bool cli_keys_print_new(const cli_new_key *key, bool json);

/* Prints keys, without secrets, which nobody has any more. */
bool cli_keys_print_list(const bf_key_facts *keys, size_t count, int64_t now_ms, bool json);

#endif

/* What versioned configuration files have in common: names, versions and the identity of a file. */
#ifndef BF_BASE_CONFIG_H
#define BF_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/yaml.h"

#define BF_CONFIG_ID_SIZE (2 * BF_NAME_MAX + 16)

/* Whether a word is a name: 1 to BF_NAME_MAX - 1 characters of a-z, A-Z, 0-9, '.', '_', '-', '+'. */
bool bf_config_is_name(const char *word);

/* The value under `key`, which must be there, as a name. CONFIG_INVALID with the line otherwise; `ret` is written only
 * on success. */
bf_status bf_config_name(const bf_yaml *doc, const bf_yaml_node *map, const char *key, char ret[BF_NAME_MAX],
                         bf_error *err);

/* The same check for a word found elsewhere (a key of a map, say); `node` gives the line. */
bf_status bf_config_check_name(const bf_yaml *doc, const bf_yaml_node *node, const char *word, char ret[BF_NAME_MAX],
                               bf_error *err);

/* Checks that `format` is the one number this code reads, so that a later layout is never half understood. */
bf_status bf_config_format(const bf_yaml *doc, const bf_yaml_node *map, int format, bf_error *err);

/* "NAME@VERSION+<first 12 hex digits of the bytes' sha256>". */
void bf_config_id(const char *name, const char *version, const void *data, size_t size, char ret[BF_CONFIG_ID_SIZE]);

#endif

/* What the two files that read the configuration share. */
#ifndef BF_SERVER_CONFIG_INTERNAL_H
#define BF_SERVER_CONFIG_INTERNAL_H

#include "base/yaml.h"
#include "server/config.h"

typedef struct bf_config_reader {
    const bf_yaml *doc;
    const bf_yaml_node *root;
    char folder[BF_CONFIG_PATH_SIZE]; /* of the file; relative paths begin there */
    bf_config *config;
    bf_error *err;
} bf_config_reader;

/* Every key of the file; NULL-terminated. */
extern const char *const BF_CONFIG_KEYS[];

/* Reads all keys into reader->config, whose defaults were set before. */
bf_status bf_config_read_keys(bf_config_reader *reader);

/* Joins the file's folder and a path. */
bf_status bf_config_join(const bf_config_reader *reader, const bf_yaml_node *node, const char *path,
                         char ret[BF_CONFIG_PATH_SIZE]);

#endif

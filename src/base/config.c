#include "base/config.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

bool bf_config_is_name(const char *word)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+";
    size_t length = strlen(word);
    return length > 0 && length < BF_NAME_MAX && strspn(word, allowed) == length;
}

bf_status bf_config_check_name(const bf_yaml *doc, const bf_yaml_node *node, const char *word, char ret[BF_NAME_MAX],
                               bf_error *err)
{
    if (!bf_config_is_name(word))
        return bf_yaml_fail(doc, node, err, "'%.*s' is no name: 1 to %d letters, digits and ._-+ are expected.",
                            BF_NAME_MAX, word, BF_NAME_MAX - 1);
    memcpy(ret, word, strlen(word) + 1);
    return BF_OK;
}

bf_status bf_config_name(const bf_yaml *doc, const bf_yaml_node *map, const char *key, char ret[BF_NAME_MAX],
                         bf_error *err)
{
    const char *word = NULL;
    bf_status status = bf_yaml_string(doc, map, key, true, &word, err);
    if (status != BF_OK)
        return status;
    return bf_config_check_name(doc, bf_yaml_get(map, key), word, ret, err);
}

bf_status bf_config_format(const bf_yaml *doc, const bf_yaml_node *map, int format, bf_error *err)
{
    int64_t found = 0;
    bf_status status = bf_yaml_integer(doc, map, "format", true, 1, 1000, &found, err);
    if (status == BF_OK && found != format)
        status = bf_yaml_fail(doc, bf_yaml_get(map, "format"), err, "format %d is not known; this program reads %d.",
                              (int)found, format);
    return status;
}

void bf_config_id(const char *name, const char *version, const void *data, size_t size, char ret[BF_CONFIG_ID_SIZE])
{
    char hex[BF_SHA256_HEX_SIZE];
    bf_sha256_hex(data, size, hex);
    (void)snprintf(ret, BF_CONFIG_ID_SIZE, "%.*s@%.*s+%.12s", BF_NAME_MAX - 1, name, BF_NAME_MAX - 1, version, hex);
}

/* Reads policy files, and the public functions that check, test and explain them. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "bonafide/policy.h"
#include "policy/rules.h"

#define PATH_SIZE 4096

/* The path of the base that the document names, relative to the policy's own folder; "" when it names none. A base
 * lies in or below that folder. */
static bf_status base_path(const bf_yaml *doc, const char *path, char ret[PATH_SIZE], bf_error *err)
{
    const char *name = NULL;
    bf_status status = bf_yaml_string(doc, bf_yaml_root(doc), "extends", false, &name, err);
    ret[0] = 0;
    if (status != BF_OK || !name)
        return status;
    const bf_yaml_node *node = bf_yaml_get(bf_yaml_root(doc), "extends");
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./");
    if (length == 0 || name[length] != 0 || name[0] == '/' || strstr(name, ".."))
        return bf_yaml_fail(doc, node, err, "extends must name a file in or below the folder of this one.");
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    int put = snprintf(ret, PATH_SIZE, "%.*s%s", folder, path, name);
    if (put < 0 || put >= PATH_SIZE)
        return bf_yaml_fail(doc, node, err, "the path of the base is too long.");
    return BF_OK;
}

static bf_status read_text(const char *path, bf_bytes *ret_bytes, bf_policy_text *ret, bf_error *err)
{
    bf_status status = bf_bytes_read_file(ret_bytes, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_IMAGE_TOO_LARGE) /* the reader speaks of pictures */
        status = bf_fail(err, BF_CONFIG_INVALID, "%s:1: the file is larger than %u bytes.", path, BF_YAML_BYTES_MAX);
    if (status == BF_OK)
        *ret = (bf_policy_text){ret_bytes->data, ret_bytes->size, path};
    return status;
}

bf_status bf_policy_bundle_read(const char *path, bf_policy_bundle *bundle, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes own_bytes = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes base_bytes = {0};
    bf_policy_text own = {0}, base = {0};
    char other[PATH_SIZE];
    bf_status status = read_text(path, &own_bytes, &own, err);
    if (status == BF_OK)
        status = bf_yaml_parse(own.yaml, own.size, own.name, &bundle->own, err);
    if (status == BF_OK)
        status = base_path(bundle->own, path, other, err);
    if (status != BF_OK)
        return status;
    if (other[0] == 0)
        return bf_policy_bundle_parse(&own, NULL, bundle, err);
    status = read_text(other, &base_bytes, &base, err);
    if (status != BF_OK) {
        bf_fail_prefix(err, "%s extends another file", path);
        return status;
    }
    return bf_policy_bundle_parse(&own, &base, bundle, err);
}

bf_status bf_policy_read(const char *path, bf_policy **ret, bf_error *err)
{
    BF_CLEANUP(bf_policy_bundle_done) bf_policy_bundle bundle = {0};
    bf_status status = bf_policy_bundle_read(path, &bundle, err);
    if (status != BF_OK)
        return status;
    *ret = bundle.policy;
    bundle.policy = NULL;
    return BF_OK;
}

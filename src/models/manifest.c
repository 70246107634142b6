/* Who a model is and which bytes it has; the tensors are read in manifest_input.c and manifest_output.c. */
#include "models/manifest.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/words.h"
#include "models/manifest_read.h"
#include "models/store.h"

static const char *const TASKS[] = {"face-detection", "landmarks", "pose", "eye-state", "liveness", "embedding", NULL};

const char *bf_task_name(bf_task task)
{
    return (int)task >= 0 && task < BF_TASK_COUNT ? TASKS[task] : "unknown";
}

bf_status bf_manifest_text(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, bool required,
                           char *ret, size_t size)
{
    const char *text = NULL;
    bf_status status = bf_yaml_string(r->doc, map, key, required, &text, r->err);
    if (status != BF_OK || !text)
        return status;
    size_t length = strlen(text);
    if (length == 0 || length >= size)
        return bf_yaml_fail(r->doc, bf_yaml_get(map, key), r->err, "'%s' must have 1 to %zu characters.", key,
                            size - 1);
    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~')
            return bf_yaml_fail(r->doc, bf_yaml_get(map, key), r->err, "'%s' holds more than printable ASCII.", key);
    }
    memcpy(ret, text, length + 1);
    return BF_OK;
}

bf_status bf_manifest_float(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, double min,
                            double max, float *ret)
{
    double number = 0;
    bf_status status = bf_yaml_number(r->doc, map, key, true, min, max, &number, r->err);
    if (status == BF_OK)
        *ret = (float)number;
    return status;
}

bf_status bf_manifest_int(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, int min, int max,
                          int *ret)
{
    int64_t number = 0;
    bf_status status = bf_yaml_integer(r->doc, map, key, true, min, max, &number, r->err);
    if (status == BF_OK)
        *ret = (int)number;
    return status;
}

bf_status bf_manifest_floats(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, size_t count,
                             double min, double max, float *ret)
{
    const bf_yaml_node *list = bf_yaml_get(map, key);
    if (!list)
        return BF_OK;
    if (list->kind != BF_YAML_LIST || list->child_count != count)
        return bf_yaml_fail(r->doc, list, r->err, "'%s' must be a list of %zu numbers.", key, count);
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        double number = 0;
        bf_status status = bf_yaml_node_number(r->doc, node, min, max, &number, r->err);
        if (status != BF_OK)
            return status;
        *ret++ = (float)number;
    }
    return BF_OK;
}

bf_status bf_manifest_forbid(const bf_manifest_reader *r, const bf_yaml_node *map, const char *const keys[],
                             const char *why)
{
    for (size_t i = 0; keys[i]; i++) {
        const bf_yaml_node *node = bf_yaml_get(map, keys[i]);
        if (node)
            return bf_yaml_fail(r->doc, node, r->err, "'%s' %s", keys[i], why);
    }
    return BF_OK;
}

/* Names become parts of paths: no separator, no leading dot. */
static bf_status read_file_name(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key, bool required,
                                char ret[BF_NAME_MAX])
{
    char name[BF_NAME_MAX] = "";
    bf_status status = bf_manifest_text(r, map, key, required, name, sizeof name);
    if (status != BF_OK || (!required && name[0] == 0))
        return status;
    if (!bf_model_name_is_valid(name))
        return bf_yaml_fail(r->doc, bf_yaml_get(map, key), r->err,
                            "'%s' may only have letters, digits, '.', '_' and '-', and no dot in front.", key);
    memcpy(ret, name, sizeof name);
    return BF_OK;
}

static bf_status read_hash(const bf_manifest_reader *r, const bf_yaml_node *map, const char *key,
                           char ret[BF_SHA256_HEX_SIZE])
{
    const char *text = NULL;
    bf_status status = bf_yaml_string(r->doc, map, key, false, &text, r->err);
    if (status != BF_OK || !text)
        return status;
    if (strlen(text) != BF_SHA256_HEX_SIZE - 1 || strspn(text, "0123456789abcdef") != BF_SHA256_HEX_SIZE - 1)
        return bf_yaml_fail(r->doc, bf_yaml_get(map, key), r->err, "'%s' must be 64 digits 0-9 and a-f.", key);
    memcpy(ret, text, BF_SHA256_HEX_SIZE);
    return BF_OK;
}

static bf_status read_weights(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    static const char *const keys[] = {"file", "sha256", "optimised_sha256", "golden", NULL};
    bf_status status = bf_yaml_check_keys(r->doc, map, keys, r->err);
    if (status == BF_OK)
        status = read_file_name(r, map, "file", true, m->file);
    if (status == BF_OK)
        status = read_hash(r, map, "sha256", m->sha256);
    if (status == BF_OK)
        status = read_hash(r, map, "optimised_sha256", m->optimised_sha256);
    if (status == BF_OK)
        status = read_file_name(r, map, "golden", false, m->golden);
    if (status != BF_OK)
        return status;
    if (m->sha256[0] == 0 && m->golden[0] == 0)
        return bf_yaml_fail(r->doc, map, r->err, "the weights need a 'sha256' or 'golden' vectors to be checked by.");
    if (m->sha256[0] == 0 && m->optimised_sha256[0] != 0)
        return bf_yaml_fail(r->doc, bf_yaml_get(map, "optimised_sha256"), r->err,
                            "'optimised_sha256' needs the 'sha256' of the file it was made from.");
    return BF_OK;
}

/* A network that is silent about it is what it is: a network. */
static bf_status read_against(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    const char *text = NULL;
    m->against = BF_REASON_EVIDENCE_NETWORK;
    bf_status status = bf_yaml_string(r->doc, map, "against", false, &text, r->err);
    if (status != BF_OK || !text)
        return status;
    const bf_yaml_node *node = bf_yaml_get(map, "against");
    if (m->task != BF_TASK_LIVENESS)
        return bf_yaml_fail(r->doc, node, r->err, "'against' goes with the task liveness only.");
    if (!bf_reason_from_name(text, &m->against) || !bf_reason_is_evidence(m->against))
        return bf_yaml_fail(r->doc, node, r->err, "'against' must be one of the reasons EVIDENCE_..., not '%.40s'.",
                            text);
    return BF_OK;
}

static bf_status read_identity(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    int task = 0;
    bf_status status = read_file_name(r, map, "name", true, m->name);
    if (status == BF_OK)
        status = bf_manifest_text(r, map, "version", true, m->version, sizeof m->version);
    if (status == BF_OK)
        status = bf_yaml_choice(r->doc, map, "task", true, TASKS, &task, r->err);
    if (status == BF_OK)
        status = bf_yaml_bool(r->doc, map, "approved", true, &m->approved, r->err);
    if (status == BF_OK)
        status = bf_manifest_text(r, map, "licence", true, m->licence, sizeof m->licence);
    if (status == BF_OK)
        status = bf_manifest_text(r, map, "source", true, m->source, sizeof m->source);
    m->task = (bf_task)task;
    return status == BF_OK ? read_against(r, map, m) : status;
}

static bf_status read_manifest(const bf_manifest_reader *r, const bf_yaml_node *root, bf_manifest *m)
{
    static const char *const keys[] = {"name",    "version", "task",  "approved", "licence", "source",
                                       "against", "weights", "input", "crop",     "output",  NULL};
    static const char *const sections[] = {"weights", "input", "crop", "output"};
    bf_status (*const readers[])(const bf_manifest_reader *, const bf_yaml_node *, bf_manifest *) = {
        read_weights, bf_manifest_read_input, bf_manifest_read_crop, bf_manifest_read_output};
    bf_status status = bf_yaml_check_keys(r->doc, root, keys, r->err);
    if (status == BF_OK)
        status = read_identity(r, root, m);
    for (size_t i = 0; i < sizeof sections / sizeof *sections && status == BF_OK; i++) {
        const bf_yaml_node *section = bf_yaml_get(root, sections[i]);
        if (!section)
            return bf_yaml_fail(r->doc, root, r->err, "the key '%s' is missing.", sections[i]);
        status = readers[i](r, section, m);
    }
    return status;
}

bf_status bf_manifest_parse(const void *yaml, size_t size, const char *name, bf_manifest *ret, bf_error *err)
{
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = NULL;
    bf_status status = bf_yaml_parse(yaml, size, name, &doc, err);
    if (status != BF_OK)
        return status;
    bf_manifest manifest = {0};
    const bf_manifest_reader reader = {doc, err};
    status = read_manifest(&reader, bf_yaml_root(doc), &manifest);
    if (status == BF_OK)
        *ret = manifest;
    return status;
}

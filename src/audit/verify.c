#include "audit/verify.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "audit/verify_state.h"
#include "base/error.h"

#define LINE_FIRST 65536

typedef bf_status row_fn(bf_verify *v, json_t *row, bf_error *err);

void bf_verify_tell(bf_verify *v, bf_finding_kind kind, int64_t from, int64_t to, const char *row)
{
    bf_finding finding = {.kind = kind, .from = from, .to = to};
    (void)snprintf(finding.row, sizeof finding.row, "%s", row ? row : "");
    for (char *c = finding.row; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    v->summary.findings++;
    v->report(v->context, &finding);
}

/* What the tree finds; counted like the rest. */
static void tell_of_tree(void *context, const bf_finding *finding)
{
    bf_verify *v = context;
    v->summary.findings++;
    v->report(v->context, finding);
}

bool bf_row_hash(const json_t *object, const char *key, bf_hash *ret)
{
    const char *hex = bf_row_text(object, key);
    bf_hash hash;
    size_t size = 0;
    if (!hex || strlen(hex) != 2 * BF_HASH_SIZE ||
        sodium_hex2bin(hash.byte, BF_HASH_SIZE, hex, 2 * BF_HASH_SIZE, NULL, &size, NULL) != 0 || size != BF_HASH_SIZE)
        return false;
    *ret = hash;
    return true;
}

int64_t bf_row_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    int64_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    return number >= 0 ? number : -1;
}

const char *bf_row_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

bf_status bf_verify_new(const bf_verify_options *options, bf_verify **ret, bf_error *err)
{
    bf_verify *v = bf_calloc(1, sizeof *v);
    if (!v)
        return bf_fail_memory(err);
    if (options->key)
        v->key = *options->key;
    v->has_key = options->key != NULL;
    if (options->against) {
        v->against_text = bf_malloc(options->against_size + 1);
        v->against_size = options->against_size;
        if (!v->against_text) {
            bf_verify_free(&v);
            return bf_fail_memory(err);
        }
        memcpy(v->against_text, options->against, options->against_size);
    }
    v->report = options->report;
    v->context = options->context;
    v->tree.report = tell_of_tree;
    v->tree.context = v;
    v->last_at_leaf = -1;
    v->doubtful = -1;
    *ret = v;
    return BF_OK;
}

void bf_verify_free(bf_verify **verify)
{
    bf_verify *v = *verify;
    if (!v)
        return;
    bf_pending_done(&v->pending);
    json_decref(v->kept[0].row);
    json_decref(v->kept[1].row);
    json_decref(v->head);
    bf_free(v->erased.entry);
    bf_free(v->line);
    bf_free(v->against_text);
    bf_log_key_done(&v->key);
    bf_free(v);
    *verify = NULL;
}

static bf_status fail_line(const bf_verify *v, bf_error *err, const char *what)
{
    return bf_fail(err, BF_INVALID_ARGUMENT, "Line %lld of the export cannot be read: %s.", (long long)v->line_number,
                   what);
}

/* The key is known now. */
static bf_status read_against(bf_verify *v, bf_error *err)
{
    bf_status status = bf_note_verify(&v->key, v->against_text, v->against_size, &v->against, NULL);
    if (status == BF_INVALID_ARGUMENT)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The checkpoint to verify against is no signed checkpoint.");
    v->has_against = status == BF_OK;
    if (status != BF_OK)
        bf_verify_tell(v, BF_FOUND_OTHER_KEY, 0, 0, "the checkpoint that was kept is not signed by it");
    return BF_OK;
}

/* The first line. */
static bf_status begin(bf_verify *v, json_t *row, bf_error *err)
{
    const char *text = bf_row_text(row, "verifier_key");
    bf_log_key named;
    if (bf_row_number(row, "format") != BF_EXPORT_FORMAT)
        return fail_line(v, err, "it is of a format that this version does not know");
    if (!text || bf_log_verifier_key_read(text, &named, NULL) != BF_OK)
        return fail_line(v, err, "it has no verifier key");
    if (!v->has_key)
        v->key = named;
    else if (strcmp(named.origin, v->key.origin) != 0 ||
             memcmp(named.public_key, v->key.public_key, sizeof named.public_key) != 0)
        bf_verify_tell(v, BF_FOUND_OTHER_KEY, 0, 0, named.origin);
    (void)snprintf(v->summary.origin, sizeof v->summary.origin, "%s", v->key.origin);
    v->begun = true;
    return v->against_text ? read_against(v, err) : BF_OK;
}

/* Whether a row at this place in the log lies behind everything that was signed. */
static bool is_behind(const bf_verify *v, int64_t position)
{
    return v->headed && (v->head_checked || position >= v->head_tree.size);
}

static bf_status take_leaf(bf_verify *v, json_t *row, bf_error *err)
{
    const json_t *number = json_object_get(row, "index");
    if (!json_is_integer(number))
        return fail_line(v, err, "the leaf has no number");
    int64_t index = json_integer_value(number);
    if (index >= 0 && index < BF_LOG_SIZE_MAX && !is_behind(v, index))
        return bf_verify_leaf_row(v, row, err);
    index = index < 0 ? -1 : index < BF_LOG_SIZE_MAX ? index : BF_LOG_SIZE_MAX;
    bf_verify_tell(v, BF_FOUND_LEAF_ADDED, index, index + 1, NULL);
    return BF_OK;
}

static bf_status take_node(bf_verify *v, json_t *row, bf_error *err)
{
    char name[64];
    int64_t level = bf_row_number(row, "level"), idx = bf_row_number(row, "index");
    bool exists = level > 0 && level < BF_EDGE_MAX && idx >= 0 && idx < BF_LOG_SIZE_MAX >> level;
    int64_t end = exists ? ((idx + 1) << level) - 1 : 0;
    v->summary.nodes++;
    if (!exists || is_behind(v, end)) {
        (void)snprintf(name, sizeof name, "%lld/%lld", (long long)level, (long long)idx);
        bf_verify_tell(v, BF_FOUND_NODE_ADDED, 0, 0, name);
        return BF_OK;
    }
    bf_status status = bf_verify_reach(v, end, err);
    if (status != BF_OK)
        return status;
    bf_nodes_seen *nodes = &v->pending.nodes;
    if (end != v->next - 1 || nodes->has[level]) {
        bf_verify_tell(v, BF_FOUND_ORDER, idx << level, end + 1, "row of a node");
        return BF_OK;
    }
    nodes->has[level] = true;
    /* What is no hash stays zero, which is none either. */
    (void)bf_row_hash(row, "hash", &nodes->hash[level]);
    return BF_OK;
}

static bf_status take_decision(bf_verify *v, json_t *row, bf_error *err)
{
    char name[BF_FINDING_ROW_SIZE];
    int64_t index = bf_row_number(row, "audit_index");
    v->summary.decisions++;
    bf_decision_row_name(row, name);
    if (index < 0 || index >= BF_LOG_SIZE_MAX || is_behind(v, index)) {
        bf_verify_tell(v, BF_FOUND_DECISION_ADDED, 0, 0, name);
        return BF_OK;
    }
    bf_status status = bf_verify_reach(v, index, err);
    if (status != BF_OK)
        return status;
    if (index != v->next - 1)
        bf_verify_tell(v, BF_FOUND_ORDER, index, index + 1, name);
    else if (v->pending.decision)
        bf_verify_tell(v, BF_FOUND_DECISION_ADDED, index, index + 1, name);
    else
        v->pending.decision = json_incref(row);
    return BF_OK;
}

static bf_status take_checkpoint(bf_verify *v, json_t *row, bf_error *err)
{
    int64_t size = bf_row_number(row, "size");
    if (size > 0 && size < BF_LOG_SIZE_MAX && !is_behind(v, size - 1))
        return bf_verify_kept_row(v, row, err);
    v->summary.checkpoints++;
    bf_verify_tell(v, BF_FOUND_CHECKPOINT_ADDED, 0, size, NULL);
    return BF_OK;
}

static bf_status take_end(bf_verify *v, json_t *row, bf_error *err)
{
    if (bf_row_number(row, "lines") != v->line_number - 1)
        bf_verify_tell(v, BF_FOUND_ORDER, 0, 0, "number of lines");
    v->ended = true;
    return bf_verify_finish(v, err);
}

#define KEYS(...)                                                                                                      \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        "row", __VA_ARGS__, NULL                                                                                       \
    }

/* What each row holds: these keys and no others. */
static const struct {
    const char *name;
    row_fn *take;
    const char *const *keys;
} ROWS[] = {
    {"export", begin, KEYS("format", "origin", "verifier_key", "exported_at")},
    {"leaf", take_leaf, KEYS("index", "at_ms", "kind", "hash", "data")},
    {"node", take_node, KEYS("level", "index", "hash")},
    {"decision", take_decision,
     KEYS("audit_index", "client", "request_id", "kind", "session_id", "attempt", "at_ms", "decision", "reason",
          "record_sha256", "record", "client_report", "plan")},
    {"checkpoint", take_checkpoint, KEYS("size", "at_ms", "note")},
    {"head", bf_verify_head_row, KEYS("size", "edge", "last", "signed_size", "at_ms", "note")},
    {"end", take_end, KEYS("lines")},
};

static bool has_keys(const json_t *row, const char *const *keys)
{
    size_t count = 0;
    while (keys[count])
        if (!json_object_get(row, keys[count++]))
            return false;
    return json_object_size(row) == count;
}

static bf_status take_row(bf_verify *v, json_t *row, bf_error *err)
{
    const char *name = bf_row_text(row, "row");
    if (v->ended)
        return fail_line(v, err, "it stands behind the end");
    for (size_t i = 0; name && i < sizeof ROWS / sizeof *ROWS; i++) {
        if (strcmp(name, ROWS[i].name) != 0)
            continue;
        if ((i == 0) == v->begun)
            return fail_line(v, err, "an export begins with its one row 'export'");
        if (!has_keys(row, ROWS[i].keys))
            return fail_line(v, err, "a value is missing, or there is one more than there should be");
        return ROWS[i].take(v, row, err);
    }
    return fail_line(v, err, "it is no row of an export");
}

static bf_status take_line(bf_verify *v, const char *text, size_t size, bf_error *err)
{
    json_error_t why;
    v->line_number++;
    json_t *row = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!row && json_error_code(&why) == json_error_out_of_memory)
        return bf_fail_memory(err);
    if (!json_is_object(row)) {
        json_decref(row);
        return fail_line(v, err, "it is no JSON object");
    }
    bf_status status = take_row(v, row, err);
    json_decref(row);
    return status;
}

/* Keeps the beginning of a line whose end has not come. */
static bf_status keep(bf_verify *v, const uint8_t *data, size_t size, bf_error *err)
{
    if (size == 0)
        return BF_OK;
    if (v->fill + size > BF_EXPORT_LINE_MAX) {
        v->line_number++;
        return fail_line(v, err, "it is too long");
    }
    size_t capacity = v->capacity ? v->capacity : LINE_FIRST;
    while (capacity < v->fill + size)
        capacity *= 2;
    if (capacity != v->capacity) {
        uint8_t *line = bf_realloc(v->line, capacity);
        if (!line)
            return bf_fail_memory(err);
        v->line = line;
        v->capacity = capacity;
    }
    memcpy(v->line + v->fill, data, size);
    v->fill += size;
    return BF_OK;
}

bf_status bf_verify_feed(bf_verify *verify, const void *data, size_t size, bf_error *err)
{
    const uint8_t *at = data;
    bf_status status = BF_OK;
    while (size > 0 && status == BF_OK) {
        const uint8_t *newline = memchr(at, '\n', size);
        size_t piece = newline ? (size_t)(newline - at) : size;
        if (newline && verify->fill == 0 && piece <= BF_EXPORT_LINE_MAX) {
            status = take_line(verify, (const char *)at, piece, err);
        } else {
            status = keep(verify, at, piece, err);
            if (status == BF_OK && newline)
                status = take_line(verify, (const char *)verify->line, verify->fill, err);
            if (newline)
                verify->fill = 0;
        }
        piece += newline != NULL;
        at += piece;
        size -= piece;
    }
    return status;
}

bf_status bf_verify_end(bf_verify *verify, bf_verify_summary *ret, bf_error *err)
{
    bf_status status = BF_OK;
    if (verify->fill > 0) {
        status = take_line(verify, (const char *)verify->line, verify->fill, err);
        verify->fill = 0;
    }
    if (status == BF_OK && !verify->begun)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The export is empty.");
    if (status == BF_OK && !verify->ended) {
        bf_verify_tell(verify, BF_FOUND_CUT_SHORT, verify->next, verify->next, NULL);
        status = bf_verify_finish(verify, err);
    }
    if (status == BF_OK)
        *ret = verify->summary;
    return status;
}

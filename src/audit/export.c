#include "audit/export.h"

#include <string.h>

#include <sodium.h>

#include "audit/verify.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "record/build.h"
#include "store/time.h"

#define PAGE_LEAVES 128
#define PAGE_STRAYS 4096     /* rows of each kind that belong nowhere; more are not exported */
#define GAP_LEAVES (1 << 24) /* missing leaves that are walked over page by page; a wider gap is jumped over */
#define BLOB_BYTES_MAX 4096
#define LEVELS (BF_EDGE_MAX - 1)

typedef struct exporter {
    const bf_log_key *key;
    bf_bytes page; /* lines of the page that is being read */
    size_t capacity;
    int64_t lines; /* before this page, and in it */
    int64_t page_lines;
    int64_t next; /* first leaf of the page */
    int64_t page_end;
    bool first, last;
} exporter;

static int append(const char *text, size_t size, void *context)
{
    exporter *e = context;
    if (e->capacity - e->page.size < size) {
        size_t capacity = e->capacity ? e->capacity : 65536;
        while (capacity - e->page.size < size)
            capacity *= 2;
        uint8_t *data = bf_realloc(e->page.data, capacity);
        if (!data)
            return -1;
        e->page.data = data;
        e->capacity = capacity;
    }
    memcpy(e->page.data + e->page.size, text, size);
    e->page.size += size;
    return 0;
}

/* Writes an object as a line, and releases it. */
static bf_status put_line(exporter *e, const bf_build *build, json_t *row, bf_error *err)
{
    bool whole = row && !build->failed && json_dump_callback(row, append, e, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
                 append("\n", 1, e) == 0;
    json_decref(row);
    e->page_lines += whole;
    return whole ? BF_OK : bf_fail_memory(err);
}

static json_t *begin_row(bf_build *build, const char *name)
{
    json_t *row = json_object();
    build->failed = build->failed || !row;
    bf_build_put(build, row, "row", json_string(name));
    return row;
}

static json_t *text_of(const bf_rows *rows, int column)
{
    const char *text = bf_rows_text(rows, column);
    return text ? bf_build_text(text) : json_null();
}

static json_t *number_of(const bf_rows *rows, int column)
{
    return bf_rows_is_null(rows, column) ? json_null() : json_integer(bf_rows_integer(rows, column));
}

static json_t *blob_of(const bf_rows *rows, int column)
{
    char hex[2 * BLOB_BYTES_MAX + 1];
    size_t size = 0;
    const void *blob = bf_rows_blob(rows, column, &size);
    if (size > BLOB_BYTES_MAX)
        return json_null();
    return json_string(sodium_bin2hex(hex, sizeof hex, blob ? blob : (const void *)"", size));
}

/* The columns of a kind of row, in the order in which they are selected. */
typedef struct column {
    const char *name;
    json_t *(*value)(const bf_rows *rows, int column);
} column;

static const column LEAF[] = {{"index", number_of}, {"at_ms", number_of}, {"kind", text_of},
                              {"hash", blob_of},    {"data", text_of},    {NULL, NULL}};
static const column NODE[] = {{"level", number_of}, {"index", number_of}, {"hash", blob_of}, {NULL, NULL}};
static const column CHECKPOINT[] = {{"size", number_of}, {"at_ms", number_of}, {"note", text_of}, {NULL, NULL}};
static const column HEAD[] = {{"size", number_of},  {"edge", blob_of}, {"last", blob_of}, {"signed_size", number_of},
                              {"at_ms", number_of}, {"note", text_of}, {NULL, NULL}};
static const column DECISION[] = {{"audit_index", number_of}, {"client", text_of},
                                  {"request_id", text_of},    {"kind", text_of},
                                  {"session_id", text_of},    {"attempt", number_of},
                                  {"at_ms", number_of},       {"decision", text_of},
                                  {"reason", text_of},        {"record_sha256", text_of},
                                  {"record", text_of},        {"client_report", text_of},
                                  {"plan", text_of},          {NULL, NULL}};

static bf_status put_row(exporter *e, const char *name, const column *columns, const bf_rows *rows, bf_error *err)
{
    bf_build build = {0};
    json_t *row = begin_row(&build, name);
    for (int i = 0; columns[i].name; i++)
        bf_build_put(&build, row, columns[i].name, columns[i].value(rows, i));
    return put_line(e, &build, row, err);
}

/* The rows of one page, each kind in order, written leaf by leaf. */
typedef struct page {
    bf_rows *leaves, *nodes[LEVELS + 1], *decisions, *checkpoints;
    bool leaf, node[LEVELS + 1], decision, checkpoint; /* whether there is a current row */
} page;

static void page_done(page *p)
{
    bf_rows_free(&p->leaves);
    for (int level = 1; level <= LEVELS; level++)
        bf_rows_free(&p->nodes[level]);
    bf_rows_free(&p->decisions);
    bf_rows_free(&p->checkpoints);
}

static bf_status query_range(bf_db *db, const char *sql, int64_t from, int64_t to, bf_rows **ret, bool *ret_any,
                             bf_error *err)
{
    bf_status status = bf_db_query(db, sql, BF_VALUES(bf_value_integer(from), bf_value_integer(to)), ret, err);
    if (status == BF_OK)
        *ret_any = bf_rows_next(*ret);
    return status;
}

#define LEAF_SQL "SELECT idx, at_ms, kind, hash, data FROM audit_leaf"
#define NODE_SQL "SELECT level, idx, hash FROM audit_node"
#define CHECKPOINT_SQL "SELECT size, at_ms, note FROM audit_checkpoint"
#define DECISION_SQL                                                                                                   \
    "SELECT audit_index, client, request_id, kind, session_id, attempt, at_ms, decision, reason, record_sha256,"       \
    " record, client_report, plan FROM decision"

/* What belongs to the leaves from .. to - 1. */
static bf_status query_page(bf_db *db, int64_t from, int64_t to, page *p, bf_error *err)
{
    bf_status status =
        query_range(db, LEAF_SQL " WHERE idx >= $1 AND idx < $2 ORDER BY idx", from, to, &p->leaves, &p->leaf, err);
    if (status == BF_OK)
        status = query_range(db, DECISION_SQL " WHERE audit_index >= $1 AND audit_index < $2 ORDER BY audit_index",
                             from, to, &p->decisions, &p->decision, err);
    if (status == BF_OK)
        status = query_range(db, CHECKPOINT_SQL " WHERE size > $1 AND size <= $2 ORDER BY size", from, to,
                             &p->checkpoints, &p->checkpoint, err);
    for (int level = 1; level <= LEVELS && status == BF_OK; level++) {
        /* Nodes whose last leaf is in the page. */
        int64_t first = from >> level, end = to >> level;
        if (first == end)
            continue;
        status = bf_db_query(db, NODE_SQL " WHERE level = $1 AND idx >= $2 AND idx < $3 ORDER BY idx",
                             BF_VALUES(bf_value_integer(level), bf_value_integer(first), bf_value_integer(end)),
                             &p->nodes[level], err);
        if (status == BF_OK)
            p->node[level] = bf_rows_next(p->nodes[level]);
    }
    return status;
}

/* Writes the current row while it is the one that belongs here. */
static bf_status put_while(exporter *e, const char *name, const column *columns, bf_rows *rows, int64_t here,
                           bool *current, bf_error *err)
{
    bf_status status = BF_OK;
    int place = columns == NODE ? 1 : 0;
    while (*current && bf_rows_integer(rows, place) <= here && status == BF_OK) {
        status = put_row(e, name, columns, rows, err);
        *current = bf_rows_next(rows);
    }
    return status;
}

static void lower(int64_t *least, bool current, int64_t place)
{
    if (current && place < *least)
        *least = place;
}

/* The first leaf to which a row that is left belongs; INT64_MAX when none is left. Damaged logs have gaps. */
static int64_t next_place(const page *p)
{
    int64_t least = INT64_MAX;
    lower(&least, p->leaf, bf_rows_integer(p->leaves, 0));
    lower(&least, p->decision, bf_rows_integer(p->decisions, 0));
    lower(&least, p->checkpoint, bf_rows_integer(p->checkpoints, 0) - 1);
    for (int level = 1; level <= LEVELS; level++)
        if (p->node[level])
            lower(&least, true, ((bf_rows_integer(p->nodes[level], 1) + 1) << level) - 1);
    return least;
}

static bf_status put_page(exporter *e, page *p, bf_error *err)
{
    bf_status status = BF_OK;
    for (int64_t i = next_place(p); i < INT64_MAX && status == BF_OK; i = next_place(p)) {
        status = put_while(e, "leaf", LEAF, p->leaves, i, &p->leaf, err);
        for (int level = 1; level <= LEVELS && status == BF_OK; level++)
            if (((i + 1) & (((int64_t)1 << level) - 1)) == 0)
                status = put_while(e, "node", NODE, p->nodes[level], i >> level, &p->node[level], err);
        if (status == BF_OK)
            status = put_while(e, "decision", DECISION, p->decisions, i, &p->decision, err);
        if (status == BF_OK)
            status = put_while(e, "checkpoint", CHECKPOINT, p->checkpoints, i + 1, &p->checkpoint, err);
    }
    return status;
}

static bf_status put_all(exporter *e, bf_db *db, const char *name, const column *columns, const char *sql, int64_t size,
                         bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bool any = false;
    bf_status status = query_range(db, sql, size, PAGE_STRAYS, &rows, &any, err);
    for (; any && status == BF_OK; any = bf_rows_next(rows))
        status = put_row(e, name, columns, rows, err);
    return status;
}

static bf_status put_stray_nodes(exporter *e, bf_db *db, int64_t size, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *outside = NULL;
    bool any = false;
    bf_status status =
        query_range(db, NODE_SQL " WHERE level < 1 OR level > $1 OR idx < 0 ORDER BY level, idx LIMIT $2", LEVELS,
                    PAGE_STRAYS, &outside, &any, err);
    for (; any && status == BF_OK; any = bf_rows_next(outside))
        status = put_row(e, "node", NODE, outside, err);
    for (int level = 1; level <= LEVELS && status == BF_OK; level++) {
        BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
        status = bf_db_query(
            db, NODE_SQL " WHERE level = $1 AND idx >= $2 ORDER BY idx LIMIT $3",
            BF_VALUES(bf_value_integer(level), bf_value_integer(size >> level), bf_value_integer(PAGE_STRAYS)), &rows,
            err);
        while (status == BF_OK && bf_rows_next(rows))
            status = put_row(e, "node", NODE, rows, err);
    }
    return status;
}

/* Rows that stand behind the last leaf, or before the first. */
static bf_status put_strays(exporter *e, bf_db *db, int64_t size, bf_error *err)
{
    bf_status status =
        put_all(e, db, "leaf", LEAF, LEAF_SQL " WHERE idx < 0 OR idx >= $1 ORDER BY idx LIMIT $2", size, err);
    if (status == BF_OK)
        status = put_all(e, db, "decision", DECISION,
                         DECISION_SQL " WHERE audit_index < 0 OR audit_index >= $1 ORDER BY audit_index LIMIT $2", size,
                         err);
    if (status == BF_OK)
        status = put_all(e, db, "checkpoint", CHECKPOINT,
                         CHECKPOINT_SQL " WHERE size < 1 OR size > $1 ORDER BY size LIMIT $2", size, err);
    return status == BF_OK ? put_stray_nodes(e, db, size, err) : status;
}

static bf_status put_end(exporter *e, bf_error *err)
{
    bf_build build = {0};
    json_t *row = begin_row(&build, "end");
    bf_build_put(&build, row, "lines", json_integer(e->lines + e->page_lines));
    return put_line(e, &build, row, err);
}

static bf_status put_begin(exporter *e, bf_error *err)
{
    bf_build build = {0};
    char verifier[BF_VERIFIER_KEY_SIZE], now[BF_TIME_TEXT_SIZE];
    bf_log_verifier_key(e->key, verifier);
    bf_time_text(bf_time_now_ms(), now);
    json_t *row = begin_row(&build, "export");
    bf_build_put(&build, row, "format", json_integer(BF_EXPORT_FORMAT));
    bf_build_put(&build, row, "origin", json_string(e->key->origin));
    bf_build_put(&build, row, "verifier_key", json_string(verifier));
    bf_build_put(&build, row, "exported_at", json_string(now));
    return put_line(e, &build, row, err);
}

/* A number from a query with one row of one column. */
static bf_status read_number(bf_db *db, const char *sql, int64_t from, int64_t to, int64_t *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bool any = false;
    bf_status status = query_range(db, sql, from, to, &rows, &any, err);
    if (status == BF_OK)
        *ret = any ? bf_rows_integer(rows, 0) : 0;
    return status;
}

/* Behind the last row that belongs to a leaf below the head's size. */
static bf_status find_end(bf_db *db, int64_t head_size, int64_t *ret, bf_error *err)
{
    static const char *const sql[] = {
        "SELECT idx + 1 FROM audit_leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx DESC LIMIT 1",
        "SELECT MAX(audit_index) + 1 FROM decision WHERE audit_index >= $1 AND audit_index < $2",
        "SELECT size FROM audit_checkpoint WHERE size > $1 AND size <= $2 ORDER BY size DESC LIMIT 1",
    };
    int64_t end = 0, one = 0;
    bf_status status = BF_OK;
    for (size_t i = 0; i < sizeof sql / sizeof *sql && status == BF_OK; i++) {
        status = read_number(db, sql[i], 0, head_size, &one, err);
        end = one > end ? one : end;
    }
    if (status == BF_OK)
        status = read_number(db,
                             "SELECT idx + 1 FROM audit_node WHERE level = 1 AND idx >= $1 AND idx < $2"
                             " ORDER BY idx DESC LIMIT 1",
                             0, head_size / 2, &one, err);
    *ret = 2 * one > end ? 2 * one : end;
    return status;
}

/* How many leaves there are: what the head says, as far as there is anything; or more, when there are more leaves
 * without a gap. */
static bf_status read_size(bf_db *db, const bf_rows *head, bool has_head, int64_t *ret, bf_error *err)
{
    int64_t told = has_head ? bf_rows_integer(head, 0) : BF_LOG_SIZE_MAX, end = 0, more = 0;
    told = told < 0 ? 0 : told > BF_LOG_SIZE_MAX ? BF_LOG_SIZE_MAX : told;
    bf_status status = find_end(db, told, ret, err);
    if (status != BF_OK || *ret < told)
        return status;
    status = read_number(db, "SELECT idx + 1 FROM audit_leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx DESC LIMIT 1",
                         told, BF_LOG_SIZE_MAX, &end, err);
    if (status == BF_OK && end > told)
        status = read_number(db, "SELECT COUNT(*) FROM audit_leaf WHERE idx >= $1 AND idx < $2", told, end, &more, err);
    if (status == BF_OK && end > told && more == end - told)
        *ret = end;
    return status;
}

/* Where the page ends: behind so many leaves, or at the next leaf when there is a gap that no log has. */
static bf_status find_page_end(exporter *e, bf_db *db, int64_t size, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bool any = false;
    bf_status status = query_range(db, "SELECT idx FROM audit_leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx LIMIT 1",
                                   e->next, size, &rows, &any, err);
    if (status != BF_OK)
        return status;
    int64_t end = e->next + PAGE_LEAVES, found = any ? bf_rows_integer(rows, 0) : size;
    if (found - e->next > GAP_LEAVES)
        end = found;
    e->page_end = end < size ? end : size > e->next ? size : e->next;
    e->last = e->page_end >= size;
    return BF_OK;
}

static bf_status put_last(exporter *e, bf_db *db, bf_rows *head, bool has_head, int64_t size, bf_error *err)
{
    bf_status status = has_head ? put_row(e, "head", HEAD, head, err) : BF_OK;
    if (status == BF_OK)
        status = put_strays(e, db, size, err);
    return status == BF_OK ? put_end(e, err) : status;
}

/* One page. Runs anew when the snapshot was lost. */
static bf_status read_page(bf_db *db, void *context, bf_error *err)
{
    BF_CLEANUP(page_done) page p = {0};
    BF_CLEANUP(bf_rows_free) bf_rows *head = NULL;
    exporter *e = context;
    int64_t size = 0;
    e->page.size = 0;
    e->page_lines = 0;
    bf_status status =
        bf_db_query(db, "SELECT size, edge, last, signed_size, at_ms, note FROM audit_head ORDER BY one LIMIT 1",
                    BF_NO_VALUES, &head, err);
    bool has_head = status == BF_OK && bf_rows_next(head);
    if (status == BF_OK)
        status = read_size(db, head, has_head, &size, err);
    if (status != BF_OK)
        return status;
    status = find_page_end(e, db, size, err);
    if (status == BF_OK && e->first)
        status = put_begin(e, err);
    if (status == BF_OK)
        status = query_page(db, e->next, e->page_end, &p, err);
    if (status == BF_OK)
        status = put_page(e, &p, err);
    return status == BF_OK && e->last ? put_last(e, db, head, has_head, size, err) : status;
}

bf_status bf_audit_export(bf_store *store, const bf_log_key *key, bf_export_fn *write, void *context, bf_error *err)
{
    exporter e = {.key = key, .first = true};
    bf_status status = BF_OK;
    while (!e.last && status == BF_OK) {
        status = bf_store_read(store, read_page, &e, err);
        if (status == BF_OK)
            status = write(context, e.page.data, e.page.size, err);
        e.lines += e.page_lines;
        e.next = e.page_end;
        e.first = false;
    }
    bf_bytes_done(&e.page);
    return status;
}

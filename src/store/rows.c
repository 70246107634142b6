#include "store/rows.h"

#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

typedef struct cell {
    bf_value_kind kind;
    int64_t integer;
    size_t offset, size; /* in `bytes`; each text and blob is followed by a NUL that is not counted */
} cell;

struct bf_rows {
    int columns;
    size_t count; /* cells */
    size_t room;
    cell *cells;
    char *bytes;
    size_t bytes_used, bytes_room;
    size_t next; /* the row that bf_rows_next steps to; the current one is the one before */
};

bf_rows *bf_rows_new(void)
{
    return bf_calloc(1, sizeof(bf_rows));
}

void bf_rows_columns(bf_rows *rows, int columns)
{
    rows->columns = columns;
}

void bf_rows_free(bf_rows **rows)
{
    if (!rows || !*rows)
        return;
    if ((*rows)->bytes)
        sodium_memzero((*rows)->bytes, (*rows)->bytes_room);
    bf_free((*rows)->bytes);
    if ((*rows)->cells)
        sodium_memzero((*rows)->cells, (*rows)->room * sizeof(cell));
    bf_free((*rows)->cells);
    bf_free(*rows);
    *rows = NULL;
}

/* A larger block with the old content; the old one is wiped, which realloc would not do. */
static bool grow(void **block, size_t used, size_t room)
{
    void *larger = bf_malloc(room);
    if (!larger)
        return false;
    if (*block) {
        memcpy(larger, *block, used);
        sodium_memzero(*block, used);
        bf_free(*block);
    }
    *block = larger;
    return true;
}

static bool cells_have_room(bf_rows *rows)
{
    if (rows->count < rows->room)
        return true;
    size_t room = rows->room ? rows->room * 2 : 32;
    void *block = rows->cells;
    if (!grow(&block, rows->count * sizeof(cell), room * sizeof(cell)))
        return false;
    rows->cells = block;
    rows->room = room;
    return true;
}

static bool bytes_have_room(bf_rows *rows, size_t size)
{
    size_t needed = rows->bytes_used + size + 1;
    if (needed <= rows->bytes_room)
        return true;
    size_t room = rows->bytes_room ? rows->bytes_room : 256;
    while (room < needed)
        room *= 2;
    void *block = rows->bytes;
    if (!grow(&block, rows->bytes_used, room))
        return false;
    rows->bytes = block;
    rows->bytes_room = room;
    return true;
}

bf_status bf_rows_add(bf_rows *rows, const bf_value *value, bf_error *err)
{
    bool has_bytes = value->kind == BF_VALUE_TEXT || value->kind == BF_VALUE_BLOB;
    if (bf_rows_count(rows) >= BF_ROWS_MAX || (has_bytes && value->size >= BF_ROWS_BYTES_MAX - rows->bytes_used))
        return bf_fail(err, BF_STORE_UNAVAILABLE, "The store's answer is too large to be held.");
    if (!cells_have_room(rows) || (has_bytes && !bytes_have_room(rows, value->size)))
        return bf_fail_memory(err);
    cell *added = &rows->cells[rows->count];
    *added = (cell){.kind = value->kind, .integer = value->integer};
    if (has_bytes) {
        added->offset = rows->bytes_used;
        added->size = value->size;
        if (value->size)
            memcpy(rows->bytes + added->offset, value->data, value->size);
        rows->bytes[added->offset + value->size] = 0;
        rows->bytes_used += value->size + 1;
    }
    rows->count++;
    return BF_OK;
}

size_t bf_rows_count(const bf_rows *rows)
{
    return rows->columns ? rows->count / (size_t)rows->columns : 0;
}

bool bf_rows_next(bf_rows *rows)
{
    if (rows->next >= bf_rows_count(rows))
        return false;
    rows->next++;
    return true;
}

static const cell *cell_at(const bf_rows *rows, int column)
{
    if (rows->next == 0 || column < 0 || column >= rows->columns)
        return NULL;
    return &rows->cells[(rows->next - 1) * (size_t)rows->columns + (size_t)column];
}

bool bf_rows_is_null(const bf_rows *rows, int column)
{
    const cell *at = cell_at(rows, column);
    return !at || at->kind == BF_VALUE_NULL;
}

int64_t bf_rows_integer(const bf_rows *rows, int column)
{
    const cell *at = cell_at(rows, column);
    return at && at->kind == BF_VALUE_INTEGER ? at->integer : 0;
}

const char *bf_rows_text(const bf_rows *rows, int column)
{
    const cell *at = cell_at(rows, column);
    return at && at->kind == BF_VALUE_TEXT ? rows->bytes + at->offset : NULL;
}

const void *bf_rows_blob(const bf_rows *rows, int column, size_t *ret_size)
{
    const cell *at = cell_at(rows, column);
    if (at && at->kind == BF_VALUE_BLOB) {
        *ret_size = at->size;
        return rows->bytes + at->offset;
    }
    *ret_size = 0;
    return at && at->kind != BF_VALUE_NULL ? "" : NULL;
}

#include "fit/rows.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/words.h"
#include "evaluate/sort.h"

#define DROPPED UINT16_MAX /* no kind has this number */

typedef struct reading {
    bf_rows *rows;
    size_t count;
    bool ready; /* the columns are known */
    int split, code, gate, channel, status;
} reading;

static bf_csv_field field_at(const bf_csv_field *field, int column)
{
    return column < 0 ? (bf_csv_field){"", 0} : field[column];
}

static bf_status make_room(bf_rows *rows, size_t count, bf_error *err)
{
    if (count < rows->capacity)
        return BF_OK;
    size_t capacity = rows->capacity ? 2 * rows->capacity : 1024;
    bf_row_cause *grown = bf_realloc(rows->cause, capacity * sizeof *grown);
    if (!grown)
        return bf_fail_memory(err);
    rows->cause = grown;
    rows->capacity = capacity;
    return BF_OK;
}

static void find_columns(reading *r, const bf_csv_reader *csv)
{
    r->split = bf_csv_find(csv, "split");
    r->code = bf_csv_find(csv, "code");
    r->gate = bf_csv_find(csv, "quality_passed");
    r->channel = bf_csv_find(csv, "channel");
    r->status = bf_csv_find(csv, "status");
    r->ready = true;
}

/* Is shown each row that counts, before it gets its number. */
static bf_status take_row(void *context, const bf_csv_reader *csv, const bf_csv_field *field, bf_error *err)
{
    reading *r = context;
    bf_rows *rows = r->rows;
    if (!r->ready)
        find_columns(r, csv);
    bf_csv_field split = field_at(field, r->split), code = field_at(field, r->code), gate = field_at(field, r->gate);
    uint32_t number = 0;
    bf_channel channel = BF_CHANNEL_UNSPECIFIED;
    bf_row_cause cause = {.gate = BF_ROW_GATE_UNKNOWN, .code = BF_OK};
    if (strcmp(gate.text, "true") == 0 || strcmp(gate.text, "false") == 0)
        cause.gate = gate.text[0] == 't' ? BF_ROW_GATE_PASSED : BF_ROW_GATE_FAILED;
    else if (gate.size > 0) {
        bf_status status = bf_csv_fail(csv, err, "quality_passed is '%.60s'.", gate.text);
        bf_fail_hint(err, "It must be true, false or empty. Correct this row, or score again.");
        return status;
    }
    if (code.size > 0 && strcmp(field_at(field, r->status).text, "ok") != 0)
        cause.code = (uint16_t)bf_status_from_name(code.text);
    (void)bf_channel_from_name(field_at(field, r->channel).text, &channel);
    cause.channel = (uint8_t)channel;
    bf_status status = bf_names_add(&rows->splits, split.text, split.size, &number, err);
    if (status == BF_OK)
        status = make_room(rows, r->count, err);
    if (status != BF_OK)
        return status;
    cause.split = (uint16_t)number;
    rows->cause[r->count++] = cause;
    return BF_OK;
}

bf_status bf_rows_read(bf_rows *ret, const char *path, bool allow_mixed_stacks,
                       void (*progress)(void *context, uint64_t bytes_read), void *context, bf_error *err)
{
    bf_rows rows = {0};
    reading r = {.rows = &rows};
    const bf_scores_options options = {.allow_mixed_stacks = allow_mixed_stacks,
                                       .row = take_row,
                                       .row_context = &r,
                                       .progress = progress,
                                       .context = context};
    bf_status status = bf_scores_read(&rows.scores, path, &options, err);
    if (status != BF_OK) {
        bf_rows_done(&rows);
        return status;
    }
    *ret = rows;
    return BF_OK;
}

void bf_rows_done(bf_rows *rows)
{
    bf_scores_done(&rows->scores);
    bf_free(rows->cause);
    bf_names_done(&rows->splits);
    *rows = (bf_rows){0};
}

int bf_rows_split(const bf_rows *rows, const char *name)
{
    for (size_t i = 0; i < bf_names_count(&rows->splits); i++) {
        if (strcmp(rows->splits.text[i], name) == 0)
            return (int)i;
    }
    return BF_ROWS_EVERY;
}

bf_status bf_rows_part(bf_rows *ret, const bf_rows *rows, int split, int channel, bf_error *err)
{
    bf_rows part = {.scores = rows->scores};
    part.scores.count = 0;
    part.scores.row = bf_malloc((rows->scores.count + 1) * sizeof *part.scores.row);
    part.cause = bf_malloc((rows->scores.count + 1) * sizeof *part.cause);
    if (!part.scores.row || !part.cause) {
        bf_rows_part_done(&part);
        return bf_fail_memory(err);
    }
    for (size_t i = 0; i < rows->scores.count; i++) {
        const bf_row_cause *cause = &rows->cause[i];
        if ((split != BF_ROWS_EVERY && cause->split != split) ||
            (channel != BF_ROWS_EVERY && cause->channel != channel))
            continue;
        part.scores.row[part.scores.count] = rows->scores.row[i];
        part.cause[part.scores.count++] = *cause;
    }
    *ret = part;
    return BF_OK;
}

void bf_rows_part_done(bf_rows *part)
{
    bf_free(part->scores.row);
    bf_free(part->cause);
    *part = (bf_rows){0};
}

static void free_items(bf_sort_item **items)
{
    bf_free(*items);
}

/* Sets the kind of an attack that is not the worst one to DROPPED. */
static void drop_milder(bf_rows *part, const bf_sort_item *item, size_t count)
{
    for (size_t first = 0, end; first < count; first = end) {
        size_t worst = item[first].index;
        for (end = first; end < count && item[end].key == item[first].key; end++) {
            if (part->scores.row[item[end].index].score > part->scores.row[worst].score)
                worst = item[end].index;
        }
        for (size_t i = first; i < end; i++) {
            if (item[i].index != worst)
                part->scores.row[item[i].index].kind = DROPPED;
        }
    }
}

bf_status bf_rows_keep_worst(bf_rows *part, bf_error *err)
{
    size_t count = 0, kept = 0;
    bf_score_row *row = part->scores.row;
    BF_CLEANUP(free_items) bf_sort_item *item = bf_malloc((part->scores.count + 1) * sizeof *item);
    if (!item)
        return bf_fail_memory(err);
    for (size_t i = 0; i < part->scores.count; i++) {
        if (row[i].kind > 0 && row[i].status == BF_SCORE_OK)
            item[count++] = (bf_sort_item){.key = (uint64_t)row[i].person << 16 | row[i].kind, .index = (uint32_t)i};
    }
    bf_status status = bf_sort(item, count, err);
    if (status != BF_OK)
        return status;
    drop_milder(part, item, count);
    for (size_t i = 0; i < part->scores.count; i++) {
        if (row[i].kind == DROPPED)
            continue;
        row[kept] = row[i];
        part->cause[kept++] = part->cause[i];
    }
    part->scores.count = kept;
    return BF_OK;
}

bf_status bf_rows_shared_persons(const bf_rows *one, const bf_rows *other, size_t *ret, bf_error *err)
{
    size_t shared = 0;
    uint8_t *seen = bf_calloc(one->scores.persons + 1, 1);
    if (!seen)
        return bf_fail_memory(err);
    for (size_t i = 0; i < one->scores.count; i++)
        seen[one->scores.row[i].person] = 1;
    for (size_t i = 0; i < other->scores.count; i++) {
        uint8_t *person = &seen[other->scores.row[i].person];
        shared += *person == 1;
        *person = *person ? 2 : 0;
    }
    bf_free(seen);
    *ret = shared;
    return BF_OK;
}

#include "dataset/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

/* Values and persons are interned: pairs of addresses, sorted, bring equal ones together. */
typedef struct item {
    const char *value, *person;
    bf_label label;
} item;

static int compare_addresses(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
    return (x > y) - (x < y);
}

static int compare_items(const void *a, const void *b)
{
    const item *x = a, *y = b;
    int by_value = compare_addresses(x->value, y->value);
    return by_value != 0 ? by_value : compare_addresses(x->person, y->person);
}

static int compare_rows(const void *a, const void *b)
{
    const bf_tally_row *x = a, *y = b;
    size_t samples_x = x->live + x->spoof, samples_y = y->live + y->spoof;
    if (samples_x != samples_y)
        return samples_x > samples_y ? -1 : 1;
    return strcmp(x->value, y->value);
}

static void count_items(const item *items, size_t count, bf_tally *tally)
{
    bf_tally_row *row = NULL;
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && items[i].value == items[i - 1].value;
        if (!same && tally->count == BF_TALLY_ROWS_MAX) {
            tally->more += count - i;
            return;
        }
        if (!same) {
            row = &tally->row[tally->count++];
            *row = (bf_tally_row){.value = items[i].value};
        }
        row->live += items[i].label == BF_LABEL_LIVE;
        row->spoof += items[i].label == BF_LABEL_SPOOF;
        row->persons += items[i].person[0] != '\0' && !(same && items[i].person == items[i - 1].person);
    }
}

bf_status bf_tally_column(const bf_dataset *dataset, bf_dataset_column column, bool spoof_only, bf_tally *ret,
                          bf_error *err)
{
    BF_CLEANUP(bf_tally_done) bf_tally tally = {.row = bf_calloc(BF_TALLY_ROWS_MAX, sizeof *tally.row)};
    item *items = bf_malloc((dataset->count + 1) * sizeof *items);
    if (!items || !tally.row) {
        bf_free(items);
        return bf_fail_memory(err);
    }
    size_t count = 0;
    for (size_t i = 0; i < dataset->count; i++) {
        const bf_sample *sample = &dataset->sample[i];
        if (!spoof_only || sample->label == BF_LABEL_SPOOF)
            items[count++] = (item){sample->value[column], sample->value[BF_COLUMN_PERSON_ID], sample->label};
    }
    qsort(items, count, sizeof *items, compare_items);
    count_items(items, count, &tally);
    bf_free(items);
    qsort(tally.row, tally.count, sizeof *tally.row, compare_rows);
    *ret = tally;
    tally = (bf_tally){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

void bf_tally_done(bf_tally *tally)
{
    bf_free(tally->row);
    *tally = (bf_tally){0};
}

static int compare_pointers(const void *a, const void *b)
{
    return compare_addresses(*(const char *const *)a, *(const char *const *)b);
}

bool bf_tally_distinct(const bf_dataset *dataset, bf_dataset_column column, size_t *ret)
{
    const char **values = bf_malloc((dataset->count + 1) * sizeof *values);
    if (!values)
        return false;
    for (size_t i = 0; i < dataset->count; i++)
        values[i] = dataset->sample[i].value[column];
    qsort(values, dataset->count, sizeof *values, compare_pointers);
    *ret = 0;
    for (size_t i = 0; i < dataset->count; i++)
        *ret += values[i][0] != '\0' && (i == 0 || values[i] != values[i - 1]);
    bf_free(values);
    return true;
}

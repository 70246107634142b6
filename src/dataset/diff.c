#include "dataset/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

/* The columns that are not bonafide's own, of both datasets, matched by name. */
typedef struct other_column {
    const char *name;
    size_t before, after; /* SIZE_MAX: that dataset has none such */
} other_column;

typedef struct comparing {
    const bf_dataset *before, *after;
    other_column *other;
    size_t other_count;
    bf_change_take *take;
    void *data;
} comparing;

static int compare_ids(const void *a, const void *b)
{
    const bf_sample *x = *(const bf_sample *const *)a, *y = *(const bf_sample *const *)b;
    return strcmp(x->value[BF_COLUMN_SAMPLE_ID], y->value[BF_COLUMN_SAMPLE_ID]);
}

static const bf_sample **sorted(const bf_dataset *dataset)
{
    const bf_sample **samples = bf_malloc((dataset->count + 1) * sizeof *samples);
    for (size_t i = 0; samples && i < dataset->count; i++)
        samples[i] = &dataset->sample[i];
    if (samples)
        qsort(samples, dataset->count, sizeof *samples, compare_ids);
    return samples;
}

static size_t find_other(const bf_dataset *dataset, const char *name)
{
    for (size_t i = 0; i < dataset->other_count; i++) {
        if (strcmp(dataset->other[i], name) == 0)
            return i;
    }
    return SIZE_MAX;
}

static bool match_columns(comparing *c)
{
    c->other = bf_malloc((c->before->other_count + c->after->other_count + 1) * sizeof *c->other);
    for (size_t i = 0; c->other && i < c->before->other_count; i++)
        c->other[c->other_count++] = (other_column){c->before->other[i], i, find_other(c->after, c->before->other[i])};
    for (size_t i = 0; c->other && i < c->after->other_count; i++) {
        if (find_other(c->before, c->after->other[i]) == SIZE_MAX)
            c->other[c->other_count++] = (other_column){c->after->other[i], SIZE_MAX, i};
    }
    return c->other != NULL;
}

static void compare_values(const comparing *c, const char *id, const char *column, const char *before,
                           const char *after)
{
    if (strcmp(before, after) != 0)
        c->take(c->data, &(bf_change){BF_CHANGE_VALUE, id, column, before, after});
}

static void compare_samples(const comparing *c, const bf_sample *before, const bf_sample *after)
{
    const char *id = before->value[BF_COLUMN_SAMPLE_ID];
    for (int i = 0; i < BF_COLUMN_COUNT; i++)
        compare_values(c, id, bf_dataset_column_name((bf_dataset_column)i), before->value[i], after->value[i]);
    for (size_t i = 0; i < c->other_count; i++) {
        const other_column *column = &c->other[i];
        compare_values(c, id, column->name, column->before == SIZE_MAX ? "" : before->other[column->before],
                       column->after == SIZE_MAX ? "" : after->other[column->after]);
    }
}

static void walk(const comparing *c, const bf_sample *const *a, const bf_sample *const *b)
{
    for (size_t i = 0, k = 0; i < c->before->count || k < c->after->count;) {
        int order = i == c->before->count ? 1 : k == c->after->count ? -1 : compare_ids(&a[i], &b[k]);
        if (order == 0)
            compare_samples(c, a[i++], b[k++]);
        else if (order < 0)
            c->take(c->data, &(bf_change){BF_CHANGE_REMOVED, a[i++]->value[BF_COLUMN_SAMPLE_ID], NULL, NULL, NULL});
        else
            c->take(c->data, &(bf_change){BF_CHANGE_ADDED, b[k++]->value[BF_COLUMN_SAMPLE_ID], NULL, NULL, NULL});
    }
}

bf_status bf_dataset_diff(const bf_dataset *before, const bf_dataset *after, bf_change_take *take, void *data,
                          bf_error *err)
{
    comparing c = {.before = before, .after = after, .take = take, .data = data};
    const bf_sample **a = sorted(before), **b = sorted(after);
    bool good = a && b && match_columns(&c);
    if (good)
        walk(&c, a, b);
    bf_free(a);
    bf_free(b);
    bf_free(c.other);
    return good ? BF_OK : bf_fail_memory(err);
}

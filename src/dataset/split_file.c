#include "dataset/split_file.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"

#define ID_DIGITS_BYTES 6

typedef struct entry {
    const char *id;
    size_t index;
} entry;

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->id, ((const entry *)b)->id);
}

/* The samples in order of their ids; the caller frees it. NULL when memory ran out. */
static entry *sorted(const bf_dataset *dataset)
{
    entry *entries = bf_malloc((dataset->count + 1) * sizeof *entries);
    for (size_t i = 0; entries && i < dataset->count; i++)
        entries[i] = (entry){dataset->sample[i].value[BF_COLUMN_SAMPLE_ID], i};
    if (entries)
        qsort(entries, dataset->count, sizeof *entries, compare_entries);
    return entries;
}

bf_status bf_split_identify(const bf_dataset *dataset, const char *name, bf_split *split, bf_error *err)
{
    entry *entries = sorted(dataset);
    if (!entries)
        return bf_fail_memory(err);
    crypto_hash_sha256_state state;
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * ID_DIGITS_BYTES + 1];
    (void)crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < dataset->count; i++) {
        const char *part = split->part[entries[i].index];
        (void)crypto_hash_sha256_update(&state, (const unsigned char *)entries[i].id, strlen(entries[i].id) + 1);
        (void)crypto_hash_sha256_update(&state, (const unsigned char *)part, strlen(part) + 1);
    }
    (void)crypto_hash_sha256_final(&state, digest);
    (void)sodium_bin2hex(hex, sizeof hex, digest, ID_DIGITS_BYTES);
    (void)snprintf(split->id, sizeof split->id, "%.20s@%s", name, hex);
    bf_free(entries);
    return BF_OK;
}

bf_status bf_split_write(const char *path, const bf_dataset *dataset, const bf_split *split, bf_error *err)
{
    BF_CLEANUP(bf_csv_writer_free) bf_csv_writer *writer = NULL;
    bf_status status = bf_csv_create(path, &writer, err);
    entry *entries = status == BF_OK ? sorted(dataset) : NULL;
    if (status == BF_OK && !entries)
        status = bf_fail_memory(err);
    if (status != BF_OK)
        return status;
    bf_csv_put(writer, "sample_id");
    bf_csv_put(writer, "split");
    bf_csv_end_row(writer);
    for (size_t i = 0; i < dataset->count; i++) {
        bf_csv_put(writer, entries[i].id);
        bf_csv_put(writer, split->part[entries[i].index]);
        bf_csv_end_row(writer);
    }
    bf_free(entries);
    return bf_csv_commit(writer, err);
}

static bool is_part_name(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size < BF_PART_NAME_SIZE && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == size;
}

/* Reads one "NAME=SHARE" of `size` bytes. */
static bool read_part(const char *text, size_t size, bf_split_plan *plan)
{
    char part[2 * BF_PART_NAME_SIZE];
    if (size >= sizeof part || plan->part_count == BF_PARTS_MAX)
        return false;
    memcpy(part, text, size);
    part[size] = '\0';
    char *equals = strchr(part, '=');
    if (!equals)
        return false;
    *equals = '\0';
    double share = 0;
    if (!is_part_name(part) || !bf_csv_number((bf_csv_field){equals + 1, strlen(equals + 1)}, &share) || share <= 0 ||
        share > 1e6)
        return false;
    for (int i = 0; i < plan->part_count; i++) {
        if (strcmp(plan->name[i], part) == 0)
            return false;
    }
    (void)snprintf(plan->name[plan->part_count], BF_PART_NAME_SIZE, "%s", part);
    plan->share[plan->part_count++] = share;
    return true;
}

bf_status bf_split_parts(const char *text, bf_split_plan *plan, bf_error *err)
{
    double sum = 0;
    plan->part_count = 0;
    for (const char *at = text; *at;) {
        size_t size = strcspn(at, ",");
        if (!read_part(at, size, plan)) {
            plan->part_count = 0;
            break;
        }
        sum += plan->share[plan->part_count - 1];
        at += size + (at[size] == ',');
    }
    if (plan->part_count < 2) {
        (void)bf_fail(err, BF_INVALID_ARGUMENT, "'%.100s' does not name parts.", text);
        bf_fail_hint(err, "Write 2 to %d different names with their shares, such as train=60,validation=20,test=20.",
                     BF_PARTS_MAX);
        return BF_INVALID_ARGUMENT;
    }
    for (int i = 0; i < plan->part_count; i++)
        plan->share[i] /= sum;
    return BF_OK;
}

/* One row of the table: which sample is in which part. */
static bf_status take_row(const bf_csv_reader *csv, const bf_csv_field *id, const bf_csv_field *part,
                          bf_dataset *dataset, const entry *entries, bf_split *split, bf_problems *problems,
                          bf_error *err)
{
    const entry wanted = {id->text, 0};
    const entry *found = bsearch(&wanted, entries, dataset->count, sizeof *entries, compare_entries);
    if (part->size > 0 && !is_part_name(part->text))
        return bf_csv_fail(csv, err, "'%.40s' is no name of a part; write small letters, digits, '-' and '_'.",
                           part->text);
    if (!found) {
        bf_problems_error(problems, 0, "%.100s, row %llu: the dataset has no sample '%.100s'; make a new split.",
                          bf_csv_name(csv), (unsigned long long)bf_csv_row(csv), id->text);
        return BF_OK;
    }
    if (split->part[found->index])
        return bf_csv_fail(csv, err, "sample '%.100s' was named before.", id->text);
    split->part[found->index] = bf_texts_keep(&dataset->texts, part->text, part->size);
    return split->part[found->index] ? BF_OK : bf_fail_memory(err);
}

static bf_status read_table(bf_csv_reader *csv, bf_dataset *dataset, const entry *entries, bf_split *split,
                            bf_problems *problems, bf_error *err)
{
    int id = bf_csv_find(csv, "sample_id"), part = bf_csv_find(csv, "split");
    if (id < 0 || part < 0)
        return bf_fail(err, BF_INVALID_ARGUMENT, "%.200s has no column '%s'.", bf_csv_name(csv),
                       id < 0 ? "sample_id" : "split");
    const bf_csv_field *row = NULL;
    bf_status status = BF_OK;
    while (status == BF_OK && (status = bf_csv_next(csv, &row, err)) == BF_OK && row)
        status = take_row(csv, &row[id], &row[part], dataset, entries, split, problems, err);
    size_t unnamed = 0;
    for (size_t i = 0; i < dataset->count; i++) {
        unnamed += !split->part[i];
        split->part[i] = split->part[i] ? split->part[i] : "";
        split->left_out += split->part[i][0] == '\0';
    }
    if (unnamed > 0)
        bf_problems_warn(problems, 0, "%.100s does not name %zu of %zu samples; they are in no part.", bf_csv_name(csv),
                         unnamed, dataset->count);
    return status;
}

bf_status bf_split_read(const char *path, bf_dataset *dataset, bf_split *ret, bf_problems *problems, bf_error *err)
{
    BF_CLEANUP(bf_csv_free) bf_csv_reader *csv = NULL;
    BF_CLEANUP(bf_split_done) bf_split split = {.part = bf_calloc(dataset->count + 1, sizeof *split.part)};
    bf_status status = bf_csv_open(path, &csv, err);
    entry *entries = sorted(dataset);
    if (status == BF_OK && (!split.part || !entries))
        status = bf_fail_memory(err);
    if (status == BF_OK)
        status = read_table(csv, dataset, entries, &split, problems, err);
    bf_free(entries);
    if (status == BF_OK)
        status = bf_split_identify(dataset, "split", &split, err);
    if (status != BF_OK)
        return status;
    *ret = split;
    split = (bf_split){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

bf_status bf_split_of_manifest(bf_dataset *dataset, bf_split *ret, bf_error *err)
{
    BF_CLEANUP(bf_split_done) bf_split split = {.part = bf_calloc(dataset->count + 1, sizeof *split.part)};
    if (!split.part)
        return bf_fail_memory(err);
    for (size_t i = 0; i < dataset->count; i++) {
        split.part[i] = dataset->sample[i].value[BF_COLUMN_SPLIT];
        split.left_out += split.part[i][0] == '\0';
    }
    bf_status status = bf_split_identify(dataset, "manifest", &split, err);
    if (status != BF_OK)
        return status;
    *ret = split;
    split = (bf_split){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

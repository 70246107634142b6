/* What can be said about a dataset as a whole: findings, and its identity. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "dataset/dataset.h"

#define DIGEST_BYTES crypto_hash_sha256_BYTES
#define ID_DIGITS_BYTES 6

static size_t count_empty(const bf_dataset *dataset, bf_dataset_column column)
{
    size_t count = 0;
    for (size_t i = 0; i < dataset->count; i++)
        count += dataset->sample[i].value[column][0] == '\0';
    return count;
}

static bool one_person_only(const bf_dataset *dataset)
{
    for (size_t i = 0; i < dataset->count; i++) {
        if (dataset->sample[i].value[BF_COLUMN_PERSON_ID] != dataset->sample[0].value[BF_COLUMN_PERSON_ID])
            return false;
    }
    return dataset->count > 1 && dataset->sample[0].value[BF_COLUMN_PERSON_ID][0] != '\0';
}

void bf_dataset_review(const bf_dataset *dataset, bf_problems *problems)
{
    size_t live = 0, no_person = count_empty(dataset, BF_COLUMN_PERSON_ID);
    size_t no_hash = count_empty(dataset, BF_COLUMN_SHA256);
    for (size_t i = 0; i < dataset->count; i++)
        live += dataset->sample[i].label == BF_LABEL_LIVE;
    if (dataset->count == 0) {
        bf_problems_error(problems, 0, "there is no usable sample; add rows to the manifest.");
        return;
    }
    if (live == 0 || live == dataset->count)
        bf_problems_warn(problems, 0, "every sample is %s; error rates of the other kind cannot be measured.",
                         live == 0 ? "a spoof" : "live");
    if (no_person > 0)
        bf_problems_warn(problems, 0,
                         "%zu of %zu samples have no person_id; that two of them show one person cannot be "
                         "seen.",
                         no_person, dataset->count);
    if (one_person_only(dataset))
        bf_problems_warn(problems, 0,
                         "every sample shows one person; nothing follows for others, and no split by "
                         "person exists.");
    if (no_hash > 0)
        bf_problems_warn(problems, 0, "%zu of %zu samples have no sha256; that a file was changed cannot be seen.",
                         no_hash, dataset->count);
}

static void add_text(crypto_hash_sha256_state *state, const char *text)
{
    (void)crypto_hash_sha256_update(state, (const unsigned char *)text, strlen(text) + 1);
}

/* Names with their values, the other columns by name; empty values are as good as none. */
static void hash_sample(const bf_dataset *dataset, const size_t *order, const bf_sample *sample,
                        unsigned char ret[DIGEST_BYTES])
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    for (int i = 0; i < BF_COLUMN_COUNT; i++) {
        if (sample->value[i][0] == '\0')
            continue;
        add_text(&state, bf_dataset_column_name((bf_dataset_column)i));
        add_text(&state, sample->value[i]);
    }
    for (size_t i = 0; i < dataset->other_count; i++) {
        if (sample->other[order[i]][0] == '\0')
            continue;
        add_text(&state, dataset->other[order[i]]);
        add_text(&state, sample->other[order[i]]);
    }
    (void)crypto_hash_sha256_final(&state, ret);
}

static int compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST_BYTES);
}

static void sort_names(const char *const *name, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && strcmp(name[order[at - 1]], name[i]) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

bf_status bf_dataset_id(const bf_dataset *dataset, char ret[BF_DATASET_ID_SIZE], bf_error *err)
{
    unsigned char(*digest)[DIGEST_BYTES] = bf_malloc((dataset->count + 1) * sizeof *digest);
    size_t *order = bf_malloc((dataset->other_count + 1) * sizeof *order);
    if (!digest || !order) {
        bf_free(digest);
        bf_free(order);
        return bf_fail_memory(err);
    }
    sort_names(dataset->other, order, dataset->other_count);
    for (size_t i = 0; i < dataset->count; i++)
        hash_sample(dataset, order, &dataset->sample[i], digest[i]);
    qsort(digest, dataset->count, sizeof *digest, compare_digests);
    unsigned char whole[DIGEST_BYTES];
    char hex[2 * ID_DIGITS_BYTES + 1];
    (void)crypto_hash_sha256(whole, digest[0], dataset->count * sizeof *digest);
    (void)sodium_bin2hex(hex, sizeof hex, whole, ID_DIGITS_BYTES);
    (void)snprintf(ret, BF_DATASET_ID_SIZE, "dataset@%s", hex);
    bf_free(digest);
    bf_free(order);
    return BF_OK;
}

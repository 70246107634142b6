#include "compare/pairs.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/sort.h"

typedef struct joining {
    bf_scores *table[2];
    const bf_pairs_options *options;
    bf_sort_item *by_id[2]; /* rows by the hash of their sample */
    uint32_t *row[2];       /* those that have a partner, in the same order */
    size_t pairs, only[2], unchecked;
    uint64_t first_only[2]; /* place of the first row without a partner, by its number in the file */
} joining;

static void joining_done(joining *j)
{
    for (int t = 0; t < 2; t++) {
        bf_free(j->by_id[t]);
        bf_free(j->row[t]);
    }
}

static bf_status order_by_id(joining *j, int t, bf_error *err)
{
    const bf_scores *scores = j->table[t];
    j->by_id[t] = bf_malloc((scores->count + 1) * sizeof *j->by_id[t]);
    j->row[t] = bf_malloc((scores->count + 1) * sizeof *j->row[t]);
    if (!j->by_id[t] || !j->row[t])
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++)
        j->by_id[t][i] = (bf_sort_item){.key = scores->sample[i].id[0], .index = (uint32_t)i};
    return bf_sort(j->by_id[t], scores->count, err);
}

static int compare_ids(const uint64_t a[2], const uint64_t b[2])
{
    if (a[0] != b[0])
        return a[0] < b[0] ? -1 : 1;
    return a[1] == b[1] ? 0 : a[1] < b[1] ? -1 : 1;
}

static void leave_alone(joining *j, int t, uint32_t row)
{
    const bf_score_sample *samples = j->table[t]->sample;
    if (j->only[t] == 0 || samples[row].csv_row < samples[j->first_only[t]].csv_row)
        j->first_only[t] = row;
    j->only[t]++;
}

static void match_rows(joining *j)
{
    size_t at[2] = {0}, count[2] = {j->table[0]->count, j->table[1]->count};
    while (at[0] < count[0] || at[1] < count[1]) {
        uint32_t a = at[0] < count[0] ? j->by_id[0][at[0]].index : 0;
        uint32_t b = at[1] < count[1] ? j->by_id[1][at[1]].index : 0;
        int order = at[0] == count[0]   ? 1
                    : at[1] == count[1] ? -1
                                        : compare_ids(j->table[0]->sample[a].id, j->table[1]->sample[b].id);
        if (order == 0) {
            j->row[0][j->pairs] = a;
            j->row[1][j->pairs++] = b;
        } else {
            leave_alone(j, order > 0, order > 0 ? b : a);
        }
        at[0] += order <= 0;
        at[1] += order >= 0;
    }
}

static const char *species_of(const bf_scores *scores, const bf_score_row *row)
{
    return row->kind == 0 ? "" : scores->species.text[row->kind - 1];
}

/* What must be the same of one sample and is not; NULL when all is. */
static const char *disagreement(const joining *j, size_t pair)
{
    uint32_t a = j->row[0][pair], b = j->row[1][pair];
    const bf_score_row *row_a = &j->table[0]->row[a], *row_b = &j->table[1]->row[b];
    const bf_score_sample *sample_a = &j->table[0]->sample[a], *sample_b = &j->table[1]->sample[b];
    if ((row_a->kind > 0) != (row_b->kind > 0))
        return "label";
    if (strcmp(species_of(j->table[0], row_a), species_of(j->table[1], row_b)) != 0)
        return "attack_type";
    if (sample_a->sha256 != 0 && sample_b->sha256 != 0 && sample_a->sha256 != sample_b->sha256)
        return "sha256";
    if (sample_a->person != sample_b->person)
        return "person_id";
    return sample_a->split != sample_b->split && j->table[0]->has_split && j->table[1]->has_split ? "split" : NULL;
}

static bf_status check_pairs(joining *j, bf_error *err)
{
    size_t first = j->pairs, wrong = 0;
    for (size_t i = 0; i < j->pairs; i++) {
        const bf_score_sample *a = &j->table[0]->sample[j->row[0][i]], *b = &j->table[1]->sample[j->row[1][i]];
        j->unchecked += a->sha256 == 0 || b->sha256 == 0;
        if (!disagreement(j, i))
            continue;
        if (wrong++ == 0 || b->csv_row < j->table[1]->sample[j->row[1][first]].csv_row)
            first = i;
    }
    if (wrong == 0)
        return BF_OK;
    uint32_t a = j->row[0][first], b = j->row[1][first];
    bf_fail(err, BF_INVALID_ARGUMENT, "%s, row %llu: %s of the sample '%.60s' is not that of %s, row %llu%s.",
            j->options->name_b, (unsigned long long)j->table[1]->sample[b].csv_row, disagreement(j, first),
            bf_scores_sample_id(j->table[0], a), j->options->name_a, (unsigned long long)j->table[0]->sample[a].csv_row,
            wrong > 1 ? " (one of several such)" : "");
    bf_fail_hint(err, "Both tables must be about the same samples: score one version of the dataset with both "
                      "releases.");
    return BF_INVALID_ARGUMENT;
}

static bf_status check_alone(const joining *j, bf_error *err)
{
    if (j->pairs == 0) {
        bf_fail(err, BF_INVALID_ARGUMENT, "%s and %s have no sample in common.", j->options->name_a,
                j->options->name_b);
        bf_fail_hint(err, "Samples are matched by sample_id. Score the same dataset with both releases.");
        return BF_INVALID_ARGUMENT;
    }
    int t = j->only[0] > 0 ? 0 : 1;
    if (j->options->common || j->only[t] == 0)
        return BF_OK;
    const char *names[2] = {j->options->name_a, j->options->name_b};
    bf_fail(err, BF_INVALID_ARGUMENT,
            "%zu samples are only in %s and %zu only in %s; the first is '%.60s' in %s, row %llu.", j->only[0],
            names[0], j->only[1], names[1], bf_scores_sample_id(j->table[t], j->first_only[t]), names[t],
            (unsigned long long)j->table[t]->sample[j->first_only[t]].csv_row);
    bf_fail_hint(err, "Only rows of the split whose review is confirmed count. Score the same dataset with both "
                      "releases, or compare what both have with --common.");
    return BF_INVALID_ARGUMENT;
}

/* The shared parts of a table, and copies of some of its rows. */
static bf_status copy_rows(bf_scores *ret, const bf_scores *from, const uint32_t *row, size_t count, bf_error *err)
{
    bf_scores copy = *from;
    size_t stages = from->stages;
    copy.row = bf_malloc((count + 1) * sizeof *copy.row);
    copy.sample = bf_malloc((count + 1) * sizeof *copy.sample);
    copy.stage_ms = bf_malloc((count * stages + 1) * sizeof *copy.stage_ms);
    copy.count = copy.capacity = copy.sample_capacity = count;
    if (!copy.row || !copy.sample || !copy.stage_ms) {
        bf_free(copy.row);
        bf_free(copy.sample);
        bf_free(copy.stage_ms);
        return bf_fail_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        copy.row[i] = from->row[row[i]];
        copy.sample[i] = from->sample[row[i]];
        if (stages > 0)
            memcpy(copy.stage_ms + i * stages, from->stage_ms + row[i] * stages, stages * sizeof *copy.stage_ms);
    }
    *ret = copy;
    return BF_OK;
}

static void free_rows(bf_scores *scores)
{
    bf_free(scores->row);
    bf_free(scores->sample);
    bf_free(scores->stage_ms);
}

static bf_status arrange(bf_scores *scores, const uint32_t *row, size_t count, bf_error *err)
{
    bf_scores arranged;
    bf_status status = copy_rows(&arranged, scores, row, count, err);
    if (status != BF_OK)
        return status;
    free_rows(scores);
    *scores = arranged;
    return BF_OK;
}

/* What a sample is does not depend on who judged it. */
static void describe_as(bf_scores *b, const bf_scores *a)
{
    bf_names_done(&b->species);
    b->species = a->species;
    b->persons = a->persons;
    for (int s = 0; s < BF_SEGMENTS; s++) {
        bf_names_done(&b->segment[s]);
        b->segment[s] = a->segment[s];
        b->has_segment[s] = a->has_segment[s];
    }
    for (size_t i = 0; i < a->count; i++) {
        b->row[i].kind = a->row[i].kind;
        b->row[i].person = a->row[i].person;
        memcpy(b->row[i].segment, a->row[i].segment, sizeof b->row[i].segment);
    }
}

static bf_status join(joining *j, bf_error *err)
{
    bf_status status = BF_OK;
    for (int t = 0; status == BF_OK && t < 2; t++)
        status = order_by_id(j, t, err);
    if (status != BF_OK)
        return status;
    match_rows(j);
    if ((status = check_pairs(j, err)) != BF_OK || (status = check_alone(j, err)) != BF_OK)
        return status;
    for (int t = 0; status == BF_OK && t < 2; t++)
        status = arrange(j->table[t], j->row[t], j->pairs, err);
    return status;
}

bf_status bf_pairs_join(bf_pairs *ret, bf_scores *a, bf_scores *b, const bf_pairs_options *options, bf_error *err)
{
    BF_CLEANUP(joining_done) joining j = {.table = {a, b}, .options = options};
    bf_status status = join(&j, err);
    if (status == BF_OK) {
        describe_as(b, a);
        *ret = (bf_pairs){.a = *a, .b = *b, .only_a = j.only[0], .only_b = j.only[1], .unchecked = j.unchecked};
    } else {
        bf_scores_done(a);
        bf_scores_done(b);
    }
    *a = *b = (bf_scores){0};
    return status;
}

/* Names that belong to another table are not freed. */
static void forget_names(bf_scores *scores)
{
    scores->species = (bf_names){0};
    memset(scores->segment, 0, sizeof scores->segment);
}

void bf_pairs_done(bf_pairs *pairs)
{
    forget_names(&pairs->b);
    bf_scores_done(&pairs->a);
    bf_scores_done(&pairs->b);
    *pairs = (bf_pairs){0};
}

static void free_numbers(uint32_t **numbers)
{
    bf_free(*numbers);
}

/* Numbers the persons that are left in the order of their old numbers. */
static bf_status renumber(bf_pairs *part, bf_error *err)
{
    BF_CLEANUP(free_numbers) uint32_t *number = bf_calloc(part->a.persons + 1, sizeof *number);
    uint32_t persons = 0;
    if (!number)
        return bf_fail_memory(err);
    for (size_t i = 0; i < part->a.count; i++)
        number[part->a.row[i].person] = 1;
    for (size_t p = 0; p < part->a.persons; p++)
        number[p] = number[p] ? persons++ : 0;
    for (size_t i = 0; i < part->a.count; i++)
        part->a.row[i].person = part->b.row[i].person = number[part->a.row[i].person];
    part->a.persons = part->b.persons = persons;
    return BF_OK;
}

bf_status bf_pairs_part(bf_pairs *ret, const bf_pairs *pairs, bf_segment column, uint16_t value, bf_error *err)
{
    bf_pairs part = {0};
    size_t count = 0;
    BF_CLEANUP(free_numbers) uint32_t *row = bf_malloc((pairs->a.count + 1) * sizeof *row);
    if (!row)
        return bf_fail_memory(err);
    for (size_t i = 0; i < pairs->a.count; i++) {
        if (pairs->a.row[i].segment[column] == value)
            row[count++] = (uint32_t)i;
    }
    bf_status status = copy_rows(&part.a, &pairs->a, row, count, err);
    if (status == BF_OK)
        status = copy_rows(&part.b, &pairs->b, row, count, err);
    if (status == BF_OK)
        status = renumber(&part, err);
    if (status != BF_OK) {
        bf_pairs_part_done(&part);
        return status;
    }
    *ret = part;
    return BF_OK;
}

void bf_pairs_part_done(bf_pairs *part)
{
    free_rows(&part->a);
    free_rows(&part->b);
    *part = (bf_pairs){0};
}

#include "fit/folds.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/bootstrap.h"
#include "evaluate/sort.h"

/* What dealing persons into folds takes: how many rows of each kind every person has, and every fold so far. */
typedef struct deal {
    size_t persons, kinds, folds;
    uint32_t *rows;                                /* by person and kind */
    uint32_t *held;                                /* by fold and kind */
    uint32_t *total;                               /* by kind */
    uint32_t *order, *all;                         /* persons in the order of dealing; rows of each */
    uint32_t with_class[BF_FOLDS_MAX][2], each[2]; /* persons of each class by fold, and in all */
} deal;

static void deal_done(deal *d)
{
    bf_free(d->rows);
    bf_free(d->held);
    bf_free(d->total);
    bf_free(d->order);
    bf_free(d->all);
}

static bf_status count_rows(deal *d, const bf_fit_table *table, bf_error *err)
{
    d->persons = table->scores.persons;
    d->kinds = bf_names_count(&table->scores.species) + 1;
    d->rows = bf_calloc(d->persons * d->kinds, sizeof *d->rows);
    d->held = bf_calloc(BF_FOLDS_MAX * d->kinds, sizeof *d->held);
    d->total = bf_calloc(d->kinds, sizeof *d->total);
    d->order = bf_calloc(d->persons, sizeof *d->order);
    d->all = bf_calloc(d->persons, sizeof *d->all);
    if (!d->rows || !d->held || !d->total || !d->order || !d->all)
        return bf_fail_memory(err);
    for (size_t i = 0; i < table->scores.count; i++) {
        const bf_score_row *row = &table->scores.row[i];
        d->rows[row->person * d->kinds + row->kind]++;
        d->all[row->person]++;
        d->total[row->kind]++;
    }
    return BF_OK;
}

static bool has_class(const deal *d, size_t person, int attack)
{
    const uint32_t *rows = d->rows + person * d->kinds;
    if (!attack)
        return rows[0] > 0;
    for (size_t k = 1; k < d->kinds; k++) {
        if (rows[k] > 0)
            return true;
    }
    return false;
}

static bf_status check_persons(deal *d, bf_error *err)
{
    for (size_t p = 0; p < d->persons; p++) {
        d->each[0] += has_class(d, p, 0);
        d->each[1] += has_class(d, p, 1);
    }
    for (int c = 0; c < 2; c++) {
        if (d->each[c] < 2) {
            bf_fail(err, BF_INVALID_ARGUMENT, "Only one person has %s presentations that can be fitted on.",
                    c == 0 ? "bona fide" : "attack");
            bf_fail_hint(err, "Nothing would be left to fit on when that person is held out. Capture more people.");
            return BF_INVALID_ARGUMENT;
        }
        if (d->folds > d->each[c])
            d->folds = d->each[c];
    }
    return BF_OK;
}

/* Persons at random, and then those with the most rows first, whom it is hardest to find room for. */
static void shuffle(deal *d, uint64_t seed)
{
    bf_random random = {seed};
    for (size_t p = 0; p < d->persons; p++)
        d->order[p] = (uint32_t)p;
    for (size_t p = d->persons; p > 1; p--) {
        uint32_t other = bf_random_below(&random, (uint32_t)p), last = d->order[p - 1];
        d->order[p - 1] = d->order[other];
        d->order[other] = last;
    }
}

static bf_status sort_by_rows(deal *d, bf_error *err)
{
    bf_sort_item *items = bf_malloc(d->persons * sizeof *items);
    if (!items)
        return bf_fail_memory(err);
    for (size_t p = 0; p < d->persons; p++)
        items[p] = (bf_sort_item){UINT32_MAX - d->all[d->order[p]], d->order[p]};
    bf_status status = bf_sort(items, d->persons, err);
    for (size_t p = 0; status == BF_OK && p < d->persons; p++)
        d->order[p] = items[p].index;
    bf_free(items);
    return status;
}

/* How much less even the folds get by giving a person to this one; every kind counts alike. */
static double cost(const deal *d, size_t person, size_t fold)
{
    double sum = 0;
    for (size_t k = 0; k < d->kinds; k++) {
        double add = d->rows[person * d->kinds + k], held = d->held[fold * d->kinds + k];
        if (add > 0)
            sum += add * (2 * held + add) / ((double)d->total[k] * d->total[k]);
    }
    return sum;
}

/* A fold with all persons of a class would leave none of it to fit on. */
static bool takes_all(const deal *d, size_t person, size_t fold)
{
    for (int c = 0; c < 2; c++) {
        if (has_class(d, person, c) && d->with_class[fold][c] + 1 == d->each[c])
            return true;
    }
    return false;
}

static size_t give(deal *d, size_t person)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t f = 0; f < d->folds; f++) {
        double now = cost(d, person, f) + (takes_all(d, person, f) ? 1e6 : 0);
        if (now < least) {
            least = now;
            best = f;
        }
    }
    for (size_t k = 0; k < d->kinds; k++)
        d->held[best * d->kinds + k] += d->rows[person * d->kinds + k];
    d->with_class[best][0] += has_class(d, person, 0);
    d->with_class[best][1] += has_class(d, person, 1);
    return best;
}

bf_status bf_folds_by_person(bf_folds *ret, const bf_fit_table *table, size_t count, uint64_t seed, bf_error *err)
{
    BF_CLEANUP(deal_done) deal d = {.folds = count < 2 ? 2 : count > BF_FOLDS_MAX ? BF_FOLDS_MAX : count};
    bf_status status = count_rows(&d, table, err);
    if (status == BF_OK)
        status = check_persons(&d, err);
    if (status != BF_OK)
        return status;
    shuffle(&d, seed);
    if ((status = sort_by_rows(&d, err)) != BF_OK)
        return status;
    uint16_t *fold = bf_malloc(table->scores.count * sizeof *fold);
    if (!fold)
        return bf_fail_memory(err);
    /* all[] has served its purpose and takes the fold of each person. */
    for (size_t p = 0; p < d.persons; p++)
        d.all[d.order[p]] = (uint32_t)give(&d, d.order[p]);
    for (size_t i = 0; i < table->scores.count; i++)
        fold[i] = (uint16_t)d.all[table->scores.row[i].person];
    *ret = (bf_folds){fold, d.folds};
    return BF_OK;
}

bf_status bf_folds_by_source(bf_folds *ret, const bf_fit_table *table, bf_error *err)
{
    static const char message[] = "No source can be held out: both live and spoof must remain without it.";
    const bf_scores *scores = &table->scores;
    size_t sources = bf_names_count(&scores->segment[BF_SEGMENT_SOURCE]), count = 0;
    size_t(*classes)[2] = bf_calloc(sources + 1, sizeof *classes);
    uint16_t *fold = bf_malloc(scores->count * sizeof *fold + 1), *number = bf_calloc(sources + 1, sizeof *number);
    if (classes && fold && number) {
        for (size_t i = 0; i < scores->count; i++)
            classes[scores->row[i].segment[BF_SEGMENT_SOURCE]][scores->row[i].kind > 0]++;
        for (size_t s = 0; s < sources; s++) {
            bool rest = classes[s][0] < table->classes[0] && classes[s][1] < table->classes[1];
            number[s] = rest && classes[s][0] + classes[s][1] > 0 ? (uint16_t)count++ : BF_FOLD_NONE;
        }
        for (size_t i = 0; i < scores->count; i++)
            fold[i] = number[scores->row[i].segment[BF_SEGMENT_SOURCE]];
    }
    bool complete = classes && fold && number;
    bf_free(classes);
    bf_free(number);
    if (complete && count > 0) {
        *ret = (bf_folds){fold, count};
        return BF_OK;
    }
    bf_free(fold);
    return complete ? bf_fail(err, BF_INVALID_ARGUMENT, "%s", message) : bf_fail_memory(err);
}

void bf_folds_done(bf_folds *folds)
{
    bf_free(folds->fold);
    *folds = (bf_folds){0};
}

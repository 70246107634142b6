#include "dataset/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

uint64_t bf_seeded(uint64_t seed, const char *text)
{
    uint64_t hash = 14695981039346656037u ^ (seed * 0x9e3779b97f4a7c15u);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return hash ^ (hash >> 31);
}

static size_t root_of(size_t *parent, size_t at)
{
    while (parent[at] != at) {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    return at;
}

static void unite(void *data, bf_link link, size_t first, size_t second)
{
    (void)link;
    size_t *parent = data, a = root_of(parent, first), b = root_of(parent, second);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

/* Numbers the groups by their first sample and lists their members; `parent` gets each sample's group. */
static void list_members(const bf_dataset *dataset, size_t *parent, bf_groups *groups)
{
    for (size_t i = 0; i < dataset->count; i++)
        parent[i] = root_of(parent, i);
    /* A root is the smallest of its group: it is numbered before any other of them is reached. */
    for (size_t i = 0; i < dataset->count; i++)
        parent[i] = parent[i] == i ? groups->count++ : parent[parent[i]];
    for (size_t i = 0; i < dataset->count; i++) {
        size_t group = parent[i];
        const char *id = dataset->sample[i].value[BF_COLUMN_SAMPLE_ID];
        groups->start[group + 1]++;
        if (!groups->key[group] || strcmp(id, groups->key[group]) < 0)
            groups->key[group] = id;
    }
    for (size_t g = 0; g < groups->count; g++)
        groups->start[g + 1] += groups->start[g];
    for (size_t i = dataset->count; i-- > 0;)
        groups->member[--groups->start[parent[i] + 1]] = i;
    /* Each start[g + 1] has run back to where g begins. */
    memmove(groups->start, groups->start + 1, groups->count * sizeof *groups->start);
    groups->start[groups->count] = dataset->count;
}

bf_status bf_groups_find(const bf_dataset *dataset, const bf_probe *probes, bf_groups *ret, bf_error *err)
{
    size_t count = dataset->count;
    BF_CLEANUP(bf_groups_done)
    bf_groups groups = {
        .start = bf_calloc(count + 2, sizeof *groups.start),
        .member = bf_calloc(count + 1, sizeof *groups.member),
        .key = bf_calloc(count + 1, sizeof *groups.key),
    };
    size_t *parent = bf_malloc((count + 1) * sizeof *parent);
    if (!groups.start || !groups.member || !groups.key || !parent) {
        bf_free(parent);
        return bf_fail_memory(err);
    }
    for (size_t i = 0; i < count; i++)
        parent[i] = i;
    bf_status status = bf_links_find(dataset, probes, NULL, unite, parent, err);
    if (status == BF_OK)
        list_members(dataset, parent, &groups);
    bf_free(parent);
    if (status != BF_OK)
        return status;
    *ret = groups;
    groups = (bf_groups){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

void bf_groups_done(bf_groups *groups)
{
    bf_free(groups->start);
    bf_free(groups->member);
    bf_free(groups->key);
    *groups = (bf_groups){0};
}

/* What is dealt evenly: live samples, and each attack type. */
typedef struct dealing {
    const bf_dataset *dataset;
    const bf_groups *groups;
    const bf_split_plan *plan;
    const int *prefer;
    size_t strata;
    size_t *stratum;    /* of each sample */
    double *wanted;     /* [strata]: samples in all */
    double *held;       /* [part][strata]: samples dealt so far */
    double *coming;     /* [strata]: of the group at hand */
    struct turn *order; /* groups in the order in which they are dealt */
} dealing;

typedef struct turn {
    size_t group;
    int magnitude; /* larger groups first, since small ones can fill what those leave */
    uint64_t chance;
    const char *key;
} turn;

static int compare_turns(const void *a, const void *b)
{
    const turn *x = a, *y = b;
    if (x->magnitude != y->magnitude)
        return x->magnitude > y->magnitude ? -1 : 1;
    if (x->chance != y->chance)
        return x->chance < y->chance ? -1 : 1;
    return strcmp(x->key, y->key);
}

/* Strata are few (attack types): a list suffices. */
static void number_strata(dealing *d, const char **names, size_t names_max)
{
    for (size_t i = 0; i < d->dataset->count; i++) {
        const bf_sample *sample = &d->dataset->sample[i];
        const char *name = sample->label == BF_LABEL_LIVE ? NULL : sample->value[BF_COLUMN_ATTACK_TYPE];
        size_t at = 0;
        while (at < d->strata && names[at] != name)
            at++;
        if (at == d->strata && d->strata < names_max)
            names[d->strata++] = name;
        d->stratum[i] = at < names_max ? at : names_max - 1;
    }
}

bool bf_part_agrees(int wish, int part, int part_count)
{
    return wish == BF_PART_ANY || wish == part || (wish == BF_PART_NOT_LAST && part != part_count - 1);
}

/* Counts what the group would bring to `part`, without the samples that it would have to leave out. */
static void count_coming(dealing *d, size_t group, int part)
{
    memset(d->coming, 0, d->strata * sizeof *d->coming);
    for (size_t m = d->groups->start[group]; m < d->groups->start[group + 1]; m++) {
        size_t i = d->groups->member[m];
        d->coming[d->stratum[i]] += bf_part_agrees(d->prefer[i], part, d->plan->part_count);
    }
}

static void add_group(dealing *d, size_t group, int part)
{
    count_coming(d, group, part);
    for (size_t s = 0; s < d->strata; s++)
        d->held[(size_t)part * d->strata + s] += d->coming[s];
}

/* How much worse the shares get when the group at hand goes to `part`. */
static double cost(dealing *d, size_t group, int part)
{
    double sum = 0;
    count_coming(d, group, part);
    for (size_t s = 0; s < d->strata; s++) {
        if (d->coming[s] <= 0)
            continue;
        double over = d->held[(size_t)part * d->strata + s] - d->wanted[s] * d->plan->share[part];
        sum += d->coming[s] * (2 * over + d->coming[s]) / d->wanted[s];
    }
    return sum;
}

static int cheapest(dealing *d, size_t group, int parts)
{
    int best = 0;
    double best_cost = 0;
    for (int p = 0; p < parts; p++) {
        double c = cost(d, group, p);
        bool tie = p > 0 && c == best_cost;
        bool lucky = tie && bf_seeded(d->plan->seed + (uint64_t)p, d->groups->key[group]) % 2 == 0;
        if (p == 0 || c < best_cost || lucky) {
            best = p;
            best_cost = c;
        }
    }
    return best;
}

/* The part that most members want; BF_PART_ANY or BF_PART_NOT_LAST when that is what they want. A group of which some
 * want the last part and some any other has no wish: wherever it goes, the others are left out. */
static int vote(const dealing *d, size_t group)
{
    size_t votes[BF_PARTS_MAX] = {0}, not_last = 0;
    int best = BF_PART_ANY;
    for (size_t m = d->groups->start[group]; m < d->groups->start[group + 1]; m++) {
        int wish = d->prefer[d->groups->member[m]];
        not_last += wish == BF_PART_NOT_LAST;
        if (wish >= 0)
            votes[wish]++;
    }
    for (int p = 0; p < d->plan->part_count; p++) {
        if (votes[p] > 0 && (best < 0 || votes[p] >= votes[best]))
            best = p;
    }
    if (not_last == 0)
        return best;
    return best >= 0 ? BF_PART_ANY : BF_PART_NOT_LAST;
}

static void deal_one(dealing *d, size_t group, int wish, int *ret_part)
{
    ret_part[group] = cheapest(d, group, d->plan->part_count - (wish == BF_PART_NOT_LAST));
    add_group(d, group, ret_part[group]);
}

static void deal(dealing *d, int *ret_part)
{
    size_t turns = 0;
    for (size_t i = 0; i < d->dataset->count; i++)
        d->wanted[d->stratum[i]]++;
    for (size_t g = 0; g < d->groups->count; g++) {
        int wish = vote(d, g), magnitude = 0;
        ret_part[g] = wish;
        if (wish >= 0) {
            add_group(d, g, wish);
            continue;
        }
        for (size_t size = d->groups->start[g + 1] - d->groups->start[g]; size > 1; size /= 2)
            magnitude++;
        const char *key = d->groups->key[g];
        d->order[turns++] = (turn){g, magnitude, bf_seeded(d->plan->seed, key), key};
    }
    qsort(d->order, turns, sizeof *d->order, compare_turns);
    for (size_t i = 0; i < turns; i++)
        deal_one(d, d->order[i].group, ret_part[d->order[i].group], ret_part);
}

#define STRATA_MAX 1024

bf_status bf_groups_deal(const bf_dataset *dataset, const bf_groups *groups, const bf_split_plan *plan,
                         const int *prefer, int *ret_part, bf_error *err)
{
    dealing d = {.dataset = dataset, .groups = groups, .plan = plan, .prefer = prefer};
    const char **names = bf_calloc(STRATA_MAX, sizeof *names);
    d.stratum = bf_calloc(dataset->count + 1, sizeof *d.stratum);
    d.wanted = bf_calloc(STRATA_MAX, sizeof *d.wanted);
    d.held = bf_calloc((size_t)BF_PARTS_MAX * STRATA_MAX, sizeof *d.held);
    d.coming = bf_calloc(STRATA_MAX, sizeof *d.coming);
    d.order = bf_calloc(groups->count + 1, sizeof *d.order);
    bool good = names && d.stratum && d.wanted && d.held && d.coming && d.order;
    if (good) {
        number_strata(&d, names, STRATA_MAX);
        deal(&d, ret_part);
    }
    bf_free(names);
    bf_free(d.stratum);
    bf_free(d.wanted);
    bf_free(d.held);
    bf_free(d.coming);
    bf_free(d.order);
    return good ? BF_OK : bf_fail_memory(err);
}

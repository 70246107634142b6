#include "dataset/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/groups.h"
#include "dataset/split_file.h"

#define KINDS_MAX 4096 /* devices, or attack types */

static const char *const NAMES[] = {"person", "device", "scenario", "time"};

const char *bf_split_by_name(bf_split_by by)
{
    return NAMES[by];
}

bool bf_split_by_parse(const char *name, bf_split_by *ret)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(NAMES[i], name) == 0) {
            *ret = (bf_split_by)i;
            return true;
        }
    }
    return false;
}

void bf_split_done(bf_split *split)
{
    bf_free(split->part);
    *split = (bf_split){0};
}

/* Devices or attack types with the number of their samples, dealt out as wholes. */
typedef struct kind {
    const char *name; /* interned */
    size_t samples;
    uint64_t chance;
    int part;
} kind;

typedef struct kinds {
    kind *kind;
    size_t count;
    size_t total;
} kinds;

static void free_kinds(kinds *k)
{
    bf_free(k->kind);
    *k = (kinds){0};
}

static kind *find_kind(const kinds *k, const char *name)
{
    for (size_t i = 0; i < k->count; i++) {
        if (k->kind[i].name == name)
            return &k->kind[i];
    }
    return NULL;
}

static bool count_kind(kinds *k, const char *name, uint64_t seed)
{
    kind *found = find_kind(k, name);
    if (!found) {
        if (k->count == KINDS_MAX)
            return false;
        found = &k->kind[k->count++];
        *found = (kind){.name = name, .chance = bf_seeded(seed, name)};
    }
    found->samples++;
    k->total++;
    return true;
}

static int compare_kinds(const void *a, const void *b)
{
    const kind *x = a, *y = b;
    if (x->chance != y->chance)
        return x->chance < y->chance ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* "platform/device_class"; *ret is NULL for a sample that states neither. false when memory ran out. */
static bool device_of(bf_dataset *dataset, const bf_sample *sample, const char **ret)
{
    char name[512];
    const char *platform = sample->value[BF_COLUMN_PLATFORM], *class = sample->value[BF_COLUMN_DEVICE_CLASS];
    *ret = NULL;
    if (!platform[0] && !class[0])
        return true;
    int length = snprintf(name, sizeof name, "%s/%s", platform, class);
    *ret = bf_texts_keep(&dataset->texts, name, length > 0 ? (size_t)length : 0);
    return *ret != NULL;
}

/* Gives each device to the part that lacks most of its share. */
static void deal_devices(kinds *k, const bf_split_plan *plan)
{
    double held[BF_PARTS_MAX] = {0};
    qsort(k->kind, k->count, sizeof *k->kind, compare_kinds);
    for (size_t i = 0; i < k->count; i++) {
        int best = 0;
        for (int p = 1; p < plan->part_count; p++) {
            if (plan->share[p] * (double)k->total - held[p] > plan->share[best] * (double)k->total - held[best])
                best = p;
        }
        k->kind[i].part = best;
        held[best] += (double)k->kind[i].samples;
    }
}

static bf_status prefer_by_device(bf_dataset *dataset, const bf_split_plan *plan, int *ret, bf_error *err)
{
    BF_CLEANUP(free_kinds) kinds devices = {.kind = bf_calloc(KINDS_MAX, sizeof(kind))};
    if (!devices.kind)
        return bf_fail_memory(err);
    for (size_t i = 0; i < dataset->count; i++) {
        const char *name = NULL;
        if (!device_of(dataset, &dataset->sample[i], &name))
            return bf_fail_memory(err);
        if (name && !count_kind(&devices, name, plan->seed))
            return bf_fail(err, BF_INVALID_ARGUMENT, "There are more than %d devices.", KINDS_MAX);
    }
    if (devices.count < (size_t)plan->part_count) {
        (void)bf_fail(err, BF_INVALID_ARGUMENT, "There are %zu devices for %d parts.", devices.count, plan->part_count);
        bf_fail_hint(err, "A device is what the columns platform and device_class say together.");
        return BF_INVALID_ARGUMENT;
    }
    deal_devices(&devices, plan);
    for (size_t i = 0; i < dataset->count; i++) {
        const char *name = NULL;
        if (!device_of(dataset, &dataset->sample[i], &name))
            return bf_fail_memory(err);
        ret[i] = name ? find_kind(&devices, name)->part : BF_PART_ANY;
    }
    return BF_OK;
}

/* Marks the attack types that belong into the last part. */
static bf_status hold_out(kinds *types, const bf_split_plan *plan, bf_error *err)
{
    size_t held = 0, last = (size_t)plan->part_count - 1;
    qsort(types->kind, types->count, sizeof *types->kind, compare_kinds);
    for (size_t i = 0; plan->held_out && plan->held_out[i]; i++) {
        size_t at = 0;
        while (at < types->count && strcmp(types->kind[at].name, plan->held_out[i]) != 0)
            at++;
        if (at == types->count)
            return bf_fail(err, BF_INVALID_ARGUMENT, "No sample has the attack type '%.80s'.", plan->held_out[i]);
        held += types->kind[at].part == 0;
        types->kind[at].part = 1;
    }
    double wanted = plan->share[last] * (double)types->total, have = 0;
    for (size_t i = 0; !plan->held_out && i + 1 < types->count && (held == 0 || have < wanted); i++) {
        types->kind[i].part = 1;
        have += (double)types->kind[i].samples;
        held++;
    }
    if (held > 0 && held < types->count)
        return BF_OK;
    return bf_fail(err, BF_INVALID_ARGUMENT,
                   "A split by scenario holds some attack types out and keeps others; there are %zu, and %zu would be "
                   "held out.",
                   types->count, held);
}

static bf_status prefer_by_scenario(const bf_dataset *dataset, const bf_split_plan *plan, int *ret, bf_error *err)
{
    BF_CLEANUP(free_kinds) kinds types = {.kind = bf_calloc(KINDS_MAX, sizeof(kind))};
    if (!types.kind)
        return bf_fail_memory(err);
    for (size_t i = 0; i < dataset->count; i++) {
        const bf_sample *sample = &dataset->sample[i];
        if (sample->label == BF_LABEL_SPOOF && !count_kind(&types, sample->value[BF_COLUMN_ATTACK_TYPE], plan->seed))
            return bf_fail(err, BF_INVALID_ARGUMENT, "There are more than %d attack types.", KINDS_MAX);
    }
    bf_status status = hold_out(&types, plan, err);
    for (size_t i = 0; i < dataset->count && status == BF_OK; i++) {
        const bf_sample *sample = &dataset->sample[i];
        ret[i] = BF_PART_ANY;
        if (sample->label == BF_LABEL_SPOOF)
            ret[i] =
                find_kind(&types, sample->value[BF_COLUMN_ATTACK_TYPE])->part ? plan->part_count - 1 : BF_PART_NOT_LAST;
    }
    return status;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bf_status prefer_by_time(const bf_dataset *dataset, const bf_split_plan *plan, int *ret, bf_error *err)
{
    for (size_t i = 0; i < dataset->count; i++) {
        if (dataset->sample[i].value[BF_COLUMN_CAPTURED_AT][0] == '\0')
            return bf_fail(err, BF_INVALID_ARGUMENT,
                           "%.150s, row %llu: captured_at is empty; a split by time needs it for every sample.",
                           dataset->manifest, (unsigned long long)dataset->sample[i].row);
    }
    int64_t *times = bf_malloc((dataset->count + 1) * sizeof *times);
    if (!times)
        return bf_fail_memory(err);
    for (size_t i = 0; i < dataset->count; i++)
        times[i] = dataset->sample[i].captured_s;
    qsort(times, dataset->count, sizeof *times, compare_times);
    /* A part ends where the next one's first time begins, so that equal times stay together. */
    double before = 0;
    for (size_t i = 0; i < dataset->count; i++)
        ret[i] = 0;
    for (int p = 1; p < plan->part_count; p++) {
        before += plan->share[p - 1];
        size_t at = (size_t)(before * (double)dataset->count + 0.5);
        at = at < dataset->count ? at : dataset->count - 1;
        for (size_t i = 0; i < dataset->count; i++)
            ret[i] = dataset->sample[i].captured_s >= times[at] ? p : ret[i];
    }
    bf_free(times);
    return BF_OK;
}

static bf_status prefer_all(bf_dataset *dataset, const bf_split_plan *plan, int *ret, bf_error *err)
{
    switch (plan->by) {
    case BF_SPLIT_DEVICE:
        return prefer_by_device(dataset, plan, ret, err);
    case BF_SPLIT_SCENARIO:
        return prefer_by_scenario(dataset, plan, ret, err);
    case BF_SPLIT_TIME:
        return prefer_by_time(dataset, plan, ret, err);
    case BF_SPLIT_PERSON:
        break;
    }
    for (size_t i = 0; i < dataset->count; i++)
        ret[i] = BF_PART_ANY;
    return BF_OK;
}

static bf_status assign(bf_dataset *dataset, const bf_groups *groups, const bf_split_plan *plan, const int *prefer,
                        const int *group_part, bf_split *split, bf_error *err)
{
    size_t held[BF_PARTS_MAX] = {0};
    for (size_t g = 0; g < groups->count; g++) {
        for (size_t m = groups->start[g]; m < groups->start[g + 1]; m++) {
            size_t i = groups->member[m];
            bool in = bf_part_agrees(prefer[i], group_part[g], plan->part_count);
            const char *name = in ? plan->name[group_part[g]] : "";
            split->part[i] = bf_texts_keep(&dataset->texts, name, strlen(name));
            if (!split->part[i])
                return bf_fail_memory(err);
            split->left_out += !in;
            held[group_part[g]] += in;
        }
    }
    for (int p = 0; p < plan->part_count; p++) {
        if (held[p] > 0)
            continue;
        (void)bf_fail(err, BF_INVALID_ARGUMENT,
                      "Nothing is left for the part '%s': there are %zu samples in %zu groups.", plan->name[p],
                      dataset->count, groups->count);
        bf_fail_hint(err, "Samples of one person, session, file or picture stay together.");
        return BF_INVALID_ARGUMENT;
    }
    return BF_OK;
}

bf_status bf_split_make(bf_dataset *dataset, const bf_probe *probes, const bf_split_plan *plan, bf_split *ret,
                        bf_error *err)
{
    BF_CLEANUP(bf_groups_done) bf_groups groups = {0};
    BF_CLEANUP(bf_split_done) bf_split split = {.part = bf_calloc(dataset->count + 1, sizeof *split.part)};
    bf_status status = bf_groups_find(dataset, probes, &groups, err);
    if (status != BF_OK)
        return status;
    int *prefer = bf_malloc((dataset->count + 1) * sizeof *prefer);
    int *group_part = bf_malloc((groups.count + 1) * sizeof *group_part);
    if (!split.part || !prefer || !group_part)
        status = bf_fail_memory(err);
    if (status == BF_OK)
        status = prefer_all(dataset, plan, prefer, err);
    if (status == BF_OK)
        status = bf_groups_deal(dataset, &groups, plan, prefer, group_part, err);
    if (status == BF_OK)
        status = assign(dataset, &groups, plan, prefer, group_part, &split, err);
    bf_free(prefer);
    bf_free(group_part);
    split.groups = groups.count;
    if (status == BF_OK)
        status = bf_split_identify(dataset, bf_split_by_name(plan->by), &split, err);
    if (status != BF_OK)
        return status;
    *ret = split;
    split = (bf_split){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

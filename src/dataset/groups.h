/* Samples that must stay together (union-find), and dealing them out. Internal to dataset/. */
#ifndef BF_DATASET_GROUPS_H
#define BF_DATASET_GROUPS_H

#include "dataset/split.h"

#define BF_PART_ANY (-1)      /* no part is preferred */
#define BF_PART_NOT_LAST (-2) /* any but the last */

/* The groups of a dataset: group g holds the samples member[start[g]] ... member[start[g + 1] - 1]. */
typedef struct bf_groups {
    size_t count;
    size_t *start, *member;
    const char **key; /* the smallest sample id of each: its name whatever the order of rows */
} bf_groups;

bf_status bf_groups_find(const bf_dataset *dataset, const bf_probe *probes, bf_groups *ret, bf_error *err);
void bf_groups_done(bf_groups *groups);

/* Chooses a part for each group. prefer[i] is what sample i wants: a part, BF_PART_ANY or BF_PART_NOT_LAST. Most
 * wishes win, and samples that wish otherwise do not count; groups without one are dealt out so that each part gets
 * its share of every label and attack type. OUT_OF_MEMORY. */
bf_status bf_groups_deal(const bf_dataset *dataset, const bf_groups *groups, const bf_split_plan *plan,
                         const int *prefer, int *ret_part, bf_error *err);

/* Whether a sample that wants `wish` may be in `part`. */
bool bf_part_agrees(int wish, int part, int part_count);

/* A number that depends on nothing but seed and text. */
uint64_t bf_seeded(uint64_t seed, const char *text);

#endif

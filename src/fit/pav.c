#include "fit/pav.h"

#include <stdbool.h>

/* Without a division, which would round. */
static bool rises(const bf_pav_block *low, const bf_pav_block *high)
{
    return low->sum * high->weight < high->sum * low->weight;
}

size_t bf_pav(bf_pav_block *blocks, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bf_pav_block next = blocks[i];
        for (; kept > 0 && !rises(&blocks[kept - 1], &next); kept--) {
            const bf_pav_block *last = &blocks[kept - 1];
            next =
                (bf_pav_block){last->first, last->count + next.count, last->weight + next.weight, last->sum + next.sum};
        }
        blocks[kept++] = next;
    }
    return kept;
}

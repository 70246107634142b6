#include "pipeline/picks.h"

#include <math.h>
#include <string.h>

#define PART_MIN_MS 400.0 /* the least part; frames closer than that show the same */

static bool is_better(const bf_pick *than, bool passes, double worth)
{
    if (!than->used || passes != than->passes)
        return !than->used || passes;
    return worth > than->worth;
}

void bf_picks_start(bf_picks *picks, double stated_ms)
{
    bf_picks_done(picks);
    /* A little more than the share, so that the last frame falls into the last part. */
    double part_ms = stated_ms > 0.0 ? (stated_ms + 1.0) / BF_RECORD_CHOSEN_MAX : 0.0;
    picks->part_ms = fmax(part_ms, PART_MIN_MS);
    picks->begin_ms = -1.0;
}

static void clear(bf_pick *pick)
{
    bf_image_done(&pick->rgb);
    explicit_bzero(pick, sizeof *pick);
}

/* Doubles the parts: of each two neighbours the better one stays. */
static void widen(bf_picks *picks)
{
    for (int i = 0; i < BF_RECORD_CHOSEN_MAX; i++) {
        bf_pick *from = &picks->pick[i], *to = &picks->pick[i / 2];
        if (i == 0 || !from->used)
            continue;
        if (i % 2 == 1 && !is_better(to, from->passes, from->worth)) {
            clear(from);
            continue;
        }
        clear(to);
        *to = *from;
        memset(from, 0, sizeof *from);
    }
    picks->part_ms *= 2.0;
}

bf_pick *bf_picks_offer(bf_picks *picks, double ms, bool passes, double worth)
{
    if (picks->begin_ms < 0.0)
        picks->begin_ms = fmax(ms, 0.0);
    while (ms >= picks->begin_ms + picks->part_ms * BF_RECORD_CHOSEN_MAX)
        widen(picks);
    int part = (int)((ms - picks->begin_ms) / picks->part_ms); /* rounding may take the last moment one too far */
    bf_pick *pick = &picks->pick[part < BF_RECORD_CHOSEN_MAX ? part : BF_RECORD_CHOSEN_MAX - 1];
    if (!is_better(pick, passes, worth))
        return NULL;
    pick->used = false;
    return pick;
}

const bf_pick *bf_picks_best(const bf_picks *picks)
{
    const bf_pick *best = NULL;
    for (int i = 0; i < BF_RECORD_CHOSEN_MAX; i++) {
        const bf_pick *pick = &picks->pick[i];
        if (pick->used && (!best || is_better(best, pick->passes, pick->worth)))
            best = pick;
    }
    return best;
}

bool bf_picks_is_chosen(const bf_picks *picks, int index)
{
    const bf_pick *pick = &picks->pick[index], *best = bf_picks_best(picks);
    return pick->used && (pick->passes || pick == best);
}

void bf_picks_done(bf_picks *picks)
{
    for (int i = 0; i < BF_RECORD_CHOSEN_MAX; i++)
        clear(&picks->pick[i]);
}

#include "face/track.h"

#include <math.h>

/* Overlap (intersection over union) from which a box is the followed face's. */
#define OVERLAP_MIN 0.15f
/* After this long without the face, whatever is there is taken up: a head that moves quickly is found again before. */
#define GIVE_UP_MS 600.0
/* A second face that is not found for this long is still there. */
#define OTHER_GAP_MS 500.0
/* How far the centre may have gone, in sides of the box, and how much the side may have changed. */
#define STEP_MAX 0.9f
#define GROWTH_MAX 1.8f

static float area(bf_rect box)
{
    return bf_rect_width(box) * bf_rect_height(box);
}

static float overlap(bf_rect a, bf_rect b)
{
    float shared = area(bf_rect_intersect(a, b)), all = area(a) + area(b) - shared;
    return all > 0 ? shared / all : 0;
}

/* How well a box continues the followed one, 0: not at all. */
static float likeness(bf_rect followed, bf_rect box)
{
    float over = overlap(followed, box);
    if (over >= OVERLAP_MIN)
        return 1 + over;
    float side = sqrtf(area(followed)), growth = sqrtf(area(box)) / side;
    float dx = (box.x0 + box.x1 - followed.x0 - followed.x1) / 2,
          dy = (box.y0 + box.y1 - followed.y0 - followed.y1) / 2;
    float step = hypotf(dx, dy) / side;
    if (!(step <= STEP_MAX) || !(growth <= GROWTH_MAX) || !(growth >= 1 / GROWTH_MAX))
        return 0;
    return 1 - step;
}

static int find(const bf_track *track, const bf_faces *faces)
{
    int best = -1;
    float most = 0;
    for (int i = 0; i < faces->count; i++) {
        float like = likeness(track->box, faces->face[i].box);
        if (like > most) {
            most = like;
            best = i;
        }
    }
    return best;
}

/* Which face is followed from now on; -1: none. */
static int choose(bf_track *track, const bf_faces *faces, double ms)
{
    if (!track->following)
        return faces->count > 0 ? 0 : -1;
    int at = find(track, faces);
    if (at >= 0 || faces->count == 0 || ms - track->seen_ms < GIVE_UP_MS)
        return at;
    if (track->breaks++ == 0)
        track->break_ms = ms;
    return 0;
}

static void note_others(bf_track *track, const bf_faces *faces, int followed, double ms)
{
    bool other = false;
    for (int i = 0; i < faces->count && followed >= 0; i++) {
        if (i != followed && area(faces->face[i].box) >= BF_TRACK_OTHER_SHARE * area(faces->face[followed].box))
            other = true;
    }
    if (!other)
        return;
    if (track->others++ == 0 || ms - track->other_until_ms > OTHER_GAP_MS)
        track->other_since_ms = ms;
    track->other_until_ms = ms;
    track->other_ms = fmax(track->other_ms, ms - track->other_since_ms);
}

int bf_track_follow(bf_track *track, const bf_faces *faces, double ms)
{
    int at = choose(track, faces, ms);
    if (at >= 0) {
        if (track->following && track->lost)
            track->lost_ms = fmax(track->lost_ms, ms - track->seen_ms);
        track->following = true;
        track->box = faces->face[at].box;
        track->seen_ms = ms;
        track->found++;
    }
    note_others(track, faces, at, ms);
    track->lost = at < 0;
    return at;
}

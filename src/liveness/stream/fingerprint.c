#include "liveness/stream/fingerprint.h"

#include <string.h>

#define CELLS_MAX 16
#define MOTION_BITS_MIN 2.0
#define SAME_PER_MOTION 0.7 /* one recording coded anew: 0.4 to 0.6; the same person again: 1.2 and more */

/* Mean luma of each cell of a grid of (cells + 1) x cells, times 16. */
static void fill_cells(const bf_image *grey, int cells, int mean[CELLS_MAX][CELLS_MAX + 1])
{
    for (int row = 0; row < cells; row++) {
        int y0 = grey->height * row / cells, y1 = grey->height * (row + 1) / cells;
        for (int column = 0; column <= cells; column++) {
            int x0 = (int)((int64_t)grey->width * column / (cells + 1));
            int x1 = (int)((int64_t)grey->width * (column + 1) / (cells + 1));
            int64_t sum = 0;
            for (int y = y0; y < y1; y++) {
                const uint8_t *p = grey->pixels + (size_t)y * grey->stride;
                for (int x = x0; x < x1; x++)
                    sum += p[x];
            }
            int64_t count = (int64_t)(x1 - x0) * (y1 - y0);
            mean[row][column] = count > 0 ? (int)(sum * 16 / count) : 0;
        }
    }
}

static void take(const bf_image *grey, int cells, uint64_t *ret)
{
    int mean[CELLS_MAX][CELLS_MAX + 1] = {0}, bit = 0;
    memset(ret, 0, (size_t)(cells * cells) / 8);
    if (!grey || grey->channels != 1 || grey->width <= 0 || grey->height <= 0)
        return;
    fill_cells(grey, cells, mean);
    for (int row = 0; row < cells; row++) {
        for (int column = 0; column < cells; column++, bit++)
            ret[bit / 64] |= (uint64_t)(mean[row][column] < mean[row][column + 1]) << (bit & 63);
    }
}

uint64_t bf_fingerprint(const bf_image *grey)
{
    uint64_t hash = 0;
    take(grey, 8, &hash);
    return hash;
}

void bf_fingerprint_fine(const bf_image *grey, uint64_t ret[4])
{
    take(grey, 16, ret);
}

int bf_fingerprint_distance(uint64_t a, uint64_t b)
{
    return __builtin_popcountll(a ^ b);
}

int bf_fingerprint_fine_distance(const uint64_t a[4], const uint64_t b[4])
{
    int sum = 0;
    for (int i = 0; i < 4; i++)
        sum += bf_fingerprint_distance(a[i], b[i]);
    return sum;
}

void bf_clip_fingerprint_take(const uint64_t *hash, const double *ms, int count, bf_clip_fingerprint *ret)
{
    *ret = (bf_clip_fingerprint){.count = 0};
    if (count <= 0)
        return;
    int at = 0;
    for (int i = 0; i < BF_CLIP_FRAMES; i++) {
        double due = ms[0] + (ms[count - 1] - ms[0]) * i / (BF_CLIP_FRAMES - 1);
        while (at + 1 < count && ms[at + 1] <= due)
            at++;
        ret->frame[i] = hash[at];
    }
    ret->count = BF_CLIP_FRAMES;
}

/* The least distance of a's frame `i` from b's frames around `i`. */
static int nearest(const bf_clip_fingerprint *a, const bf_clip_fingerprint *b, int i)
{
    int best = 64;
    for (int k = i - 1; k <= i + 1; k++) {
        if (k < 0 || k >= BF_CLIP_FRAMES)
            continue;
        int distance = bf_fingerprint_distance(a->frame[i], b->frame[k]);
        best = distance < best ? distance : best;
    }
    return best;
}

double bf_clip_fingerprint_distance(const bf_clip_fingerprint *a, const bf_clip_fingerprint *b)
{
    if (a->count != BF_CLIP_FRAMES || b->count != BF_CLIP_FRAMES)
        return 64;
    int sum = 0;
    for (int i = 0; i < BF_CLIP_FRAMES; i++)
        sum += nearest(a, b, i) + nearest(b, a, i);
    return (double)sum / (2 * BF_CLIP_FRAMES);
}

double bf_clip_fingerprint_motion(const bf_clip_fingerprint *clip)
{
    if (clip->count != BF_CLIP_FRAMES)
        return 0;
    int sum = 0;
    for (int i = 1; i < BF_CLIP_FRAMES; i++)
        sum += bf_fingerprint_distance(clip->frame[i - 1], clip->frame[i]);
    return (double)sum / (BF_CLIP_FRAMES - 1);
}

bool bf_clip_fingerprint_same(const bf_clip_fingerprint *a, const bf_clip_fingerprint *b)
{
    double first = bf_clip_fingerprint_motion(a), second = bf_clip_fingerprint_motion(b);
    double motion = first < second ? first : second;
    return motion >= MOTION_BITS_MIN && bf_clip_fingerprint_distance(a, b) <= SAME_PER_MOTION * motion;
}

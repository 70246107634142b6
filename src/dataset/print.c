#include "dataset/print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define GRID 32 /* the picture is averaged to GRID x GRID */
#define LOW 16  /* of whose frequencies LOW x LOW are kept */
#define CHUNK_BITS 16
#define CHUNKS (BF_PRINT_BITS / CHUNK_BITS)
#define BUCKETS (1u << CHUNK_BITS)
#define PI 3.14159265358979323846

/* Mean luma of each cell. Cells of a picture that is smaller than the grid may share pixels. */
static void average(const bf_image *rgb, float ret[GRID][GRID])
{
    for (int gy = 0; gy < GRID; gy++) {
        int y0 = (int)((int64_t)gy * rgb->height / GRID), y1 = (int)((int64_t)(gy + 1) * rgb->height / GRID);
        y1 = y1 > y0 ? y1 : y0 + 1;
        for (int gx = 0; gx < GRID; gx++) {
            int x0 = (int)((int64_t)gx * rgb->width / GRID), x1 = (int)((int64_t)(gx + 1) * rgb->width / GRID);
            x1 = x1 > x0 ? x1 : x0 + 1;
            uint64_t sum = 0;
            for (int y = y0; y < y1; y++) {
                const uint8_t *p = rgb->pixels + (size_t)y * rgb->stride + (size_t)x0 * (size_t)rgb->channels;
                for (int x = x0; x < x1; x++, p += rgb->channels)
                    sum += rgb->channels == 3 ? 299u * p[0] + 587u * p[1] + 114u * p[2] : 1000u * p[0];
            }
            ret[gy][gx] = (float)((double)sum / 1000.0 / ((double)(y1 - y0) * (double)(x1 - x0)));
        }
    }
}

/* The lowest coefficients of the two-dimensional cosine transform. */
static void transform(float grid[GRID][GRID], float ret[LOW][LOW])
{
    float cosine[LOW][GRID], half[GRID][LOW];
    for (int k = 0; k < LOW; k++) {
        for (int n = 0; n < GRID; n++)
            cosine[k][n] = (float)cos(PI * (n + 0.5) * k / GRID);
    }
    for (int y = 0; y < GRID; y++) {
        for (int k = 0; k < LOW; k++) {
            half[y][k] = 0;
            for (int n = 0; n < GRID; n++)
                half[y][k] += grid[y][n] * cosine[k][n];
        }
    }
    for (int j = 0; j < LOW; j++) {
        for (int k = 0; k < LOW; k++) {
            ret[j][k] = 0;
            for (int y = 0; y < GRID; y++)
                ret[j][k] += half[y][k] * cosine[j][y];
        }
    }
}

void bf_print_make(const bf_image *rgb, bf_print *ret)
{
    float grid[GRID][GRID], low[LOW][LOW];
    average(rgb, grid);
    transform(grid, low);
    *ret = (bf_print){.present = true};
    for (int i = 1; i < LOW * LOW; i++) { /* the first is the mean, which is always positive */
        if (low[i / LOW][i % LOW] > 0)
            ret->word[i / 64] |= UINT64_C(1) << (i % 64);
    }
}

static int count_bits(uint64_t word)
{
    word -= (word >> 1) & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
    return (int)((((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u) >> 56);
}

int bf_print_distance(const bf_print *a, const bf_print *b)
{
    int distance = 0;
    for (int i = 0; i < BF_PRINT_WORDS; i++)
        distance += count_bits(a->word[i] ^ b->word[i]);
    return distance;
}

static unsigned chunk_of(const bf_print *print, int chunk)
{
    const int per_word = 64 / CHUNK_BITS;
    return (unsigned)(print->word[chunk / per_word] >> (chunk % per_word * CHUNK_BITS)) & (BUCKETS - 1);
}

/* Whether an earlier chunk is equal too, in which case the pair was found there. */
static bool equal_before(const bf_print *a, const bf_print *b, int chunk)
{
    for (int i = 0; i < chunk; i++) {
        if (chunk_of(a, i) == chunk_of(b, i))
            return true;
    }
    return false;
}

/* The search through one chunk. */
typedef struct search {
    const bf_print *prints;
    size_t count;
    int near;
    size_t *head, *next; /* lists of prints with the same chunk; SIZE_MAX ends one */
    bool *equal;         /* the print is that of an earlier one, to which it was tied */
    bf_print_pair *take;
    void *data;
} search;

static void search_chunk(const search *s, int chunk)
{
    memset(s->head, 0xff, BUCKETS * sizeof *s->head);
    for (size_t i = 0; i < s->count; i++) {
        if (!s->prints[i].present || s->equal[i])
            continue;
        size_t *first = &s->head[chunk_of(&s->prints[i], chunk)];
        for (size_t other = *first; other != SIZE_MAX && !s->equal[i]; other = s->next[other]) {
            int distance = bf_print_distance(&s->prints[i], &s->prints[other]);
            if (distance <= s->near && !equal_before(&s->prints[i], &s->prints[other], chunk))
                s->take(s->data, other, i, distance);
            s->equal[i] = distance == 0;
        }
        s->next[i] = *first;
        if (!s->equal[i])
            *first = i;
    }
}

/* Prints that differ in fewer bits than there are chunks have some chunk in common: only those are compared. Equal ones
 * are set aside in the first pass, so that a thousand blank pictures are not half a million pairs. */
bf_status bf_print_pairs(const bf_print *prints, size_t count, int near, bf_print_pair *take, void *data, bf_error *err)
{
    search s = {.prints = prints, .count = count, .near = near, .take = take, .data = data};
    s.head = bf_malloc(BUCKETS * sizeof *s.head);
    s.next = bf_malloc((count + 1) * sizeof *s.next);
    s.equal = bf_calloc(count + 1, sizeof *s.equal);
    bool good = s.head && s.next && s.equal;
    for (int chunk = 0; chunk < CHUNKS && good; chunk++)
        search_chunk(&s, chunk);
    bf_free(s.head);
    bf_free(s.next);
    bf_free(s.equal);
    return good ? BF_OK : bf_fail_memory(err);
}

/* Sharpness, our own: Laplacian energy of the inner face at its two finest scales over that at the next two coarser
 * ones, octave by octave, on a patch whose cells are a fixed share of the face. Contrast cancels in the ratio. What the
 * quietest fifth of the patch shows is noise or skin, not an edge, and is taken off first, so noise earns nothing. */
#include <math.h>
#include <stdlib.h>

#include "quality/measure.h"
#include "quality/patch.h"

#define BLOCK 8
#define BLOCKS_MAX ((BF_PATCH_SIDE / BLOCK) * (BF_PATCH_SIDE / BLOCK))
/* Among blocks of pure noise the quietest fifth lies about a quarter below the mean. */
#define FLOOR_SHARE 0.2
#define FLOOR_GAIN 1.25

typedef struct level {
    const float *cell;
    int cols, rows;
} level;

static float laplacian(const level *l, int col, int row)
{
    const float *p = l->cell + row * l->cols + col;
    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): halve fills each level it returns */
    return 4 * p[0] - p[-1] - p[1] - p[-l->cols] - p[l->cols];
}

/* Mean squared Laplacian of the cells [col, col_end) x [row, row_end). */
static double energy(const level *l, int col, int row, int col_end, int row_end)
{
    double sum = 0;
    for (int y = row; y < row_end; y++) {
        float line = 0;
        for (int x = col; x < col_end; x++) {
            float v = laplacian(l, x, y);
            line += v * v;
        }
        sum += (double)line;
    }
    return sum / ((col_end - col) * (row_end - row));
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Mean energy above the noise floor. */
static double edge_energy(const level *l)
{
    double block[BLOCKS_MAX];
    double sum = 0;
    int count = 0;
    for (int row = 1; row + BLOCK < l->rows; row += BLOCK) {
        for (int col = 1; col + BLOCK < l->cols; col += BLOCK) {
            block[count] = energy(l, col, row, col + BLOCK, row + BLOCK);
            sum += block[count++];
        }
    }
    if (count == 0)
        return 0;
    qsort(block, (size_t)count, sizeof *block, compare_doubles);
    double noise = FLOOR_GAIN * block[(int)(FLOOR_SHARE * count)];
    return fmax(sum / count - noise, 0);
}

/* The level at half the size: means of 2 x 2 cells into `storage`. */
static level halve(const level *l, float *storage)
{
    level half = {storage, l->cols / 2, l->rows / 2};
    for (int row = 0; row < half.rows; row++) {
        const float *upper = l->cell + 2 * row * l->cols, *lower = upper + l->cols;
        for (int col = 0; col < half.cols; col++)
            storage[row * half.cols + col] =
                /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): so was the level above */
                (upper[2 * col] + upper[2 * col + 1] + lower[2 * col] + lower[2 * col + 1]) / 4;
    }
    return half;
}

void bf_measure_sharpness(const bf_quality_view *view, bf_measure *ret)
{
    bf_face_patch patch;
    float storage[3][BF_PATCH_SIDE * BF_PATCH_SIDE / 4];
    if (!view->geometry.usable || !bf_face_patch_fill(view->input->rgb, view->face, &patch))
        return;
    level l0 = {patch.cell, patch.cols, patch.rows};
    level l1 = halve(&l0, storage[0]);
    level l2 = halve(&l1, storage[1]);
    level l3 = halve(&l2, storage[2]);
    double fine = edge_energy(&l0) + edge_energy(&l1);
    double coarse = energy(&l2, 1, 1, l2.cols - 1, l2.rows - 1) + energy(&l3, 1, 1, l3.cols - 1, l3.rows - 1);
    /* One squared grey level more: a patch without any edge is not sharp. */
    double native = sqrt(fine / (coarse + 1));
    bf_measure_set(ret, native, 100 * bf_sigmoid(native, 0.2, 0.04));
}

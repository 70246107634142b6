#include "quality/background.h"

#include "quality/grid.h"

#define COLS 40
#define ROWS 30
#define SAMPLES_MIN (COLS * ROWS / 50)
/* Semi-axes of an ellipse around the eye midpoint, in units of T, that holds a head with its hair. */
#define HEAD_ACROSS 1.1
#define HEAD_ALONG 1.4

static bool is_background(const bf_face_geometry *g, double x, double y)
{
    double from_chin = (x - (double)g->chin.x) * (double)g->up.x + (y - (double)g->chin.y) * (double)g->up.y;
    if (from_chin < 0)
        return false;
    double dx = x - (double)g->eye_mid.x, dy = y - (double)g->eye_mid.y;
    double along = (dx * (double)g->up.x + dy * (double)g->up.y) / (HEAD_ALONG * g->eye_chin_px);
    double across = (dx * (double)g->right.x + dy * (double)g->right.y) / (HEAD_ACROSS * g->eye_chin_px);
    return along * along + across * across > 1;
}

bool bf_background_luma(const bf_image *rgb, const bf_face_geometry *geometry, double *ret_mean)
{
    double sum = 0;
    int count = 0;
    for (int row = 0; row < ROWS; row++) {
        int y = (int)((2LL * row + 1) * rgb->height / (2 * ROWS));
        for (int col = 0; col < COLS; col++) {
            int x = (int)((2LL * col + 1) * rgb->width / (2 * COLS));
            if (!is_background(geometry, x + 0.5, y + 0.5))
                continue;
            sum += bf_luma(rgb->pixels + (size_t)y * rgb->stride + (size_t)x * 3);
            count++;
        }
    }
    if (count < SAMPLES_MIN)
        return false;
    *ret_mean = sum / count;
    return true;
}

#include "liveness/texture/spectrum.h"

#include <kiss_fft.h>
#include <kiss_fftr.h>
#include <math.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define SIDE 128
#define BINS (SIDE / 2 + 1)
#define PATCHES 2
#define FACE_SIDE_MIN_PX 112 /* narrower faces would fill too little of a patch */
#define BOX 6                /* half width of the neighbourhood, in bins */
#define FREQUENCY_MIN 0.12f  /* cycles per pixel; hair, lashes and spectacles have peaks below */
#define FREQUENCY_MAX 0.485f
#define AXIS_BINS 3             /* bins beside an axis, where row noise and codecs have peaks */
#define AXIS_FREQUENCY_MIN 0.3f /* on an axis, only fine lattices count */
#define AXIS_FREQUENCY_MAX 0.47f
#define GRID_BINS (SIDE / 8) /* spacing of the harmonics of the JPEG grid */
#define TEXTURE_LOW 0.2f
#define TEXTURE_HIGH 0.45f
#define TEXTURE_MIN 0.7f /* below, the band holds little but rounding noise */
#define PEAK_BY_CHANCE 2.7f

/* Plans and buffers of one measurement. */
typedef struct workspace {
    kiss_fftr_cfg row_plan;   /* real, along a row */
    kiss_fft_cfg column_plan; /* complex, down a column */
    float window[SIDE];
    float pixels[SIDE * SIDE];
    kiss_fft_cpx rows[SIDE * BINS]; /* rows transformed */
    kiss_fft_cpx bins[BINS * SIDE]; /* then columns: [column][row] */
    float power[BINS * SIDE];       /* product over the patches */
    float log_power[SIDE * BINS];   /* from here on [row][column]; row = vertical frequency, column = horizontal */
    float row_mean[SIDE * BINS];
} workspace;

static void workspace_free(workspace **space)
{
    if (!*space)
        return;
    bf_free((*space)->row_plan);
    bf_free((*space)->column_plan);
    bf_free(*space);
}

static int signed_row(int row)
{
    return row < SIDE / 2 ? row : row - SIDE;
}

static bool near_grid_harmonic(int bin, int distance)
{
    int rest = ((bin % GRID_BINS) + GRID_BINS) % GRID_BINS;
    return rest <= distance || rest >= GRID_BINS - distance;
}

static bool bin_usable(int row, int column)
{
    int fy = signed_row(row), fx = column;
    float frequency = sqrtf((float)(fx * fx + fy * fy)) / SIDE;
    if (frequency < FREQUENCY_MIN || frequency > FREQUENCY_MAX)
        return false;
    bool on_axis = fx < AXIS_BINS || (fy < AXIS_BINS && fy > -AXIS_BINS);
    if (on_axis && (frequency < AXIS_FREQUENCY_MIN || frequency > AXIS_FREQUENCY_MAX))
        return false;
    int distance = on_axis ? 2 : 1;
    return !(near_grid_harmonic(fx, distance) && near_grid_harmonic(fy, distance));
}

/* The library plans into memory of ours, which is freed with bf_free. */
static bool make_plans(workspace *s)
{
    size_t size = 0;
    (void)kiss_fftr_alloc(SIDE, 0, NULL, &size);
    s->row_plan = bf_malloc(size);
    if (!s->row_plan || !kiss_fftr_alloc(SIDE, 0, s->row_plan, &size))
        return false;
    size = 0;
    (void)kiss_fft_alloc(SIDE, 0, NULL, &size);
    s->column_plan = bf_malloc(size);
    return s->column_plan && kiss_fft_alloc(SIDE, 0, s->column_plan, &size);
}

static workspace *workspace_new(void)
{
    workspace *space = bf_calloc(1, sizeof *space);
    if (!space || !make_plans(space)) {
        workspace_free(&space);
        return NULL;
    }
    for (int i = 0; i < SIDE; i++)
        space->window[i] = 0.5f - 0.5f * cosf(6.2831853f * ((float)i + 0.5f) / SIDE);
    return space;
}

/* Windowed luma of the patch whose first pixel is (x0, y0), without its mean. */
static void load_patch(workspace *s, const bf_image *image, int x0, int y0)
{
    int total = 0;
    for (int y = 0; y < SIDE; y++) {
        const uint8_t *p = image->pixels + (size_t)(y0 + y) * image->stride + (size_t)x0 * 3;
        for (int x = 0; x < SIDE; x++) {
            int luma = 77 * p[3 * x] + 150 * p[3 * x + 1] + 29 * p[3 * x + 2];
            s->pixels[y * SIDE + x] = (float)luma;
            total += luma / 256;
        }
    }
    float mean = (float)total / (SIDE * SIDE);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            float *pixel = &s->pixels[y * SIDE + x];
            *pixel = (*pixel / 256 - mean) * s->window[y] * s->window[x];
        }
    }
}

/* Power that rounding to 8 bits (variance 1/12) leaves in each bin under the window. */
static float rounding_power(void)
{
    const float window_energy = 0.375f * SIDE;
    return window_energy * window_energy / 12;
}

static int clamp_int(float value, int max)
{
    if (!(value > 0))
        return 0;
    return value > (float)max ? max : (int)value;
}

static void transform_patches(workspace *s, const bf_subject *subject)
{
    bf_rect box = subject->face->box;
    float width = bf_rect_width(box), height = bf_rect_height(box);
    float floor_power = rounding_power();
    for (int patch = 0; patch < PATCHES; patch++) {
        float centre_x = (box.x0 + box.x1) / 2 + (patch == 0 ? -0.15f : 0.15f) * width;
        float centre_y = (box.y0 + box.y1) / 2 + 0.1f * height;
        load_patch(s, subject->rgb, clamp_int(centre_x - SIDE / 2.0f, subject->rgb->width - SIDE),
                   clamp_int(centre_y - SIDE / 2.0f, subject->rgb->height - SIDE));
        for (int row = 0; row < SIDE; row++)
            kiss_fftr(s->row_plan, &s->pixels[row * SIDE], &s->rows[row * BINS]);
        for (int column = 0; column < BINS; column++)
            kiss_fft_stride(s->column_plan, &s->rows[column], &s->bins[column * SIDE], BINS);
        for (int i = 0; i < BINS * SIDE; i++) {
            float power = s->bins[i].r * s->bins[i].r + s->bins[i].i * s->bins[i].i + floor_power;
            s->power[i] = patch == 0 ? power : s->power[i] * power;
        }
    }
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < BINS; column++)
            s->log_power[row * BINS + column] = logf(s->power[column * SIDE + row]) / PATCHES;
    }
}

/* Mean of each bin's neighbours in its row; fewer at the ends. */
static void average_rows(workspace *s)
{
    for (int row = 0; row < SIDE; row++) {
        const float *in = &s->log_power[row * BINS];
        float sum = 0;
        int count = 0;
        for (int i = 0; i < BOX; i++, count++)
            sum += in[i];
        for (int column = 0; column < BINS; column++) {
            if (column + BOX < BINS) {
                sum += in[column + BOX];
                count++;
            }
            if (column - BOX - 1 >= 0) {
                sum -= in[column - BOX - 1];
                count--;
            }
            s->row_mean[row * BINS + column] = sum / (float)count;
        }
    }
}

/* Finds the bin that stands highest above its neighbourhood (rows wrap around). */
static void find_peak(const workspace *s, bf_spectrum_features *ret)
{
    float sum[BINS] = {0};
    for (int row = -BOX; row < BOX; row++) {
        for (int column = 0; column < BINS; column++)
            sum[column] += s->row_mean[((row + SIDE) % SIDE) * BINS + column];
    }
    ret->peak = -INFINITY;
    for (int row = 0; row < SIDE; row++) {
        const float *enter = &s->row_mean[((row + BOX) % SIDE) * BINS];
        const float *leave = &s->row_mean[((row + SIDE - BOX) % SIDE) * BINS];
        for (int column = 0; column < BINS; column++) {
            sum[column] += enter[column];
            float excess = s->log_power[row * BINS + column] - sum[column] / (2 * BOX + 1);
            if (excess > ret->peak && bin_usable(row, column)) {
                ret->peak = excess;
                ret->frequency = sqrtf((float)(column * column + signed_row(row) * signed_row(row))) / SIDE;
                ret->direction_deg = atan2f((float)signed_row(row), (float)column) * 57.29578f;
            }
            sum[column] -= leave[column];
        }
    }
}

static float texture_level(const workspace *s)
{
    float sum = 0;
    int count = 0;
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < BINS; column++) {
            int fy = signed_row(row);
            float square = (float)(column * column + fy * fy) / (SIDE * SIDE);
            if (square < TEXTURE_LOW * TEXTURE_LOW || square > TEXTURE_HIGH * TEXTURE_HIGH)
                continue;
            sum += s->log_power[row * BINS + column];
            count++;
        }
    }
    return sum / (float)count - logf(rounding_power());
}

bf_evidence_status bf_spectrum_measure(const bf_subject *subject, bf_spectrum_features *ret, const char **ret_why)
{
    bf_rect box = subject->face->box;
    if (!(bf_rect_width(box) >= FACE_SIDE_MIN_PX) || !(bf_rect_height(box) >= FACE_SIDE_MIN_PX) ||
        subject->rgb->width < SIDE || subject->rgb->height < SIDE) {
        *ret_why = "the face is too small to show a lattice";
        return BF_EVIDENCE_NOT_APPLICABLE;
    }
    BF_CLEANUP(workspace_free) workspace *space = workspace_new();
    if (!space) {
        *ret_why = "there was not enough memory";
        return BF_EVIDENCE_FAILED;
    }
    bf_spectrum_features f = {0};
    transform_patches(space, subject);
    f.texture = texture_level(space);
    if (!(f.texture >= TEXTURE_MIN)) {
        *ret_why = "the face is too soft to show a lattice";
        return BF_EVIDENCE_NOT_APPLICABLE;
    }
    average_rows(space);
    find_peak(space, &f);
    *ret = f;
    return BF_EVIDENCE_PRESENT;
}

void bf_spectrum_detect(const bf_subject *subject, bf_evidence *ret)
{
    *ret = (bf_evidence){.detector = BF_SPECTRUM_NAME, .version = BF_SPECTRUM_VERSION};
    bf_spectrum_features f;
    ret->status = bf_spectrum_measure(subject, &f, &ret->why);
    if (ret->status == BF_EVIDENCE_PRESENT && f.peak > PEAK_BY_CHANCE)
        ret->raw = (double)(PEAK_BY_CHANCE - f.peak);
}

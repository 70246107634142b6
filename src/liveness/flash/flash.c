/* Does the face answer the light of the screen, as a face does that is there now?
 *
 * The room's light, and a camera that adjusts itself, are unknown. So only colour relations are looked at, which
 * exposure does not change, and differences between face and room, which white balance does not change either. Light
 * that hardly shows says nothing: rooms are bright more often than people are forged. */
#include <math.h>
#include <string.h>

#include "liveness/flash/answer.h"
#include "liveness/flash/patches.h"
#include "liveness/sequence.h"

#define BEFORE_MS 600.0
#define AFTER_MS 1000.0
#define SEEN_SHARE_MIN 0.8
#define FIT_MIN 0.6
#define OTHERS_MAX 0.02
#define GAIN_MIN 0.025 /* log units per full light of the screen: below, it is noise and drift */
#define GAIN_ERRORS 5.0
#define GAIN_DARK 1.5
#define RATIO_ERROR_MAX 0.15
#define UNIFORM_MIN 0.8 /* what answers like the face is as near as the face */
#define NEARER_MAX 0.6
#define EVEN_MAX 0.05 /* spread over the face; below, it is lit like a sheet */
#define LEAP_SPAN_MS 450.0
#define LEAP_MIN 0.12 /* a head that turns a little changes less */
#define LEAPS_MIN 3
#define STALE_FIT_MAX 0.4 /* another light fits by 0.33 and less; this one on a face in strong blue light by 0.44 */
#define SHOWN_LAG_MIN_MS (-100.0)
#define SHOWN_LAG_MAX_MS 500.0

typedef struct flash_state {
    const bf_sequence *sequence;
    float table[256];
    double ms[BF_SEQUENCE_FRAMES_MAX];
    bf_patch_light light[BF_SEQUENCE_FRAMES_MAX][BF_PATCH_COUNT];
    int count;
    /* Filled at the end. */
    bf_flash_series face, patch, room;
} flash_state;

static void flash_begin(void *state, const bf_sequence *sequence)
{
    flash_state *s = state;
    s->sequence = sequence;
    bf_light_table(s->table);
}

static const bf_flash *flash_of(const flash_state *s)
{
    const bf_plan *plan = s->sequence->plan;
    bool usable = plan && plan->flash.form != BF_FLASH_NONE && plan->flash.each_ms > 0 &&
                  plan->flash.colour_count >= BF_PLAN_COLOURS_MIN && plan->flash.colour_count <= BF_PLAN_COLOURS_MAX;
    return usable ? &plan->flash : NULL;
}

static void flash_see(void *state, const bf_view *view)
{
    flash_state *s = state;
    const bf_flash *flash = flash_of(s);
    if (!flash || s->count >= BF_SEQUENCE_FRAMES_MAX || !view->face || !view->face->has_geometry)
        return;
    double until_ms = flash->from_ms + (double)flash->each_ms * flash->colour_count + AFTER_MS;
    if (!(view->ms >= flash->from_ms - BEFORE_MS && view->ms <= until_ms))
        return;
    s->ms[s->count] = view->ms;
    bf_patches_measure(view->rgb, view->face, s->table, s->light[s->count]);
    s->count++;
}

/* Whether a patch is seen in nearly all frames. */
static bool is_steady(const flash_state *s, int patch)
{
    int seen = 0;
    for (int i = 0; i < s->count; i++)
        seen += s->light[i][patch].seen;
    return seen > 0 && seen >= SEEN_SHARE_MIN * s->count;
}

/* The series of the patches first..end-1 that are steady, their light added up. False when there is none. */
static bool build_series(const flash_state *s, int first, int end, bf_flash_series *ret)
{
    bool steady[BF_PATCH_COUNT], any = false;
    for (int k = first; k < end; k++) {
        steady[k] = is_steady(s, k);
        any = any || steady[k];
    }
    for (int i = 0; i < s->count && any; i++) {
        float sum[3] = {0, 0, 0};
        ret->seen[i] = true;
        for (int k = first; k < end; k++) {
            const bf_patch_light *light = &s->light[i][k];
            if (!steady[k])
                continue;
            ret->seen[i] = ret->seen[i] && light->seen;
            for (int c = 0; c < 3; c++)
                sum[c] += light->rgb[c];
        }
        if (!ret->seen[i])
            continue;
        ret->at[i][0] = logf(sum[0] / sum[1]);
        ret->at[i][1] = logf(sum[2] / sum[1]);
        ret->at[i][2] = logf(0.25F * sum[0] + 0.6F * sum[1] + 0.15F * sum[2]);
    }
    return any;
}

static void subtract(const flash_state *s, const bf_flash_series *a, const bf_flash_series *b, bf_flash_series *ret)
{
    for (int i = 0; i < s->count; i++) {
        ret->seen[i] = a->seen[i] && b->seen[i];
        for (int k = 0; k < BF_FLASH_SIGNALS; k++)
            ret->at[i][k] = a->at[i][k] - b->at[i][k];
    }
}

/* What was found out about the flash of one capture. */
typedef struct finding {
    bf_flash_answer face, room; /* `room`: of the difference between the face and what answers least */
    double gain, error;         /* of the face */
    double side_ratio;          /* how the sides answer, per the face's answer: the lesser of both; NAN not known */
    double corner_ratio;        /* the same of the corners */
    int sides;                  /* that are known */
    double spread;              /* of the patches of the face, relative; NAN not known */
    int leaps;                  /* changes of colour that are too quick for the room's light */
} finding;

static double gain_of(flash_state *s, const bf_flash *flash, int patch, double lag_ms, double *ret_error)
{
    bf_flash_times times = {s->ms, s->count};
    bf_flash_slots slots;
    double gain = NAN;
    *ret_error = INFINITY;
    if (!build_series(s, patch, patch + 1, &s->patch))
        return NAN;
    bf_flash_slots_fill(flash, &times, &s->patch, lag_ms, &slots);
    if (slots.total > 0)
        bf_flash_gain(flash, &slots, &gain, ret_error);
    return gain;
}

/* How sides and corners answer; and whether the difference to the face, which no adjustment of the camera changes,
 * follows the flash. */
static void look_around(flash_state *s, const bf_flash *flash, finding *f)
{
    int least = -1;
    double least_ratio = INFINITY;
    for (int patch = BF_PATCH_FACE_COUNT; patch < BF_PATCH_COUNT; patch++) {
        double error = 0, ratio = gain_of(s, flash, patch, f->face.lag_ms, &error) / f->gain;
        if (!(f->gain > 0 && error / f->gain <= RATIO_ERROR_MAX) || isnan(ratio))
            continue;
        bool side = patch == BF_PATCH_LEFT_SIDE || patch == BF_PATCH_RIGHT_SIDE;
        double *kept = side ? &f->side_ratio : &f->corner_ratio;
        *kept = isnan(*kept) ? ratio : fmin(*kept, ratio);
        f->sides += side;
        if (ratio < least_ratio) {
            least_ratio = ratio;
            least = patch;
        }
    }
    if (least < 0 || !build_series(s, least, least + 1, &s->patch))
        return;
    bf_flash_times times = {s->ms, s->count};
    subtract(s, &s->face, &s->patch, &s->room);
    bf_flash_answer_find(flash, &times, &s->room, BF_FLASH_SIGNALS, &f->room);
}

static double face_spread(flash_state *s, const bf_flash *flash, const finding *f)
{
    double sum = 0, squares = 0;
    int count = 0;
    for (int patch = 0; patch < BF_PATCH_FACE_COUNT; patch++) {
        double error = 0, ratio = gain_of(s, flash, patch, f->face.lag_ms, &error) / f->gain;
        if (!(isfinite(ratio) && isfinite(error)))
            continue;
        sum += ratio;
        squares += ratio * ratio;
        count++;
    }
    return count >= 3 ? sqrt(fmax(squares / count - sum * sum / count / count, 0)) : (double)NAN;
}

/* How far the colour is from frame to frame apart, two frames on each side taken together. */
static double leap_at(const flash_state *s, int i)
{
    double sum = 0;
    if (i < 2 || i + 1 >= s->count || s->ms[i + 1] - s->ms[i - 2] > LEAP_SPAN_MS)
        return 0;
    for (int k = i - 2; k <= i + 1; k++) {
        if (!s->face.seen[k])
            return 0;
    }
    for (int c = 0; c < 2; c++) {
        double before = (double)(s->face.at[i - 2][c] + s->face.at[i - 1][c]) / 2;
        double after = (double)(s->face.at[i][c] + s->face.at[i + 1][c]) / 2;
        sum += (after - before) * (after - before);
    }
    return sqrt(sum);
}

/* Changes of the face's colour between two frames that stay: light of some screen or other. */
static int count_leaps(const flash_state *s, const bf_flash *flash)
{
    int leaps = 0;
    for (int i = 2; i < s->count; i++) {
        if (s->ms[i] < flash->from_ms)
            continue;
        double leap = leap_at(s, i);
        if (leap >= LEAP_MIN && leap > leap_at(s, i - 1) && leap >= leap_at(s, i + 1))
            leaps++;
    }
    return leaps;
}

static void examine(flash_state *s, const bf_flash *flash, finding *f)
{
    bf_flash_times times = {s->ms, s->count};
    bf_flash_slots slots;
    *f = (finding){.side_ratio = NAN, .corner_ratio = NAN, .spread = NAN};
    bf_flash_answer_find(flash, &times, &s->face, 2, &f->face);
    if (!f->face.judged)
        return;
    bf_flash_slots_fill(flash, &times, &s->face, f->face.lag_ms, &slots);
    bf_flash_gain(flash, &slots, &f->gain, &f->error);
    look_around(s, flash, f);
    f->spread = face_spread(s, flash, f);
    f->leaps = count_leaps(s, flash);
}

static bool is_fresh(const bf_flash_answer *answer)
{
    return answer->judged && answer->fit >= FIT_MIN && answer->others_share <= OTHERS_MAX;
}

/* What the answer is worth; `ret_code` names it. False when it is worth nothing. */
static bool weigh(const finding *f, double *ret_raw, const char **ret_code)
{
    bool strong = f->gain >= GAIN_MIN && f->gain >= GAIN_ERRORS * f->error;
    if (!strong || !(is_fresh(&f->face) || is_fresh(&f->room))) {
        *ret_code = "stale_response";
        *ret_raw = -2.5;
        return f->leaps >= LEAPS_MIN && f->face.fit < STALE_FIT_MAX && f->room.fit < STALE_FIT_MAX;
    }
    /* Where the screen is nearly the only light, near and far answer alike. */
    bool known = f->gain <= GAIN_DARK && (!isnan(f->side_ratio) || !isnan(f->corner_ratio));
    double least = fmin(f->side_ratio, f->corner_ratio);
    *ret_code = "fresh_response";
    *ret_raw = 1;
    if (known && least >= UNIFORM_MIN) {
        *ret_code = "uniform_response";
        *ret_raw = -2;
    } else if (known && f->sides == 2 && f->side_ratio >= UNIFORM_MIN) {
        *ret_code = "sheet_response";
        *ret_raw = -1;
    } else if (f->gain <= GAIN_DARK && f->spread < EVEN_MAX) {
        *ret_code = "even_response";
        *ret_raw = 0;
    } else if (known && f->side_ratio <= NEARER_MAX && f->spread >= EVEN_MAX) {
        *ret_code = "nearer_response";
        *ret_raw = 2;
    }
    return true;
}

/* What the page says it showed, against the plan. */
static void compare_shown(const flash_state *s, const bf_flash *flash, bf_sequence_evidence *ret)
{
    const bf_capture_file *file = s->sequence->file;
    int colour = 0;
    for (int i = 0; file && i < file->shown_count && i < BF_CAPTURE_SHOWN_MAX; i++) {
        const bf_capture_shown *shown = &file->shown[i];
        char word[BF_COLOUR_WORD_SIZE];
        if (shown->what[0] != '#' || colour >= flash->colour_count)
            continue;
        bf_colour_word(flash->colour[colour], word);
        double lag_ms = shown->ms - flash->from_ms - (double)colour * flash->each_ms;
        if (strcmp(word, shown->what) != 0 || !(lag_ms >= SHOWN_LAG_MIN_MS && lag_ms <= SHOWN_LAG_MAX_MS)) {
            bf_finding_add(ret, "flash_shown_otherwise", shown->ms, lag_ms);
            return;
        }
        colour++;
    }
}

static void add_figures(const finding *f, bf_sequence_evidence *ret)
{
    bf_figure_add(ret, "fit", f->face.fit);
    bf_figure_add(ret, "others_share", f->face.others_share);
    bf_figure_add(ret, "lag_ms", f->face.lag_ms);
    bf_figure_add(ret, "gain", f->gain);
    if (isfinite(f->error))
        bf_figure_add(ret, "gain_error", f->error);
    if (f->room.judged) {
        bf_figure_add(ret, "room_fit", f->room.fit);
        bf_figure_add(ret, "room_others_share", f->room.others_share);
    }
    if (!isnan(f->side_ratio))
        bf_figure_add(ret, "side_ratio", f->side_ratio);
    if (!isnan(f->corner_ratio))
        bf_figure_add(ret, "corner_ratio", f->corner_ratio);
    if (isfinite(f->spread))
        bf_figure_add(ret, "face_spread", f->spread);
    bf_figure_add(ret, "leaps", f->leaps);
}

static void flash_end(void *state, bf_sequence_evidence *ret)
{
    flash_state *s = state;
    const bf_flash *flash = flash_of(s);
    ret->evidence.status = BF_EVIDENCE_NOT_APPLICABLE;
    ret->evidence.why = "no flash was asked for";
    if (!flash)
        return;
    compare_shown(s, flash, ret);
    ret->evidence.why = "the face was not seen in enough frames of the flash";
    if (!build_series(s, 0, BF_PATCH_FACE_COUNT, &s->face))
        return;
    finding found;
    examine(s, flash, &found);
    if (!found.face.judged)
        return;
    add_figures(&found, ret);
    const char *code = NULL;
    ret->evidence.why = "the screen's light hardly shows";
    double raw = 0;
    if (!weigh(&found, &raw, &code))
        return;
    bf_finding_add(ret, code, flash->from_ms, found.gain);
    ret->evidence.status = BF_EVIDENCE_PRESENT;
    ret->evidence.why = NULL;
    ret->evidence.raw = raw;
}

const bf_sequence_detector bf_flash_detector = {
    .name = "sequence.flash",
    .version = "1.1.0",
    .against = BF_REASON_EVIDENCE_FLASH,
    .state_size = sizeof(flash_state),
    .begin = flash_begin,
    .see = flash_see,
    .end = flash_end,
};

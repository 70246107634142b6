/* Times: of the frames, of what the page says it showed, and against the plan that was given out. */
#include <math.h>
#include <string.h>

#include "integrity/look.h"

#define LATE_MS 1000.0    /* a page that is busy shows a step a little late */
#define BEYOND_MS 2000.0  /* what a capture may last longer than its plan */
#define SHORT_SHARE 0.6   /* a capture that ends before this share of its plan was cut off */
#define GAP_MS 1500.0     /* no picture for so long has a cause, which an honest page knows */
#define HIDDEN_MS 500.0   /* a glance at something else */
#define DRIFT_MS 500.0    /* two clocks of one machine over a few seconds */
#define REGULAR_FRAMES 20 /* as many equal intervals are no accident */
#define REGULAR_MS 0.05

/* A session's capture names the plan it answers. One that names another was made for another. */
static void look_at_nonce(const bf_integrity_input *input, bf_findings *findings)
{
    const char *named = input->file ? input->file->nonce : "";
    if (!input->plan)
        return;
    if (named[0] && strcmp(named, input->plan->nonce) != 0)
        bf_find(findings, BF_KIND_STALE_CHALLENGE, "answers %.16s, asked %.16s", named, input->plan->nonce);
    if (!named[0] && bf_plan_is_active(input->plan))
        bf_find(findings, BF_KIND_CHALLENGE_UNNAMED, "%s", input->file ? "capture file" : "no capture file");
}

static void look_at_duration(const bf_integrity_input *input, bf_findings *findings)
{
    const bf_capture_file *file = input->file;
    double planned = input->plan->duration_ms, lasted = file->frame[file->frame_count - 1].ms;
    if (planned > 0 && (lasted > planned + BEYOND_MS || lasted < planned * SHORT_SHARE))
        bf_find(findings, BF_KIND_DURATION_MISMATCH, "%.0f ms of %.0f planned", lasted, planned);
}

/* The next entry of what was shown, from *at on, that is this. -1 when there is none. */
static int find_shown(const bf_capture_file *file, const char *what, int at)
{
    for (int i = at; i < file->shown_count; i++) {
        if (strcmp(file->shown[i].what, what) == 0)
            return i;
    }
    return -1;
}

/* Whether `what` was shown after entry *at, which is moved on to it; also notes when it was shown at another time. */
static void expect_shown(const bf_capture_file *file, const char *what, double ms, int *at, bf_findings *findings)
{
    int found = find_shown(file, what, *at);
    if (found < 0) {
        bf_find(findings, BF_KIND_PLAN_NOT_SHOWN, "%s", what);
        return;
    }
    *at = found + 1;
    if (fabs(file->shown[found].ms - ms) > LATE_MS)
        bf_find(findings, BF_KIND_SHOWN_AT_OTHER_TIMES, "%s at %.0f ms instead of %.0f", what, file->shown[found].ms,
                ms);
}

/* Steps and colours are interleaved as the page pleases, so each list is looked for in its own order. */
static void look_at_shown(const bf_integrity_input *input, bf_findings *findings)
{
    const bf_plan *plan = input->plan;
    int at = 0;
    for (int i = 1; i < plan->step_count && i < BF_PLAN_STEPS_MAX; i++)
        expect_shown(input->file, bf_step_type_name(plan->step[i].type), plan->step[i].from_ms, &at, findings);
    at = 0;
    for (int i = 0; i < plan->flash.colour_count && i < BF_PLAN_COLOURS_MAX; i++) {
        char colour[BF_COLOUR_WORD_SIZE];
        bf_colour_word(plan->flash.colour[i], colour);
        expect_shown(input->file, colour, plan->flash.from_ms + (double)i * plan->flash.each_ms, &at, findings);
    }
}

/* Gaps that the page does not admit to, and intervals that no timer keeps. */
static void look_at_intervals(const bf_capture_file *file, const bf_report *report, bf_findings *findings)
{
    double longest = 0, shortest = INFINITY;
    for (int i = 1; i < file->frame_count; i++) {
        double interval = file->frame[i].ms - file->frame[i - 1].ms;
        longest = fmax(longest, interval);
        shortest = fmin(shortest, interval);
    }
    bool admitted = report->hidden_ms > 0 || report->frames_dropped > 0 || report->rotations > 0;
    if (longest >= GAP_MS && report->given && !admitted)
        bf_find(findings, BF_KIND_UNEXPLAINED_GAP, "%.0f ms", longest);
    if (file->frame_count > REGULAR_FRAMES && longest - shortest < REGULAR_MS)
        bf_find(findings, BF_KIND_REGULAR_TIMES, "%d intervals of %.2f ms", file->frame_count - 1, longest);
}

void bf_look_at_timing(const bf_integrity_input *input, const bf_report *report, bf_findings *findings)
{
    look_at_nonce(input, findings);
    if (report->hidden_ms > HIDDEN_MS)
        bf_find(findings, BF_KIND_PAGE_HIDDEN, "%.0f ms", report->hidden_ms);
    if (fabs(report->clock_drift_ms) > DRIFT_MS)
        bf_find(findings, BF_KIND_CLOCK_DRIFT, "%.0f ms", report->clock_drift_ms);
    if (!input->file || input->file->frame_count < 1)
        return;
    look_at_intervals(input->file, report, findings);
    if (!input->plan)
        return;
    look_at_duration(input, findings);
    look_at_shown(input, findings);
}

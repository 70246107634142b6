/* Do head, eyes, mouth and distance follow the asked steps, in order and in time?
 *
 * Time is the plan's and the frames'. A page may be a little late in showing a step, which the person's answer then is
 * too; it cannot move the plan: what is early by the plan is early. */
#include "liveness/challenge/challenge.h"

#include <math.h>
#include <string.h>

#include "liveness/challenge/response.h"

#define REACTION_MIN_MS 150.0 /* nobody reacts faster to what has to be read first */
#define LAG_MAX_MS 500.0      /* of the page, behind the plan */
#define LAG_MIN_MS (-100.0)
#define WEAK 0.5F
#define WEAK_SMILE 0.7F   /* lips are never at rest */
#define UNASKED_DEG 21.0F /* of a turn; people look about by less */
#define UNASKED_NOD_DEG 14.0F
#define UNASKED_FACE 1.5F
#define UNASKED_HEAD_MAX 1 /* somebody looked round once: ask again */
#define UNASKED_FACE_MAX 2
#define VISIBLE_FRAMES_MIN 4
#define VISIBLE_GAP_MS 700.0
#define BLINK_GAP_MS 80.0 /* shorter blinks than 100 ms are rare; see docs/reference/evidence.md */
#define LIDS_DEVIATION_MAX 0.12F

typedef struct challenge_state {
    const bf_sequence *sequence;
    bf_samples samples;
    bf_challenge_report report;
    /* Found at the end. */
    bf_responses responses[BF_STEP_TYPE_COUNT];
    float strength[BF_STEP_TYPE_COUNT][BF_SEQUENCE_FRAMES_MAX];
    double onset_ms[BF_PLAN_STEPS_MAX]; /* of the answer to each step that has one */
    int unasked_head, unasked_face;
} challenge_state;

const char *bf_challenge_outcome_name(bf_challenge_outcome outcome)
{
    switch (outcome) {
    case BF_CHALLENGE_FOLLOWED:
        return "followed";
    case BF_CHALLENGE_UNCLEAR:
        return "unclear";
    case BF_CHALLENGE_NOT_FOLLOWED:
        return "not_followed";
    case BF_CHALLENGE_NOT_ASKED:
        break;
    }
    return "not_asked";
}

const char *bf_step_result_name(bf_step_result result)
{
    static const char *const names[] = {"not_judged",   "followed",         "response_weak", "step_not_visible",
                                        "rate_too_low", "answered_early",   "answered_late", "wrong_side",
                                        "not_as_asked", "impossible_speed", "step_missing"};
    return (unsigned)result < sizeof names / sizeof *names ? names[result] : names[0];
}

/* What is particular to a movement. */
typedef struct trait {
    bf_step_type opposite; /* of a movement of the head; HOLD_STILL for others */
    float unasked_deg;     /* likewise: from here on one that nobody asked for counts */
    double weight;         /* of following it when asked: about how seldom it happens without being asked */
} trait;

static const trait traits[BF_STEP_TYPE_COUNT] = {
    [BF_STEP_TURN_LEFT] = {BF_STEP_TURN_RIGHT, UNASKED_DEG, 1},
    [BF_STEP_TURN_RIGHT] = {BF_STEP_TURN_LEFT, UNASKED_DEG, 1},
    [BF_STEP_LOOK_UP] = {BF_STEP_LOOK_DOWN, UNASKED_NOD_DEG, 1},
    [BF_STEP_LOOK_DOWN] = {BF_STEP_LOOK_UP, UNASKED_NOD_DEG, 1},
    [BF_STEP_MOVE_CLOSER] = {.weight = 1},
    [BF_STEP_BLINK] = {.weight = 0.3},
    [BF_STEP_SMILE] = {.weight = 0.6},
    [BF_STEP_OPEN_MOUTH] = {.weight = 0.8},
};

static bool is_head(bf_step_type type)
{
    return traits[type].opposite != BF_STEP_HOLD_STILL;
}

/* The strength from which on a movement that nobody asked for counts. */
static float unasked_peak(bf_step_type type)
{
    return is_head(type) ? traits[type].unasked_deg / bf_strength_degrees(type) : UNASKED_FACE;
}

/* Whether the head moved mainly in this direction: each angle leaks into the other. */
static bool is_main(const challenge_state *s, bf_step_type type, int frame)
{
    bool turn = type == BF_STEP_TURN_LEFT || type == BF_STEP_TURN_RIGHT;
    float own = s->strength[type][frame] * bf_strength_degrees(type), other = 0;
    bf_step_type across = turn ? BF_STEP_LOOK_UP : BF_STEP_TURN_LEFT;
    other = fabsf(s->strength[across][frame]) * bf_strength_degrees(across);
    return own >= other;
}

static void find_responses(challenge_state *s, const bf_plan *plan)
{
    for (int type = BF_STEP_HOLD_STILL + 1; type < BF_STEP_TYPE_COUNT; type++)
        bf_samples_strength(&s->samples, plan, (bf_step_type)type, s->strength[type]);
    for (int type = BF_STEP_HOLD_STILL + 1; type < BF_STEP_TYPE_COUNT; type++) {
        bf_responses *found = &s->responses[type];
        bf_responses_find(&s->samples, s->strength[type], (bf_step_type)type, found);
        if (!is_head((bf_step_type)type))
            continue;
        int kept = 0;
        for (int i = 0; i < found->count; i++) {
            if (is_main(s, (bf_step_type)type, found->at[i].peak_at))
                found->at[kept++] = found->at[i];
        }
        found->count = kept;
    }
}

/* When a step may be answered. */
typedef struct window {
    double before_ms;   /* the end of the step before */
    double earliest_ms; /* of an answer */
    double latest_ms;
    double next_ms; /* when somebody could react to the next step */
} window;

static double lag_of(const bf_capture_file *file, const bf_plan *plan, int step)
{
    int shown = 0;
    for (int i = 0; file && i < file->shown_count && i < BF_CAPTURE_SHOWN_MAX; i++) {
        if (file->shown[i].what[0] == '#')
            continue;
        if (shown++ == step)
            return file->shown[i].ms - plan->step[step].from_ms;
    }
    return 0;
}

static window window_of(const challenge_state *s, const bf_plan *plan, int step)
{
    const bf_step *of = &plan->step[step];
    /* Between two frames the onset is known to half of their distance. */
    double blur_ms = fmin(s->samples.frame_gap_ms, 200) / 2, lag_ms = lag_of(s->sequence->file, plan, step);
    bool last = step + 1 == plan->step_count;
    return (window){
        .before_ms = step > 0 ? plan->step[step - 1].until_ms : 0,
        .earliest_ms = of->from_ms + REACTION_MIN_MS - blur_ms,
        .latest_ms = of->until_ms + fmin(fmax(lag_ms, 0), LAG_MAX_MS),
        .next_ms = last ? INFINITY : plan->step[step + 1].from_ms + REACTION_MIN_MS - blur_ms,
    };
}

/* The first movement of this type that begins within a time, and is as strong as `peak_min`. */
static const bf_response *first_between(const challenge_state *s, bf_step_type type, double from_ms, double until_ms,
                                        float peak_min)
{
    const bf_responses *found = &s->responses[type];
    for (int i = 0; i < found->count; i++) {
        const bf_response *r = &found->at[i];
        if (r->onset_ms >= from_ms && r->onset_ms <= until_ms && r->peak >= peak_min)
            return r;
    }
    return NULL;
}

/* The strongest that a movement showed within a time, although it did not amount to an answer. */
static float strongest_between(const challenge_state *s, bf_step_type type, double from_ms, double until_ms)
{
    float strongest = 0;
    for (int i = 0; i < s->samples.count; i++) {
        double ms = s->samples.at[i].ms;
        if (ms >= from_ms && ms <= until_ms && s->strength[type][i] > strongest)
            strongest = s->strength[type][i];
    }
    return strongest;
}

/* Whether an answer within the time would have been seen. */
static bool is_visible(const challenge_state *s, bf_step_type type, double from_ms, double until_ms)
{
    int frames = 0;
    double last_ms = from_ms, gap_ms = 0;
    for (int i = 0; i < s->samples.count; i++) {
        double ms = s->samples.at[i].ms;
        if (ms < from_ms || ms > until_ms || isnan(s->strength[type][i]))
            continue;
        frames++;
        gap_ms = fmax(gap_ms, ms - last_ms);
        last_ms = ms;
    }
    return frames >= VISIBLE_FRAMES_MIN && fmax(gap_ms, until_ms - last_ms) <= VISIBLE_GAP_MS;
}

/* No answer was found: is that the person's doing? */
static bf_step_result explain_absence(const challenge_state *s, bf_step_type type, const window *w)
{
    if (!is_visible(s, type, w->earliest_ms, w->latest_ms))
        return BF_STEP_NOT_VISIBLE;
    if (type == BF_STEP_BLINK && s->samples.frame_gap_ms > BLINK_GAP_MS)
        return BF_STEP_RATE_TOO_LOW;
    float strongest = strongest_between(s, type, w->earliest_ms, w->latest_ms);
    return strongest >= (type == BF_STEP_SMILE ? WEAK_SMILE : WEAK) ? BF_STEP_WEAK : BF_STEP_MISSING;
}

static bf_step_result judge_step(challenge_state *s, const bf_plan *plan, int step)
{
    bf_step_type type = plan->step[step].type, opposite = traits[type].opposite;
    window w = window_of(s, plan, step);
    /* Glasses, or too few pixels: lids that tremble that much blink all the time, or never. */
    if (type == BF_STEP_BLINK && s->samples.lids_deviation > LIDS_DEVIATION_MAX)
        return BF_STEP_NOT_VISIBLE;
    const bf_response *answer = first_between(s, type, w.earliest_ms, w.latest_ms, 0), *other = NULL;
    if (is_head(type))
        other = first_between(s, opposite, w.earliest_ms, w.latest_ms, answer ? unasked_peak(opposite) : 0);
    if (answer) {
        s->onset_ms[step] = answer->onset_ms;
        /* Coming back too far is no second answer. */
        if (other && other->onset_ms < answer->peak_ms)
            return BF_STEP_NOT_AS_ASKED;
        if (other && other->peak > 0.6F * answer->peak)
            return BF_STEP_NOT_AS_ASKED;
        return answer->leapt ? BF_STEP_IMPOSSIBLE_SPEED : BF_STEP_FOLLOWED;
    }
    if (other)
        return BF_STEP_WRONG_SIDE;
    const bf_response *early = first_between(s, type, w.before_ms, w.earliest_ms, 0);
    if (early && type != BF_STEP_BLINK && early->end_ms > plan->step[step].from_ms)
        return BF_STEP_ANSWERED_EARLY;
    if (type != BF_STEP_BLINK && first_between(s, type, w.latest_ms, w.next_ms, 0))
        return BF_STEP_ANSWERED_LATE;
    return explain_absence(s, type, &w);
}

/* Whether any asked step accounts for a movement that began then: it was asked, or it is its opposite and was judged
 * with it. */
static bool is_accounted_for(const challenge_state *s, const bf_plan *plan, bf_step_type type, double onset_ms)
{
    for (int step = 1; step < plan->step_count; step++) {
        bf_step_type asked = plan->step[step].type;
        window w = window_of(s, plan, step);
        bool late = s->report.step[step] == BF_STEP_ANSWERED_LATE,
             early = s->report.step[step] == BF_STEP_ANSWERED_EARLY;
        if (onset_ms >= (early ? w.before_ms : w.earliest_ms) && onset_ms <= (late ? w.next_ms : w.latest_ms) &&
            (type == asked || type == traits[asked].opposite))
            return true;
    }
    return false;
}

/* Movements that nobody asked for. Blinks are nobody's business, and neither is where somebody sits. */
static void count_unasked(challenge_state *s, const bf_plan *plan, bf_sequence_evidence *ret)
{
    static const bf_step_type types[] = {BF_STEP_TURN_LEFT, BF_STEP_TURN_RIGHT, BF_STEP_LOOK_UP,
                                         BF_STEP_LOOK_DOWN, BF_STEP_SMILE,      BF_STEP_OPEN_MOUTH};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const bf_responses *found = &s->responses[types[t]];
        for (int i = 0; i < found->count; i++) {
            const bf_response *r = &found->at[i];
            if (r->peak < unasked_peak(types[t]) || is_accounted_for(s, plan, types[t], r->onset_ms))
                continue;
            int *count = is_head(types[t]) ? &s->unasked_head : &s->unasked_face;
            (*count)++;
            if (ret->finding_count < BF_FINDINGS_MAX - 4)
                bf_finding_add(ret, "unasked_movement", r->onset_ms, (double)r->peak);
        }
    }
}

/* What the page says it showed, against the plan. */
static void compare_shown(const challenge_state *s, const bf_plan *plan, bf_sequence_evidence *ret)
{
    const bf_capture_file *file = s->sequence->file;
    int step = 0;
    for (int i = 0; file && i < file->shown_count && i < BF_CAPTURE_SHOWN_MAX; i++) {
        const bf_capture_shown *shown = &file->shown[i];
        if (shown->what[0] == '#')
            continue;
        if (step >= plan->step_count || strcmp(shown->what, bf_step_type_name(plan->step[step].type)) != 0) {
            bf_finding_add(ret, "shown_otherwise", shown->ms, NAN);
            return;
        }
        double lag_ms = shown->ms - plan->step[step].from_ms;
        if (!(lag_ms >= LAG_MIN_MS && lag_ms <= LAG_MAX_MS))
            bf_finding_add(ret, "shown_out_of_time", shown->ms, lag_ms);
        step++;
    }
}

static bool is_against(bf_step_result result)
{
    return result >= BF_STEP_ANSWERED_EARLY;
}

static void conclude(challenge_state *s, bf_challenge_outcome outcome, const char *why)
{
    /* What is against somebody stays, whatever else could not be seen. */
    if (outcome <= s->report.outcome)
        return;
    s->report.outcome = outcome;
    s->report.why = why;
}

static void judge_steps(challenge_state *s, const bf_plan *plan, bf_sequence_evidence *ret)
{
    find_responses(s, plan);
    s->report.outcome = BF_CHALLENGE_FOLLOWED;
    for (int step = 1; step < plan->step_count; step++) {
        const bf_step *of = &plan->step[step];
        if (of->type == BF_STEP_HOLD_STILL)
            continue;
        bf_step_result result = judge_step(s, plan, step);
        s->report.step[step] = result;
        bool answered = result == BF_STEP_FOLLOWED || result == BF_STEP_IMPOSSIBLE_SPEED;
        bf_finding_add(ret, bf_step_result_name(result), of->from_ms,
                       answered ? s->onset_ms[step] - of->from_ms : (double)NAN);
        if (result != BF_STEP_FOLLOWED)
            conclude(s, is_against(result) ? BF_CHALLENGE_NOT_FOLLOWED : BF_CHALLENGE_UNCLEAR,
                     bf_step_result_name(result));
    }
    count_unasked(s, plan, ret);
    if (s->unasked_head > 0)
        conclude(s, s->unasked_head > UNASKED_HEAD_MAX ? BF_CHALLENGE_NOT_FOLLOWED : BF_CHALLENGE_UNCLEAR,
                 "unasked_movement");
    if (s->unasked_face > UNASKED_FACE_MAX)
        conclude(s, BF_CHALLENGE_NOT_FOLLOWED, "unasked_movement");
}

static double raw_of(const challenge_state *s, const bf_plan *plan)
{
    double raw = 0;
    for (int step = 1; step < plan->step_count; step++) {
        if (s->report.step[step] == BF_STEP_FOLLOWED)
            raw += traits[plan->step[step].type].weight;
        else if (is_against(s->report.step[step]))
            raw -= 2;
    }
    raw -= 0.7 * (s->unasked_head + s->unasked_face);
    if (s->report.outcome == BF_CHALLENGE_NOT_FOLLOWED)
        raw = fmin(raw, -3); /* what else was followed makes no amends */
    return fmin(fmax(raw, -6), 6);
}

static void add_figures(const challenge_state *s, const bf_plan *plan, bf_sequence_evidence *ret)
{
    int asked = 0, followed = 0;
    double reaction_ms = 0;
    for (int step = 1; step < plan->step_count; step++) {
        asked += plan->step[step].type != BF_STEP_HOLD_STILL;
        if (s->report.step[step] != BF_STEP_FOLLOWED)
            continue;
        followed++;
        reaction_ms += s->onset_ms[step] - plan->step[step].from_ms;
    }
    int seen = 0;
    for (int i = 0; i < s->samples.count; i++)
        seen += s->samples.at[i].seen;
    bf_figure_add(ret, "steps_asked", asked);
    bf_figure_add(ret, "steps_followed", followed);
    if (followed > 0)
        bf_figure_add(ret, "reaction_ms", reaction_ms / followed);
    bf_figure_add(ret, "unasked_head", s->unasked_head);
    bf_figure_add(ret, "unasked_face", s->unasked_face);
    bf_figure_add(ret, "frames_with_face", seen);
    bf_figure_add(ret, "frame_gap_ms", s->samples.frame_gap_ms);
}

static void challenge_begin(void *state, const bf_sequence *sequence)
{
    challenge_state *s = state;
    s->sequence = sequence;
    s->report.step_count = sequence->plan ? sequence->plan->step_count : 0;
}

static void challenge_see(void *state, const bf_view *view)
{
    challenge_state *s = state;
    if (s->sequence->plan)
        bf_samples_add(&s->samples, view);
}

static void challenge_end(void *state, bf_sequence_evidence *ret)
{
    challenge_state *s = state;
    const bf_plan *plan = s->sequence->plan;
    const bf_capture_file *file = s->sequence->file;
    ret->evidence.status = BF_EVIDENCE_NOT_APPLICABLE;
    ret->evidence.why = "nothing was asked";
    if (!plan || !bf_plan_is_active(plan))
        return;
    bf_samples_settle(&s->samples, plan);
    if (s->samples.rest.seen)
        judge_steps(s, plan, ret);
    else
        conclude(s, BF_CHALLENGE_UNCLEAR, "no_face_at_rest");
    compare_shown(s, plan, ret);
    if (file && file->nonce[0] != '\0' && strcmp(file->nonce, plan->nonce) != 0) {
        bf_finding_add(ret, "other_plan", -1, NAN);
        conclude(s, BF_CHALLENGE_NOT_FOLLOWED, "other_plan");
    }
    add_figures(s, plan, ret);
    ret->evidence.why = "too little of the asked steps could be seen";
    if (s->report.outcome == BF_CHALLENGE_UNCLEAR)
        return;
    ret->evidence.status = BF_EVIDENCE_PRESENT;
    ret->evidence.why = NULL;
    ret->evidence.raw = raw_of(s, plan);
}

void bf_challenge_read(const void *state, bf_challenge_report *ret)
{
    *ret = ((const challenge_state *)state)->report;
}

const bf_sequence_detector bf_challenge_detector = {
    .name = "sequence.challenge",
    .version = "1.0.0",
    .against = BF_REASON_EVIDENCE_CHALLENGE,
    .state_size = sizeof(challenge_state),
    .begin = challenge_begin,
    .see = challenge_see,
    .end = challenge_end,
};

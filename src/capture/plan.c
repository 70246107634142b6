#include "capture/plan.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"

#define TYPES_MAX (BF_STEP_TYPE_COUNT - 1) /* everything but hold_still can be asked */
#define ASKED_MAX 4                        /* a plan's steps besides the two hold_still at its ends */

/* Milliseconds. With `relaxed`, all but those of the flash are doubled. */
#define PASSIVE_MS 3000
#define HOLD_MS 1200 /* the baseline that later steps are measured against */
#define STEP_MS 2000
#define GAP_MIN_MS 300 /* the person reads the next step, and lets go of the last */
#define GAP_SPREAD_MS 600
#define TAIL_MS 400 /* a response that began in time ends, and the last colour arrives despite the camera's lag */
#define FLASH_LEAD_MS 300
#define FLASH_LEAD_SPREAD_MS 300
#define FLASH_ROOM_MS 4000
#define DURATION_MS 12000

/* An endless stream of bytes from the 64: SHA-256 over them and a counter. So that a choice can be drawn again until
 * it is unbiased, however often that takes. */
typedef struct chance {
    uint8_t seed[BF_PLAN_RANDOM_SIZE + 1];
    uint8_t block[32];
    size_t used;
} chance;

static int hex_value(char digit)
{
    return digit <= '9' ? digit - '0' : digit - 'a' + 10;
}

static void refill(chance *source)
{
    char hex[BF_SHA256_HEX_SIZE];
    bf_sha256_hex(source->seed, sizeof source->seed, hex);
    for (size_t i = 0; i < sizeof source->block; i++)
        source->block[i] = (uint8_t)(hex_value(hex[2 * i]) * 16 + hex_value(hex[2 * i + 1]));
    source->seed[BF_PLAN_RANDOM_SIZE]++;
    source->used = 0;
}

/* A number of 0..count-1, each as likely as any other; count is 1..65536. */
static int choose(chance *source, int count)
{
    unsigned limit = 65536u - 65536u % (unsigned)count;
    /* Half of all draws at worst are thrown away; 200 in a row are one chance in 2^200. */
    unsigned value = 0;
    for (int i = 0; i < 200; i++) {
        if (source->used + 2 > sizeof source->block)
            refill(source);
        value = (unsigned)source->block[source->used] * 256u + source->block[source->used + 1];
        source->used += 2;
        if (value < limit)
            break;
    }
    return (int)(value % (unsigned)count);
}

typedef enum ability { ABILITY_NONE, ABILITY_HEAD, ABILITY_EYES, ABILITY_MOUTH, ABILITY_DISTANCE } ability;

static ability ability_of(bf_step_type type)
{
    switch (type) {
    case BF_STEP_TURN_LEFT:
    case BF_STEP_TURN_RIGHT:
    case BF_STEP_LOOK_UP:
    case BF_STEP_LOOK_DOWN:
        return ABILITY_HEAD;
    case BF_STEP_BLINK:
        return ABILITY_EYES;
    case BF_STEP_SMILE:
    case BF_STEP_OPEN_MOUTH:
        return ABILITY_MOUTH;
    case BF_STEP_MOVE_CLOSER:
        return ABILITY_DISTANCE;
    case BF_STEP_HOLD_STILL:
    case BF_STEP_TYPE_COUNT:
        break;
    }
    return ABILITY_NONE;
}

/* What may be asked of this person. */
typedef struct repertoire {
    bf_step_type type[TYPES_MAX];
    int count;
    bool one_ability;
} repertoire;

static repertoire repertoire_of(const bf_plan_wish *wish)
{
    repertoire known = {.one_ability = true};
    for (int type = BF_STEP_HOLD_STILL + 1; type < BF_STEP_TYPE_COUNT; type++) {
        if (wish->exclude[type])
            continue;
        known.type[known.count++] = (bf_step_type)type;
        if (ability_of((bf_step_type)type) != ability_of(known.type[0]))
            known.one_ability = false;
    }
    return known;
}

/* Spells `code` as `count` steps, one digit each in base of the repertoire's size. */
static void spell(const repertoire *known, int code, int count, bf_step_type ret[ASKED_MAX])
{
    for (int i = 0; i < count && known->count > 0; i++) {
        ret[i] = known->type[code % known->count];
        code /= known->count;
    }
}

static bool is_fit(const repertoire *known, const bf_step_type *asked, int count)
{
    int closer = 0;
    bool varied = false;
    for (int i = 0; i < count; i++) {
        if (i > 0 && asked[i] == asked[i - 1])
            return false;
        closer += asked[i] == BF_STEP_MOVE_CLOSER;
        varied = varied || ability_of(asked[i]) != ability_of(asked[0]);
    }
    /* Whoever has moved closer is close: asking twice would need a step back that nobody explains. */
    return closer <= 1 && (varied || count < 2 || known->one_ability);
}

static int code_count(const repertoire *known, int count)
{
    int codes = 1;
    for (int i = 0; i < count; i++)
        codes *= known->count;
    return codes;
}

/* How many sequences of `count` steps are fit; at most 8^4 are looked at. */
static int fit_count(const repertoire *known, int count)
{
    int fit = 0;
    bf_step_type asked[ASKED_MAX] = {BF_STEP_HOLD_STILL};
    for (int code = 0; code < code_count(known, count); code++) {
        spell(known, code, count, asked);
        fit += is_fit(known, asked, count);
    }
    return fit;
}

/* All fit sequences are equally likely. */
static void choose_steps(chance *source, const repertoire *known, int count, bf_step_type ret[ASKED_MAX])
{
    int chosen = choose(source, fit_count(known, count));
    for (int code = 0; code < code_count(known, count); code++) {
        spell(known, code, count, ret);
        if (is_fit(known, ret, count) && chosen-- == 0)
            return;
    }
}

/* Full: the corners of the colour cube, a little inside so that no channel clips. */
static const uint8_t full_colour[][3] = {{255, 32, 32},  {32, 255, 32},  {32, 32, 255},   {255, 255, 32},
                                         {32, 255, 255}, {255, 32, 255}, {255, 255, 255}, {32, 32, 32}};
/* Gentle: one relative luminance (0.66 within 0.005), so that only the hue changes; no saturated red (WCAG 2.3.1). */
static const uint8_t gentle_colour[][3] = {{255, 199, 199}, {127, 236, 127}, {208, 208, 255},
                                           {240, 211, 110}, {110, 231, 231}, {255, 192, 255}};

typedef struct flash_kind {
    const uint8_t (*colour)[3];
    int colour_count;
    int each_min_ms, each_max_ms;
} flash_kind;

static flash_kind kind_of(bf_flash_form form)
{
    if (form == BF_FLASH_GENTLE)
        return (flash_kind){gentle_colour, sizeof gentle_colour / sizeof *gentle_colour, 500, 700};
    return (flash_kind){full_colour, sizeof full_colour / sizeof *full_colour, 400, 600};
}

const uint8_t (*bf_flash_palette(bf_flash_form form, int *ret_count))[3]
{
    if (form == BF_FLASH_NONE) {
        *ret_count = 0;
        return NULL;
    }
    flash_kind kind = kind_of(form);
    *ret_count = kind.colour_count;
    return kind.colour;
}

/* Colours of which none comes again within three: clearly different neighbours, and no two that take turns. */
static void choose_colours(chance *source, bf_flash_form form, int room_ms, bf_flash *ret)
{
    flash_kind kind = kind_of(form);
    int count_max = room_ms / kind.each_min_ms < BF_PLAN_COLOURS_MAX ? room_ms / kind.each_min_ms : BF_PLAN_COLOURS_MAX;
    ret->form = form;
    ret->colour_count = BF_PLAN_COLOURS_MIN + choose(source, count_max - BF_PLAN_COLOURS_MIN + 1);
    int each_max_ms = room_ms / ret->colour_count < kind.each_max_ms ? room_ms / ret->colour_count : kind.each_max_ms;
    ret->each_ms = kind.each_min_ms + choose(source, each_max_ms - kind.each_min_ms + 1);
    int last = -1, before = -1;
    for (int i = 0; i < ret->colour_count; i++) {
        int excluded = (last >= 0) + (before >= 0), chosen = choose(source, kind.colour_count - excluded);
        int low = last < before ? last : before, high = last < before ? before : last;
        /* Steps over the excluded ones, the lower first. */
        chosen += low >= 0 && chosen >= low;
        chosen += high >= 0 && chosen >= high;
        memcpy(ret->colour[i], kind.colour[chosen], sizeof ret->colour[i]);
        before = last;
        last = chosen;
    }
}

static int time_factor(const bf_plan_wish *wish)
{
    return wish->relaxed ? 2 : 1;
}

/* What remains of the capture's longest duration when `asked` steps have their time and their shortest gaps. */
static int spare_ms(const bf_plan_wish *wish, int asked)
{
    int gaps = asked + (wish->flash != BF_FLASH_NONE);
    int lead_ms = wish->flash != BF_FLASH_NONE ? FLASH_LEAD_MS + FLASH_LEAD_SPREAD_MS : 0;
    return time_factor(wish) * (DURATION_MS - HOLD_MS - TAIL_MS - asked * STEP_MS - gaps * GAP_MIN_MS) - lead_ms;
}

static bool has_time(const bf_plan_wish *wish, int asked)
{
    int flash_ms = wish->flash == BF_FLASH_NONE ? 0 : BF_PLAN_COLOURS_MIN * kind_of(wish->flash).each_min_ms;
    return spare_ms(wish, asked) >= flash_ms;
}

static int choose_count(chance *source, const bf_plan_wish *wish, const repertoire *known)
{
    int max = wish->steps_max;
    while (max > 0 && (!has_time(wish, max) || fit_count(known, max) == 0))
        max--;
    int min = wish->steps_min < max ? wish->steps_min : max;
    return min + choose(source, max - min + 1);
}

/* Adds a step behind the others and returns the time at which it ends. */
static int add_step(bf_plan *plan, bf_step_type type, int from_ms, int ms)
{
    plan->step[plan->step_count++] = (bf_step){type, from_ms, from_ms + ms};
    return from_ms + ms;
}

static void lay_out_passive(chance *source, const bf_plan_wish *wish, bf_plan *plan)
{
    int until_ms = PASSIVE_MS;
    if (wish->flash != BF_FLASH_NONE) {
        choose_colours(source, wish->flash, FLASH_ROOM_MS, &plan->flash);
        plan->flash.from_ms = HOLD_MS + choose(source, FLASH_LEAD_SPREAD_MS + 1);
        until_ms = plan->flash.from_ms + plan->flash.colour_count * plan->flash.each_ms + TAIL_MS;
    }
    plan->duration_ms = add_step(plan, BF_STEP_HOLD_STILL, 0, until_ms);
}

/* hold_still, the asked steps with gaps between, and, for a flash, another hold_still during it. */
static void lay_out_active(chance *source, const bf_plan_wish *wish, const bf_step_type *asked, int count,
                           bf_plan *plan)
{
    int factor = time_factor(wish), rest_ms = spare_ms(wish, count), flash_ms = 0;
    bool flash = wish->flash != BF_FLASH_NONE;
    if (flash) {
        choose_colours(source, wish->flash, rest_ms < FLASH_ROOM_MS ? rest_ms : FLASH_ROOM_MS, &plan->flash);
        flash_ms = plan->flash.colour_count * plan->flash.each_ms;
    }
    int gaps = count + flash, spread_ms = (rest_ms - flash_ms) / gaps;
    if (spread_ms > factor * GAP_SPREAD_MS)
        spread_ms = factor * GAP_SPREAD_MS;
    int at_ms = add_step(plan, BF_STEP_HOLD_STILL, 0, factor * HOLD_MS);
    for (int i = 0; i < count; i++) {
        at_ms += factor * GAP_MIN_MS + choose(source, spread_ms + 1);
        at_ms = add_step(plan, asked[i], at_ms, factor * STEP_MS);
    }
    if (flash) {
        at_ms += factor * GAP_MIN_MS + choose(source, spread_ms + 1);
        plan->flash.from_ms = at_ms + FLASH_LEAD_MS + choose(source, FLASH_LEAD_SPREAD_MS + 1);
        at_ms = add_step(plan, BF_STEP_HOLD_STILL, at_ms, plan->flash.from_ms + flash_ms - at_ms);
    }
    plan->duration_ms = at_ms + factor * TAIL_MS;
}

static bf_status check_wish(const bf_plan_wish *wish, bf_error *err)
{
    if (!bf_plan_is_nonce(wish->nonce) || wish->attempt < 1 || wish->attempt > BF_PLAN_ATTEMPT_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A plan needs a nonce of %d hex digits and an attempt from 1 to %d.",
                       BF_PLAN_NONCE_HEX, BF_PLAN_ATTEMPT_MAX);
    if (wish->steps_min < 0 || wish->steps_max < wish->steps_min || wish->steps_max > ASKED_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A plan asks for 0 to %d steps.", ASKED_MAX);
    if (wish->flash != BF_FLASH_NONE && wish->flash != BF_FLASH_FULL && wish->flash != BF_FLASH_GENTLE)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The flash is full, gentle or none.");
    return BF_OK;
}

bf_status bf_plan_make(const bf_plan_wish *wish, const uint8_t random[BF_PLAN_RANDOM_SIZE], bf_plan *ret, bf_error *err)
{
    bf_status status = check_wish(wish, err);
    if (status != BF_OK)
        return status;
    repertoire known = repertoire_of(wish);
    if (known.count == 0 && wish->steps_min > 0 && wish->flash == BF_FLASH_NONE)
        return bf_fail(err, BF_INVALID_ARGUMENT, "All steps are excluded and there is no flash: nothing can be asked.");
    chance source = {.used = sizeof source.block};
    memcpy(source.seed, random, BF_PLAN_RANDOM_SIZE);
    bf_plan plan = {.attempt = wish->attempt};
    memcpy(plan.nonce, wish->nonce, sizeof plan.nonce);
    int count = choose_count(&source, wish, &known);
    bf_step_type asked[ASKED_MAX] = {BF_STEP_HOLD_STILL};
    if (count > 0) {
        choose_steps(&source, &known, count, asked);
        lay_out_active(&source, wish, asked, count, &plan);
    } else {
        lay_out_passive(&source, wish, &plan);
    }
    *ret = plan;
    return BF_OK;
}

bool bf_plan_is_active(const bf_plan *plan)
{
    for (int i = 0; i < plan->step_count; i++) {
        if (plan->step[i].type != BF_STEP_HOLD_STILL)
            return true;
    }
    return false;
}

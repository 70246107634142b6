/* What the captures of a session are asked for: a new plan for every attempt, drawn at random, and what this person's
 * plans have to leave out. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "capture/file.h"
#include "record/parse.h"
#include "session/internal.h"

#define FRAMES_PER_SECOND 10
#define FRAMES_SPARE 20 /* of a camera that does not keep to the rate it was asked for */
#define FRAME_WIDTH 640
#define FRAME_HEIGHT 480
#define JPEG_QUALITY "0.75"
#define CAPTURE_BYTES_MAX (16u << 20) /* many times what such frames take */

/* ---- wishes ---- */

static bool flash_from_name(const char *name, bf_flash_form *ret)
{
    for (int form = BF_FLASH_NONE; form <= BF_FLASH_GENTLE; form++) {
        if (strcmp(name, bf_flash_form_name((bf_flash_form)form)) == 0) {
            *ret = (bf_flash_form)form;
            return true;
        }
    }
    return false;
}

static bf_status read_exclusions(const json_t *list, bf_capture_wish *wish, bf_error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        bf_step_type type;
        if (!name || !bf_step_type_from_name(name, &type) || type == BF_STEP_HOLD_STILL)
            return bf_fail(err, BF_INVALID_REQUEST, "capture.exclude: there is no step '%.24s' that can be left out.",
                           name ? name : "");
        wish->exclude[type] = true;
    }
    return BF_OK;
}

bf_status bf_wish_read(const json_t *capture, bf_capture_wish *ret, bf_error *err)
{
    bf_capture_wish wish = {.flash = BF_FLASH_FULL};
    const char *flash = json_string_value(json_object_get(capture, "flash"));
    const char *pace = json_string_value(json_object_get(capture, "pace"));
    bf_status status = read_exclusions(json_object_get(capture, "exclude"), &wish, err);
    if (status == BF_OK && flash && !flash_from_name(flash, &wish.flash))
        status = bf_fail(err, BF_INVALID_REQUEST, "capture.flash: must be full, gentle or none.");
    wish.relaxed = pace && strcmp(pace, "relaxed") == 0;
    if (status == BF_OK)
        *ret = wish;
    return status;
}

static json_t *exclusions_of(const bf_capture_wish *wish)
{
    json_t *list = json_array();
    for (int type = 0; list && type < BF_STEP_TYPE_COUNT; type++) {
        if (wish->exclude[type] &&
            json_array_append_new(list, json_string(bf_step_type_name((bf_step_type)type))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *bf_wish_json(const bf_capture_wish *wish)
{
    json_t *list = exclusions_of(wish);
    return list ? json_pack("{so ss ss}", "exclude", list, "flash", bf_flash_form_name(wish->flash), "pace",
                            wish->relaxed ? "relaxed" : "normal")
                : NULL;
}

bf_status bf_wish_keep(const bf_capture_wish *wish, bf_session *session, bf_error *err)
{
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    char *kept = NULL;
    bf_text_put(&text, NULL, bf_wish_json(wish));
    bf_status status = bf_text_take_string(&text, &kept, err);
    if (status != BF_OK)
        return status;
    bf_free_string(&session->wish);
    session->wish = kept;
    return BF_OK;
}

/* The gentler of two forms. */
static bf_flash_form gentler(bf_flash_form asked, bf_flash_form borne)
{
    if (asked == BF_FLASH_NONE || borne == BF_FLASH_NONE)
        return BF_FLASH_NONE;
    return asked == BF_FLASH_GENTLE ? asked : borne;
}

void bf_wish_add(bf_capture_wish *wish, const bf_capture_wish *more)
{
    for (int type = 0; type < BF_STEP_TYPE_COUNT; type++)
        wish->exclude[type] |= more->exclude[type];
    wish->flash = gentler(wish->flash, more->flash);
    wish->relaxed |= more->relaxed;
}

bool bf_wish_may_add(const bf_capture_wish *wish, const bf_capture_wish *more, bf_excuse excuse)
{
    bool steps = false, flash = more->flash == BF_FLASH_NONE && wish->flash != BF_FLASH_NONE;
    for (int type = 0; type < BF_STEP_TYPE_COUNT; type++)
        steps = steps || (more->exclude[type] && !wish->exclude[type]);
    return (!steps || (excuse & BF_EXCUSE_STEPS)) && (!flash || (excuse & BF_EXCUSE_FLASH));
}

bf_status bf_wish_of_session(const bf_session *session, bf_capture_wish *ret, bf_error *err)
{
    BF_CLEANUP(bf_json_release) json_t *kept = NULL;
    bf_status status = BF_OK;
    if (session->wish)
        status = bf_json_parse(session->wish, strlen(session->wish), "wish", &kept, err);
    return status == BF_OK ? bf_wish_read(kept, ret, err) : status;
}

/* ---- plans ---- */

static bool read_plan(const bf_session *session, bf_plan *ret)
{
    return session->plan && bf_plan_parse(session->plan, strlen(session->plan), ret, NULL) == BF_OK;
}

bool bf_session_plan_is_active(const bf_session *session)
{
    bf_plan plan;
    return read_plan(session, &plan) && (bf_plan_is_active(&plan) || plan.flash.form != BF_FLASH_NONE);
}

bool bf_session_plan_is_answered(const bf_session *session, const bf_judgement *judgement)
{
    bf_plan plan;
    if (!read_plan(session, &plan))
        return !session->active;
    if (bf_plan_is_active(&plan))
        return judgement->challenge && strcmp(judgement->challenge, "followed") == 0;
    return plan.flash.form == BF_FLASH_NONE || judgement->lit;
}

static bf_plan_wish wish_for(const bf_session *session, const bf_capture_ask *ask, const bf_capture_wish *wish)
{
    bf_plan_wish asked = {.attempt = session->attempt, .relaxed = wish->relaxed};
    (void)sodium_bin2hex(asked.nonce, sizeof asked.nonce, session->nonce, sizeof session->nonce);
    if (!ask->active)
        return asked;
    asked.steps_min = ask->steps_min;
    asked.steps_max = ask->steps_max;
    asked.flash = gentler(ask->flash, wish->flash);
    memcpy(asked.exclude, wish->exclude, sizeof asked.exclude);
    return asked;
}

bf_status bf_session_make_plan(const bf_service *service, bf_session *session, bf_error *err)
{
    uint8_t random[BF_PLAN_RANDOM_SIZE];
    bf_capture_wish wish;
    bf_capture_ask ask = {.active = false};
    bf_plan plan;
    char text[BF_PLAN_TEXT_MAX];
    bf_status status = bf_wish_of_session(session, &wish, err);
    if (status == BF_OK)
        status = bf_service_capture_ask(service, session, &ask, err);
    if (status != BF_OK)
        return status;
    session->active = ask.active;
    randombytes_buf(session->nonce, sizeof session->nonce);
    randombytes_buf(random, sizeof random);
    const bf_plan_wish asked = wish_for(session, &ask, &wish);
    status = bf_plan_make(&asked, random, &plan, err);
    sodium_memzero(random, sizeof random);
    if (status != BF_OK)
        return status;
    (void)bf_plan_write(&plan, text);
    char *kept = bf_strdup(text);
    if (!kept)
        return bf_fail_memory(err);
    bf_free_string(&session->plan);
    session->plan = kept;
    return BF_OK;
}

void bf_session_write_plan(const bf_session *session, bf_text *text, const char *key)
{
    bf_plan plan;
    char frames[256], whole[BF_PLAN_TEXT_MAX + sizeof frames];
    if (!read_plan(session, &plan)) {
        bf_text_raw(text, key, NULL);
        return;
    }
    int most = plan.duration_ms * FRAMES_PER_SECOND / 1000 + FRAMES_SPARE;
    (void)snprintf(frames, sizeof frames,
                   ",\"frames\":{\"per_second\":%d,\"width\":%d,\"height\":%d,\"jpeg_quality\":%s,\"frames_max\":%d},"
                   "\"bytes_max\":%u}",
                   FRAMES_PER_SECOND, FRAME_WIDTH, FRAME_HEIGHT, JPEG_QUALITY,
                   most < BF_CAPTURE_FRAMES_MAX ? most : BF_CAPTURE_FRAMES_MAX, CAPTURE_BYTES_MAX);
    /* The stored plan is what the judging process gets; what only the page needs goes in before its last brace. */
    size_t length = strlen(session->plan);
    (void)snprintf(whole, sizeof whole, "%.*s%s", (int)(length - 1), session->plan, frames);
    bf_text_raw(text, key, whole);
}

/* A plan as JSON, and back. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "capture/plan.h"

#define TEXT_MAX (64u << 10) /* of a plan that is read: the server adds keys of its own */
#define EACH_MIN_MS 50

static const char *const step_name[BF_STEP_TYPE_COUNT] = {
    [BF_STEP_HOLD_STILL] = "hold_still", [BF_STEP_TURN_LEFT] = "turn_left", [BF_STEP_TURN_RIGHT] = "turn_right",
    [BF_STEP_LOOK_UP] = "look_up",       [BF_STEP_LOOK_DOWN] = "look_down", [BF_STEP_MOVE_CLOSER] = "move_closer",
    [BF_STEP_BLINK] = "blink",           [BF_STEP_SMILE] = "smile",         [BF_STEP_OPEN_MOUTH] = "open_mouth"};

const char *bf_step_type_name(bf_step_type type)
{
    return (unsigned)type < BF_STEP_TYPE_COUNT ? step_name[type] : "unknown";
}

bool bf_step_type_from_name(const char *name, bf_step_type *ret)
{
    for (int type = 0; type < BF_STEP_TYPE_COUNT; type++) {
        if (strcmp(name, step_name[type]) == 0) {
            *ret = (bf_step_type)type;
            return true;
        }
    }
    return false;
}

void bf_colour_word(const uint8_t colour[3], char ret[BF_COLOUR_WORD_SIZE])
{
    (void)snprintf(ret, BF_COLOUR_WORD_SIZE, "#%02x%02x%02x", colour[0], colour[1], colour[2]);
}

bool bf_plan_is_nonce(const char *text)
{
    return strnlen(text, BF_PLAN_NONCE_HEX + 1) == BF_PLAN_NONCE_HEX &&
           strspn(text, "0123456789abcdef") == BF_PLAN_NONCE_HEX;
}

const char *bf_flash_form_name(bf_flash_form form)
{
    switch (form) {
    case BF_FLASH_FULL:
        return "full";
    case BF_FLASH_GENTLE:
        return "gentle";
    case BF_FLASH_NONE:
        break;
    }
    return "none";
}

typedef struct text {
    char *at;
    size_t length;
} text;

static void put(text *out, const char *format, ...) BF_PRINTF(2, 3);

static void put(text *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(out->at + out->length, BF_PLAN_TEXT_MAX - out->length, format, arguments);
    va_end(arguments);
    if (written > 0)
        out->length += (size_t)written;
    if (out->length >= BF_PLAN_TEXT_MAX)
        out->length = BF_PLAN_TEXT_MAX - 1;
}

static void put_flash(text *out, const bf_flash *flash)
{
    if (flash->form == BF_FLASH_NONE) {
        put(out, "null");
        return;
    }
    put(out, "{\"form\":\"%s\",\"colours\":[", bf_flash_form_name(flash->form));
    for (int i = 0; i < flash->colour_count && i < BF_PLAN_COLOURS_MAX; i++) {
        char word[BF_COLOUR_WORD_SIZE];
        bf_colour_word(flash->colour[i], word);
        put(out, "%s\"%s\"", i ? "," : "", word);
    }
    put(out, "],\"from_ms\":%d,\"each_ms\":%d}", flash->from_ms, flash->each_ms);
}

size_t bf_plan_write(const bf_plan *plan, char ret[BF_PLAN_TEXT_MAX])
{
    text out = {ret, 0};
    ret[0] = '\0';
    put(&out, "{\"nonce\":\"%.*s\",\"attempt\":%d,\"duration_ms\":%d,\"steps\":[", BF_PLAN_NONCE_HEX, plan->nonce,
        plan->attempt, plan->duration_ms);
    for (int i = 0; i < plan->step_count && i < BF_PLAN_STEPS_MAX; i++)
        put(&out, "%s{\"type\":\"%s\",\"from_ms\":%d,\"until_ms\":%d}", i ? "," : "",
            bf_step_type_name(plan->step[i].type), plan->step[i].from_ms, plan->step[i].until_ms);
    put(&out, "],\"flash\":");
    put_flash(&out, &plan->flash);
    put(&out, "}");
    return out.length;
}

static bf_status fail(bf_error *err, const char *what)
{
    return bf_fail(err, BF_INVALID_ARGUMENT, "The plan: %s.", what);
}

static bool get_integer(const json_t *object, const char *key, int min, int max, int *ret)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < min || number > max)
        return false;
    *ret = (int)number;
    return true;
}

static bool parse_nonce(const json_t *root, char ret[BF_PLAN_NONCE_HEX + 1])
{
    const char *nonce = json_string_value(json_object_get(root, "nonce"));
    if (!nonce || !bf_plan_is_nonce(nonce))
        return false;
    memcpy(ret, nonce, BF_PLAN_NONCE_HEX + 1);
    return true;
}

static bool parse_step(const json_t *object, int from_min_ms, int duration_ms, bf_step *ret)
{
    const char *name = json_string_value(json_object_get(object, "type"));
    return name && bf_step_type_from_name(name, &ret->type) &&
           get_integer(object, "from_ms", from_min_ms, duration_ms, &ret->from_ms) &&
           get_integer(object, "until_ms", ret->from_ms + 1, duration_ms, &ret->until_ms);
}

static bf_status parse_steps(const json_t *list, bf_plan *plan, bf_error *err)
{
    size_t count = json_array_size(list);
    if (count < 1 || count > BF_PLAN_STEPS_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The plan: there have to be 1 to %d steps.", BF_PLAN_STEPS_MAX);
    int from_min_ms = 0;
    for (size_t i = 0; i < count; i++) {
        if (!parse_step(json_array_get(list, i), from_min_ms, plan->duration_ms, &plan->step[i]))
            return bf_fail(err, BF_INVALID_ARGUMENT,
                           "The plan: step %zu has no known type, or its times are not in order.", i + 1);
        from_min_ms = plan->step[i].until_ms;
    }
    plan->step_count = (int)count;
    if (plan->step[0].type != BF_STEP_HOLD_STILL || plan->step[0].from_ms != 0)
        return fail(err, "the first step has to be hold_still, from 0 on");
    return BF_OK;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

static bool parse_colour(const json_t *value, uint8_t ret[3])
{
    const char *word = json_string_value(value);
    if (!word || strlen(word) != 7 || word[0] != '#')
        return false;
    for (int i = 0; i < 3; i++) {
        int high = hex_digit(word[1 + 2 * i]), low = hex_digit(word[2 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static bool parse_form(const json_t *value, bf_flash_form *ret)
{
    const char *name = json_string_value(value);
    if (!name || (strcmp(name, "full") != 0 && strcmp(name, "gentle") != 0))
        return false;
    *ret = strcmp(name, "full") == 0 ? BF_FLASH_FULL : BF_FLASH_GENTLE;
    return true;
}

static bf_status parse_flash(const json_t *object, bf_plan *plan, bf_error *err)
{
    if (!object || json_is_null(object))
        return BF_OK;
    bf_flash *flash = &plan->flash;
    const json_t *colours = json_object_get(object, "colours");
    size_t count = json_array_size(colours);
    if (!parse_form(json_object_get(object, "form"), &flash->form))
        return fail(err, "the flash's form has to be full or gentle");
    if (count < BF_PLAN_COLOURS_MIN || count > BF_PLAN_COLOURS_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The plan: a flash has %d to %d colours.", BF_PLAN_COLOURS_MIN,
                       BF_PLAN_COLOURS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!parse_colour(json_array_get(colours, i), flash->colour[i]))
            return fail(err, "a colour has to be written as #rrggbb");
    }
    flash->colour_count = (int)count;
    if (!get_integer(object, "from_ms", 0, plan->duration_ms, &flash->from_ms) ||
        !get_integer(object, "each_ms", EACH_MIN_MS, plan->duration_ms, &flash->each_ms) ||
        flash->each_ms > (plan->duration_ms - flash->from_ms) / flash->colour_count)
        return fail(err, "the flash does not lie within the capture");
    return BF_OK;
}

static bf_status parse_root(const json_t *root, bf_plan *ret, bf_error *err)
{
    bf_plan plan = {.attempt = 0};
    if (!json_is_object(root))
        return fail(err, "an object {...} is expected");
    if (!parse_nonce(root, plan.nonce))
        return fail(err, "the nonce has to be 64 hex digits in lower case");
    if (!get_integer(root, "attempt", 1, BF_PLAN_ATTEMPT_MAX, &plan.attempt))
        return fail(err, "attempt has to be a whole number from 1 on");
    if (!get_integer(root, "duration_ms", 1, BF_PLAN_DURATION_MAX_MS, &plan.duration_ms))
        return fail(err, "duration_ms is absent or too long");
    bf_status status = parse_steps(json_object_get(root, "steps"), &plan, err);
    if (status == BF_OK)
        status = parse_flash(json_object_get(root, "flash"), &plan, err);
    if (status == BF_OK)
        *ret = plan;
    return status;
}

bf_status bf_plan_parse(const char *json, size_t size, bf_plan *ret, bf_error *err)
{
    if (size > TEXT_MAX)
        return fail(err, "the document is too long");
    json_error_t fault = {0};
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        /* Where memory runs out inside the parser, most of its paths say nothing at all. */
        if (json_error_code(&fault) == json_error_out_of_memory || fault.text[0] == '\0')
            return bf_fail_memory(err);
        return fail(err, "it is not valid JSON");
    }
    bf_status status = parse_root(root, ret, err);
    json_decref(root);
    return status;
}

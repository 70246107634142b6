/* The client's report, read from JSON that anybody may have written. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "integrity/look.h"

static void spoil(bf_report *report, const char *key)
{
    if (!report->malformed[0])
        (void)snprintf(report->malformed, sizeof report->malformed, "%s", key);
}

/* object[key], NULL when it is missing or null. `object` may be NULL. */
static const json_t *member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return value && !json_is_null(value) ? value : NULL;
}

static const json_t *take_object(bf_report *report, const json_t *object, const char *key)
{
    const json_t *value = member(object, key);
    if (!value || json_is_object(value))
        return value;
    spoil(report, key);
    return NULL;
}

static void take_text(bf_report *report, const json_t *object, const char *key, char *ret, size_t size)
{
    const json_t *value = member(object, key);
    ret[0] = 0;
    if (!value)
        return;
    if (!json_is_string(value)) {
        spoil(report, key);
        return;
    }
    const char *text = json_string_value(value);
    size_t length = json_string_length(value), used = 0;
    for (size_t i = 0; i < length && used + 1 < size; i++)
        ret[used++] = (char)(text[i] >= 0x20 && text[i] <= 0x7e ? text[i] : '?');
    ret[used] = 0;
}

static double take_number(bf_report *report, const json_t *object, const char *key)
{
    const json_t *value = member(object, key);
    if (!value)
        return NAN;
    if (json_is_number(value) && isfinite(json_number_value(value)))
        return json_number_value(value);
    spoil(report, key);
    return NAN;
}

static bf_claim take_claim(bf_report *report, const json_t *object, const char *key)
{
    const json_t *value = member(object, key);
    if (!value)
        return BF_CLAIM_NONE;
    if (json_is_boolean(value))
        return json_is_true(value) ? BF_CLAIM_YES : BF_CLAIM_NO;
    spoil(report, key);
    return BF_CLAIM_NONE;
}

static bf_report_mode take_mode(bf_report *report, const json_t *object, const char *key)
{
    const json_t *mode = take_object(report, object, key);
    return (bf_report_mode){take_number(report, mode, "width"), take_number(report, mode, "height"),
                            take_number(report, mode, "frame_rate")};
}

/* The largest value of a capability, which browsers give as a range. Named as browsers name it, and optional. */
static double most_of(const json_t *capabilities, const char *key)
{
    const json_t *most = json_object_get(json_object_get(capabilities, key), "max");
    double value = json_is_number(most) ? json_number_value(most) : NAN;
    return isfinite(value) ? value : NAN;
}

static void take_camera(bf_report *report, const json_t *client)
{
    const json_t *camera = take_object(report, client, "camera");
    const json_t *capabilities = take_object(report, camera, "capabilities");
    report->camera_given = camera != NULL;
    take_text(report, camera, "label", report->label, sizeof report->label);
    take_text(report, camera, "facing", report->facing, sizeof report->facing);
    report->device_count = take_number(report, camera, "device_count");
    report->settings = take_mode(report, camera, "settings");
    report->requested = take_mode(report, camera, "requested");
    report->most = (bf_report_mode){most_of(capabilities, "width"), most_of(capabilities, "height"),
                                    most_of(capabilities, "frameRate")};
}

static void take_tamper(bf_report *report, const json_t *client)
{
    const json_t *tamper = take_object(report, client, "tamper");
    report->get_user_media_native = take_claim(report, tamper, "get_user_media_native");
    report->enumerate_devices_native = take_claim(report, tamper, "enumerate_devices_native");
    report->canvas_native = take_claim(report, tamper, "canvas_native");
}

static void take_timing(bf_report *report, const json_t *client)
{
    const json_t *timing = take_object(report, client, "timing");
    report->frames_dropped = take_number(report, timing, "frames_dropped");
    report->hidden_ms = take_number(report, timing, "hidden_ms");
    report->rotations = take_number(report, timing, "rotations");
    report->clock_drift_ms = take_number(report, timing, "clock_drift_ms");
}

/* What an SDK in an app has found out about its device. */
static void take_device(bf_report *report, const json_t *client)
{
    static const bf_kind flags[] = {BF_KIND_EMULATOR,       BF_KIND_ROOTED,          BF_KIND_DEBUGGER,
                                    BF_KIND_HOOKED_API,     BF_KIND_SCREEN_CAPTURE,  BF_KIND_REMOTE_CONTROL,
                                    BF_KIND_VIRTUAL_CAMERA, BF_KIND_INJECTED_STREAM, BF_KIND_ATTESTATION_FAILED};
    int count = 0;
    const bf_signal_kind *kinds = bf_signal_kinds(&count);
    const json_t *device = take_object(report, client, "device");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        report->device[flags[i]] = take_claim(report, device, kinds[flags[i]].name) == BF_CLAIM_YES;
}

/* Our page gives all of this whatever the browser. */
static void check_complete(bf_report *report, const json_t *client)
{
    static const char *const keys[] = {"user_agent", "platform", "language", "screen", "touch_points",
                                       "webdriver",  "capture",  "camera",   "tamper", "timing"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!member(client, keys[i]))
            spoil(report, keys[i]);
    }
}

bool bf_report_is_web(const bf_report *report)
{
    return strncmp(report->sdk, "bonafide-web/", 13) == 0;
}

void bf_report_read(const json_t *client, bf_report *ret)
{
    *ret = (bf_report){.given = json_is_object(client)};
    if (client && !ret->given)
        spoil(ret, "client");
    if (!ret->given)
        client = NULL;
    take_text(ret, client, "sdk", ret->sdk, sizeof ret->sdk);
    take_text(ret, client, "user_agent", ret->user_agent, sizeof ret->user_agent);
    take_text(ret, client, "platform", ret->platform, sizeof ret->platform);
    take_text(ret, client, "capture", ret->capture, sizeof ret->capture);
    const json_t *screen = take_object(ret, client, "screen");
    ret->screen_width = take_number(ret, screen, "width");
    ret->screen_height = take_number(ret, screen, "height");
    ret->pixel_ratio = take_number(ret, screen, "pixel_ratio");
    ret->touch_points = take_number(ret, client, "touch_points");
    ret->webdriver = take_claim(ret, client, "webdriver");
    ret->mirrored = take_claim(ret, client, "mirrored");
    take_camera(ret, client);
    take_tamper(ret, client);
    take_timing(ret, client);
    take_device(ret, client);
    if (bf_report_is_web(ret))
        check_complete(ret, client);
}

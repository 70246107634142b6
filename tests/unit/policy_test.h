/* What the tests of policies share: where the files are, and an input that nothing is wrong with. */
#ifndef BF_TESTS_POLICY_TEST_H
#define BF_TESTS_POLICY_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules.h"

/* Every shipped journey. */
static const char *const SHIPPED[] = {"account_opening",  "login_step_up", "high_value_transaction",
                                      "account_recovery", "video_kyc",     "browser_first"};
#define SHIPPED_COUNT (sizeof SHIPPED / sizeof *SHIPPED)

static const bf_channel CHANNELS[] = {BF_CHANNEL_UNSPECIFIED, BF_CHANNEL_ANDROID_APP, BF_CHANNEL_IOS_APP,
                                      BF_CHANNEL_MOBILE_WEB,  BF_CHANNEL_DESKTOP_WEB, BF_CHANNEL_KIOSK};
#define CHANNEL_COUNT (sizeof CHANNELS / sizeof *CHANNELS)

/* A path in the source tree. */
static inline const char *source_path(const char *name, char *buffer, size_t size)
{
    const char *root = getenv("BONAFIDE_SOURCE_DIR");
    (void)snprintf(buffer, size, "%s/%s", root ? root : ".", name);
    return buffer;
}

static inline bf_policy *load_policy(const char *name)
{
    char relative[512], path[4096];
    bf_error err = {0};
    bf_policy *policy = NULL;
    (void)snprintf(relative, sizeof relative, "%s.yaml", name);
    if (bf_policy_read(source_path(relative, path, sizeof path), &policy, &err) != BF_OK)
        print_error("%s\n", err.message);
    assert_non_null(policy);
    return policy;
}

static inline bf_policy *load_shipped(const char *flow)
{
    char name[256];
    (void)snprintf(name, sizeof name, "policies/%s", flow);
    return load_policy(name);
}

/* Halfway between the thresholds of a channel: uncertain liveness, a weak match. */
static inline double uncertain_probability(const bf_policy *policy, bf_channel channel)
{
    const bf_policy_settings *settings = bf_policy_settings_of(policy, channel);
    return (settings->uncertain + settings->pass) / 2;
}

static inline double weak_similarity(const bf_policy *policy, bf_channel channel)
{
    const bf_policy_settings *settings = bf_policy_settings_of(policy, channel);
    return (settings->weak + settings->strong) / 2;
}

/* Native values as a good photo has them: they pass every shipped gate. */
static inline bf_quality good_quality(void)
{
    bf_quality quality = {0};
    for (int i = 0; i < BF_MEASURE_COUNT; i++)
        quality.measure[i] = (bf_measure){.status = BF_MEASURE_ASSESSED, .native = 0, .value = 95};
    quality.measure[BF_MEASURE_SINGLE_FACE_PRESENT].native = 1;
    quality.measure[BF_MEASURE_INTER_EYE_DISTANCE].native = 110;
    quality.measure[BF_MEASURE_HEAD_SIZE].native = 0.3;
    quality.measure[BF_MEASURE_LEFTWARD_CROP].native = 3;
    quality.measure[BF_MEASURE_RIGHTWARD_CROP].native = 3;
    quality.measure[BF_MEASURE_MARGIN_ABOVE].native = 1.5;
    quality.measure[BF_MEASURE_MARGIN_BELOW].native = 2;
    quality.measure[BF_MEASURE_LUMINANCE_MEAN].native = 0.5;
    quality.measure[BF_MEASURE_LUMINANCE_VARIANCE].native = 0.016;
    quality.measure[BF_MEASURE_DYNAMIC_RANGE].native = 7;
    quality.measure[BF_MEASURE_ILLUMINATION_UNIFORMITY].native = 0.8;
    quality.measure[BF_MEASURE_BACKLIGHT_PREVENTION].native = 1;
    quality.measure[BF_MEASURE_SHARPNESS].native = 0.35;
    quality.measure[BF_MEASURE_COMPRESSION_ARTIFACTS].native = 80;
    quality.measure[BF_MEASURE_EYES_OPEN].native = 0.08;
    quality.measure[BF_MEASURE_EYES_VISIBLE].native = 0.95;
    quality.measure[BF_MEASURE_FACE_OCCLUSION_PREVENTION].native = 0.95;
    quality.measure[BF_MEASURE_RESOLUTION].native = 1080;
    return quality;
}

/* Live, matched, low risk, first attempt. */
static inline bf_policy_input good_input(const bf_quality *quality)
{
    return (bf_policy_input){.judging = BF_OK,
                             .quality = quality,
                             .liveness_present = true,
                             .live_probability = 1,
                             .match_requested = true,
                             .reference_status = BF_OK,
                             .match_present = true,
                             .match_similarity = 1,
                             .channel = BF_CHANNEL_UNSPECIFIED,
                             .risk = {.risk_tier = BF_RISK_LOW, .document_confidence = -1}};
}

#endif

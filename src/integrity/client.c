/* The browser or device that the client says it is: tampering, automation, and what cannot go together. */
#include <math.h>
#include <string.h>

#include "integrity/look.h"

static bool has(const char *words, const char *pattern)
{
    return strstr(words, pattern) != NULL;
}

bf_engine_claim bf_engine_of(const char *user_agent)
{
    char words[516];
    bf_words_of(user_agent, words, sizeof words);
    if (has(words, " iphone ") || has(words, " ipad ") || has(words, " ipod "))
        return BF_ENGINE_CLAIM_WEBKIT;
    if (has(words, " chrome ") || has(words, " chromium ") || has(words, " headlesschrome "))
        return BF_ENGINE_CLAIM_CHROMIUM;
    if (has(words, " firefox "))
        return BF_ENGINE_CLAIM_GECKO;
    return has(words, " applewebkit ") ? BF_ENGINE_CLAIM_WEBKIT : BF_ENGINE_CLAIM_OTHER;
}

static void look_for_tampering(const bf_report *report, bf_findings *findings)
{
    if (report->get_user_media_native == BF_CLAIM_NO)
        bf_find(findings, BF_KIND_GET_USER_MEDIA_REPLACED, "%s", "");
    if (report->enumerate_devices_native == BF_CLAIM_NO)
        bf_find(findings, BF_KIND_ENUMERATE_DEVICES_REPLACED, "%s", "");
    if (report->canvas_native == BF_CLAIM_NO)
        bf_find(findings, BF_KIND_CANVAS_REPLACED, "%s", "");
}

static void look_for_automation(const bf_report *report, const char *agent, bf_findings *findings)
{
    static const char *const headless[] = {" headlesschrome ", " headless ", " phantomjs ", " slimerjs ", " jsdom "};
    if (report->webdriver == BF_CLAIM_YES)
        bf_find(findings, BF_KIND_AUTOMATED_BROWSER, "%s", "");
    for (size_t i = 0; i < sizeof headless / sizeof *headless; i++) {
        if (has(agent, headless[i]))
            bf_find(findings, BF_KIND_HEADLESS_BROWSER, "%.90s", report->user_agent);
    }
    /* Privacy modes round the size of the screen; none makes it nothing. */
    double width = report->screen_width, height = report->screen_height, ratio = report->pixel_ratio;
    if (width <= 0 || height <= 0 || width > 65535 || height > 65535 || ratio <= 0 || ratio > 32)
        bf_find(findings, BF_KIND_IMPOSSIBLE_SCREEN, "%gx%g, %g px each", width, height, ratio);
}

/* The operating systems that can be told from both sides. A desktop page asked for on a phone claims Linux or a Mac and
 * leaves the platform a Linux or a Mac, so phones are looked at only where the user agent admits to one. */
typedef enum family { FAMILY_UNKNOWN, FAMILY_WINDOWS, FAMILY_APPLE, FAMILY_LINUX } family;

static family family_of_agent(const char *agent)
{
    if (has(agent, " iphone ") || has(agent, " ipad ") || has(agent, " ipod ") || has(agent, " macintosh "))
        return FAMILY_APPLE;
    if (has(agent, " windows nt "))
        return FAMILY_WINDOWS;
    return has(agent, " android ") || has(agent, " linux ") || has(agent, " cros ") ? FAMILY_LINUX : FAMILY_UNKNOWN;
}

static family family_of_platform(const char *platform)
{
    if (has(platform, " win") || has(platform, " windows "))
        return FAMILY_WINDOWS;
    if (has(platform, " iphone ") || has(platform, " ipad ") || has(platform, " ipod ") || has(platform, " mac"))
        return FAMILY_APPLE;
    return has(platform, " linux ") || has(platform, " android ") || has(platform, " chrome os ") ? FAMILY_LINUX
                                                                                                  : FAMILY_UNKNOWN;
}

/* What cannot be true of the machine that it claims to be; "" when nothing is wrong. */
static const char *contradiction(const bf_report *report, const char *agent)
{
    char platform[sizeof report->platform + 2];
    bf_words_of(report->platform, platform, sizeof platform);
    family says = family_of_agent(agent), runs = family_of_platform(platform);
    if (says != FAMILY_UNKNOWN && runs != FAMILY_UNKNOWN && says != runs)
        return "another system";
    bool iphone = has(agent, " iphone "), android = has(agent, " android ");
    if (iphone && has(platform, " mac"))
        return "a phone on a computer";
    if (android && (has(platform, " linux x86") || has(platform, " linux i")))
        return "a phone with a computer's processor";
    if ((iphone || (android && has(agent, " mobile "))) && report->touch_points == 0)
        return "a phone without touch";
    return "";
}

static void look_for_emulators(const bf_report *report, const char *agent, bf_findings *findings)
{
    /* Names that emulators give the device they stand for. */
    static const char *const models[] = {" sdk gphone",       " google sdk ", " android sdk built for ",
                                         " emulator ",        " emulator64 ", " genymotion ",
                                         " bluestacks ",      " nox ",        " vbox86p ",
                                         " iphone simulator "};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (has(agent, models[i]))
            bf_find(findings, BF_KIND_EMULATOR, "%.90s", report->user_agent);
    }
}

void bf_look_at_client(const bf_integrity_input *input, const bf_report *report, bf_findings *findings)
{
    (void)input;
    char agent[sizeof report->user_agent + 2];
    bf_words_of(report->user_agent, agent, sizeof agent);
    look_for_tampering(report, findings);
    look_for_automation(report, agent, findings);
    look_for_emulators(report, agent, findings);
    const char *wrong = contradiction(report, agent);
    if (wrong[0])
        bf_find(findings, BF_KIND_PLATFORM_MISMATCH, "%s: '%.50s'", wrong, report->platform);
    for (int kind = 0; kind < BF_KIND_COUNT; kind++) {
        if (report->device[kind])
            bf_find(findings, (bf_kind)kind, "%s", "said by the SDK");
    }
}

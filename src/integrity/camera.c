/* The camera that the client names and describes, against the frames that came. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "integrity/look.h"

/* Names of cameras that are programs, as browsers show them; " word " stands alone. From the programs' own manuals and
 * sources; docs/reference/integrity.md says which program each belongs to. A label is easily changed, so its absence
 * proves nothing. */
static const struct {
    const char *pattern;
    bf_kind kind;
} CAMERAS[] = {
    /* What browsers offer for tests. */
    {" fake device ", BF_KIND_TEST_CAMERA},
    {" fake webcam ", BF_KIND_TEST_CAMERA},
    {" default video device ", BF_KIND_TEST_CAMERA},
    {" mock video device ", BF_KIND_TEST_CAMERA},
    {" mjpeg ", BF_KIND_TEST_CAMERA},
    {" y4m ", BF_KIND_TEST_CAMERA},
    /* Anything can be played through these. */
    {" obs ", BF_KIND_VIRTUAL_CAMERA},
    {"manycam", BF_KIND_VIRTUAL_CAMERA},
    {"xsplit", BF_KIND_VIRTUAL_CAMERA},
    {"splitcam", BF_KIND_VIRTUAL_CAMERA},
    {"camtwist", BF_KIND_VIRTUAL_CAMERA},
    {"webcamoid", BF_KIND_VIRTUAL_CAMERA},
    {"akvcam", BF_KIND_VIRTUAL_CAMERA},
    {"v4l2loopback", BF_KIND_VIRTUAL_CAMERA},
    {" dummy video ", BF_KIND_VIRTUAL_CAMERA},
    {"e2esoft", BF_KIND_VIRTUAL_CAMERA},
    {" vcam", BF_KIND_VIRTUAL_CAMERA},
    {"unity video capture", BF_KIND_VIRTUAL_CAMERA},
    {"spoutcam", BF_KIND_VIRTUAL_CAMERA},
    {" ndi ", BF_KIND_VIRTUAL_CAMERA},
    {" vmix ", BF_KIND_VIRTUAL_CAMERA},
    {"wirecast", BF_KIND_VIRTUAL_CAMERA},
    {"mmhmm", BF_KIND_VIRTUAL_CAMERA},
    {"chromacam", BF_KIND_VIRTUAL_CAMERA},
    {"sparkocam", BF_KIND_VIRTUAL_CAMERA},
    {"altercam", BF_KIND_VIRTUAL_CAMERA},
    {"webcammax", BF_KIND_VIRTUAL_CAMERA},
    {"cyberlink webcam", BF_KIND_VIRTUAL_CAMERA},
    {"streamlabs", BF_KIND_VIRTUAL_CAMERA},
    {"prism live", BF_KIND_VIRTUAL_CAMERA},
    {"virtual", BF_KIND_VIRTUAL_CAMERA},
    /* Another face, or a figure. */
    {"avatarcam", BF_KIND_VIRTUAL_CAMERA},
    {"avatarify", BF_KIND_VIRTUAL_CAMERA},
    {"animaze", BF_KIND_VIRTUAL_CAMERA},
    {"facerig", BF_KIND_VIRTUAL_CAMERA},
    {"vtubestudio", BF_KIND_VIRTUAL_CAMERA},
    {"vtube studio", BF_KIND_VIRTUAL_CAMERA},
    {"snap camera", BF_KIND_VIRTUAL_CAMERA},
    {"youcam", BF_KIND_VIRTUAL_CAMERA},
    {"deepfacelive", BF_KIND_VIRTUAL_CAMERA},
    {"swapface", BF_KIND_VIRTUAL_CAMERA},
    {"facemagic", BF_KIND_VIRTUAL_CAMERA},
    /* A real camera whose picture is changed. */
    {"nvidia broadcast", BF_KIND_ALTERED_CAMERA},
    {"logi capture", BF_KIND_ALTERED_CAMERA},
    {"logitech capture", BF_KIND_ALTERED_CAMERA},
    {"krisp", BF_KIND_ALTERED_CAMERA},
    {"ecamm", BF_KIND_ALTERED_CAMERA},
    /* A phone or a photo camera that a program passes on. */
    {"droidcam", BF_KIND_RELAYED_CAMERA},
    {"iriun", BF_KIND_RELAYED_CAMERA},
    {"epoccam", BF_KIND_RELAYED_CAMERA},
    {"ivcam", BF_KIND_RELAYED_CAMERA},
    {" camo ", BF_KIND_RELAYED_CAMERA},
    {"reincubate", BF_KIND_RELAYED_CAMERA},
    {" ip webcam ", BF_KIND_RELAYED_CAMERA},
    {"eos webcam utility", BF_KIND_RELAYED_CAMERA},
};

static void look_at_label(const bf_report *report, bf_findings *findings)
{
    char words[sizeof report->label + 2];
    if (!report->label[0]) {
        bf_find(findings, BF_KIND_CAMERA_UNNAMED, "%s", "");
        return;
    }
    bf_words_of(report->label, words, sizeof words);
    for (size_t i = 0; i < sizeof CAMERAS / sizeof *CAMERAS; i++) {
        if (!strstr(words, CAMERAS[i].pattern))
            continue;
        bf_find(findings, CAMERAS[i].kind, "%.90s", report->label);
        return; /* the first row is the gravest reading of a name */
    }
}

/* A setting that the capabilities do not allow; one part in a hundred for rates such as 29.97. */
static bool is_beyond(double setting, double most)
{
    return setting > most * 1.01; /* false for NAN */
}

static void look_at_claims(const bf_report *report, bf_findings *findings)
{
    const bf_report_mode *set = &report->settings, *asked = &report->requested, *most = &report->most;
    /* A phone held upright may name width and height the other way round. */
    double side = fmax(most->width, most->height);
    if (is_beyond(set->width, side) || is_beyond(set->height, side) || is_beyond(set->frame_rate, most->frame_rate))
        bf_find(findings, BF_KIND_SETTINGS_BEYOND_CAPABILITIES, "%gx%g at %g of at most %gx%g at %g", set->width,
                set->height, set->frame_rate, most->width, most->height, most->frame_rate);
    bool upright = set->width == asked->width && set->height == asked->height;
    bool turned = set->width == asked->height && set->height == asked->width;
    if (set->width > 0 && asked->width > 0 && set->height > 0 && asked->height > 0 && !upright && !turned)
        bf_find(findings, BF_KIND_SIZE_NOT_AS_REQUESTED, "asked for %gx%g, got %gx%g", asked->width, asked->height,
                set->width, set->height);
    if (report->device_count <= 0)
        bf_find(findings, BF_KIND_NO_CAMERA_LISTED, "%g cameras", report->device_count);
    if (strcmp(report->facing, "environment") == 0)
        bf_find(findings, BF_KIND_REAR_CAMERA, "%s", "");
}

/* Frames are the camera's pictures, made smaller or not, never cut and never larger. Which side is the longer one
 * differs between what browsers report and what they deliver on phones. */
static void look_at_size(const bf_integrity_input *input, const bf_report *report, bf_findings *findings)
{
    double set_long = fmax(report->settings.width, report->settings.height);
    double set_short = fmin(report->settings.width, report->settings.height);
    double is_long = fmax(input->facts->width, input->facts->height);
    double is_short = fmin(input->facts->width, input->facts->height);
    if (!(set_short > 0) || !(is_short > 0) || isnan(report->settings.width) || isnan(report->settings.height))
        return;
    bool larger = is_long > set_long + 2;
    bool cut = fabs(is_long / is_short - set_long / set_short) > 0.04 * set_long / set_short;
    if (larger || cut)
        bf_find(findings, BF_KIND_FRAME_SIZE_MISMATCH, "%dx%d from a camera of %gx%g", input->facts->width,
                input->facts->height, report->settings.width, report->settings.height);
}

/* The same picture taken twice is no second frame. Browsers report the rate of good light; a camera is never faster. */
static void look_at_rate(const bf_integrity_input *input, const bf_report *report, bf_findings *findings)
{
    const bf_capture_file *file = input->file;
    int last = file->frame_count - 1;
    double ms = last > 0 ? file->frame[last].ms - file->frame[0].ms : 0;
    double rate = ms > 0 ? 1000 * last / ms : 0;
    if (last >= 10 && report->settings.frame_rate > 0 && rate > report->settings.frame_rate * 1.25)
        bf_find(findings, BF_KIND_FRAMES_TOO_FAST, "%.1f frames a second from a camera of %.1f", rate,
                report->settings.frame_rate);
}

void bf_look_at_camera(const bf_integrity_input *input, const bf_report *report, bf_findings *findings)
{
    if (strcmp(report->capture, "upload") == 0)
        bf_find(findings, BF_KIND_FILE_UPLOAD, "%s", "");
    if (report->mirrored == BF_CLAIM_YES)
        bf_find(findings, BF_KIND_MIRRORED, "%s", "");
    if (input->facts && input->facts->size_changes > 0 && !(report->rotations > 0))
        bf_find(findings, BF_KIND_SIZE_CHANGED, "%d times", input->facts->size_changes);
    if (!report->camera_given)
        return;
    look_at_label(report, findings);
    look_at_claims(report, findings);
    if (input->facts)
        look_at_size(input, report, findings);
    if (input->file)
        look_at_rate(input, report, findings);
}

/* Every signal: its name, how grave it is, and whether it was measured or rests on what the client says of itself. */
#include "integrity/look.h"

static const bf_signal_kind KINDS[] = {
    [BF_KIND_VIRTUAL_CAMERA] = {"virtual_camera", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_TEST_CAMERA] = {"test_camera", BF_SIGNAL_SEVERE, BF_SIGNAL_CLAIMED},
    [BF_KIND_ALTERED_CAMERA] = {"altered_camera", BF_SIGNAL_WEAK, BF_SIGNAL_CLAIMED},
    [BF_KIND_RELAYED_CAMERA] = {"relayed_camera", BF_SIGNAL_WEAK, BF_SIGNAL_CLAIMED},
    [BF_KIND_CAMERA_UNNAMED] = {"camera_unnamed", BF_SIGNAL_NOTE, BF_SIGNAL_CLAIMED},
    [BF_KIND_NO_CAMERA_LISTED] = {"no_camera_listed", BF_SIGNAL_WEAK, BF_SIGNAL_CLAIMED},
    [BF_KIND_REAR_CAMERA] = {"rear_camera", BF_SIGNAL_NOTE, BF_SIGNAL_CLAIMED},
    [BF_KIND_SETTINGS_BEYOND_CAPABILITIES] = {"settings_beyond_capabilities", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_SIZE_NOT_AS_REQUESTED] = {"size_not_as_requested", BF_SIGNAL_NOTE, BF_SIGNAL_CLAIMED},
    [BF_KIND_FRAME_SIZE_MISMATCH] = {"frame_size_mismatch", BF_SIGNAL_WEAK, BF_SIGNAL_MEASURED},
    [BF_KIND_FRAMES_TOO_FAST] = {"frames_too_fast", BF_SIGNAL_WEAK, BF_SIGNAL_MEASURED},
    [BF_KIND_SIZE_CHANGED] = {"size_changed", BF_SIGNAL_WEAK, BF_SIGNAL_MEASURED},
    [BF_KIND_MIRRORED] = {"mirrored", BF_SIGNAL_NOTE, BF_SIGNAL_CLAIMED},
    [BF_KIND_FILE_UPLOAD] = {"file_upload", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_GET_USER_MEDIA_REPLACED] = {"get_user_media_replaced", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_ENUMERATE_DEVICES_REPLACED] = {"enumerate_devices_replaced", BF_SIGNAL_WEAK, BF_SIGNAL_CLAIMED},
    [BF_KIND_CANVAS_REPLACED] = {"canvas_replaced", BF_SIGNAL_WEAK, BF_SIGNAL_CLAIMED},
    [BF_KIND_AUTOMATED_BROWSER] = {"automated_browser", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_HEADLESS_BROWSER] = {"headless_browser", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_IMPOSSIBLE_SCREEN] = {"impossible_screen", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_PLATFORM_MISMATCH] = {"platform_mismatch", BF_SIGNAL_WEAK, BF_SIGNAL_CLAIMED},
    [BF_KIND_EMULATOR] = {"emulator", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_ROOTED] = {"rooted", BF_SIGNAL_WEAK, BF_SIGNAL_CLAIMED},
    [BF_KIND_DEBUGGER] = {"debugger", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_HOOKED_API] = {"hooked_api", BF_SIGNAL_SEVERE, BF_SIGNAL_CLAIMED},
    [BF_KIND_SCREEN_CAPTURE] = {"screen_capture", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_REMOTE_CONTROL] = {"remote_control", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_ATTESTATION_FAILED] = {"attestation_failed", BF_SIGNAL_SEVERE, BF_SIGNAL_CLAIMED},
    [BF_KIND_INJECTED_STREAM] = {"injected_stream", BF_SIGNAL_SEVERE, BF_SIGNAL_CLAIMED},
    [BF_KIND_NO_CLIENT_REPORT] = {"no_client_report", BF_SIGNAL_WEAK, BF_SIGNAL_MEASURED},
    [BF_KIND_MALFORMED_REPORT] = {"malformed_report", BF_SIGNAL_WEAK, BF_SIGNAL_MEASURED},
    [BF_KIND_FOREIGN_CLIENT] = {"foreign_client", BF_SIGNAL_NOTE, BF_SIGNAL_CLAIMED},
    [BF_KIND_STALE_CHALLENGE] = {"stale_challenge", BF_SIGNAL_SEVERE, BF_SIGNAL_MEASURED},
    [BF_KIND_CHALLENGE_UNNAMED] = {"challenge_unnamed", BF_SIGNAL_STRONG, BF_SIGNAL_MEASURED},
    [BF_KIND_PLAN_NOT_SHOWN] = {"plan_not_shown", BF_SIGNAL_STRONG, BF_SIGNAL_CLAIMED},
    [BF_KIND_SHOWN_AT_OTHER_TIMES] = {"shown_at_other_times", BF_SIGNAL_WEAK, BF_SIGNAL_CLAIMED},
    [BF_KIND_DURATION_MISMATCH] = {"duration_mismatch", BF_SIGNAL_WEAK, BF_SIGNAL_MEASURED},
    [BF_KIND_UNEXPLAINED_GAP] = {"unexplained_gap", BF_SIGNAL_NOTE, BF_SIGNAL_MEASURED},
    [BF_KIND_REGULAR_TIMES] = {"regular_times", BF_SIGNAL_NOTE, BF_SIGNAL_MEASURED},
    [BF_KIND_PAGE_HIDDEN] = {"page_hidden", BF_SIGNAL_NOTE, BF_SIGNAL_CLAIMED},
    [BF_KIND_CLOCK_DRIFT] = {"clock_drift", BF_SIGNAL_NOTE, BF_SIGNAL_CLAIMED},
    [BF_KIND_EDITED_MEDIA] = {"edited_media", BF_SIGNAL_STRONG, BF_SIGNAL_MEASURED},
    [BF_KIND_GENERATED_MEDIA] = {"generated_media", BF_SIGNAL_SEVERE, BF_SIGNAL_MEASURED},
    [BF_KIND_REENCODED_MEDIA] = {"reencoded_media", BF_SIGNAL_WEAK, BF_SIGNAL_MEASURED},
    [BF_KIND_FRAMES_NOT_FROM_PAGE] = {"frames_not_from_page", BF_SIGNAL_STRONG, BF_SIGNAL_MEASURED},
    [BF_KIND_ENCODER_MISMATCH] = {"encoder_mismatch", BF_SIGNAL_STRONG, BF_SIGNAL_MEASURED},
    [BF_KIND_SEEN_BEFORE] = {"seen_before", BF_SIGNAL_SEVERE, BF_SIGNAL_MEASURED},
    [BF_KIND_SEEN_SIMILAR] = {"seen_similar", BF_SIGNAL_STRONG, BF_SIGNAL_MEASURED},
};
_Static_assert(sizeof KINDS / sizeof *KINDS == BF_KIND_COUNT, "every kind has its row");

const bf_signal_kind *bf_signal_kinds(int *ret_count)
{
    *ret_count = BF_KIND_COUNT;
    return KINDS;
}

const char *bf_signal_severity_name(bf_signal_severity severity)
{
    switch (severity) {
    case BF_SIGNAL_NOTE:
        return "note";
    case BF_SIGNAL_WEAK:
        return "weak";
    case BF_SIGNAL_STRONG:
        return "strong";
    case BF_SIGNAL_SEVERE:
        return "severe";
    }
    return "unknown";
}

const char *bf_signal_source_name(bf_signal_source source)
{
    return source == BF_SIGNAL_MEASURED ? "server_measured" : "client_claimed";
}

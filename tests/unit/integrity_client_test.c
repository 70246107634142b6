/* What the client says of itself: honest machines of all kinds give no signal, and each lie gives its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "integrity_test.h"

/* What people really use. */
static void honest_machines_of_all_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *agent, *platform, *label, *touch;
        int width, height;
    } rows[] = {
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
         "Mobile/15E148 Safari/604.1",
         "iPhone", "Front Camera", "5", 360, 640},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
         "Safari/605.1.15", /* an iPad */
         "MacIntel", "Front Camera", "5", 640, 360},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "CriOS/138.0.7204.119 Mobile/15E148 Safari/604.1",
         "iPhone", "Front Camera", "5", 360, 640},
        {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile "
         "Safari/537.36",
         "Android", "camera2 1, facing front", "5", 360, 640},
        {"Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Linux armv8l", "Front facing camera",
         "5", 360, 640},
        {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
         "Linux armv8l", "camera2 1, facing front", "5", 360, 640}, /* a phone that asks for the desktop page */
        {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
         "Safari/537.36",
         "Chrome OS", "HD WebCam", "10", 640, 360},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Win32",
         "Integrated Camera", "0", 640, 360},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
         "Safari/537.36 Edg/138.0.0.0",
         "Windows", "Surface Camera Front", "10", 640, 360},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
         "Safari/537.36",
         "macOS", "FaceTime HD Camera (Built-in) (05ac:8514)", "0", 640, 360},
        {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Linux x86_64", "Observer Cam Novo",
         "0", 640, 360},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s;
        set_up(&s);
        change_text(&s, "user_agent", rows[i].agent);
        change_text(&s, "platform", rows[i].platform);
        change_text(&s, "camera.label", rows[i].label);
        change(&s, "touch_points", rows[i].touch);
        change(&s, "camera.capabilities", "null");
        s.facts.width = rows[i].width;
        s.facts.height = rows[i].height;
        if (strstr(rows[i].agent, "iPhone"))
            s.media.jpeg_tables_standard = false; /* its platform's own */
        expect(&s, NULL);
        tear_down(&s);
    }
}

static void each_lie_has_its_signal(void **state)
{
    (void)state;
    static const struct {
        const char *path, *value, *signal;
    } rows[] = {
        {"camera.label", "\"OBS Virtual Camera\"", "virtual_camera"},
        {"camera.label", "\"obs-camera\"", "virtual_camera"},
        {"camera.label", "\"ManyCam Virtual Webcam\"", "virtual_camera"},
        {"camera.label", "\"Snap Camera\"", "virtual_camera"},
        {"camera.label", "\"XSplit VCam\"", "virtual_camera"},
        {"camera.label", "\"Dummy video device (0x0000)\"", "virtual_camera"},
        {"camera.label", "\"AvatarCam\"", "virtual_camera"},
        {"camera.label", "\"Unity Video Capture\"", "virtual_camera"},
        {"camera.label", "\"e2eSoft VCam\"", "virtual_camera"},
        {"camera.label", "\"NDI Webcam Video 1\"", "virtual_camera"},
        {"camera.label", "\"fake_device_0\"", "test_camera"},
        {"camera.label", "\"Default Video Device\"", "test_camera"},
        {"camera.label", "\"Mock video device 1\"", "test_camera"},
        {"camera.label", "\"/videos/clip.y4m\"", "test_camera"},
        {"camera.label", "\"NVIDIA Broadcast\"", "altered_camera"},
        {"camera.label", "\"DroidCam Source 3\"", "relayed_camera"},
        {"camera.label", "\"iVCam\"", "relayed_camera"},
        {"camera.label", "\"Reincubate Camo\"", "relayed_camera"},
        {"camera.label", "\"\"", "camera_unnamed"},
        {"camera.device_count", "0", "no_camera_listed"},
        {"camera.facing", "\"environment\"", "rear_camera"},
        {"camera.settings.frame_rate", "60", "settings_beyond_capabilities"},
        {"camera.requested.width", "1920", "size_not_as_requested"},
        {"camera.settings.frame_rate", "5", "frames_too_fast"},
        {"mirrored", "true", "mirrored"},
        {"capture", "\"upload\"", "file_upload"},
        {"tamper.get_user_media_native", "false", "get_user_media_replaced"},
        {"tamper.enumerate_devices_native", "false", "enumerate_devices_replaced"},
        {"tamper.canvas_native", "false", "canvas_replaced"},
        {"webdriver", "true", "automated_browser"},
        {"screen.width", "0", "impossible_screen"},
        {"screen.height", "-1", "impossible_screen"},
        {"screen.pixel_ratio", "0", "impossible_screen"},
        {"screen.width", "1e300", "impossible_screen"},
        {"platform", "\"MacIntel\"", "platform_mismatch"},
        {"platform", "\"Linux x86_64\"", "platform_mismatch"},
        {"device", "{\"emulator\":true,\"rooted\":false}", "emulator"},
        {"device", "{\"rooted\":true}", "rooted"},
        {"device", "{\"debugger\":true}", "debugger"},
        {"device", "{\"hooked_api\":true}", "hooked_api"},
        {"device", "{\"screen_capture\":true}", "screen_capture"},
        {"device", "{\"remote_control\":true}", "remote_control"},
        {"device", "{\"virtual_camera\":true}", "virtual_camera"},
        {"device", "{\"injected_stream\":true}", "injected_stream"},
        {"device", "{\"attestation_failed\":true}", "attestation_failed"},
        {"sdk", "\"somebody/1\"", "foreign_client"},
        {"sdk", "\"\"", "foreign_client"},
        {"timing.hidden_ms", "900", "page_hidden"},
        {"timing.clock_drift_ms", "-800", "clock_drift"},
        {"timing.clock_drift_ms", "\"none\"", "malformed_report"},
        {"webdriver", "0", "malformed_report"},
        {"screen", "[]", "malformed_report"},
        {"camera.settings", "7", "malformed_report"},
        {"tamper", NULL, "malformed_report"},
        {"user_agent", NULL, "malformed_report"},
        {"language", "null", "malformed_report"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s;
        set_up(&s);
        change(&s, rows[i].path, rows[i].value);
        expect(&s, rows[i].signal);
        tear_down(&s);
    }
}

static void each_agent_has_its_signal(void **state)
{
    (void)state;
    static const struct {
        const char *agent, *platform, *touch, *signal;
    } rows[] = {
        {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.0.0 "
         "Safari/537.36",
         "Linux x86_64", "0", "headless_browser"},
        {"Mozilla/5.0 (Linux; Android 15; sdk_gphone64_x86_64 Build/AE3A) AppleWebKit/537.36 Chrome/138.0.0.0 Mobile "
         "Safari/537.36",
         "Linux armv81", "5", "emulator"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15", "iPhone", "0",
         "platform_mismatch"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15", "MacIntel", "5",
         "platform_mismatch"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15", "Win32", "1",
         "platform_mismatch"},
        {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/138.0.0.0 Mobile Safari/537.36", "Linux x86_64",
         "1", "platform_mismatch"},
        {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/138.0.0.0 Mobile Safari/537.36", "Android", "0",
         "platform_mismatch"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene s;
        set_up(&s);
        change_text(&s, "user_agent", rows[i].agent);
        change_text(&s, "platform", rows[i].platform);
        change(&s, "touch_points", rows[i].touch);
        expect(&s, rows[i].signal);
        tear_down(&s);
    }
}

static void a_report_that_is_none(void **state)
{
    (void)state;
    static const char *const odd[] = {"[]", "{}", "{\"camera\":[],\"screen\":\"\"}",
                                      "{\"sdk\":7,\"camera\":{\"label\":{},\"settings\":{\"width\":\"1280\"}}}"};
    scene s;
    set_up(&s);
    tear_down(&s);
    s.file.client = NULL;
    expect(&s, "no_client_report");
    s.input.plan = NULL;
    expect(&s, NULL);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        s.file.client = json_loads(odd[i], 0, NULL);
        bf_integrity_look(&s.input, &s.signals);
        assert_true(find(&s, "malformed_report") || find(&s, "foreign_client"));
        tear_down(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_machines_of_all_kinds),
        cmocka_unit_test(each_lie_has_its_signal),
        cmocka_unit_test(each_agent_has_its_signal),
        cmocka_unit_test(a_report_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

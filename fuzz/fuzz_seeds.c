/* fuzz_seeds FOLDER: writes small valid files of every coding to FOLDER/NAME_fuzz/, one folder per decoder's fuzz
 * target, for the fuzzer to start from. They are drawn and encoded here, so that no binary is kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/file.h"
#include "support/images.h"
#include "support/tiny_network.h"
#include "support/videos.h"

static const char *root;
static int failures;

static void save(const char *target, const char *name, bf_bytes bytes)
{
    char path[4096];
    bf_error err = {0};
    int length = snprintf(path, sizeof path, "%s/%s", root, target);
    if (length < 0 || (size_t)length >= sizeof path || (mkdir(path, 0755) != 0 && errno != EEXIST))
        failures++;
    (void)snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
    if (bytes.size > 0 && bf_bytes_write_file(path, bytes.data, bytes.size, &err) != BF_OK) {
        (void)fprintf(stderr, "fuzz_seeds: %s\n", err.message);
        failures++;
    }
    bf_bytes_done(&bytes);
}

static void save_exif(const bf_bytes *exif)
{
    save("exif_fuzz", "big", test_exif(&(test_exif_options){.big_endian = true, .orientation = 6, .gps = true}));
    bf_bytes copy = {0};
    test_append(&copy, exif->data, exif->size);
    save("exif_fuzz", "little", copy);
}

static void save_jpeg(const bf_image *image, const bf_bytes *exif)
{
    static const char target[] = "decode_jpeg_fuzz";
    save(target, "plain", test_jpeg(image, NULL));
    save(target, "exif", test_jpeg(image, &(test_jpeg_options){.exif = exif, .icc = true, .h = 2, .v = 2}));
    save(target, "progressive", test_jpeg(image, &(test_jpeg_options){.progressive = true, .h = 2, .v = 1}));
    save(target, "restart", test_jpeg(image, &(test_jpeg_options){.restart_rows = 1, .quality = 20}));
    save(target, "grey", test_jpeg(image, &(test_jpeg_options){.grey = true}));
    save(target, "cmyk", test_jpeg(image, &(test_jpeg_options){.cmyk = true, .plain_cmyk = true}));
    save(target, "ycck", test_jpeg(image, &(test_jpeg_options){.ycck = true, .progressive = true}));
}

static void save_png(const bf_image *image, const bf_bytes *exif)
{
    static const char target[] = "decode_png_fuzz";
    for (int kind = TEST_PNG_RGB8; kind <= TEST_PNG_PALETTE; kind++)
        for (int interlaced = 0; interlaced <= 1; interlaced++) {
            char name[32];
            (void)snprintf(name, sizeof name, "kind%d_%d", kind, interlaced);
            save(target, name,
                 test_png(image, &(test_png_options){.kind = (test_png_kind)kind,
                                                     .interlaced = interlaced != 0,
                                                     .alpha = 90,
                                                     .transparent_entry = true,
                                                     .exif = interlaced ? exif : NULL,
                                                     .icc = interlaced != 0}));
        }
    save(target, "animated", test_png(image, &(test_png_options){.animated = true}));
}

static void save_webp(const bf_image *image, const bf_bytes *exif)
{
    static const char target[] = "decode_webp_fuzz";
    save(target, "lossy", test_webp(image, NULL));
    save(target, "lossless", test_webp(image, &(test_webp_options){.lossless = true, .exif = exif}));
    save(target, "alpha", test_webp(image, &(test_webp_options){.alpha = 80, .exif = exif}));
    save(target, "animated", test_webp(image, &(test_webp_options){.animated = true}));
}

static void save_heic(const bf_bytes *exif)
{
    static const char target[] = "decode_heic_fuzz";
    bf_image image = test_pattern(128, 128); /* twice the encoder's least side */
    save(target, "plain", test_heic(&image, NULL));
    save(target, "turned", test_heic(&image, &(test_heic_options){.orientation = 6, .exif = exif}));
    save(target, "alpha", test_heic(&image, &(test_heic_options){.alpha = 80}));
    save(target, "grid", test_heic_grid(&image));
    save(target, "several", test_heic(&image, &(test_heic_options){.images = 2}));
    bf_image_done(&image);
}

/* Networks in which every rewrite finds something. */
static void save_networks(void)
{
    static const char target[] = "optimise_fuzz";
    tiny_network *net = tiny_network_new(1, 4, 9);
    const char *x = tiny_prelu(net, tiny_batch_norm(net, tiny_conv(net, "input", 1, 6, 1, 1), 6), 6, -1, 0.5);
    const char *squeezed =
        tiny_node(net, "Sigmoid", tiny_node(net, "GlobalAveragePool", x, NULL, NULL, 0), NULL, NULL, 0);
    x = tiny_node(net, "Identity", tiny_node(net, "Mul", x, squeezed, NULL, 0), NULL, NULL, 0);
    save(target, "activations", tiny_network_finish(&net, tiny_conv(net, x, 6, 2, 1, 2)));
    for (int opset = 11; opset <= 13; opset += 2) {
        const char *low, *high;
        net = tiny_network_new(1, 4, opset);
        x = tiny_shuffle(net, tiny_conv(net, "input", 1, 4, 1, 1), 4, 4, 2);
        tiny_halves(net, x, 4, &low, &high);
        high = tiny_node(net, "Relu", tiny_conv(net, high, 2, 2, 1, 1), NULL, NULL, 0);
        x = tiny_shuffle(net, tiny_concat(net, low, high), 4, 4, 2);
        x = tiny_conv(net, tiny_depthwise(net, x, 4, 1, 1), 4, 2, 1, 2);
        save(target, opset == 11 ? "shuffle11" : "shuffle13", tiny_network_finish(&net, x));
    }
}

static void save_captures(const bf_image *image)
{
    bf_bytes jpeg = test_jpeg(image, &(test_jpeg_options){.quality = 20, .grey = true});
    bf_capture_frame frame[3];
    for (int i = 0; i < 3; i++)
        frame[i] = (bf_capture_frame){jpeg.data, jpeg.size, 66.7 * i};
    bf_capture_file file = {.frame = frame, .frame_count = 1};
    bf_bytes bytes = {0};
    if (bf_capture_file_write(&file, &bytes, NULL) == BF_OK)
        save("capture_fuzz", "one", bytes);
    file.frame_count = 3;
    (void)memset(file.nonce, 'a', BF_PLAN_NONCE_HEX);
    file.shown[0] = (bf_capture_shown){"hold_still", 0.0};
    file.shown[1] = (bf_capture_shown){"turn_left", 1200.5};
    file.shown_count = 2;
    file.client = json_pack("{s:s, s:b, s:{s:i}}", "sdk", "seed/1", "webdriver", 0, "screen", "width", 390);
    bytes = (bf_bytes){0};
    if (bf_capture_file_write(&file, &bytes, NULL) == BF_OK)
        save("capture_fuzz", "all", bytes);
    json_decref(file.client);
    bf_bytes_done(&jpeg);
}

#ifdef BF_HAS_VIDEO
static void save_videos(void)
{
    static const char target[] = "video_fuzz";
    test_video_options o = {.width = 64, .height = 48, .frames = 4};
    save(target, "mp4", test_video(&o));
    o.b_frames = 2;
    o.orientation = 6;
    o.container = "mov";
    save(target, "mov", test_video(&o));
    o.container = "matroska";
    o.audio = true;
    save(target, "h264_mkv", test_video(&o));
    o = (test_video_options){.width = 65, .height = 47, .frames = 4, .encoder = "libvpx", .container = "webm"};
    o.grow_at = 2;
    save(target, "vp8", test_video(&o));
    o.encoder = "libvpx-vp9";
    o.grow_at = 0;
    save(target, "vp9", test_video(&o));
    o.container = "mp4";
    o.aspect_num = 4;
    o.aspect_den = 3;
    save(target, "vp9_mp4", test_video(&o));
    save(target, "fragments",
         test_video(&(test_video_options){.width = 64, .height = 48, .frames = 4, .fragmented = true}));
}
#endif

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
        return 64;
    }
    root = argv[1];
    bf_image image = test_pattern(20, 18);
    bf_bytes exif = test_exif(&(test_exif_options){.orientation = 3,
                                                   .make = "Maker",
                                                   .model = "Model",
                                                   .software = "1.0",
                                                   .time = "2024:01:02 03:04:05",
                                                   .time_original = "2024:01:02 03:04:05"});
    save_exif(&exif);
    save_jpeg(&image, &exif);
    save_png(&image, &exif);
    save_webp(&image, &exif);
    save_heic(&exif);
    save_networks();
    save_captures(&image);
#ifdef BF_HAS_VIDEO
    save_videos();
#endif
    bf_bytes_done(&exif);
    bf_image_done(&image);
    return failures ? 70 : 0;
}

/* fuzz_seeds FOLDER: writes small valid files of every coding to FOLDER/NAME_fuzz/, one folder per decoder's fuzz
 * target, for the fuzzer to start from. They are drawn and encoded here, so that no binary is kept. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "support/images.h"
#include "support/tiny_network.h"

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
    bf_bytes_done(&exif);
    bf_image_done(&image);
    return failures ? 70 : 0;
}

#include "support/images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/must.h"

void test_must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "test images: %s failed\n", what);
    abort();
}

void test_append(bf_bytes *bytes, const void *data, size_t size)
{
    bytes->data = realloc(bytes->data, bytes->size + size + 1);
    test_must(bytes->data, "realloc");
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    bytes->data[bytes->size] = 0;
}

uint32_t test_random(uint32_t *state)
{
    uint32_t x = *state += 0x9e3779b9u;
    x = (x ^ x >> 16) * 0x21f0aaadu;
    x = (x ^ x >> 15) * 0x735a2d97u;
    return x ^ x >> 15;
}

static bf_image new_image(int width, int height)
{
    bf_image image = {0};
    test_must(bf_image_alloc(&image, width, height, 3, NULL) == BF_OK, "bf_image_alloc");
    return image;
}

bf_image test_pattern(int width, int height)
{
    static const uint8_t colours[4][3] = {{200, 40, 40}, {40, 180, 60}, {50, 60, 200}, {210, 200, 60}};
    bf_image image = new_image(width, height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const uint8_t *colour = colours[(y >= height / 2) * 2 + (x >= width / 2)];
            uint8_t texture = (uint8_t)((x / 4 + y / 4) % 2 * 8);
            for (int c = 0; c < 3; c++)
                image.pixels[(size_t)y * image.stride + (size_t)x * 3 + (size_t)c] = (uint8_t)(colour[c] + texture);
        }
    return image;
}

bf_image test_noise(int width, int height, uint32_t seed)
{
    bf_image image = new_image(width, height);
    for (size_t i = 0; i < image.stride * (size_t)height; i++)
        image.pixels[i] = (uint8_t)test_random(&seed);
    return image;
}

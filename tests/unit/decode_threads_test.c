/* The decoder on several threads at once gives what it gives on one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "decode/decode.h"
#include "support/images.h"

#define THREADS 4
#define ROUNDS 6
#define FILES 4

static bf_bytes files[FILES];
static bf_image expected[FILES];

static bool is_same(const bf_image *a, const bf_image *b)
{
    return a->width == b->width && a->height == b->height && a->stride == b->stride &&
           memcmp(a->pixels, b->pixels, a->stride * (size_t)a->height) == 0;
}

/* Assertions belong to the main thread; a worker returns the number of wrong results. */
static void *work(void *argument)
{
    intptr_t wrong = 0;
    size_t first = *(const size_t *)argument;
    for (size_t i = first; i < first + (size_t)ROUNDS * FILES; i++) {
        const bf_bytes *file = &files[i % FILES];
        bf_image image = {0};
        bf_error err = {0};
        bf_media_facts facts;
        if (file->size == 0)
            continue;
        if (bf_decode_still(file->data, file->size, NULL, &image, &facts, &err) != BF_OK ||
            !is_same(&image, &expected[i % FILES]))
            wrong++;
        bf_image_done(&image);
    }
    return (void *)wrong; // NOLINT(performance-no-int-to-ptr)
}

static void threads_agree(void **state)
{
    (void)state;
    bf_bytes exif = test_exif(&(test_exif_options){.orientation = 6, .make = "ACME"});
    bf_image pattern = test_pattern(160, 128);
    files[0] = test_jpeg(&pattern, &(test_jpeg_options){.exif = &exif, .progressive = true});
    files[1] = test_png(&pattern, &(test_png_options){.exif = &exif});
    files[2] = test_webp(&pattern, &(test_webp_options){.exif = &exif});
    files[3] = test_heic(&pattern, &(test_heic_options){.exif = &exif}); /* empty without an HEVC encoder */
    for (size_t i = 0; i < FILES; i++)
        if (files[i].size > 0)
            assert_int_equal(bf_decode_still(files[i].data, files[i].size, NULL, &expected[i], NULL, NULL), BF_OK);
    pthread_t threads[THREADS];
    size_t starts[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        starts[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &starts[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    for (size_t i = 0; i < FILES; i++) {
        bf_bytes_done(&files[i]);
        bf_image_done(&expected[i]);
    }
    bf_bytes_done(&exif);
    bf_image_done(&pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

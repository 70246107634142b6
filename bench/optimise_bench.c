/* What rewriting the networks' graphs gains: for each model that is there, the published file against the rewritten
 * one, run in turn on the same input, on one thread. Rewrites in memory; reads and writes no ".opt.onnx".
 *
 * usage: optimise_bench DATA_DIR WEIGHTS_DIR PHOTO [ROUNDS]
 *
 * The input is the middle of a photo, because the time that published networks with PRelu take depends on it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bonafide/models.h"
#include "decode/decode.h"
#include "image/tensor.h"
#include "infer/net.h"
#include "models/store.h"
#include "optimise/optimise.h"

#define ROUNDS_DEFAULT 60
#define ROUNDS_MAX 1000

typedef struct contender {
    bf_net *net;
    bf_net_run *run;
    double ms[ROUNDS_MAX];
} contender;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *ms, int count)
{
    qsort(ms, (size_t)count, sizeof *ms, by_value);
    return ms[count / 2];
}

static void die(const char *what, const bf_error *err)
{
    (void)fprintf(stderr, "optimise_bench: %s: %s %s\n", what, err->message, err->detail);
    exit(1);
}

static void read_photo(const char *path, bf_image *ret)
{
    bf_error err = {0};
    bf_bytes file = {0};
    bf_media_facts facts;
    if (bf_bytes_read_file(&file, path, BF_INPUT_BYTES_MAX, &err) != BF_OK ||
        bf_decode_still(file.data, file.size, NULL, ret, &facts, &err) != BF_OK)
        die(path, &err);
    bf_bytes_done(&file);
}

static void enter(contender *c, const bf_manifest *manifest, const bf_bytes *file, const bf_image *photo)
{
    bf_error err = {0};
    if (bf_net_load(manifest, file->data, file->size, &c->net, &err) != BF_OK ||
        bf_net_run_new(c->net, &c->run, &err) != BF_OK)
        die(manifest->name, &err);
    float width = (float)photo->width, height = (float)photo->height, side = (width < height ? width : height) * 0.8f;
    bf_rect middle = {(width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2};
    bf_tensor_from_rect(photo, middle, false, &manifest->input, bf_net_input(c->run));
}

static void leave(contender *c)
{
    bf_net_run_free(&c->run);
    bf_net_free(&c->net);
}

static double timed_run(contender *c)
{
    bf_error err = {0};
    double began = now_ms();
    if (bf_net_execute(c->run, &err) != BF_OK)
        die("running", &err);
    return now_ms() - began;
}

/* What issue 2 allows: 0 = no limit. */
static double ratio_limit(const bf_manifest *manifest)
{
    return manifest->task == BF_TASK_LIVENESS ? 0.62 : manifest->task == BF_TASK_EMBEDDING ? 0.60 : 0;
}

static void race(const bf_manifest *manifest, const bf_bytes *published, const bf_bytes *optimised,
                 const bf_image *photo, int rounds, double difference)
{
    static contender pair[2];
    enter(&pair[0], manifest, published, photo);
    enter(&pair[1], manifest, optimised, photo);
    for (int r = -5; r < rounds; r++)
        for (int i = 0; i < 2; i++) {
            double ms = timed_run(&pair[i]);
            if (r >= 0)
                pair[i].ms[r] = ms;
        }
    double before = median(pair[0].ms, rounds), after = median(pair[1].ms, rounds), limit = ratio_limit(manifest);
    (void)printf("%-16s %9.3f %9.3f  %5.3f  ", manifest->name, before, after, after / before);
    if (limit > 0)
        (void)printf("%.2f %-4s", limit, after <= limit * before ? "ok" : "OVER");
    else
        (void)printf("%-9s", "-");
    (void)printf("  %.1e\n", difference);
    leave(&pair[0]);
    leave(&pair[1]);
}

static void measure(const char *models_dir, const char *weights_dir, const char *name, const bf_image *photo,
                    int rounds)
{
    bf_manifest manifest;
    bf_model_files files = {0};
    bf_bytes optimised = {0};
    bf_optimise_report report;
    bf_error err = {0};
    double difference = 0;
    if (bf_model_read_manifest(models_dir, name, &manifest, &err) != BF_OK)
        die(name, &err);
    if (bf_model_read_published(weights_dir, &manifest, &files, &err) != BF_OK) {
        (void)printf("%-16s not there\n", name);
        return;
    }
    if (bf_optimise_model(files.weights.data, files.weights.size, &optimised, &report, &err) != BF_OK)
        die(name, &err);
    if (!report.changed)
        (void)printf("%-16s nothing to rewrite\n", name);
    else if (bf_optimise_check(&manifest, &files.weights, &optimised, NULL, 0, &difference, &err) != BF_OK)
        die(name, &err);
    else
        race(&manifest, &files.weights, &optimised, photo, rounds, difference);
    bf_bytes_done(&optimised);
    bf_model_files_done(&files);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: optimise_bench DATA_DIR WEIGHTS_DIR PHOTO [ROUNDS]\n");
        return 64;
    }
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : ROUNDS_DEFAULT;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    bf_error err = {0};
    bf_model_list *list = NULL;
    bf_image photo = {0};
    read_photo(argv[3], &photo);
    char models_dir[4096];
    (void)snprintf(models_dir, sizeof models_dir, "%s/models", argv[1]);
    if (bf_models_list(argv[1], argv[2], &list, &err) != BF_OK)
        die("models", &err);
    (void)printf("Networks as published and rewritten, one thread, medians of %d runs in turn\n\n", rounds);
    (void)printf("%-16s %9s %9s  %5s  %-9s  %s\n", "model", "published", "rewritten", "ratio", "limit", "difference");
    for (size_t i = 0; i < bf_model_list_count(list); i++)
        measure(models_dir, argv[2], bf_model_list_at(list, i)->name, &photo, rounds);
    bf_model_list_free(&list);
    bf_image_done(&photo);
    return 0;
}

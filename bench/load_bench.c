/* How long this fresh process takes to load the models of a judgement, and nothing else: prints milliseconds.
 *
 * usage: load_bench DATA_DIR WEIGHTS_DIR
 */
#include <stdio.h>
#include <time.h>

#include "infer/net.h"
#include "models/store.h"

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"face-detect", "landmarks-68", "head-pose",
                                        "eye-state",   "match-fr",     "passive-fr"};
    if (argc != 3) {
        (void)fprintf(stderr, "usage: load_bench DATA_DIR WEIGHTS_DIR\n");
        return 64;
    }
    char models[4096];
    (void)snprintf(models, sizeof models, "%s/models", argv[1]);
    double began = now_ms();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bf_error err = {0};
        bf_model_files files = {0};
        bf_net *net = NULL;
        if (bf_model_read(models, argv[2], names[i], &files, &err) != BF_OK ||
            bf_net_load(&files.manifest, files.weights.data, files.weights.size, &net, &err) != BF_OK) {
            (void)fprintf(stderr, "load_bench: %s %s\n", err.message, err.hint);
            return 70;
        }
        bf_model_files_done(&files);
    }
    (void)printf("%.3f\n", now_ms() - began);
    return 0;
}

/* Judges one photo with libbonafide.
 *
 *   cc judge_photo.c $(pkg-config --cflags --libs bonafide) -o judge_photo
 *   ./judge_photo DATA_DIR WEIGHTS_DIR selfie.jpg
 */
#include <stdio.h>
#include <stdlib.h>

#include <bonafide/engine.h>

static unsigned char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    long size = ftell(file);
    rewind(file);
    unsigned char *bytes = size > 0 ? malloc((size_t)size) : NULL;
    *ret_size = bytes ? fread(bytes, 1, (size_t)size, file) : 0;
    fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    bf_error err = {0};
    bf_engine *engine = NULL; /* shared by all threads */
    bf_judge *judge = NULL;   /* one for each thread */
    bf_record *record = NULL; /* one for each judgement */
    int exit_code = 1;
    if (argc != 4)
        return fprintf(stderr, "usage: judge_photo DATA_DIR WEIGHTS_DIR PHOTO\n"), 64;

    bf_engine_options options = {.struct_size = sizeof options, .data_dir = argv[1], .weights_dir = argv[2]};
    bf_request request = {.struct_size = sizeof request, .flow = "account_opening", .channel = "mobile_web"};
    unsigned char *photo = read_file(argv[3], &request.media_size);
    request.media = photo;
    if (bf_engine_new(&options, &engine, &err) == BF_OK && bf_judge_new(engine, &judge, &err) == BF_OK &&
        bf_judge_capture(judge, &request, &record, &err) == BF_OK) {
        const char *guidance = bf_record_guidance(record, 0);
        printf("%s: %s, score %.1f %s\n", bf_record_decision_name(record), bf_record_reason(record),
               bf_record_score(record), guidance ? guidance : "");
        exit_code = 0;
    } else {
        fprintf(stderr, "%s %s\n", err.message, err.hint);
    }
    free(photo);
    bf_record_free(&record);
    bf_judge_free(&judge);
    bf_engine_free(&engine);
    return exit_code;
}

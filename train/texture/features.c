/* Writes what passive.texture measures on each sample of a dataset as a table, for fit.py beside this file.
 *
 *   features DATA_DIR WEIGHTS_DIR DATASET >features.csv
 *
 * One row a sample: sample_id and 31 numbers. A sample that cannot be measured is named on the error stream and has no
 * row. Exit: 0, 64 (usage), 65 (no such dataset), 70 (no models). */
#include <stdio.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "dataset/dataset.h"
#include "decode/decode.h"
#include "liveness/texture/texture.h"
#include "pipeline/judge.h"

static bf_status measure(bf_judge *judge, const char *path, float ret[BF_TEXTURE_FEATURES], bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes file = {0};
    BF_CLEANUP(bf_image_done) bf_image image = {0};
    bf_faces faces = {0};
    bf_media_facts facts;
    const char *why = "No face was found.";
    bf_status status = bf_bytes_read_file(&file, path, BF_INPUT_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_decode_still(file.data, file.size, NULL, &image, &facts, err);
    if (status == BF_OK)
        status = bf_faces_find(&judge->face, &image, &faces, err);
    if (status != BF_OK)
        return status;
    const bf_subject subject = {&image, &faces.face[0]};
    if (faces.count > 0 && bf_texture_measure(&subject, ret, &why))
        return BF_OK;
    (void)snprintf(err->message, sizeof err->message, "%s", why);
    return BF_INPUT_QUALITY_TOO_LOW;
}

static void write_rows(bf_judge *judge, const bf_dataset *dataset)
{
    (void)printf("sample_id");
    for (int i = 0; i < BF_TEXTURE_FEATURES; i++)
        (void)printf(",%s", bf_texture_feature_name(i));
    (void)printf("\n");
    for (size_t s = 0; s < dataset->count; s++) {
        const char *const *value = dataset->sample[s].value;
        float feature[BF_TEXTURE_FEATURES];
        char path[BF_DATASET_PATH_SIZE];
        bf_error err = {0};
        if (!bf_dataset_file(dataset, value[BF_COLUMN_PATH], path) || measure(judge, path, feature, &err) != BF_OK) {
            (void)fprintf(stderr, "%s: %s\n", value[BF_COLUMN_SAMPLE_ID], err.message);
            continue;
        }
        (void)printf("%s", value[BF_COLUMN_SAMPLE_ID]);
        for (int i = 0; i < BF_TEXTURE_FEATURES; i++)
            (void)printf(",%.7g", (double)feature[i]);
        (void)printf("\n");
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: features DATA_DIR WEIGHTS_DIR DATASET >features.csv\n");
        return 64;
    }
    bf_error err = {0};
    bf_engine *engine = NULL;
    bf_judge *judge = NULL;
    BF_CLEANUP(bf_dataset_done) bf_dataset dataset = {0};
    BF_CLEANUP(bf_problems_done) bf_problems problems = {0};
    const bf_dataset_options from = {.path = argv[3]};
    const bf_engine_options options = {.struct_size = sizeof options, .data_dir = argv[1], .weights_dir = argv[2]};
    int code = 0;
    if (bf_dataset_read(&from, &dataset, &problems, &err) != BF_OK)
        code = 65;
    else if (bf_engine_new(&options, &engine, &err) != BF_OK || bf_judge_new(engine, &judge, &err) != BF_OK)
        code = 70;
    if (code == 0)
        write_rows(judge, &dataset);
    else
        (void)fprintf(stderr, "%s %s\n", err.message, err.hint);
    bf_judge_free(&judge);
    bf_engine_free(&engine);
    return code;
}

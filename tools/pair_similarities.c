/* Similarities of all pairs of portraits in a folder, as a table for `bonafide calibrate`: a pair of one person is
 * live, a pair of two an attack.
 *
 * usage: pair_similarities DATA_DIR WEIGHTS_DIR FOLDER > pairs.csv
 *
 * FOLDER holds manifest.csv with the columns path,person_id,... (paths relative to FOLDER). Pictures without a face are
 * named on standard error and left out. person_id of a pair is its person, or both: two persons together are held out
 * as one, although each of them is in other pairs too, so intervals for the pairs of two are a little too narrow.
 * source is the same, so that nobody counts for more than the square root of the number of their pairs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "pipeline/judge.h"

#define PICTURES_MAX 1000
#define PERSON_SIZE 128
#define LINE_SIZE 1024

typedef struct portrait {
    char person[PERSON_SIZE];
    bf_embedding embedding;
} portrait;

static portrait portraits[PICTURES_MAX];

static bool embed_file(bf_judge *judge, const char *path, bf_embedding *ret)
{
    bf_error err = {0};
    bf_bytes bytes = {0};
    bf_image image = {0};
    bf_media_facts facts;
    bf_faces faces = {0};
    const bf_manifest *m = bf_net_manifest(judge->engine->role[BF_ROLE_EMBEDDING]);
    bool ok = bf_bytes_read_file(&bytes, path, BF_INPUT_BYTES_MAX, &err) == BF_OK &&
              bf_decode_still(bytes.data, bytes.size, NULL, &image, &facts, &err) == BF_OK &&
              bf_faces_find(&judge->face, &image, &faces, &err) == BF_OK && faces.count > 0 &&
              bf_face_measure(&judge->face, &image, &faces.face[0], &err) == BF_OK &&
              bf_embed(judge->role[BF_ROLE_EMBEDDING], m, &image, &faces.face[0], ret, &err) == BF_OK;
    if (!ok)
        (void)fprintf(stderr, "%s: %s\n", path, err.status == BF_OK ? "no face" : err.message);
    bf_bytes_done(&bytes);
    bf_image_done(&image);
    return ok;
}

static int read_portraits(bf_judge *judge, const char *folder)
{
    char path[2 * LINE_SIZE], line[LINE_SIZE];
    (void)snprintf(path, sizeof path, "%s/manifest.csv", folder);
    FILE *manifest = fopen(path, "r");
    int count = 0;
    if (!manifest || !fgets(line, sizeof line, manifest)) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        exit(65);
    }
    while (count < PICTURES_MAX && fgets(line, sizeof line, manifest)) {
        char *comma = strchr(line, ',');
        if (!comma)
            continue;
        *comma = 0;
        comma[1 + strcspn(comma + 1, ",\r\n")] = 0;
        (void)snprintf(path, sizeof path, "%s/%s", folder, line);
        (void)snprintf(portraits[count].person, PERSON_SIZE, "%s", comma + 1);
        count += embed_file(judge, path, &portraits[count].embedding);
    }
    (void)fclose(manifest);
    return count;
}

static void print_pairs(int count)
{
    (void)printf("sample_id,label,attack_type,person_id,source,status,score,raw.match-fr\n");
    for (int a = 0; a < count; a++) {
        for (int b = a + 1; b < count; b++) {
            const portrait *p = &portraits[a], *q = &portraits[b];
            int order = strcmp(p->person, q->person);
            const char *first = order <= 0 ? p->person : q->person, *second = order <= 0 ? q->person : p->person;
            char who[2 * PERSON_SIZE + 1];
            if (order == 0)
                (void)snprintf(who, sizeof who, "%.127s", first);
            else
                (void)snprintf(who, sizeof who, "%.127s+%.127s", first, second);
            double similarity = bf_embedding_similarity(&p->embedding, &q->embedding);
            (void)printf("%d-%d,%s,%s,%s,%s,ok,%.4f,%.6f\n", a, b, order == 0 ? "live" : "spoof",
                         order == 0 ? "" : "other_person", who, who, 50 * (similarity + 1), similarity);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: pair_similarities DATA_DIR WEIGHTS_DIR FOLDER\n");
        return 64;
    }
    bf_error err = {0};
    bf_engine *engine = NULL;
    bf_judge *judge = NULL;
    bf_engine_options options = {.struct_size = sizeof options, .data_dir = argv[1], .weights_dir = argv[2]};
    if (bf_engine_new(&options, &engine, &err) != BF_OK || bf_judge_new(engine, &judge, &err) != BF_OK) {
        (void)fprintf(stderr, "%s %s\n", err.message, err.hint);
        return 70;
    }
    print_pairs(read_portraits(judge, argv[3]));
    bf_judge_free(&judge);
    bf_engine_free(&engine);
    return 0;
}

/* Prints what passive.texture measures on photos, for tools/fit_evidence.py, which fits the model's weights.
 *
 *   texture_features <LIST
 *
 * Each line of LIST is "X0 Y0 X1 Y1 PATH": the face's box in pixels of the upright picture, as the record's diagnostics
 * tell it, and the file. Each line of the answer is "PATH" and 31 numbers, separated by tabs; a photo that cannot be
 * measured is told on the error stream and left out. Exit: 0, or 1 when any photo was left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "decode/decode.h"
#include "liveness/texture/texture.h"

#define LINE_MAX_BYTES 8192

static bf_status measure(const char *path, const bf_face *face, float features[BF_TEXTURE_FEATURES], bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes file = {0};
    BF_CLEANUP(bf_image_done) bf_image image = {0};
    bf_media_facts facts;
    bf_status status = bf_bytes_read_file(&file, path, BF_INPUT_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_decode_still(file.data, file.size, NULL, &image, &facts, err);
    if (status != BF_OK)
        return status;
    const bf_subject subject = {&image, face};
    const char *why = NULL;
    if (bf_texture_measure(&subject, features, &why))
        return BF_OK;
    (void)snprintf(err->message, sizeof err->message, "%s", why);
    return BF_INPUT_QUALITY_TOO_LOW;
}

/* Reads "X0 Y0 X1 Y1 PATH"; the path, or NULL when the line is something else. */
static const char *parse_line(const char *line, bf_rect *ret)
{
    float *const numbers[4] = {&ret->x0, &ret->y0, &ret->x1, &ret->y1};
    for (int i = 0; i < 4; i++) {
        char *end = NULL;
        *numbers[i] = strtof(line, &end);
        if (end == line || *end != ' ')
            return NULL;
        line = end + 1;
    }
    return *line ? line : NULL;
}

int main(void)
{
    char line[LINE_MAX_BYTES];
    int exit_code = 0;
    while (fgets(line, sizeof line, stdin)) {
        bf_face face = {0};
        line[strcspn(line, "\n")] = 0;
        const char *path = parse_line(line, &face.box);
        if (!path) {
            (void)fprintf(stderr, "not a box and a path: %s\n", line);
            exit_code = 1;
            continue;
        }
        float features[BF_TEXTURE_FEATURES];
        bf_error err = {0};
        if (measure(path, &face, features, &err) != BF_OK) {
            (void)fprintf(stderr, "%s: %s\n", path, err.message);
            exit_code = 1;
            continue;
        }
        (void)printf("%s", path);
        for (int i = 0; i < BF_TEXTURE_FEATURES; i++)
            (void)printf("\t%.7g", (double)features[i]);
        (void)printf("\n");
    }
    return exit_code;
}

/* SSD-style detection: thresholded candidates, non-maximum suppression, boxes in image pixels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "face/crop.h"
#include "face/find.h"

#define CANDIDATES_MAX 512 /* more than this above the threshold are noise; the best are kept */

typedef struct candidate {
    bf_rect box;
    float probability;
    int order; /* position in the output, so that equal probabilities sort the same everywhere */
} candidate;

static int by_probability(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->probability != y->probability)
        return x->probability < y->probability ? 1 : -1;
    return x->order - y->order;
}

static int by_area(const void *a, const void *b)
{
    const candidate *x = *(const candidate *const *)a, *y = *(const candidate *const *)b;
    float area_x = bf_rect_width(x->box) * bf_rect_height(x->box);
    float area_y = bf_rect_width(y->box) * bf_rect_height(y->box);
    if (area_x != area_y)
        return area_x < area_y ? 1 : -1;
    return x->order - y->order;
}

static float overlap(bf_rect a, bf_rect b)
{
    bf_rect both = bf_rect_intersect(a, b);
    float shared = bf_rect_width(both) * bf_rect_height(both);
    float all = bf_rect_width(a) * bf_rect_height(a) + bf_rect_width(b) * bf_rect_height(b) - shared;
    return all > 0 ? shared / all : 0;
}

/* Replaces the weakest candidate when the list is full. */
static int keep_candidate(candidate *list, int count, candidate next)
{
    if (count < CANDIDATES_MAX) {
        list[count] = next;
        return count + 1;
    }
    int weakest = 0;
    for (int i = 1; i < count; i++)
        weakest = list[i].probability < list[weakest].probability ? i : weakest;
    if (next.probability > list[weakest].probability)
        list[weakest] = next;
    return count;
}

/* `shown` is the part of the picture that the network saw. */
static int gather(const bf_face_runs *runs, const bf_image *image, bf_rect shown, candidate *list)
{
    const bf_manifest *m = runs->detection_manifest;
    size_t score_count = 0, box_count = 0;
    const float *scores = bf_net_output(runs->detection, 0, &score_count);
    const float *boxes = bf_net_output(runs->detection, 1, &box_count);
    size_t classes = m->class_count > 0 ? (size_t)m->class_count : 2;
    size_t anchors = box_count / 4 < score_count / classes ? box_count / 4 : score_count / classes;
    const bf_rect whole = {0, 0, (float)image->width, (float)image->height};
    float width = bf_rect_width(shown), height = bf_rect_height(shown);
    int count = 0;
    for (size_t i = 0; i < anchors; i++) {
        float probability = scores[i * classes + (size_t)m->positive_class];
        if (!(probability >= m->score_threshold))
            continue;
        const float *b = boxes + 4 * i;
        bf_rect box = {shown.x0 + b[0] * width, shown.y0 + b[1] * height, shown.x0 + b[2] * width,
                       shown.y0 + b[3] * height};
        box = bf_rect_intersect(box, whole);
        if (bf_rect_width(box) >= 2 && bf_rect_height(box) >= 2)
            count = keep_candidate(list, count, (candidate){box, probability, (int)i});
    }
    return count;
}

static void suppress(const candidate *list, int count, float iou_threshold, bf_faces *ret)
{
    const candidate *kept[CANDIDATES_MAX];
    int kept_count = 0;
    for (int i = 0; i < count; i++) {
        bool covered = false;
        for (int k = 0; k < kept_count && !covered; k++)
            covered = overlap(kept[k]->box, list[i].box) > iou_threshold;
        if (!covered)
            kept[kept_count++] = &list[i];
    }
    qsort(kept, (size_t)kept_count, sizeof *kept, by_area);
    memset(ret, 0, sizeof *ret);
    ret->count_all = kept_count;
    ret->count = kept_count < BF_FACES_MAX ? kept_count : BF_FACES_MAX;
    for (int i = 0; i < ret->count; i++) {
        ret->face[i].box = kept[i]->box;
        ret->face[i].detect_probability = kept[i]->probability;
        ret->face[i].eye_open_probability[0] = ret->face[i].eye_open_probability[1] = -1;
    }
}

bf_status bf_faces_find(const bf_face_runs *runs, const bf_image *image, bf_faces *ret, bf_error *err)
{
    const bf_manifest *m = runs->detection_manifest;
    bf_rect shown = bf_crop_rect(m, image, (bf_rect){0});
    bf_tensor_from_rect(image, shown, false, &m->input, bf_net_input(runs->detection));
    bf_status status = bf_net_execute(runs->detection, err);
    if (status != BF_OK)
        return status;
    candidate list[CANDIDATES_MAX];
    int count = gather(runs, image, shown, list);
    qsort(list, (size_t)count, sizeof *list, by_probability);
    suppress(list, count, m->iou_threshold, ret);
    return BF_OK;
}

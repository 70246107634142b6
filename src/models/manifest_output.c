/* What comes out of a model: which tensors, and how they are read. */
#include <string.h>

#include "models/manifest_read.h"

static const char *const DECODINGS[] = {"ssd-boxes", "points", "binned-angles", "class-logits", "embedding", NULL};

/* One row per decoding family, in the order of bf_decoding. */
typedef struct family {
    int outputs;
    const char *keys[8]; /* what it takes besides `decoding` and `names` */
} family;

static const family FAMILIES[] = {
    [BF_DECODING_SSD_BOXES] = {2, {"classes", "score_threshold", "iou_threshold"}},
    [BF_DECODING_POINTS] = {1, {"points"}},
    [BF_DECODING_BINNED_ANGLES] = {3, {"bins", "bin_deg", "offset_deg", "angle_signs"}},
    [BF_DECODING_CLASS_LOGITS] = {1, {"classes", "mirror_average"}},
    [BF_DECODING_EMBEDDING] = {1, {"dimensions"}},
};

typedef struct task_row {
    bf_decoding decoding;
    const char *positive; /* the class that the task is about; NULL when it has none */
} task_row;

static const task_row TASK_ROWS[BF_TASK_COUNT] = {
    [BF_TASK_FACE_DETECTION] = {BF_DECODING_SSD_BOXES, "face"},
    [BF_TASK_LANDMARKS] = {BF_DECODING_POINTS, NULL},
    [BF_TASK_POSE] = {BF_DECODING_BINNED_ANGLES, NULL},
    [BF_TASK_EYE_STATE] = {BF_DECODING_CLASS_LOGITS, "open"},
    [BF_TASK_LIVENESS] = {BF_DECODING_CLASS_LOGITS, "live"},
    [BF_TASK_EMBEDDING] = {BF_DECODING_EMBEDDING, NULL},
};

/* Copies one scalar of a list of names. */
static bf_status read_name(const bf_manifest_reader *r, const bf_yaml_node *node, char ret[BF_NAME_MAX])
{
    if (node->kind != BF_YAML_SCALAR || node->scalar[0] == 0 || strlen(node->scalar) >= BF_NAME_MAX)
        return bf_yaml_fail(r->doc, node, r->err, "a name of 1 to %d characters is expected.", BF_NAME_MAX - 1);
    for (const char *c = node->scalar; *c; c++) {
        if (*c < ' ' || *c > '~')
            return bf_yaml_fail(r->doc, node, r->err, "a name may only hold printable ASCII.");
    }
    memcpy(ret, node->scalar, strlen(node->scalar) + 1);
    return BF_OK;
}

/* Reads a list of different names. */
static bf_status read_names(const bf_manifest_reader *r, const bf_yaml_node *list, int max, char ret[][BF_NAME_MAX],
                            int *ret_count)
{
    if (list->kind != BF_YAML_LIST || list->child_count > (size_t)max)
        return bf_yaml_fail(r->doc, list, r->err, "'%s' must be a list of at most %d names.", list->key, max);
    int count = 0;
    for (const bf_yaml_node *node = list->child; node; node = node->next, count++) {
        bf_status status = read_name(r, node, ret[count]);
        if (status != BF_OK)
            return status;
        for (int i = 0; i < count; i++) {
            if (strcmp(ret[i], ret[count]) == 0)
                return bf_yaml_fail(r->doc, node, r->err, "'%s' stands twice in '%s'.", ret[count], list->key);
        }
    }
    *ret_count = count;
    return BF_OK;
}

static bf_status read_output_names(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    const bf_yaml_node *list = bf_yaml_get(map, "names");
    int wanted = FAMILIES[m->decoding].outputs, count = 1;
    if (!list && wanted > 1)
        return bf_yaml_fail(r->doc, map, r->err, "'names' is missing: %s has %d outputs.", DECODINGS[m->decoding],
                            wanted);
    bf_status status = list ? read_names(r, list, BF_MODEL_OUTPUTS_MAX, m->outputs, &count) : BF_OK;
    if (status == BF_OK && count != wanted)
        return bf_yaml_fail(r->doc, list, r->err, "'names' has %d entries; %s has %d outputs.", count,
                            DECODINGS[m->decoding], wanted);
    m->output_count = wanted;
    return status;
}

static bf_status read_classes(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    const char *positive = TASK_ROWS[m->task].positive;
    const bf_yaml_node *list = bf_yaml_get(map, "classes");
    if (!list)
        return bf_yaml_fail(r->doc, map, r->err, "the key 'classes' is missing.");
    bf_status status = read_names(r, list, BF_MODEL_CLASSES_MAX, m->classes, &m->class_count);
    if (status != BF_OK)
        return status;
    if (m->class_count < 2)
        return bf_yaml_fail(r->doc, list, r->err, "'classes' needs at least two names.");
    for (int i = 0; i < m->class_count; i++) {
        if (strcmp(m->classes[i], positive) == 0) {
            m->positive_class = i;
            return BF_OK;
        }
    }
    return bf_yaml_fail(r->doc, list, r->err, "'classes' lacks '%s', the class that the task %s is about.", positive,
                        bf_task_name(m->task));
}

static bf_status read_boxes(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    bf_status status = read_classes(r, map, m);
    if (status == BF_OK)
        status = bf_manifest_float(r, map, "score_threshold", 0.01, 0.999, &m->score_threshold);
    if (status == BF_OK)
        status = bf_manifest_float(r, map, "iou_threshold", 0.01, 0.999, &m->iou_threshold);
    return status;
}

static bf_status read_angles(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    for (int i = 0; i < 3; i++)
        m->angle_signs[i] = 1;
    bf_status status = bf_manifest_int(r, map, "bins", 2, BF_MODEL_BINS_MAX, &m->bin_count);
    if (status == BF_OK)
        status = bf_manifest_float(r, map, "bin_deg", 0.01, 90, &m->bin_deg);
    if (status == BF_OK)
        status = bf_manifest_float(r, map, "offset_deg", -360, 360, &m->offset_deg);
    if (status == BF_OK)
        status = bf_manifest_floats(r, map, "angle_signs", 3, -1, 1, m->angle_signs);
    for (int i = 0; i < 3 && status == BF_OK; i++) {
        if (m->angle_signs[i] != 1 && m->angle_signs[i] != -1)
            return bf_yaml_fail(r->doc, bf_yaml_get(map, "angle_signs"), r->err, "a sign is 1 or -1.");
    }
    return status;
}

static bf_status read_logits(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    bf_status status = read_classes(r, map, m);
    if (status == BF_OK)
        status = bf_yaml_bool(r->doc, map, "mirror_average", false, &m->mirror_average, r->err);
    if (status == BF_OK && m->mirror_average && m->task != BF_TASK_LIVENESS)
        return bf_yaml_fail(r->doc, bf_yaml_get(map, "mirror_average"), r->err,
                            "'mirror_average' goes with the task liveness only.");
    return status;
}

static bf_status read_family(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    switch (m->decoding) {
    case BF_DECODING_SSD_BOXES:
        return read_boxes(r, map, m);
    case BF_DECODING_POINTS:
        return bf_manifest_int(r, map, "points", BF_MODEL_POINTS, BF_MODEL_POINTS, &m->point_count);
    case BF_DECODING_BINNED_ANGLES:
        return read_angles(r, map, m);
    case BF_DECODING_CLASS_LOGITS:
        return read_logits(r, map, m);
    case BF_DECODING_EMBEDDING:
        break;
    }
    return bf_manifest_int(r, map, "dimensions", 8, BF_MODEL_DIMENSIONS_MAX, &m->dimensions);
}

/* Keys of another family are told from misspelt ones. */
static bf_status check_family_keys(const bf_manifest_reader *r, const bf_yaml_node *map, const family *f)
{
    for (const bf_yaml_node *node = map->child; node; node = node->next) {
        bool known = strcmp(node->key, "decoding") == 0 || strcmp(node->key, "names") == 0;
        for (size_t i = 0; f->keys[i] && !known; i++)
            known = strcmp(node->key, f->keys[i]) == 0;
        if (!known)
            return bf_yaml_fail(r->doc, node, r->err, "'%s' does not go with this decoding.", node->key);
    }
    return BF_OK;
}

bf_status bf_manifest_read_output(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    static const char *const keys[] = {"decoding",   "names",          "classes", "score_threshold", "iou_threshold",
                                       "points",     "bins",           "bin_deg", "offset_deg",      "angle_signs",
                                       "dimensions", "mirror_average", NULL};
    int decoding = 0;
    bf_status status = bf_yaml_check_keys(r->doc, map, keys, r->err);
    if (status == BF_OK)
        status = bf_yaml_choice(r->doc, map, "decoding", true, DECODINGS, &decoding, r->err);
    if (status != BF_OK)
        return status;
    m->decoding = (bf_decoding)decoding;
    if (TASK_ROWS[m->task].decoding != m->decoding)
        return bf_yaml_fail(r->doc, bf_yaml_get(map, "decoding"), r->err, "the task %s is decoded as %s, not %s.",
                            bf_task_name(m->task), DECODINGS[TASK_ROWS[m->task].decoding], DECODINGS[decoding]);
    status = check_family_keys(r, map, &FAMILIES[decoding]);
    if (status == BF_OK)
        status = read_output_names(r, map, m);
    return status == BF_OK ? read_family(r, map, m) : status;
}

/* What goes into a model: its input tensor and the part of the picture it shows. */
#include "models/manifest_read.h"

#define SIDE_MIN_PX 8
#define FACTOR_MAX 10 /* larger crops hold next to nothing of the face */

static bf_status check_channels(const bf_manifest_reader *r, const bf_yaml_node *map, bf_tensor_spec *spec)
{
    const bf_yaml_node *node = bf_yaml_get(map, "channels");
    int stated = 0;
    spec->channels = spec->order == BF_ORDER_GREY ? 1 : 3;
    if (!node)
        return BF_OK;
    bf_status status = bf_manifest_int(r, map, "channels", 1, 3, &stated);
    if (status == BF_OK && stated != spec->channels)
        return bf_yaml_fail(r->doc, node, r->err, "'channels' is %d, but the colour 'order' has %d.", stated,
                            spec->channels);
    return status;
}

static bf_status read_values(const bf_manifest_reader *r, const bf_yaml_node *map, bf_tensor_spec *spec)
{
    size_t channels = (size_t)spec->channels;
    for (int c = 0; c < 3; c++)
        spec->std[c] = 1;
    bf_status status = bf_manifest_float(r, map, "scale", 1e-6, 1e3, &spec->scale);
    if (status == BF_OK)
        status = bf_manifest_floats(r, map, "mean", channels, -1e3, 1e3, spec->mean);
    if (status == BF_OK)
        status = bf_manifest_floats(r, map, "std", channels, 1e-6, 1e3, spec->std);
    return status;
}

bf_status bf_manifest_read_input(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    static const char *const keys[] = {"name",     "width", "height", "channels", "order", "layout",
                                       "resample", "scale", "mean",   "std",      NULL};
    static const char *const orders[] = {"RGB", "BGR", "grey", NULL};
    static const char *const layouts[] = {"NCHW", "NHWC", NULL};
    static const char *const resamples[] = {"bilinear", NULL}; /* the only one so far; a manifest still says it */
    int order = 0, layout = 0, resample = 0;
    bf_status status = bf_yaml_check_keys(r->doc, map, keys, r->err);
    if (status == BF_OK)
        status = bf_manifest_text(r, map, "name", false, m->input_name, sizeof m->input_name);
    if (status == BF_OK)
        status = bf_manifest_int(r, map, "width", SIDE_MIN_PX, BF_TENSOR_SIDE_MAX, &m->input.width);
    if (status == BF_OK)
        status = bf_manifest_int(r, map, "height", SIDE_MIN_PX, BF_TENSOR_SIDE_MAX, &m->input.height);
    if (status == BF_OK)
        status = bf_yaml_choice(r->doc, map, "order", true, orders, &order, r->err);
    if (status == BF_OK)
        status = bf_yaml_choice(r->doc, map, "layout", true, layouts, &layout, r->err);
    if (status == BF_OK)
        status = bf_yaml_choice(r->doc, map, "resample", true, resamples, &resample, r->err);
    if (status != BF_OK)
        return status;
    m->input.order = (bf_channel_order)order;
    m->input.layout = (bf_tensor_layout)layout;
    status = check_channels(r, map, &m->input);
    return status == BF_OK ? read_values(r, map, &m->input) : status;
}

/* Which crops the code of a task can make. */
static bool task_allows(bf_task task, bf_crop_rule rule)
{
    switch (task) {
    case BF_TASK_FACE_DETECTION:
        return rule == BF_CROP_WHOLE || rule == BF_CROP_WHOLE_FIT;
    case BF_TASK_EYE_STATE:
        return rule == BF_CROP_EYE;
    case BF_TASK_EMBEDDING:
        return rule == BF_CROP_ALIGNED_5;
    case BF_TASK_LIVENESS:
        return rule != BF_CROP_ALIGNED_5 && rule != BF_CROP_EYE;
    case BF_TASK_LANDMARKS:
    case BF_TASK_POSE:
    case BF_TASK_COUNT:
        break;
    }
    return rule == BF_CROP_SQUARE || rule == BF_CROP_BOX || rule == BF_CROP_SQUARE_INSIDE;
}

static bf_status read_template(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    const bf_yaml_node *list = bf_yaml_get(map, "template");
    if (!list || list->kind != BF_YAML_LIST || list->child_count != 5)
        return bf_yaml_fail(r->doc, list ? list : map, r->err,
                            "the crop rule aligned-5 needs a 'template' of 5 points [x, y].");
    bf_point *point = m->template_points;
    for (const bf_yaml_node *pair = list->child; pair; pair = pair->next, point++) {
        if (pair->kind != BF_YAML_LIST || pair->child_count != 2)
            return bf_yaml_fail(r->doc, pair, r->err, "a point is a list of two numbers, [x, y].");
        double x = 0, y = 0;
        bf_status status = bf_yaml_node_number(r->doc, pair->child, 0, m->input.width, &x, r->err);
        if (status == BF_OK)
            status = bf_yaml_node_number(r->doc, pair->child->next, 0, m->input.height, &y, r->err);
        if (status != BF_OK)
            return status;
        *point = (bf_point){(float)x, (float)y};
    }
    return BF_OK;
}

bf_status bf_manifest_read_crop(const bf_manifest_reader *r, const bf_yaml_node *map, bf_manifest *m)
{
    static const char *const keys[] = {"rule", "factor", "template", NULL};
    static const char *const rules[] = {"whole",         "whole-fit", "square", "box",
                                        "square-inside", "aligned-5", "eye",    NULL};
    static const char *const factor_only[] = {"template", NULL};
    static const char *const template_only[] = {"factor", NULL};
    static const char *const neither[] = {"factor", "template", NULL};
    int rule = 0;
    bf_status status = bf_yaml_check_keys(r->doc, map, keys, r->err);
    if (status == BF_OK)
        status = bf_yaml_choice(r->doc, map, "rule", true, rules, &rule, r->err);
    if (status != BF_OK)
        return status;
    m->crop = (bf_crop_rule)rule;
    if (!task_allows(m->task, m->crop))
        return bf_yaml_fail(r->doc, bf_yaml_get(map, "rule"), r->err, "the crop rule %s does not go with the task %s.",
                            rules[rule], bf_task_name(m->task));
    if (m->crop == BF_CROP_WHOLE || m->crop == BF_CROP_WHOLE_FIT)
        return bf_manifest_forbid(r, map, neither, "does not go with a crop rule that shows the whole picture.");
    if (m->crop == BF_CROP_ALIGNED_5) {
        status = bf_manifest_forbid(r, map, template_only, "does not go with the crop rule aligned-5.");
        return status == BF_OK ? read_template(r, map, m) : status;
    }
    status = bf_manifest_forbid(r, map, factor_only, "goes with the crop rule aligned-5 only.");
    return status == BF_OK ? bf_manifest_float(r, map, "factor", 0.1, FACTOR_MAX, &m->crop_factor) : status;
}

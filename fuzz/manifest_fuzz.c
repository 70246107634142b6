/* The manifest parser on any bytes: it refuses with file and line, or gives a manifest that the code behind it can
 * trust without looking again. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "models/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void text_is_sound(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    must(length < size);
    for (size_t i = 0; i < length; i++)
        must(text[i] >= ' ' && text[i] <= '~');
}

static void input_is_sound(const bf_manifest *m)
{
    const bf_tensor_spec *input = &m->input;
    must(input->width >= 8 && input->width <= BF_TENSOR_SIDE_MAX);
    must(input->height >= 8 && input->height <= BF_TENSOR_SIDE_MAX);
    must(input->channels == (input->order == BF_ORDER_GREY ? 1 : 3));
    must(isfinite(input->scale) && input->scale > 0);
    for (int c = 0; c < input->channels; c++)
        must(isfinite(input->mean[c]) && isfinite(input->std[c]) && input->std[c] > 0);
    bool scaled = m->crop == BF_CROP_SQUARE || m->crop == BF_CROP_BOX || m->crop == BF_CROP_SQUARE_INSIDE ||
                  m->crop == BF_CROP_EYE;
    must(!scaled || (isfinite(m->crop_factor) && m->crop_factor > 0));
}

static void output_is_sound(const bf_manifest *m)
{
    must(m->output_count >= 1 && m->output_count <= BF_MODEL_OUTPUTS_MAX);
    for (int i = 0; i < m->output_count; i++)
        text_is_sound(m->outputs[i], sizeof m->outputs[i]);
    bool has_classes = m->decoding == BF_DECODING_SSD_BOXES || m->decoding == BF_DECODING_CLASS_LOGITS;
    must(has_classes == (m->class_count >= 2) && m->class_count <= BF_MODEL_CLASSES_MAX);
    must(!has_classes || (m->positive_class >= 0 && m->positive_class < m->class_count));
    for (int i = 0; i < m->class_count; i++)
        text_is_sound(m->classes[i], sizeof m->classes[i]);
    must(m->bin_count >= 0 && m->bin_count <= BF_MODEL_BINS_MAX);
    must(m->dimensions >= 0 && m->dimensions <= BF_MODEL_DIMENSIONS_MAX);
    must(m->decoding != BF_DECODING_EMBEDDING || m->dimensions > 0);
    must(m->decoding != BF_DECODING_POINTS || m->point_count == BF_MODEL_POINTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bf_manifest m;
    bf_error err = {0};
    memset(&m, 0x5a, sizeof m);
    bf_status status = bf_manifest_parse(data, size, "fuzz.yaml", &m, &err);
    if (status != BF_OK) {
        must(status == BF_CONFIG_INVALID && strncmp(err.message, "fuzz.yaml:", 10) == 0);
        return 0;
    }
    must(bf_model_name_is_valid(m.name) && bf_model_name_is_valid(m.file));
    must(m.golden[0] == 0 || bf_model_name_is_valid(m.golden));
    must(m.sha256[0] != 0 || m.golden[0] != 0);
    must(m.task < BF_TASK_COUNT);
    text_is_sound(m.version, sizeof m.version);
    text_is_sound(m.licence, sizeof m.licence);
    text_is_sound(m.source, sizeof m.source);
    text_is_sound(m.input_name, sizeof m.input_name);
    input_is_sound(&m);
    output_is_sound(&m);
    return 0;
}

/* The reader of golden vectors on any bytes, against a tiny network: it refuses, or the vectors hold. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "infer/golden.h"
#include "support/stub_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bf_net *load_stub(void)
{
    bf_manifest m = {.name = "mine",
                     .decoding = BF_DECODING_CLASS_LOGITS,
                     .output_count = 1,
                     .class_count = STUB_CLASSES,
                     .golden = "golden.yaml"};
    m.input = (bf_tensor_spec){STUB_SIDE, STUB_SIDE, 3, BF_ORDER_RGB, BF_LAYOUT_NCHW, 1, {0}, {1, 1, 1}};
    bf_bytes model = stub_model(STUB_SOUND);
    bf_net *net = NULL;
    if (bf_net_load(&m, model.data, model.size, &net, NULL) != BF_OK)
        abort();
    bf_bytes_done(&model);
    return net;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bf_net *net;
    bf_error err = {0};
    if (!net)
        net = load_stub();
    bf_status status = bf_golden_check(net, data, size, "fuzz.yaml", &err);
    if (status != BF_OK && status != BF_CONFIG_INVALID && status != BF_MODEL_INVALID && status != BF_INFERENCE_FAILED)
        abort();
    return 0;
}

#include "optimise/optimise.h"

#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "optimise/passes.h"

static bf_status run_passes(bf_graph *g, bf_optimise_report *report, bf_error *err)
{
    bf_status status = bf_pass_fold(g, &report->folded, err);
    if (status == BF_OK)
        status = bf_pass_route(g, &report->shuffles, err);
    if (status == BF_OK)
        status = bf_pass_pad_channels(g, &report->padded, err);
    /* Last, because it makes one convolution of an activation whose channels could still have grown. */
    return status == BF_OK ? bf_pass_prelu(g, &report->activations, err) : status;
}

static bf_status copy_bytes(const void *data, size_t size, bf_bytes *ret, bf_error *err)
{
    bf_bytes copy = {.data = bf_malloc(size), .size = size};
    if (!copy.data)
        return bf_fail_memory(err);
    memcpy(copy.data, data, size);
    *ret = copy;
    return BF_OK;
}

bf_status bf_optimise_model(const void *onnx, size_t size, bf_bytes *ret, bf_optimise_report *ret_report, bf_error *err)
{
    BF_CLEANUP(bf_graph_free) bf_graph *g = NULL;
    bf_optimise_report report = {0};
    bf_status status = bf_graph_open(onnx, size, &g, err);
    if (status != BF_OK)
        return status;
    report.nodes_before = (int)g->model->graph->n_node;
    if (g->editable)
        status = run_passes(g, &report, err);
    if (status != BF_OK)
        return status;
    report.nodes_after = (int)g->model->graph->n_node;
    report.changed = report.folded + report.shuffles + report.padded + report.activations > 0;
    if (!report.changed)
        report.nodes_after = report.nodes_before;
    status = report.changed ? bf_onnx_pack(g->model, ret, err) : copy_bytes(onnx, size, ret, err);
    if (status == BF_OK)
        *ret_report = report;
    return status;
}

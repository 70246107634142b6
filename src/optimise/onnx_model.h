/* ONNX files as a tree in memory (protobuf-c's classes). The file is not trusted: nesting and memory are bounded
 * before and while it is unfolded. Everything in the tree is allocated by bf_malloc, so that passes may replace any
 * part of it with memory of their own. */
#ifndef BF_OPTIMISE_ONNX_MODEL_H
#define BF_OPTIMISE_ONNX_MODEL_H

#include <onnx.pb-c.h>

#include "base/bytes.h"
#include "bonafide/status.h"

/* Unfolds a file. MODEL_INVALID when it is no ONNX model, is nested deeper than BF_ONNX_DEPTH_MAX or would take far
 * more memory than its size explains; OUT_OF_MEMORY. The caller frees with bf_onnx_free; *ret is untouched on
 * failure. */
bf_status bf_onnx_parse(const void *data, size_t size, Onnx__ModelProto **ret, bf_error *err);

/* Folds a tree into the bytes of a file; the same tree always gives the same bytes. MODEL_INVALID beyond
 * BF_MODEL_BYTES_MAX, OUT_OF_MEMORY. The caller frees *ret with bf_bytes_done. */
bf_status bf_onnx_pack(const Onnx__ModelProto *model, bf_bytes *ret, bf_error *err);

void bf_onnx_free(Onnx__ModelProto **model);
void bf_onnx_free_node(Onnx__NodeProto *node);
void bf_onnx_free_tensor(Onnx__TensorProto *tensor);
void bf_onnx_free_value_info(Onnx__ValueInfoProto *info);

#endif

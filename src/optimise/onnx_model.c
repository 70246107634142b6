#include "optimise/onnx_model.h"

#include <stdbool.h>

#include "base/error.h"
#include "base/limits.h"

/* Unfolding may take this much plus twice the file: weights are copied once, all else is small in honest files. */
#define SPARE_BYTES (64u << 20)

typedef struct budget {
    size_t left;
    bool memory_short; /* as opposed to a file that asks for too much */
} budget;

static void *budget_alloc(void *data, size_t size)
{
    budget *b = data;
    if (size > b->left)
        return NULL;
    void *pointer = bf_malloc(size);
    if (pointer)
        b->left -= size;
    else
        b->memory_short = true;
    return pointer;
}

static void any_free(void *data, void *pointer)
{
    (void)data;
    bf_free(pointer);
}

static void *plain_alloc(void *data, size_t size)
{
    (void)data;
    return bf_malloc(size);
}

static ProtobufCAllocator plain = {plain_alloc, any_free, NULL};

/* Reads a base-128 number; returns its length in bytes or 0. */
static size_t read_varint(const uint8_t *data, size_t size, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size && i < 10; i++) {
        value |= (uint64_t)(data[i] & 0x7f) << (7 * i);
        if (data[i] < 0x80) {
            *ret = value;
            return i + 1;
        }
    }
    return 0;
}

/* Whether the nesting of messages stays within bounds. protobuf-c unfolds by recursion and has no bound of its own. */
static bool depth_is_bounded(const ProtobufCMessageDescriptor *kind, const uint8_t *data, size_t size, int depth)
{
    static const size_t fixed_sizes[8] = {[PROTOBUF_C_WIRE_TYPE_64BIT] = 8, [PROTOBUF_C_WIRE_TYPE_32BIT] = 4};
    while (size > 0) {
        uint64_t tag, length = 0;
        size_t head = read_varint(data, size, &tag);
        if (head == 0 || tag >> 3 > UINT32_MAX)
            return false;
        unsigned wire = (unsigned)(tag & 7);
        if (wire == PROTOBUF_C_WIRE_TYPE_VARINT || wire == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            size_t more = read_varint(data + head, size - head, &length);
            if (more == 0)
                return false;
            head += more;
        } else {
            length = fixed_sizes[wire];
            if (length == 0)
                return false;
        }
        data += head;
        size -= head;
        if (wire == PROTOBUF_C_WIRE_TYPE_VARINT)
            continue;
        if (length > size)
            return false;
        if (wire == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(kind, (unsigned)(tag >> 3));
            if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
                (depth == 0 || !depth_is_bounded(field->descriptor, data, (size_t)length, depth - 1)))
                return false;
        }
        data += length;
        size -= (size_t)length;
    }
    return true;
}

bf_status bf_onnx_parse(const void *data, size_t size, Onnx__ModelProto **ret, bf_error *err)
{
    if (size == 0 || size > BF_MODEL_BYTES_MAX)
        return bf_fail(err, BF_MODEL_INVALID, "A network of %zu bytes is not one that can be read.", size);
    if (!depth_is_bounded(&onnx__model_proto__descriptor, data, size, BF_ONNX_DEPTH_MAX))
        return bf_fail(err, BF_MODEL_INVALID, "The file is not an ONNX network, or is nested too deeply.");
    budget b = {.left = SPARE_BYTES + 2 * size};
    ProtobufCAllocator allocator = {budget_alloc, any_free, &b};
    Onnx__ModelProto *model = onnx__model_proto__unpack(&allocator, size, data);
    if (!model && b.memory_short)
        return bf_fail_memory(err);
    if (!model)
        return bf_fail(err, BF_MODEL_INVALID, "The file is not an ONNX network, or is damaged.");
    *ret = model;
    return BF_OK;
}

bf_status bf_onnx_pack(const Onnx__ModelProto *model, bf_bytes *ret, bf_error *err)
{
    size_t size = onnx__model_proto__get_packed_size(model);
    if (size > BF_MODEL_BYTES_MAX)
        return bf_fail(err, BF_MODEL_INVALID, "The rewritten network is larger than %u bytes.", BF_MODEL_BYTES_MAX);
    bf_bytes bytes = {.data = bf_malloc(size ? size : 1), .size = size};
    if (!bytes.data)
        return bf_fail_memory(err);
    bytes.size = onnx__model_proto__pack(model, bytes.data);
    *ret = bytes;
    return BF_OK;
}

void bf_onnx_free(Onnx__ModelProto **model)
{
    if (!model || !*model)
        return;
    onnx__model_proto__free_unpacked(*model, &plain);
    *model = NULL;
}

void bf_onnx_free_node(Onnx__NodeProto *node)
{
    if (node)
        onnx__node_proto__free_unpacked(node, &plain);
}

void bf_onnx_free_tensor(Onnx__TensorProto *tensor)
{
    if (tensor)
        onnx__tensor_proto__free_unpacked(tensor, &plain);
}

void bf_onnx_free_value_info(Onnx__ValueInfoProto *info)
{
    if (info)
        onnx__value_info_proto__free_unpacked(info, &plain);
}

/* Field numbers are those of onnx.proto (ONNX IR version 7); the wire format is protobuf's: a key (number << 3 | type),
 * then a varint (type 0), four bytes (type 5) or a length and that many bytes (type 2). */
#include "support/stub_model.h"

#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

const float STUB_WEIGHTS[3][STUB_CLASSES] = {{0.5f, -1.0f, 0.25f}, {0.125f, 2.0f, -0.5f}, {-0.75f, 0.0f, 1.0f}};
const float STUB_BIAS[STUB_CLASSES] = {1.0f, -2.0f, 0.5f};

#define ELEMENT_FLOAT 1
#define ELEMENT_DOUBLE 11

/* A message under construction; large enough for every stub. */
typedef struct message {
    uint8_t data[2048];
    size_t size;
} message;

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

static void put_bytes(message *m, const void *data, size_t size)
{
    must(m->size + size <= sizeof m->data, "stub model too large");
    memcpy(m->data + m->size, data, size);
    m->size += size;
}

static void put_varint(message *m, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        put_bytes(m, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static void put_int(message *m, unsigned field, uint64_t value)
{
    put_varint(m, field << 3);
    put_varint(m, value);
}

static void put_block(message *m, unsigned field, const void *data, size_t size)
{
    put_varint(m, field << 3 | 2);
    put_varint(m, size);
    put_bytes(m, data, size);
}

static void put_text(message *m, unsigned field, const char *text)
{
    put_block(m, field, text, strlen(text));
}

static void put_message(message *m, unsigned field, const message *part)
{
    put_block(m, field, part->data, part->size);
}

/* NodeProto: inputs (1), output (2), operator (4). */
static void put_node(message *graph, const char *operator, const char * const inputs[], const char *output)
{
    message node = {.size = 0};
    for (size_t i = 0; inputs[i]; i++)
        put_text(&node, 1, inputs[i]);
    put_text(&node, 2, output);
    put_text(&node, 4, operator);
    put_message(graph, 1, &node);
}

/* TensorProto: dimensions (1), type (2), name (8), little-endian data (9). */
static void put_constant(message *graph, const char *name, const uint64_t *dims, size_t rank, const float *values)
{
    message tensor = {.size = 0};
    size_t count = 1;
    for (size_t i = 0; i < rank; i++) {
        put_int(&tensor, 1, dims[i]);
        count *= (size_t)dims[i];
    }
    put_int(&tensor, 2, ELEMENT_FLOAT);
    put_text(&tensor, 8, name);
    put_block(&tensor, 9, values, count * sizeof *values);
    put_message(graph, 5, &tensor);
}

/* ValueInfoProto: name (1), type (2) = tensor (1) of element type (1) and shape (2) of dimensions (1), each a value (1)
 * or, for 0, a name (2). */
static void put_value(message *graph, unsigned field, const char *name, unsigned element, const uint64_t *dims,
                      size_t rank)
{
    message shape = {.size = 0}, tensor = {.size = 0}, type = {.size = 0}, value = {.size = 0};
    for (size_t i = 0; i < rank; i++) {
        message dim = {.size = 0};
        if (dims[i] > 0)
            put_int(&dim, 1, dims[i]);
        else
            put_text(&dim, 2, "any");
        put_message(&shape, 1, &dim);
    }
    put_int(&tensor, 1, element);
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&value, 1, name);
    put_message(&value, 2, &type);
    put_message(graph, field, &value);
}

/* The sound network, or one that ends in the root of a large negative number. */
static void put_classifier(message *graph, bool not_a_number)
{
    const uint64_t weights[] = {3, STUB_CLASSES}, bias[] = {STUB_CLASSES};
    const float negative[STUB_CLASSES] = {-1e9f, -1e9f, -1e9f};
    put_node(graph, "GlobalAveragePool", (const char *const[]){"picture", NULL}, "means");
    put_node(graph, "Flatten", (const char *const[]){"means", NULL}, "flat");
    put_node(graph, "Gemm", (const char *const[]){"flat", "weights", "bias", NULL}, not_a_number ? "sums" : "logits");
    if (not_a_number)
        put_node(graph, "Sqrt", (const char *const[]){"sums", NULL}, "logits");
    put_constant(graph, "weights", weights, 2, &STUB_WEIGHTS[0][0]);
    put_constant(graph, "bias", bias, 1, not_a_number ? negative : STUB_BIAS);
}

bf_bytes stub_model(stub_fault fault)
{
    bool open = fault == STUB_OPEN_SHAPES, doubles = fault == STUB_DOUBLES;
    const uint64_t input[] = {open ? 0 : 1, 3, STUB_SIDE, STUB_SIDE};
    const uint64_t output[] = {open ? 0 : 1, open ? 0 : doubles ? 3 * STUB_SIDE * STUB_SIDE : STUB_CLASSES};
    message graph = {.size = 0}, opset = {.size = 0}, model = {.size = 0};
    if (doubles)
        put_node(&graph, "Flatten", (const char *const[]){"picture", NULL}, "logits");
    else
        put_classifier(&graph, fault == STUB_NOT_A_NUMBER);
    put_text(&graph, 2, "stub");
    put_value(&graph, 11, "picture", doubles ? ELEMENT_DOUBLE : ELEMENT_FLOAT, input, 4);
    put_value(&graph, 12, "logits", doubles ? ELEMENT_DOUBLE : ELEMENT_FLOAT, output, 2);
    put_text(&opset, 1, "");
    put_int(&opset, 2, 13);
    put_int(&model, 1, 7);
    put_message(&model, 8, &opset);
    put_message(&model, 7, &graph);
    bf_bytes bytes = {bf_malloc(model.size), model.size};
    must(bytes.data != NULL, "stub model");
    memcpy(bytes.data, model.data, model.size);
    return bytes;
}

stub_place stub_place_new(void)
{
    stub_place place;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(place.root, sizeof place.root, "%s/bonafide-test-XXXXXX", temporary ? temporary : "/tmp");
    must(mkdtemp(place.root) != NULL, place.root);
    (void)snprintf(place.models, sizeof place.models, "%s/models", place.root);
    (void)snprintf(place.weights, sizeof place.weights, "%s/weights", place.root);
    must(mkdir(place.models, 0755) == 0 && mkdir(place.weights, 0755) == 0, place.root);
    return place;
}

static int delete_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void stub_place_done(stub_place *place)
{
    must(nftw(place->root, delete_one, 8, FTW_DEPTH | FTW_PHYS) == 0, place->root);
}

void stub_put(const stub_place *place, const char *path, const void *data, size_t size)
{
    char full[1024];
    (void)snprintf(full, sizeof full, "%s/%s", place->root, path);
    char *slash = strrchr(full, '/');
    *slash = 0;
    must(mkdir(full, 0755) == 0 || errno == EEXIST, full);
    *slash = '/';
    must(bf_bytes_write_file(full, data, size, NULL) == BF_OK, full);
}

void stub_put_manifest(const stub_place *place, const char *name, const char *sha256, const char *extra, bool approved)
{
    char path[256], text[2048];
    (void)snprintf(path, sizeof path, "models/%s/manifest.yaml", name);
    int length = snprintf(text, sizeof text,
                          "name: %s\nversion: 1\ntask: liveness\napproved: %s\nlicence: Apache-2.0\n"
                          "source: tests/support/stub_model.c\n"
                          "weights:\n  file: %s.onnx\n%s%s%s%s"
                          "input: {width: %d, height: %d, order: RGB, layout: NCHW, resample: bilinear, scale: 0.01}\n"
                          "crop: {rule: box, factor: 1.5}\n"
                          "output: {decoding: class-logits, classes: [print, live, replay]}\n",
                          name, approved ? "true" : "false", name, sha256 ? "  sha256: " : "", sha256 ? sha256 : "",
                          sha256 ? "\n" : "", extra, STUB_SIDE, STUB_SIDE);
    must(length > 0 && (size_t)length < sizeof text, "stub manifest too large");
    stub_put(place, path, text, (size_t)length);
}

void stub_install(const stub_place *place, const char *name, stub_fault fault)
{
    char hash[BF_SHA256_HEX_SIZE], path[256];
    bf_bytes model = stub_model(fault);
    bf_sha256_hex(model.data, model.size, hash);
    stub_put_manifest(place, name, hash, "", true);
    (void)snprintf(path, sizeof path, "weights/%s.onnx", name);
    stub_put(place, path, model.data, model.size);
    bf_bytes_done(&model);
}

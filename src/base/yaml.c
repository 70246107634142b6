/* Builds the node tree from libyaml's event stream. */
#include "base/yaml.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"

typedef struct text_link {
    struct text_link *next;
    char text[];
} text_link;

typedef struct node_link {
    struct node_link *next;
    bf_yaml_node node;
} node_link;

struct bf_yaml {
    char *name;
    bf_yaml_node *root;
    node_link *nodes;
    text_link *texts;
    size_t node_count;
};

typedef struct builder {
    bf_yaml *doc;
    yaml_parser_t *parser;
    bf_error *err;
} builder;

void bf_yaml_free(bf_yaml **doc)
{
    if (!doc || !*doc)
        return;
    for (node_link *link = (*doc)->nodes; link;) {
        node_link *next = link->next;
        bf_free(link);
        link = next;
    }
    for (text_link *link = (*doc)->texts; link;) {
        text_link *next = link->next;
        bf_free(link);
        link = next;
    }
    bf_free((*doc)->name);
    bf_free(*doc);
    *doc = NULL;
}

const bf_yaml_node *bf_yaml_root(const bf_yaml *doc)
{
    return doc->root;
}

const char *bf_yaml_name(const bf_yaml *doc)
{
    return doc->name;
}

static bf_status fail_at(const builder *b, int line, const char *what)
{
    return bf_fail(b->err, BF_CONFIG_INVALID, "%s:%d: %s", b->doc->name, line, what);
}

static bf_status next_event(builder *b, yaml_event_t *ret)
{
    if (yaml_parser_parse(b->parser, ret))
        return BF_OK;
    if (b->parser->error == YAML_MEMORY_ERROR)
        return bf_fail_memory(b->err);
    const char *problem = b->parser->problem ? b->parser->problem : "not valid YAML";
    size_t line = b->parser->problem_mark.line < INT_MAX - 1 ? b->parser->problem_mark.line : INT_MAX - 1;
    return fail_at(b, (int)line + 1, problem);
}

static const char *keep_text(builder *b, const yaml_event_t *event)
{
    size_t length = event->data.scalar.length;
    text_link *link = bf_malloc(sizeof *link + length + 1);
    if (!link)
        return NULL;
    memcpy(link->text, event->data.scalar.value, length);
    link->text[length] = 0;
    link->next = b->doc->texts;
    b->doc->texts = link;
    return link->text;
}

static bf_yaml_node *new_node(builder *b, bf_yaml_kind kind, int line)
{
    node_link *link = bf_calloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->next = b->doc->nodes;
    b->doc->nodes = link;
    b->doc->node_count++;
    link->node.kind = kind;
    link->node.line = line;
    return &link->node;
}

static int event_line(const yaml_event_t *event)
{
    return event->start_mark.line < INT_MAX - 1 ? (int)event->start_mark.line + 1 : INT_MAX;
}

static bf_status build_node(builder *b, const yaml_event_t *event, int depth, bf_yaml_node **ret);

static bool has_child(const bf_yaml_node *map, const char *key)
{
    return bf_yaml_get(map, key) != NULL;
}

/* Reads a map's key from `event`, which must be a plain scalar. */
static bf_status read_key(builder *b, const yaml_event_t *event, const bf_yaml_node *map, const char **ret_key)
{
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor || event->data.scalar.length == 0)
        return fail_at(b, event_line(event), "a key must be a plain word.");
    if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
        return fail_at(b, event_line(event), "a key holds a NUL byte.");
    *ret_key = keep_text(b, event);
    if (!*ret_key)
        return bf_fail_memory(b->err);
    if (has_child(map, *ret_key))
        return bf_fail(b->err, BF_CONFIG_INVALID, "%s:%d: the key '%s' stands twice.", b->doc->name, event_line(event),
                       *ret_key);
    return BF_OK;
}

/* Reads the children of a list or map up to its end event. */
static bf_status build_children(builder *b, bf_yaml_node *parent, int depth)
{
    yaml_event_type_t end = parent->kind == BF_YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    bf_yaml_node **tail = &parent->child;
    for (;;) {
        BF_CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        bf_status status = next_event(b, &event);
        if (status != BF_OK)
            return status;
        if (event.type == end)
            return BF_OK;
        const char *key = NULL;
        int key_line = event_line(&event);
        BF_CLEANUP(yaml_event_delete) yaml_event_t value = {0};
        if (parent->kind == BF_YAML_MAP) {
            status = read_key(b, &event, parent, &key);
            if (status == BF_OK)
                status = next_event(b, &value);
            if (status != BF_OK)
                return status;
        }
        bf_yaml_node *node = NULL;
        status = build_node(b, key ? &value : &event, depth + 1, &node);
        if (status != BF_OK)
            return status;
        node->key = key;
        node->key_line = key_line;
        *tail = node;
        tail = &node->next;
        parent->child_count++;
    }
}

static bool event_has_anchor_or_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return false;
    }
}

static bf_status build_node(builder *b, const yaml_event_t *event, int depth, bf_yaml_node **ret)
{
    int line = event_line(event);
    if (depth > BF_YAML_DEPTH_MAX || b->doc->node_count >= BF_YAML_NODES_MAX)
        return fail_at(b, line, "the document is nested too deeply or too large.");
    if (event->type == YAML_ALIAS_EVENT || event_has_anchor_or_tag(event))
        return fail_at(b, line, "anchors, aliases and tags are not allowed.");
    bf_yaml_kind kind = BF_YAML_SCALAR;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        kind = BF_YAML_LIST;
    else if (event->type == YAML_MAPPING_START_EVENT)
        kind = BF_YAML_MAP;
    else if (event->type != YAML_SCALAR_EVENT)
        return fail_at(b, line, "a value is missing.");
    bf_yaml_node *node = new_node(b, kind, line);
    if (!node)
        return bf_fail_memory(b->err);
    *ret = node;
    if (kind != BF_YAML_SCALAR)
        return build_children(b, node, depth);
    if (memchr(event->data.scalar.value, 0, event->data.scalar.length))
        return fail_at(b, line, "the text holds a NUL byte.");
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->scalar = keep_text(b, event);
    return node->scalar ? BF_OK : bf_fail_memory(b->err);
}

/* The stream must be: stream start, document start, one node, document end, stream end. */
static bf_status build_document(builder *b)
{
    static const yaml_event_type_t before[] = {YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT};
    static const yaml_event_type_t after[] = {YAML_DOCUMENT_END_EVENT, YAML_STREAM_END_EVENT};
    for (size_t i = 0; i < 2; i++) {
        BF_CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        bf_status status = next_event(b, &event);
        if (status != BF_OK)
            return status;
        if (event.type != before[i])
            return fail_at(b, 1, "the document is empty.");
    }
    BF_CLEANUP(yaml_event_delete) yaml_event_t root = {0};
    bf_status status = next_event(b, &root);
    if (status == BF_OK)
        status = build_node(b, &root, 0, &b->doc->root);
    for (size_t i = 0; i < 2 && status == BF_OK; i++) {
        BF_CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        status = next_event(b, &event);
        if (status == BF_OK && event.type != after[i])
            status = fail_at(b, event_line(&event), "one document is expected.");
    }
    return status;
}

bf_status bf_yaml_parse(const void *data, size_t size, const char *name, bf_yaml **ret_doc, bf_error *err)
{
    if (size > BF_YAML_BYTES_MAX)
        return bf_fail(err, BF_CONFIG_INVALID, "%s: the document is larger than %u bytes.", name, BF_YAML_BYTES_MAX);
    BF_CLEANUP(bf_yaml_free) bf_yaml *doc = bf_calloc(1, sizeof *doc);
    if (!doc)
        return bf_fail_memory(err);
    doc->name = bf_strdup(name);
    yaml_parser_t parser;
    if (!doc->name || !yaml_parser_initialize(&parser))
        return bf_fail_memory(err);
    yaml_parser_set_input_string(&parser, data, size);
    builder b = {doc, &parser, err};
    bf_status status = build_document(&b);
    yaml_parser_delete(&parser);
    if (status != BF_OK)
        return status;
    *ret_doc = doc;
    doc = NULL;
    return BF_OK;
}

bf_status bf_yaml_read_file(const char *path, bf_yaml **ret_doc, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    bf_status status = bf_bytes_read_file(&bytes, path, BF_YAML_BYTES_MAX, err);
    if (status != BF_OK)
        return status;
    return bf_yaml_parse(bytes.data, bytes.size, path, ret_doc, err);
}

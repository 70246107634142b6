/* The strict YAML reader on any bytes: it parses or refuses with a line number, and every typed getter on every node
 * of what it parsed does the same. */
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as_everything(const bf_yaml *doc, const bf_yaml_node *map, const char *key)
{
    static const char *const names[] = {"first", "second", NULL};
    bf_error err = {0};
    const char *text;
    double number;
    int64_t integer;
    bool flag;
    int choice;
    (void)bf_yaml_string(doc, map, key, true, &text, &err);
    (void)bf_yaml_number(doc, map, key, true, -1e6, 1e6, &number, &err);
    (void)bf_yaml_integer(doc, map, key, true, INT64_MIN, INT64_MAX, &integer, &err);
    (void)bf_yaml_bool(doc, map, key, true, &flag, &err);
    (void)bf_yaml_choice(doc, map, key, true, names, &choice, &err);
    (void)bf_yaml_check_keys(doc, map, names, &err);
}

static void visit(const bf_yaml *doc, const bf_yaml_node *node)
{
    for (const bf_yaml_node *child = node->child; child; child = child->next) {
        if (node->kind == BF_YAML_MAP)
            read_as_everything(doc, node, child->key);
        visit(doc, child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bf_yaml *doc = NULL;
    bf_error err = {0};
    if (bf_yaml_parse(data, size, "fuzz.yaml", &doc, &err) == BF_OK)
        visit(doc, bf_yaml_root(doc));
    bf_yaml_free(&doc);
    return 0;
}

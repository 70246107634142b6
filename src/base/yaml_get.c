/* Typed, strict access to a parsed YAML tree. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/yaml.h"

#define WORD_MAX 64
#define NEAREST_EDITS_MAX 3

bf_status bf_yaml_fail(const bf_yaml *doc, const bf_yaml_node *node, bf_error *err, const char *format, ...)
{
    char text[BF_ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return bf_fail(err, BF_CONFIG_INVALID, "%s:%d: %s", bf_yaml_name(doc), node ? node->line : 1, text);
}

/* Levenshtein distance of two words, each cut at WORD_MAX characters. */
static int edit_distance(const char *a, const char *b)
{
    size_t length_a = strnlen(a, WORD_MAX), length_b = strnlen(b, WORD_MAX);
    int row[WORD_MAX + 1];
    for (size_t j = 0; j <= length_b; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= length_a; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= length_b; j++) {
            int replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            int best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = replace < best ? replace : best;
        }
    }
    return row[length_b];
}

const char *bf_nearest_word(const char *word, const char *const known[])
{
    const char *nearest = NULL;
    int least = NEAREST_EDITS_MAX + 1;
    for (size_t i = 0; known[i]; i++) {
        int distance = edit_distance(word, known[i]);
        /* A word of which every letter must change is no likeness. */
        if (distance < least && (size_t)distance < strlen(known[i])) {
            least = distance;
            nearest = known[i];
        }
    }
    return nearest;
}

static bool is_known(const char *word, const char *const known[])
{
    for (size_t i = 0; known[i]; i++) {
        if (strcmp(word, known[i]) == 0)
            return true;
    }
    return false;
}

static bf_status fail_unknown(const bf_yaml *doc, const bf_yaml_node *node, int line, const char *what,
                              const char *word, const char *const known[], bf_error *err)
{
    (void)node;
    const char *nearest = bf_nearest_word(word, known);
    bf_fail(err, BF_CONFIG_INVALID, "%s:%d: unknown %s '%.*s'%s%s%s", bf_yaml_name(doc), line, what, WORD_MAX, word,
            nearest ? "; did you mean '" : ".", nearest ? nearest : "", nearest ? "'?" : "");
    return BF_CONFIG_INVALID;
}

bf_status bf_yaml_check_keys(const bf_yaml *doc, const bf_yaml_node *map, const char *const known[], bf_error *err)
{
    if (!map || map->kind != BF_YAML_MAP)
        return bf_yaml_fail(doc, map, err, "a map of keys and values is expected here.");
    for (const bf_yaml_node *node = map->child; node; node = node->next) {
        if (!is_known(node->key, known))
            return fail_unknown(doc, node, node->key_line, "key", node->key, known, err);
    }
    return BF_OK;
}

const bf_yaml_node *bf_yaml_get(const bf_yaml_node *map, const char *key)
{
    if (!map || map->kind != BF_YAML_MAP)
        return NULL;
    for (const bf_yaml_node *node = map->child; node; node = node->next) {
        if (node->key && strcmp(node->key, key) == 0)
            return node;
    }
    return NULL;
}

/* Finds map[key] as a scalar. *ret_node stays NULL when an optional key is absent. */
static bf_status get_scalar(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required,
                            const bf_yaml_node **ret_node, bf_error *err)
{
    const bf_yaml_node *node = bf_yaml_get(map, key);
    *ret_node = NULL;
    if (!node)
        return required ? bf_yaml_fail(doc, map, err, "the key '%s' is missing.", key) : BF_OK;
    if (node->kind != BF_YAML_SCALAR)
        return bf_yaml_fail(doc, node, err, "'%s' must be a single value.", key);
    *ret_node = node;
    return BF_OK;
}

bf_status bf_yaml_string(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required, const char **ret,
                         bf_error *err)
{
    const bf_yaml_node *node;
    bf_status status = get_scalar(doc, map, key, required, &node, err);
    if (status == BF_OK && node)
        *ret = node->scalar;
    return status;
}

static bool parse_number(const char *text, double *ret)
{
    if (text[0] == 0 || strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    char *end = NULL;
    double number = strtod(text, &end);
    if (*end != 0 || !isfinite(number))
        return false;
    *ret = number;
    return true;
}

bf_status bf_yaml_node_number(const bf_yaml *doc, const bf_yaml_node *node, double min, double max, double *ret,
                              bf_error *err)
{
    double number;
    if (!node || node->kind != BF_YAML_SCALAR || node->quoted || !parse_number(node->scalar, &number))
        return bf_yaml_fail(doc, node, err, "%s%s%s a number is expected.", node && node->key ? "'" : "",
                            node && node->key ? node->key : "", node && node->key ? "':" : "");
    if (number < min || number > max)
        return bf_yaml_fail(doc, node, err, "%s%.*s is outside %g to %g.", node->key ? "" : "value ", WORD_MAX,
                            node->key ? node->key : node->scalar, min, max);
    *ret = number;
    return BF_OK;
}

bf_status bf_yaml_number(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required, double min,
                         double max, double *ret, bf_error *err)
{
    const bf_yaml_node *node;
    bf_status status = get_scalar(doc, map, key, required, &node, err);
    if (status != BF_OK || !node)
        return status;
    return bf_yaml_node_number(doc, node, min, max, ret, err);
}

bf_status bf_yaml_integer(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required, int64_t min,
                          int64_t max, int64_t *ret, bf_error *err)
{
    const bf_yaml_node *node;
    bf_status status = get_scalar(doc, map, key, required, &node, err);
    if (status != BF_OK || !node)
        return status;
    double number = 0;
    status = bf_yaml_node_number(doc, node, (double)min, (double)max, &number, err);
    if (status != BF_OK)
        return status;
    if (number != floor(number) || fabs(number) > 9007199254740992.0)
        return bf_yaml_fail(doc, node, err, "'%s' must be a whole number.", key);
    *ret = (int64_t)number;
    return BF_OK;
}

bf_status bf_yaml_bool(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required, bool *ret,
                       bf_error *err)
{
    const bf_yaml_node *node;
    bf_status status = get_scalar(doc, map, key, required, &node, err);
    if (status != BF_OK || !node)
        return status;
    bool yes = !node->quoted && strcmp(node->scalar, "true") == 0;
    if (!yes && (node->quoted || strcmp(node->scalar, "false") != 0))
        return bf_yaml_fail(doc, node, err, "'%s' must be true or false.", key);
    *ret = yes;
    return BF_OK;
}

bf_status bf_yaml_choice(const bf_yaml *doc, const bf_yaml_node *map, const char *key, bool required,
                         const char *const names[], int *ret, bf_error *err)
{
    const bf_yaml_node *node;
    bf_status status = get_scalar(doc, map, key, required, &node, err);
    if (status != BF_OK || !node)
        return status;
    for (int i = 0; names[i]; i++) {
        if (strcmp(node->scalar, names[i]) == 0) {
            *ret = i;
            return BF_OK;
        }
    }
    char what[WORD_MAX + 16];
    (void)snprintf(what, sizeof what, "value of '%.40s':", key);
    return fail_unknown(doc, node, node->line, what, node->scalar, names, err);
}

#include "fit/policy_patch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "fit/diff.h"

#define PATH_SIZE 4096
#define WIDTH 120      /* of the lines of the rationale */
#define SAME_BAND 1e-9 /* 0..1 */

/* A policy file while it is changed. The tree is read anew after each change, since lines move. */
typedef struct editing {
    char *text;
    const char *name;
    bf_yaml *doc;
} editing;

static void editing_done(editing *e)
{
    bf_free(e->text);
    bf_yaml_free(&e->doc);
}

static bf_status read_again(editing *e, bf_error *err)
{
    bf_yaml_free(&e->doc);
    return bf_yaml_parse(e->text, strlen(e->text), e->name, &e->doc, err);
}

/* Puts `with` in the place of `size` bytes. */
static bf_status splice(editing *e, size_t at, size_t size, const char *with, bf_error *err)
{
    size_t room = strlen(e->text) - size + strlen(with) + 1;
    char *text = bf_malloc(room);
    if (!text)
        return bf_fail_memory(err);
    (void)snprintf(text, room, "%.*s%s%s", (int)at, e->text, with, e->text + at + size);
    bf_free(e->text);
    e->text = text;
    return read_again(e, err);
}

/* Where a line begins, counted from 1; the end of the text for lines beyond. */
static size_t line_at(const char *text, int line)
{
    size_t at = 0;
    for (int i = 1; i < line && text[at]; i++) {
        at += strcspn(text + at, "\n");
        at += text[at] == '\n';
    }
    return at;
}

static bf_status fail_form(const editing *e, const bf_yaml_node *node, bf_error *err)
{
    bf_status status = bf_yaml_fail(e->doc, node, err, "the bands cannot be changed in this form.");
    bf_fail_hint(err, "Write them as 'liveness: {pass: 80, uncertain: 50}' on a line of its own.");
    return status;
}

/* The same, for a value with a comment behind it, which stays in its column where there is room. */
static bf_status replace_value(editing *e, size_t at, size_t size, const char *with, bf_error *err)
{
    size_t more = strlen(with) > size ? strlen(with) - size : 0, room = strspn(e->text + at + size, " ");
    if (room > 0 && e->text[at + size + room] == '#')
        size += more < room - 1 ? more : room - 1;
    return splice(e, at, size, with, err);
}

/* The offset behind "KEY:" and spaces in the line of a node's key; the text's length when it is not there once. */
static size_t value_at(const editing *e, const bf_yaml_node *node)
{
    size_t from = line_at(e->text, node->key_line), end = from + strcspn(e->text + from, "\n");
    size_t size = strlen(node->key), found = strlen(e->text);
    for (size_t i = from; i + size < end && e->text[i] != '#'; i++) {
        bool begins = i == from || strchr(" {,", e->text[i - 1]) != NULL;
        if (!begins || strncmp(e->text + i, node->key, size) != 0 || e->text[i + size] != ':')
            continue;
        if (found != strlen(e->text))
            return strlen(e->text);
        found = i + size + 1 + strspn(e->text + i + size + 1, " ");
    }
    return found;
}

static bf_status set_scalar(editing *e, const bf_yaml_node *node, const char *value, bf_error *err)
{
    size_t at = value_at(e, node);
    if (!e->text[at])
        return fail_form(e, node, err);
    return replace_value(e, at, strcspn(e->text + at, " ,}#\n"), value, err);
}

/* The first line behind the value of a key of the root: behind all that is indented, but before blanks at its end. */
static int line_behind(const editing *e, const bf_yaml_node *node)
{
    int line = node->key_line + 1, behind = line;
    for (size_t at = line_at(e->text, line); e->text[at]; at = line_at(e->text, ++line)) {
        if (e->text[at] == ' ')
            behind = line + 1;
        else if (e->text[at] != '\n')
            break;
    }
    return behind;
}

static void bands_text(char *ret, size_t size, const bf_policy_band *band, bool both)
{
    if (both)
        (void)snprintf(ret, size, "{pass: %.8g, uncertain: %.8g}", band->pass, band->uncertain);
    else
        (void)snprintf(ret, size, "{pass: %.8g}", band->pass);
}

/* Bands that stand in the map already. */
static bf_status change_bands(editing *e, const bf_yaml_node *liveness, const bf_policy_band *band, bool both,
                              bf_error *err)
{
    char value[96];
    const bf_yaml_node *pass = bf_yaml_get(liveness, "pass"), *uncertain = bf_yaml_get(liveness, "uncertain");
    if (!liveness->child || liveness->child->key_line == liveness->key_line) {
        size_t at = value_at(e, liveness), size = strcspn(e->text + at, "}\n");
        if (e->text[at] != '{' || e->text[at + size] != '}')
            return fail_form(e, liveness, err);
        bands_text(value, sizeof value, band, both || uncertain);
        return replace_value(e, at, size + 1, value, err);
    }
    if (!pass || (both && !uncertain))
        return fail_form(e, liveness, err);
    /* The lower one first: the other node is gone once the text has changed. */
    int line = pass->key_line;
    const bf_yaml_node *parent = liveness;
    (void)snprintf(value, sizeof value, "%.8g", band->uncertain);
    size_t pass_at = value_at(e, pass);
    if (!e->text[pass_at])
        return fail_form(e, parent, err);
    size_t pass_column = pass_at - line_at(e->text, line);
    if (uncertain) {
        bf_status status = set_scalar(e, uncertain, value, err);
        if (status != BF_OK)
            return status;
    }
    pass_at = line_at(e->text, line) + pass_column;
    (void)snprintf(value, sizeof value, "%.8g", band->pass);
    return replace_value(e, pass_at, strcspn(e->text + pass_at, " ,}#\n"), value, err);
}

static int indent_of(const editing *e, const bf_yaml_node *node)
{
    return (int)strspn(e->text + line_at(e->text, node->key_line), " ");
}

/* Bands for a channel that has none so far. */
static bf_status add_bands(editing *e, const char *channel, const char *bands, bf_error *err)
{
    char lines[256];
    const bf_yaml_node *root = bf_yaml_root(e->doc), *channels = bf_yaml_get(root, "channels");
    const bf_yaml_node *own = channels ? bf_yaml_get(channels, channel) : NULL;
    if (own && own->child && own->child->key_line == own->key_line) {
        size_t at = value_at(e, own);
        if (e->text[at] != '{')
            return fail_form(e, own, err);
        (void)snprintf(lines, sizeof lines, "liveness: %s, ", bands);
        return splice(e, at + 1, 0, lines, err);
    }
    if (own && own->child) {
        (void)snprintf(lines, sizeof lines, "%*sliveness: %s\n", indent_of(e, own->child), "", bands);
        return splice(e, line_at(e->text, own->key_line + 1), 0, lines, err);
    }
    if (own || (channels && (!channels->child || channels->child->key_line == channels->key_line)))
        return fail_form(e, channels, err);
    int indent = channels ? indent_of(e, channels->child) : 2;
    (void)snprintf(lines, sizeof lines, "%s%*s%s:\n%*sliveness: %s\n", channels ? "" : "\nchannels:\n", indent, "",
                   channel, indent + 2, "", bands);
    int line = channels ? channels->key_line + 1 : line_behind(e, bf_yaml_get(root, "liveness"));
    return splice(e, line_at(e->text, line), 0, lines, err);
}

static bf_status set_common(editing *e, const bf_policy_band *band, bf_error *err)
{
    char bands[96], lines[128];
    const bf_yaml_node *root = bf_yaml_root(e->doc), *liveness = bf_yaml_get(root, "liveness");
    if (liveness)
        return change_bands(e, liveness, band, true, err);
    bands_text(bands, sizeof bands, band, true);
    (void)snprintf(lines, sizeof lines, "\nliveness: %s\n", bands);
    return splice(e, line_at(e->text, line_behind(e, bf_yaml_get(root, "rationale"))), 0, lines, err);
}

static bf_status set_channel(editing *e, bf_channel channel, const bf_policy_band *band, double common_uncertain,
                             bf_error *err)
{
    char bands[96];
    bool both = band->uncertain != common_uncertain;
    const bf_yaml_node *channels = bf_yaml_get(bf_yaml_root(e->doc), "channels");
    const bf_yaml_node *own = channels ? bf_yaml_get(channels, bf_channel_name(channel)) : NULL;
    const bf_yaml_node *liveness = own ? bf_yaml_get(own, "liveness") : NULL;
    if (liveness)
        return change_bands(e, liveness, band, both, err);
    bands_text(bands, sizeof bands, band, both);
    return add_bands(e, bf_channel_name(channel), bands, err);
}

static bf_status set_version(editing *e, bf_error *err)
{
    char value[32], *end = NULL;
    const bf_yaml_node *node = bf_yaml_get(bf_yaml_root(e->doc), "version");
    if (node->quoted)
        return fail_form(e, node, err);
    long major = strtol(node->scalar, &end, 10), minor = strtol(end + 1, NULL, 10);
    (void)snprintf(value, sizeof value, "%ld.%ld.0", major, minor + 1);
    return set_scalar(e, node, value, err);
}

/* Appends words to a folded block of lines. */
static void put_words(bf_page *page, const char *text, size_t *column)
{
    while (*text) {
        text += strspn(text, " \n");
        size_t size = strcspn(text, " \n");
        if (size == 0)
            break;
        bool breaks = *column > 0 && *column + 1 + size > WIDTH;
        bf_page_put(page, "%s%.*s", *column == 0 ? "  " : breaks ? "\n  " : " ", (int)size, text);
        *column = breaks || *column == 0 ? 2 + size : *column + 1 + size;
        text += size;
    }
}

static bf_status set_rationale(editing *e, const char *why, bf_error *err)
{
    BF_CLEANUP(bf_page_done) bf_page page = {0};
    BF_CLEANUP(bf_bytes_done) bf_bytes block = {0};
    char old[2048];
    size_t column = 0;
    const bf_yaml_node *node = bf_yaml_get(bf_yaml_root(e->doc), "rationale");
    (void)snprintf(old, sizeof old, "%s", node->scalar);
    char *mark = strstr(old, BF_PATCH_MARK);
    if (mark)
        *mark = '\0';
    bf_page_put(&page, "rationale: >-\n");
    put_words(&page, old, &column);
    column = WIDTH; /* the old lines stay as they were */
    put_words(&page, BF_PATCH_MARK, &column);
    put_words(&page, why, &column);
    bf_page_put(&page, "\n");
    size_t from = line_at(e->text, node->key_line), to = line_at(e->text, line_behind(e, node));
    bf_status status = bf_page_take(&page, &block, err);
    return status == BF_OK ? splice(e, from, to - from, (const char *)block.data, err) : status;
}

static bool has_bands(const bf_policy *policy, int channel, const bf_policy_band *band)
{
    const bf_policy_bands is = bf_policy_bands_of(policy, (bf_channel)channel);
    return fabs(is.pass - band->pass / 100) <= SAME_BAND && fabs(is.uncertain - band->uncertain / 100) <= SAME_BAND;
}

/* Changes the channels that do not have their bands by what they inherit. Half-changed bands may contradict each other,
 * so that nothing can be read; then every channel gets its own. */
static bf_status set_channels(editing *e, const bf_policy_patch *patch, const bf_policy_band band[BF_PATCH_CHANNELS],
                              bf_error *err)
{
    BF_CLEANUP(bf_policy_free) bf_policy *so_far = NULL;
    const bf_policy_text own = {e->text, strlen(e->text), e->name};
    const bf_policy_text base = {patch->base.data, patch->base.size, patch->base_name};
    bf_status status = bf_policy_parse_extending(&own, patch->base_name[0] ? &base : NULL, &so_far, err);
    if (status == BF_OUT_OF_MEMORY)
        return status;
    status = BF_OK;
    for (int c = BF_CHANNEL_UNSPECIFIED + 1; status == BF_OK && c < BF_PATCH_CHANNELS; c++) {
        if (!so_far || !has_bands(so_far, c, &band[c]))
            status = set_channel(e, (bf_channel)c, &band[c], band[BF_CHANNEL_UNSPECIFIED].uncertain, err);
    }
    return status;
}

static bf_status edit(editing *e, const bf_policy_patch *patch, const bf_policy *before,
                      const bf_policy_band band[BF_PATCH_CHANNELS], const char *why, bf_error *err)
{
    bf_status status = BF_OK;
    if (!has_bands(before, BF_CHANNEL_UNSPECIFIED, &band[BF_CHANNEL_UNSPECIFIED]))
        status = set_common(e, &band[BF_CHANNEL_UNSPECIFIED], err);
    if (status == BF_OK)
        status = set_channels(e, patch, band, err);
    if (status == BF_OK)
        status = set_version(e, err);
    return status == BF_OK ? set_rationale(e, why, err) : status;
}

static bf_status read_file(const char *path, bf_bytes *ret, bf_error *err)
{
    bf_status status = bf_bytes_read_file(ret, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_OK && strlen((const char *)ret->data) != ret->size)
        return bf_fail(err, BF_CONFIG_INVALID, "%s: the file is no text.", path);
    return status;
}

/* The base, where the file names one; bf_policy_read has seen both before. */
static bf_status read_base(bf_policy_patch *patch, const char *path, const editing *e, bf_error *err)
{
    const char *name = NULL, *slash = strrchr(path, '/');
    char other[PATH_SIZE];
    bf_status status = bf_yaml_string(e->doc, bf_yaml_root(e->doc), "extends", false, &name, err);
    if (status != BF_OK || !name)
        return status;
    int folder = slash ? (int)(slash - path) + 1 : 0;
    if (snprintf(other, sizeof other, "%.*s%s", folder, path, name) >= (int)sizeof other ||
        snprintf(patch->base_name, sizeof patch->base_name, "%s", name) >= (int)sizeof patch->base_name)
        return bf_fail(err, BF_CONFIG_INVALID, "%s: the path of the base is too long.", path);
    return read_file(other, &patch->base, err);
}

static void note_case(void *context, const bf_policy_case *result)
{
    bf_policy_patch *patch = context;
    char text[512];
    if (result->passed)
        return;
    if (patch->broken_count < BF_PATCH_CASES_MAX) {
        (void)snprintf(text, sizeof text, "%s:%d: %s%s%s: %s", result->file, result->line, result->name,
                       result->channel[0] ? " on " : "", result->channel, result->message);
        patch->broken[patch->broken_count] = bf_strdup(text);
    }
    patch->broken_count++;
}

/* Whether the new policy says what it is meant to say; a file may have forms that the changes above do not know. */
static bf_status check_bands(const bf_policy_patch *patch, const bf_policy_band band[BF_PATCH_CHANNELS], bf_error *err)
{
    for (int c = 0; c < BF_PATCH_CHANNELS; c++) {
        const bf_policy_bands is = bf_policy_bands_of(patch->policy, (bf_channel)c);
        if (!has_bands(patch->policy, c, &band[c]))
            return bf_fail(err, BF_CONFIG_INVALID,
                           "%s: the bands of %s cannot be changed line by line: they would become %g and %g.",
                           patch->name, bf_channel_name((bf_channel)c), 100 * is.pass, 100 * is.uncertain);
    }
    return BF_OK;
}

static bf_status prove(bf_policy_patch *patch, const bf_policy_band *band, bf_error *err)
{
    const bf_policy_text own = {patch->own.data, patch->own.size, patch->name};
    const bf_policy_text base = {patch->base.data, patch->base.size, patch->base_name};
    const bf_policy_text *extends = patch->base_name[0] ? &base : NULL;
    bf_status status = bf_policy_parse_extending(&own, extends, &patch->policy, err);
    if (status == BF_OK)
        status = check_bands(patch, band, err);
    if (status == BF_OK)
        status = bf_policy_lint_text(&own, extends, note_case, patch, err);
    if (status != BF_OK)
        bf_fail_prefix(err, "The policy with the new bands would not be sound");
    return status;
}

static bf_status make(bf_policy_patch *patch, const char *path, const bf_policy_band *band, const char *why,
                      bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes old = {0};
    BF_CLEANUP(bf_policy_free) bf_policy *before = NULL;
    BF_CLEANUP(editing_done) editing e = {.name = path};
    BF_CLEANUP(bf_page_done) bf_page diff = {0};
    const char *slash = strrchr(path, '/');
    bf_status status = bf_policy_read(path, &before, err);
    if (status == BF_OK)
        status = read_file(path, &old, err);
    if (status != BF_OK)
        return status;
    if (snprintf(patch->name, sizeof patch->name, "%s", slash ? slash + 1 : path) >= (int)sizeof patch->name)
        return bf_fail(err, BF_CONFIG_INVALID, "%s: the name of the file is too long.", path);
    if (!(e.text = bf_strdup((const char *)old.data)))
        return bf_fail_memory(err);
    if ((status = read_again(&e, err)) != BF_OK || (status = read_base(patch, path, &e, err)) != BF_OK ||
        (status = edit(&e, patch, before, band, why, err)) != BF_OK)
        return status;
    patch->own = (bf_bytes){(uint8_t *)e.text, strlen(e.text)};
    e.text = NULL;
    if ((status = prove(patch, band, err)) != BF_OK)
        return status;
    status = bf_diff(&diff, patch->name, (const char *)old.data, (const char *)patch->own.data, err);
    return status == BF_OK ? bf_page_take(&diff, &patch->diff, err) : status;
}

bf_status bf_policy_patch_make(bf_policy_patch *ret, const char *path, const bf_policy_band band[BF_PATCH_CHANNELS],
                               const char *why, bf_error *err)
{
    bf_policy_patch patch = {0};
    bf_status status = make(&patch, path, band, why, err);
    if (status != BF_OK) {
        bf_policy_patch_done(&patch);
        return status;
    }
    *ret = patch;
    return BF_OK;
}

void bf_policy_patch_done(bf_policy_patch *patch)
{
    for (size_t i = 0; i < BF_PATCH_CASES_MAX; i++)
        bf_free(patch->broken[i]);
    bf_bytes_done(&patch->own);
    bf_bytes_done(&patch->base);
    bf_bytes_done(&patch->diff);
    bf_policy_free(&patch->policy);
    *patch = (bf_policy_patch){0};
}

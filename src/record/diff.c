#include "record/diff.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "record/parse.h"

#define KEPT_MAX 256
#define PATH_SIZE 160
#define TEXT_SIZE 96

typedef struct difference {
    char path[PATH_SIZE];
    char recorded[TEXT_SIZE];
    char now[TEXT_SIZE];
} difference;

struct bf_differences {
    difference kept[KEPT_MAX];
    int count;
    int of_versions;
    bool other_decision;
    bool versions_done; /* they are compared first, and then passed over */
};

/* What changes without the judgement changing. */
static bool is_ignored(const char *path)
{
    static const char *const ignored[] = {"latency_ms",
                                          "latency",
                                          "request_id",
                                          "diagnostics.faces",
                                          "diagnostics.landmarks",
                                          "diagnostics.crops",
                                          "diagnostics.outline"};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        if (strcmp(path, ignored[i]) == 0)
            return true;
    }
    size_t length = strlen(path);
    return strncmp(path, "evidence.", 9) == 0 && length > 3 && strcmp(path + length - 3, ".ms") == 0;
}

/* What records did not hold at first: without it, an old one says nothing else than a new one. */
static bool is_later(const char *path)
{
    return strcmp(path, "capture.light") == 0;
}

static bool is_under(const char *path, const char *part)
{
    size_t length = strlen(part);
    return strncmp(path, part, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

typedef struct cut_text {
    char *text;
    size_t used; /* also counts what did not fit */
} cut_text;

static int append_cut(const char *data, size_t size, void *sink)
{
    cut_text *cut = sink;
    for (size_t i = 0; i < size; i++, cut->used++) {
        if (cut->used < TEXT_SIZE - 1)
            cut->text[cut->used] = data[i];
    }
    return 0;
}

/* The value as JSON text, cut short with "..." when it is long. */
static void value_text(const json_t *value, char ret[TEXT_SIZE])
{
    cut_text cut = {ret, 0};
    memset(ret, 0, TEXT_SIZE);
    if (value)
        (void)json_dump_callback(value, append_cut, &cut, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12));
    if (cut.used >= TEXT_SIZE)
        memcpy(ret + TEXT_SIZE - 4, "...", 4);
}

/* Which evidence weighed most is an explanation: with another one, and in a record from before there was any, the
 * decision is still the same. */
static bool is_evidence_reason(const json_t *value)
{
    return !value || strncmp(json_is_string(value) ? json_string_value(value) : "", "EVIDENCE_", 9) == 0;
}

static bool is_of_decision(const char *path, const json_t *recorded, const json_t *now)
{
    if (is_under(path, "decision.reason_codes"))
        return !is_evidence_reason(recorded) || !is_evidence_reason(now);
    return is_under(path, "decision.decision") || is_under(path, "decision.reason") ||
           is_under(path, "decision.guidance");
}

static void note(bf_differences *all, const char *path, const json_t *recorded, const json_t *now)
{
    if (is_under(path, "versions"))
        all->of_versions++;
    if (is_of_decision(path, recorded, now))
        all->other_decision = true;
    if (all->count < KEPT_MAX) {
        difference *kept = &all->kept[all->count];
        (void)snprintf(kept->path, sizeof kept->path, "%s", path);
        value_text(recorded, kept->recorded);
        value_text(now, kept->now);
    }
    all->count++;
}

static void compare(bf_differences *all, const char *path, const json_t *recorded, const json_t *now);

static void compare_at(bf_differences *all, const char *path, const char *key, const json_t *recorded,
                       const json_t *now)
{
    char below[PATH_SIZE];
    (void)snprintf(below, sizeof below, "%s%s%s", path, path[0] ? "." : "", key);
    if (!is_ignored(below) && (recorded || !is_later(below)) && !(all->versions_done && strcmp(below, "versions") == 0))
        compare(all, below, recorded, now);
}

static void compare_objects(bf_differences *all, const char *path, const json_t *recorded, const json_t *now)
{
    for (void *at = json_object_iter((json_t *)(uintptr_t)recorded); at;
         at = json_object_iter_next((json_t *)(uintptr_t)recorded, at)) {
        const char *key = json_object_iter_key(at);
        compare_at(all, path, key, json_object_iter_value(at), json_object_get(now, key));
    }
    for (void *at = json_object_iter((json_t *)(uintptr_t)now); at;
         at = json_object_iter_next((json_t *)(uintptr_t)now, at)) {
        const char *key = json_object_iter_key(at);
        if (!json_object_get(recorded, key))
            compare_at(all, path, key, NULL, json_object_iter_value(at));
    }
}

static void compare_lists(bf_differences *all, const char *path, const json_t *recorded, const json_t *now)
{
    size_t count = json_array_size(recorded) > json_array_size(now) ? json_array_size(recorded) : json_array_size(now);
    for (size_t i = 0; i < count; i++) {
        char index[24];
        (void)snprintf(index, sizeof index, "%zu", i);
        compare_at(all, path, index, json_array_get(recorded, i), json_array_get(now, i));
    }
}

static void compare(bf_differences *all, const char *path, const json_t *recorded, const json_t *now)
{
    if (!recorded && !now)
        return;
    if (json_is_object(recorded) && json_is_object(now))
        compare_objects(all, path, recorded, now);
    else if (json_is_array(recorded) && json_is_array(now))
        compare_lists(all, path, recorded, now);
    else if (json_is_number(recorded) && json_is_number(now) ? json_number_value(recorded) != json_number_value(now)
                                                             : !json_equal(recorded, now))
        note(all, path, recorded, now);
}

bf_status bf_record_diff(const json_t *recorded, const json_t *now, bf_differences **ret, bf_error *err)
{
    bf_differences *all = bf_calloc(1, sizeof *all);
    if (!all)
        return bf_fail_memory(err);
    compare_at(all, "", "versions", json_object_get(recorded, "versions"), json_object_get(now, "versions"));
    all->versions_done = true;
    compare(all, "", recorded, now);
    *ret = all;
    return BF_OK;
}

void bf_differences_free(bf_differences **differences)
{
    if (!differences || !*differences)
        return;
    bf_free(*differences);
    *differences = NULL;
}

int bf_differences_count(const bf_differences *differences)
{
    return differences->count;
}

bf_difference bf_differences_at(const bf_differences *differences, int index)
{
    if (index < 0 || index >= differences->count || index >= KEPT_MAX)
        return (bf_difference){"", "", ""};
    const difference *kept = &differences->kept[index];
    return (bf_difference){kept->path, kept->recorded, kept->now};
}

int bf_differences_of_versions(const bf_differences *differences)
{
    return differences->of_versions;
}

bool bf_differences_same_decision(const bf_differences *differences)
{
    return !differences->other_decision;
}

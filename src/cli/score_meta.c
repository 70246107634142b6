/* What stands beside a table: how it was made. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/score.h"
#include "record/build.h"
#include "record/parse.h"

bool cli_meta_path(const char *table, char ret[BF_DATASET_PATH_SIZE])
{
    size_t size = strlen(table);
    if (size > 4 && strcmp(table + size - 4, ".csv") == 0)
        size -= 4;
    int length = snprintf(ret, BF_DATASET_PATH_SIZE, "%.*s.meta.json", (int)size, table);
    return length > 0 && length < BF_DATASET_PATH_SIZE;
}

bf_status cli_meta_write(const json_t *root, const char *table, bf_error *err)
{
    char path[BF_DATASET_PATH_SIZE];
    if (!cli_meta_path(table, path))
        return bf_fail(err, BF_INVALID_ARGUMENT, "The path of the output is too long.");
    BF_CLEANUP(bf_free_string) char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    if (!text)
        return bf_fail_memory(err);
    /* The line's end takes the place of the NUL, which is not written. */
    size_t size = strlen(text);
    text[size] = '\n';
    return bf_bytes_write_file(path, text, size + 1, err);
}

static json_t *build_counts(bf_build *build, const bf_score_counts *counts)
{
    json_t *object = json_object();
    bf_build_put(build, object, "ok", json_integer((json_int_t)counts->ok));
    bf_build_put(build, object, "could_not_judge", json_integer((json_int_t)counts->could_not_judge));
    bf_build_put(build, object, "error", json_integer((json_int_t)counts->error));
    return object;
}

static json_t *build_shard(bf_build *build, bf_shard shard)
{
    json_t *object = json_object();
    bf_build_put(build, object, "index", json_integer((json_int_t)shard.index + 1));
    bf_build_put(build, object, "count", json_integer((json_int_t)shard.count));
    return object;
}

static json_t *build_names(bf_build *build, const bf_engine *engine, bool flows)
{
    json_t *list = json_array();
    for (int i = 0; i < (flows ? engine->policy_count : engine->detector_count); i++)
        bf_build_add(build, list, bf_build_text(flows ? bf_policy_flow(engine->policy[i]) : engine->detector[i].name));
    return list;
}

/* What a calibration that is fitted to the table has to be bound to. */
static json_t *build_evidence(bf_build *build, const bf_engine *engine)
{
    json_t *object = json_object();
    for (int i = 0; i < engine->detector_count; i++) {
        const bf_engine_detector *detector = &engine->detector[i];
        json_t *facts = json_object();
        bf_build_put(build, facts, "version", bf_build_text(detector->version));
        bf_build_put(build, facts, "model_sha256",
                     bf_build_text_or_null(detector->net ? bf_net_manifest(detector->net)->sha256 : ""));
        bf_build_put(build, facts, "calibration",
                     detector->calibrated ? bf_build_text(detector->calibration.version) : json_null());
        bf_build_put(build, object, detector->name, facts);
    }
    return object;
}

bf_status cli_score_meta_write(const cli_score_meta *meta, const char *table, bf_error *err)
{
    char id[BF_DATASET_ID_SIZE];
    bf_build build = {0};
    const bf_engine *engine = meta->scoring->engine;
    bf_status status = bf_dataset_id(meta->dataset, id, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_json_release) json_t *root = json_object();
    bf_build_put(&build, root, "format", json_integer(1));
    bf_build_put(&build, root, "dataset", json_string(id));
    bf_build_put(&build, root, "samples", json_integer((json_int_t)meta->dataset->count));
    bf_build_put(&build, root, "split", meta->split ? json_string(meta->split) : json_null());
    bf_build_put(&build, root, "shard", build_shard(&build, meta->shard));
    bf_build_put(&build, root, "counts", build_counts(&build, &meta->counts));
    bf_build_put(&build, root, "flow", bf_build_text(meta->scoring->flow));
    bf_build_put(&build, root, "early_exit", json_boolean(meta->scoring->early_exit));
    bf_build_put(&build, root, "timing", json_boolean(meta->timing));
    bf_build_put(&build, root, "stack", json_string(meta->scoring->stack));
    bf_build_put(&build, root, "program_sha256", json_string(meta->program));
    bf_build_put(&build, root, "detectors", build_names(&build, engine, false));
    bf_build_put(&build, root, "evidence", build_evidence(&build, engine));
    bf_build_put(&build, root, "flows", build_names(&build, engine, true));
    bf_build_put(&build, root, "versions", bf_scoring_versions(engine));
    return build.failed ? bf_fail_memory(err) : cli_meta_write(root, table, err);
}

/* Makes a folder and those above it. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

bf_status cli_score_cache(const char *given, char ret[BF_DATASET_PATH_SIZE], bf_error *err)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (given)
        length = snprintf(ret, BF_DATASET_PATH_SIZE, "%s", given);
    else if (xdg && xdg[0] == '/')
        length = snprintf(ret, BF_DATASET_PATH_SIZE, "%s/bonafide/scores", xdg);
    else if (home && home[0] == '/')
        length = snprintf(ret, BF_DATASET_PATH_SIZE, "%s/.cache/bonafide/scores", home);
    if (length <= 0 || length >= BF_DATASET_PATH_SIZE - 64) {
        (void)bf_fail(err, BF_IO_ERROR, "There is no folder for the cache of judgements.");
        bf_fail_hint(err, "Name one with --cache.");
        return BF_IO_ERROR;
    }
    if (!make_folders(ret))
        return bf_fail(err, BF_IO_ERROR, "Cannot make the folder %.200s: %s.", ret, strerror(errno));
    return BF_OK;
}

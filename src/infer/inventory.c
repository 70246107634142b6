/* bf_models_list and bf_models_verify: every model of an installation and what is the matter with it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "bonafide/models.h"
#include "infer/golden.h"
#include "infer/runtime.h"
#include "models/store.h"

struct bf_model_list {
    size_t count;
    bf_model_info models[BF_MODELS_MAX];
};

const char *bf_model_state_name(bf_model_state state)
{
    static const char *const names[] = {"ok", "missing", "tampered", "unapproved", "invalid"};
    return (int)state >= 0 && (size_t)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

static bf_model_state state_of(bf_status status)
{
    switch (status) {
    case BF_OK:
        return BF_MODEL_STATE_OK;
    case BF_MODEL_UNAVAILABLE:
        return BF_MODEL_STATE_MISSING;
    case BF_MODEL_TAMPERED:
        return BF_MODEL_STATE_TAMPERED;
    case BF_MODEL_UNAPPROVED:
        return BF_MODEL_STATE_UNAPPROVED;
    default:
        return BF_MODEL_STATE_INVALID;
    }
}

static void copy_text(char ret[BF_MODEL_TEXT_SIZE], const char *text)
{
    (void)snprintf(ret, BF_MODEL_TEXT_SIZE, "%s", text);
}

static void describe(const bf_manifest *m, bf_model_info *ret)
{
    copy_text(ret->version, m->version);
    copy_text(ret->task, bf_task_name(m->task));
    copy_text(ret->licence, m->licence);
    copy_text(ret->source, m->source);
    copy_text(ret->file, m->file);
}

static bf_status try_running(const bf_model_files *files, const char *models_dir, bf_error *err)
{
    BF_CLEANUP(bf_net_free) bf_net *net = NULL;
    bf_status status = bf_net_load(&files->manifest, files->weights.data, files->weights.size, &net, err);
    return status == BF_OK ? bf_golden_check_model(net, models_dir, err) : status;
}

/* What is the matter with one model; BF_OK when nothing is. */
static bf_status examine(const char *models_dir, const char *weights_dir, bool run, bf_model_info *info, bf_error *err)
{
    bf_manifest manifest;
    bf_status status = bf_model_read_manifest(models_dir, info->name, &manifest, err);
    if (status != BF_OK)
        return status == BF_MODEL_UNAVAILABLE ? BF_CONFIG_INVALID : status;
    describe(&manifest, info);
    status = bf_model_check_approved(&manifest, err);
    BF_CLEANUP(bf_model_files_done) bf_model_files files = {0};
    if (status == BF_OK)
        status = bf_model_read_weights(weights_dir, &manifest, &files, err);
    if (status != BF_OK)
        return status;
    info->optimised = files.optimised;
    memcpy(info->sha256, files.loaded_sha256, sizeof info->sha256);
    return run ? try_running(&files, models_dir, err) : BF_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const bf_model_info *)a)->name, ((const bf_model_info *)b)->name);
}

static void close_folder(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

/* The folders below models_dir that hold a manifest. */
static bf_status find_models(const char *models_dir, bf_model_list *list, bf_error *err)
{
    BF_CLEANUP(close_folder) DIR *dir = opendir(models_dir);
    if (!dir)
        return bf_fail(err, BF_IO_ERROR, "Cannot read the folder %s: %s.", models_dir, strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[BF_NAME_MAX + sizeof "/manifest.yaml"];
        if (!bf_model_name_is_valid(entry->d_name))
            continue;
        (void)snprintf(path, sizeof path, "%.*s/manifest.yaml", BF_NAME_MAX, entry->d_name);
        if (faccessat(dirfd(dir), path, F_OK, 0) != 0)
            continue;
        if (list->count == BF_MODELS_MAX)
            return bf_fail(err, BF_CONFIG_INVALID, "%s holds more than %d models.", models_dir, BF_MODELS_MAX);
        copy_text(list->models[list->count++].name, entry->d_name);
    }
    qsort(list->models, list->count, sizeof *list->models, by_name);
    return BF_OK;
}

static bf_status take_stock(const char *data_dir, const char *weights_dir, bool run, bf_model_list **ret_list,
                            bf_error *err)
{
    if (!data_dir || !weights_dir || !ret_list)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A list of models needs the two folders and a place for the list.");
    BF_CLEANUP(bf_model_list_free) bf_model_list *list = bf_calloc(1, sizeof *list);
    BF_CLEANUP(bf_free_string) char *models_dir = bf_path_join(data_dir, "models");
    if (!list || !models_dir)
        return bf_fail_memory(err);
    bf_status status = find_models(models_dir, list, err);
    for (size_t i = 0; i < list->count && status == BF_OK; i++) {
        bf_model_info *info = &list->models[i];
        bf_error cause = {0};
        bf_status fault = examine(models_dir, weights_dir, run, info, &cause);
        if (fault == BF_OUT_OF_MEMORY)
            return bf_fail_memory(err);
        info->state = state_of(fault);
        memcpy(info->why, cause.message, sizeof info->why);
        memcpy(info->hint, cause.hint, sizeof info->hint);
    }
    if (status != BF_OK)
        return status;
    *ret_list = list;
    list = NULL;
    return BF_OK;
}

bf_status bf_models_list(const char *data_dir, const char *weights_dir, bf_model_list **ret_list, bf_error *err)
{
    return take_stock(data_dir, weights_dir, false, ret_list, err);
}

bf_status bf_models_verify(const char *data_dir, const char *weights_dir, bf_model_list **ret_list, bf_error *err)
{
    const OrtApi *api = NULL;
    OrtEnv *env = NULL;
    bf_status status = bf_runtime_get(&api, &env, err);
    return status == BF_OK ? take_stock(data_dir, weights_dir, true, ret_list, err) : status;
}

size_t bf_model_list_count(const bf_model_list *list)
{
    return list ? list->count : 0;
}

const bf_model_info *bf_model_list_at(const bf_model_list *list, size_t index)
{
    return list && index < list->count ? &list->models[index] : NULL;
}

void bf_model_list_free(bf_model_list **list)
{
    if (!list)
        return;
    bf_free(*list);
    *list = NULL;
}

/* All the policies of an installation. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/policy.h"

static int is_policy_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static bf_status read_one(const char *data_dir, const char *file, bf_policy *list[], int *count, bf_error *err)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/policies/%s", data_dir, file);
    if (length < 0 || length >= (int)sizeof path)
        return bf_fail(err, BF_INVALID_ARGUMENT, "A folder's name is too long.");
    if (*count == BF_POLICIES_MAX)
        return bf_fail(err, BF_CONFIG_INVALID, "%s/policies holds more than %d policies.", data_dir, BF_POLICIES_MAX);
    bf_status status = bf_policy_read(path, &list[*count], err);
    if (status != BF_OK)
        return status;
    const char *flow = bf_policy_flow(list[(*count)++]);
    for (int i = 0; i < *count - 1; i++) {
        if (strcmp(bf_policy_flow(list[i]), flow) == 0)
            return bf_fail(err, BF_CONFIG_INVALID, "%s: another policy is for the journey %s already.", path, flow);
    }
    return BF_OK;
}

bf_status bf_policies_read(const char *data_dir, bf_policy *ret[BF_POLICIES_MAX], int *ret_count, bf_error *err)
{
    char dir[PATH_MAX];
    struct dirent **entries = NULL;
    int length = snprintf(dir, sizeof dir, "%s/policies", data_dir), read = 0;
    int files = length > 0 && length < (int)sizeof dir ? scandir(dir, &entries, is_policy_file, alphasort) : -1;
    if (files < 0)
        return bf_fail(err, BF_IO_ERROR, "Cannot read the policies in %s.", dir);
    bf_status status = BF_OK;
    for (int i = 0; i < files; i++) {
        if (status == BF_OK)
            status = read_one(data_dir, entries[i]->d_name, ret, &read, err);
        free(entries[i]);
    }
    free(entries);
    if (status == BF_OK && read == 0)
        status = bf_fail(err, BF_CONFIG_INVALID, "%s holds no policy.", dir);
    if (status == BF_OK)
        *ret_count = read;
    else
        bf_policies_free(ret, read);
    return status;
}

void bf_policies_free(bf_policy *list[], int count)
{
    for (int i = 0; i < count; i++)
        bf_policy_free(&list[i]);
}

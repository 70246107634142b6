/* hostile_files FOLDER: writes the bad input of support/hostile.c to a folder that exists, and prints one line per
 * file: its name, a tab, and the status the decoder must give. For tests of the programs. */
#include <stdio.h>

#include "support/hostile.h"

static bool write_one(const char *folder, const test_hostile *file)
{
    bf_bytes bytes = file->make();
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, file->name);
    bf_error err = {0};
    bool is_missing = bytes.size == 0 && file->expected != BF_EMPTY_INPUT;
    bool ok = length > 0 && (size_t)length < sizeof path;
    if (ok && !is_missing)
        ok = bf_bytes_write_file(path, bytes.data ? bytes.data : (const void *)"", bytes.size, &err) == BF_OK;
    bf_bytes_done(&bytes);
    if (!ok)
        (void)fprintf(stderr, "hostile_files: %s\n", err.message);
    else if (is_missing)
        (void)fprintf(stderr, "hostile_files: no encoder for %s\n", file->name);
    else
        (void)printf("%s\t%s\n", file->name, bf_status_name(file->expected));
    return ok;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: hostile_files FOLDER\n");
        return 64;
    }
    size_t count = 0;
    const test_hostile *files = test_hostile_files(&count);
    for (size_t i = 0; i < count; i++)
        if (!write_one(argv[1], &files[i]))
            return 70;
    return 0;
}

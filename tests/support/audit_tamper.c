#include "support/audit_tamper.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/must.h"

#define PATH_SIZE (TEST_URL_SIZE + 32)

char test_told[65536];

static void tell(void *context, const bf_finding *finding)
{
    char text[BF_FINDING_TEXT_SIZE];
    (void)context;
    bf_finding_text(finding, text);
    size_t used = strlen(test_told);
    (void)snprintf(test_told + used, sizeof test_told - used, "%s\n", text);
}

bf_status test_audit_verify(const bf_bytes *all, const bf_log_key *key, const char *against, bf_verify_summary *ret)
{
    bf_verify *verify = NULL;
    bf_error err = {0};
    const bf_verify_options options = {
        .key = key, .against = against, .against_size = against ? strlen(against) : 0, .report = tell};
    test_told[0] = '\0';
    bf_status status = bf_verify_new(&options, &verify, &err);
    if (status == BF_OK)
        status = bf_verify_feed(verify, all->data, all->size, &err);
    if (status == BF_OK)
        status = bf_verify_end(verify, ret, &err);
    bf_verify_free(&verify);
    return status;
}

static void path_of(const test_audit_place *place, const char *suffix, char ret[PATH_SIZE])
{
    (void)snprintf(ret, PATH_SIZE, "%s/store.db%s", place->place.folder, suffix);
}

bf_bytes test_audit_file(const test_audit_place *place)
{
    char path[PATH_SIZE];
    bf_bytes file = {0};
    path_of(place, "", path);
    test_must(bf_bytes_read_file(&file, path, 64 << 20, NULL) == BF_OK, "the store's file is read");
    return file;
}

void test_audit_restore(test_audit_place *place, const bf_bytes *file)
{
    char path[PATH_SIZE];
    test_audit_place_close(place);
    path_of(place, "-wal", path);
    (void)unlink(path);
    path_of(place, "-shm", path);
    (void)unlink(path);
    path_of(place, "", path);
    int fd = open(path, O_WRONLY | O_TRUNC);
    test_must(fd >= 0, path);
    test_must(write(fd, file->data, file->size) == (ssize_t)file->size, path);
    (void)close(fd);
}

void test_audit_tamper(test_audit_place *place, const bf_bytes *file, const char *sql)
{
    bf_verify_summary summary;
    test_audit_restore(place, file);
    test_store_place_run(&place->place, sql);
    test_audit_place_open(place);
    bf_bytes all = test_audit_place_export(place);
    test_must(test_audit_verify(&all, &place->key, NULL, &summary) == BF_OK, "the export is read");
    bf_bytes_done(&all);
}

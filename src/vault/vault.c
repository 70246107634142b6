#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/bytes.h"
#include "base/error.h"
#include "vault/parts.h"

void bf_vault_close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bf_status fail_dir(bf_error *err, const char *what, const char *dir)
{
    int saved = errno;
    return bf_fail(err, BF_IO_ERROR, "%s the vault %s: %s.", what, dir, strerror(saved));
}

/* Makes the folder and opens it. */
static bf_status open_dir(const char *dir, int *ret, bf_error *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return fail_dir(err, "Cannot make", dir);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_dir(err, "Cannot open", dir);
    *ret = fd;
    return BF_OK;
}

bf_status bf_vault_open(const char *dir, const bf_master *master, bf_vault **ret, bf_error *err)
{
    int fd = -1;
    if (sodium_init() < 0)
        return bf_fail(err, BF_INTERNAL, "The cryptographic library did not start.");
    bf_status status = open_dir(dir, &fd, err);
    if (status != BF_OK)
        return status;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        status = errno == EWOULDBLOCK ? bf_fail(err, BF_STORE_UNAVAILABLE,
                                                "The vault %s is locked: its master key is being rotated.", dir)
                                      : fail_dir(err, "Cannot lock", dir);
        (void)close(fd);
        return status;
    }
    bf_vault *vault = bf_calloc(1, sizeof *vault);
    if (!vault || pthread_mutex_init(&vault->lock, NULL) != 0) {
        bf_free(vault);
        (void)close(fd);
        return bf_fail_memory(err);
    }
    vault->dir = fd;
    vault->master = master;
    *ret = vault;
    return BF_OK;
}

void bf_vault_close(bf_vault **vault)
{
    if (!*vault)
        return;
    (void)close((*vault)->dir);
    (void)pthread_mutex_destroy(&(*vault)->lock);
    bf_free(*vault);
    *vault = NULL;
}

bf_status bf_vault_lock(const char *dir, int *ret_lock, bf_error *err)
{
    int fd = -1;
    bf_status status = open_dir(dir, &fd, err);
    if (status != BF_OK)
        return status;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_lock = fd;
        return BF_OK;
    }
    if (errno == EWOULDBLOCK) {
        status = bf_fail(err, BF_STORE_UNAVAILABLE, "The vault %s is in use.", dir);
        bf_fail_hint(err, "Stop every server that uses it, then try again.");
    } else {
        status = fail_dir(err, "Cannot lock", dir);
    }
    (void)close(fd);
    return status;
}

void bf_vault_unlock(int *lock)
{
    bf_vault_close_fd(lock);
    *lock = -1;
}

bool bf_vault_file_ok(const char *file)
{
    static const char digits[] = "0123456789abcdef";
    if (!file || strlen(file) != BF_VAULT_FILE_SIZE - 1 || file[2] != '/')
        return false;
    return strspn(file, digits) == 2 && strspn(file + 3, digits) == 32 && memcmp(file, file + 3, 2) == 0;
}

bool bf_vault_unlink(const bf_vault *vault, const char *file)
{
    /* A name that is not ours is not followed; there is nothing to delete under it. */
    if (!bf_vault_file_ok(file))
        return true;
    return unlinkat(vault->dir, file, 0) == 0 || errno == ENOENT;
}

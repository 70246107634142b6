#include "worker/region.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "bonafide/words.h"

#define FIRST_BYTES ((size_t)65536)
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

static bf_status fail_memory(bf_error *err, const char *what)
{
    int number = errno;
    (void)bf_fail_memory(err);
    bf_fail_detail(err, "%s: %s", what, strerror(number));
    return BF_OUT_OF_MEMORY;
}

static int open_memory(void)
{
    int fd = memfd_create("bonafide-media", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("bonafide-media", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}

/* The memory is taken from the system here, where that can fail, and not when it is first written to, which would end
 * the process. */
static int allocate(int fd, size_t capacity)
{
    int failed;
    do
        failed = fallocate(fd, 0, 0, (off_t)capacity);
    while (failed != 0 && errno == EINTR);
    return failed;
}

static bf_status grow(bf_region *region, size_t capacity, bf_error *err)
{
    if (region->fd < 0)
        region->fd = open_memory();
    if (region->fd < 0)
        return fail_memory(err, "memfd_create");
    if (allocate(region->fd, capacity) != 0) {
        if (errno == EPERM)
            return bf_fail(err, BF_INTERNAL, "A sealed region cannot grow.");
        return fail_memory(err, "fallocate");
    }
    void *data = region->data ? mremap(region->data, region->capacity, capacity, MREMAP_MAYMOVE)
                              : mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, region->fd, 0);
    if (data == MAP_FAILED)
        return fail_memory(err, "mmap");
    /* Faces do not belong into a core file. */
    (void)madvise(data, capacity, MADV_DONTDUMP);
    region->data = data;
    region->capacity = capacity;
    return BF_OK;
}

uint8_t *bf_region_reserve(bf_region *region, size_t size, size_t size_max, bf_error *err)
{
    if (region->size > size_max || size > size_max - region->size) {
        bf_fail(err, BF_BODY_TOO_LARGE, "%s", bf_status_text(BF_BODY_TOO_LARGE));
        return NULL;
    }
    size_t needed = region->size + size;
    if (needed > region->capacity || !region->data) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t capacity = region->capacity > 0 ? region->capacity * 2 : FIRST_BYTES;
        if (capacity > size_max)
            capacity = size_max;
        if (capacity < needed)
            capacity = needed;
        capacity = capacity > 0 ? (capacity + page - 1) / page * page : page;
        if (grow(region, capacity, err) != BF_OK)
            return NULL;
    }
    return region->data + region->size;
}

bf_status bf_region_append(bf_region *region, const void *data, size_t size, size_t size_max, bf_error *err)
{
    bf_error failure = {0};
    if (size == 0)
        return BF_OK;
    uint8_t *room = bf_region_reserve(region, size, size_max, &failure);
    if (!room) {
        if (err)
            *err = failure;
        return failure.status;
    }
    memcpy(room, data, size);
    region->size += size;
    return BF_OK;
}

void bf_region_done(bf_region *region)
{
    if (region->data) {
        sodium_memzero(region->data, region->capacity);
        (void)munmap(region->data, region->capacity);
    }
    if (region->fd >= 0)
        (void)close(region->fd);
    *region = BF_REGION_NONE;
}

bf_status bf_region_seal(const bf_region *region, bf_error *err)
{
    int seals = fcntl(region->fd, F_GET_SEALS);
    if (seals >= 0 && (seals & SEALS) == SEALS)
        return BF_OK;
    if (seals >= 0 && fcntl(region->fd, F_ADD_SEALS, SEALS) == 0)
        return BF_OK;
    int number = errno;
    bf_fail(err, BF_INTERNAL, "Shared memory cannot be sealed.");
    bf_fail_detail(err, "F_ADD_SEALS: %s", strerror(number));
    return BF_INTERNAL;
}

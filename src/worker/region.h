/* Bytes in shared memory: what a request brings is received straight into one, and a worker process reads it from
 * there, so a picture is not copied on its way to the decoder. One region serves one request and is never used again,
 * so no worker ever holds another request's bytes. */
#ifndef BF_WORKER_REGION_H
#define BF_WORKER_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"

/* Zero-initialise with fd = -1 (BF_REGION_NONE). */
typedef struct bf_region {
    int fd; /* memfd; -1 while nothing was written */
    uint8_t *data;
    size_t size, capacity;
} bf_region;

#define BF_REGION_NONE ((bf_region){.fd = -1})

/* Appends. BODY_TOO_LARGE past `size_max`, OUT_OF_MEMORY when the system gives no more; what was there stays. */
bf_status bf_region_append(bf_region *region, const void *data, size_t size, size_t size_max, bf_error *err);
/* Makes room for `size` bytes in one piece and returns where to write them; commit with region->size += n. NULL on
 * failure. */
uint8_t *bf_region_reserve(bf_region *region, size_t size, size_t size_max, bf_error *err);
/* Wipes and frees; accepts an empty one. */
void bf_region_done(bf_region *region);

/* Before the descriptor is handed to another process: nobody can change the size any more, and nobody but the one who
 * has mapped it already can write, whatever is tried with the descriptor. Then no more can be appended. Any number of
 * times. INTERNAL. */
bf_status bf_region_seal(const bf_region *region, bf_error *err);

#endif

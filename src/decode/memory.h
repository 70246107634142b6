/* A memory ceiling for libraries that take an allocator but hand it no context (libexif, libspng). What a call may
 * still spend is kept per thread, and only from bf_memory_begin to the end of that call; calls must not overlap on
 * one thread. What is freed is not given back to the budget. Internal to decode/. */
#ifndef BF_DECODE_MEMORY_H
#define BF_DECODE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"

/* Starts a budget of `bytes_max` on this thread. */
void bf_memory_begin(size_t bytes_max);

/* The allocator; all of it works after the budget has ended, too. NULL when the budget or the memory is used up. */
void *bf_memory_malloc(size_t size);
void *bf_memory_calloc(size_t count, size_t size);
void *bf_memory_realloc(void *old, size_t size);

/* BF_OK when every allocation since bf_memory_begin was met; BF_DECODER_LIMIT when the budget was too small;
 * BF_OUT_OF_MEMORY when the system had no more. Libraries often report either as something else. */
bf_status bf_memory_verdict(void);

#endif

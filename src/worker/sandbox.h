/* Confinement of the processes that look at hostile bytes. Linux. */
#ifndef BF_WORKER_SANDBOX_H
#define BF_WORKER_SANDBOX_H

#include <stddef.h>

#include "bonafide/status.h"

/* Sanitizers that are built in need more of the system than we do. ThreadSanitizer keeps a thread of its own, which
 * makes calls as it likes. */
#ifndef __has_feature
#define __has_feature(what) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define BF_SANDBOX_THREADS 1
#else
#define BF_SANDBOX_THREADS 0
#endif
#if BF_SANDBOX_THREADS || defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define BF_SANDBOX_SANITIZED 1
#else
#define BF_SANDBOX_SANITIZED 0
#endif

/* For good: gives up root (for the user and group 65534, "nobody"), every capability, the way to new privileges, being
 * looked at by others; takes, where that is permitted, a network of its own with nothing in it. For a process without
 * other threads. INTERNAL when a part that must succeed does not. */
bf_status bf_sandbox_drop(bf_error *err);

/* For good: at most `bytes_more` more address space, no files, no processes, and only the system calls that judging
 * needs; receiving and sending on the socket `channel` only. Any other call kills the process. After bf_sandbox_drop.
 * INTERNAL. */
bf_status bf_sandbox_enter(int channel, size_t bytes_more, bf_error *err);

#endif

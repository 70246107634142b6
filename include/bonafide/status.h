/** @file status.h
 *  Status codes and the caller's error object. */
#ifndef BONAFIDE_STATUS_H
#define BONAFIDE_STATUS_H

#include <stdbool.h>

#include "bonafide/codes.h"

#ifndef BF_API
/** Marks what the shared library exports. */
#define BF_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define BF_ERROR_TEXT_SIZE 320 /**< bytes of each text of a bf_error, with its final NUL */

/** What went wrong. The caller owns it, zero-initialised, and passes its address; every function accepts NULL
 *  instead. It is written only on failure. */
typedef struct bf_error {
    bf_status status;                 /**< BF_OK until a call failed */
    char message[BF_ERROR_TEXT_SIZE]; /**< one sentence saying what happened, fit for the caller's user */
    char detail[BF_ERROR_TEXT_SIZE];  /**< for the operator's log only; may be empty */
    char hint[BF_ERROR_TEXT_SIZE];    /**< what to do about it; may be empty */
} bf_error;

/** Stable upper-case name of a status ("CORRUPT_IMAGE"); "UNKNOWN" for a number that is none. Any thread. */
BF_API const char *bf_status_name(bf_status status);

/** Whether trying again, with the same or a better input, can succeed. Any thread. */
BF_API bool bf_status_retryable(bf_status status);

#ifdef __cplusplus
}
#endif
#endif

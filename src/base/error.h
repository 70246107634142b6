/* Filling the caller's bf_error. */
#ifndef BF_BASE_ERROR_H
#define BF_BASE_ERROR_H

#include "base/attr.h"
#include "bonafide/status.h"

/* Sets status and message (a sentence fit for the person who called), clears detail and hint; returns
 * `status`, so that `return bf_fail(err, BF_IO_ERROR, "...")` reads well. `err` may be NULL. */
bf_status bf_fail(bf_error *err, bf_status status, const char *format, ...) BF_PRINTF(3, 4);

/* Adds the operator's detail (never shown to the person in front of the camera). */
void bf_fail_detail(bf_error *err, const char *format, ...) BF_PRINTF(2, 3);

/* Adds what to do about it. */
void bf_fail_hint(bf_error *err, const char *format, ...) BF_PRINTF(2, 3);

/* Puts "PREFIX: " in front of the message, to say where a nested failure happened. */
void bf_fail_prefix(bf_error *err, const char *format, ...) BF_PRINTF(2, 3);

/* BF_OUT_OF_MEMORY with its standard message. */
bf_status bf_fail_memory(bf_error *err);

/* The static analyser sees one file at a time; this tells it that these functions never return BF_OK. */
#ifdef __clang_analyzer__
#define bf_fail(err, status, ...) ((void)(bf_fail)(err, status, __VA_ARGS__), (status))
#define bf_fail_memory(err) ((void)(bf_fail_memory)(err), BF_OUT_OF_MEMORY)
#endif

#endif

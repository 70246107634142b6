/** @file words.h
 *  Names and sentences of the codes, and the library's version. Every function returns static text and may be called
 *  from any thread; a number that is no code gives "UNKNOWN" or "".
 */
#ifndef BONAFIDE_WORDS_H
#define BONAFIDE_WORDS_H

#include <stdbool.h>

#include "bonafide/codes.h"
#include "bonafide/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the library, "0.1.0". */
BF_API const char *bf_version(void);
/** Compiler, machine and kind of build, "gcc 12.2.0 x86_64 release". */
BF_API const char *bf_version_build(void);
/** Version of ONNX Runtime, "1.29.0". */
BF_API const char *bf_version_runtime(void);

/** What a status means, in one sentence. */
BF_API const char *bf_status_text(bf_status status);
/** The family of a status: "usage", "input", "quality", "reference", "model", "configuration", "internal";
 *  of the server also "request", "access", "session", "service". */
BF_API const char *bf_status_family(bf_status status);

/** Name of a quality measure, "Sharpness". */
BF_API const char *bf_measure_name(bf_measure_id id);
/** Unit of its native value. */
BF_API const char *bf_measure_unit(bf_measure_id id);
/** The measure of that name; false (and *ret untouched) when there is none. */
BF_API bool bf_measure_from_name(const char *name, bf_measure_id *ret);

/** Name of a guidance code, "move_closer". */
BF_API const char *bf_guidance_name(bf_guidance code);
/** What to say to the person, in English. */
BF_API const char *bf_guidance_text(bf_guidance code);
/** The guidance code of that name; false (and *ret untouched) when there is none. */
BF_API bool bf_guidance_from_name(const char *name, bf_guidance *ret);

/** Name of a reason, "LIVENESS_FAILED". */
BF_API const char *bf_reason_name(bf_reason code);
/** What a reason means, in one sentence. */
BF_API const char *bf_reason_text(bf_reason code);
/** The reason of that name; false (and *ret untouched) when there is none. */
BF_API bool bf_reason_from_name(const char *name, bf_reason *ret);

#ifdef __cplusplus
}
#endif
#endif

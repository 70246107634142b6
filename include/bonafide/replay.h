/** @file replay.h
 *  Replaying a record: what was asked, and what differs when it is judged again.
 *
 *  Judging is a pure function, so the same build with the same files must give the same record for the same media. A
 *  record is read as a document from outside: it is checked, and nothing in it is trusted.
 */
#ifndef BONAFIDE_REPLAY_H
#define BONAFIDE_REPLAY_H

#include <stddef.h>

#include "bonafide/engine.h"
#include "bonafide/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A record that was read for replay; read-only, any thread may use it. */
typedef struct bf_replay bf_replay;

/** Reads a record's JSON text. `name` (of its file) stands in messages. On success the caller owns *ret_replay and
 *  frees it with bf_replay_free. Errors: INVALID_ARGUMENT (not a record), OUT_OF_MEMORY; *ret_replay is then
 *  untouched. */
BF_API bf_status bf_replay_read(const void *json, size_t size, const char *name, bf_replay **ret_replay, bf_error *err);

/** Frees a replay and sets the pointer to NULL; accepts NULL and a pointer to NULL. */
BF_API void bf_replay_free(bf_replay **replay);

/** Fills flow, channel, context, request id, full_evidence, match_order and kill_switch of `request`, whose media the
 *  caller sets. The strings live as long as the replay. */
BF_API void bf_replay_request(const bf_replay *replay, bf_request *request);

/** Whether the record was made with bf_engine_options.mirror. */
BF_API bool bf_replay_mirror(const bf_replay *replay);

/** Hash of the judged media, 64 lower-case hex digits; "" when the record holds none. Lives as long as the replay. */
BF_API const char *bf_replay_media_sha256(const bf_replay *replay);

/** Hash of the reference portrait; NULL when the record has no reference. Lives as long as the replay. */
BF_API const char *bf_replay_reference_sha256(const bf_replay *replay);

/** Lower-case SHA-256 of bytes: 64 digits and the NUL. Any thread. */
BF_API void bf_media_sha256(const void *media, size_t size, char ret_hex[65]);

/** One value that differs. */
typedef struct bf_difference {
    const char *path;     /**< where, "evidence.0.llr" */
    const char *recorded; /**< JSON text of the record's value; "" when it has none. Long values are cut short. */
    const char *now;      /**< JSON text of the value now; "" when there is none */
} bf_difference;

/** What differs between two records; read-only. */
typedef struct bf_differences bf_differences;

/** Compares the record with a new one. Timings and the request id are not compared. Differences of versions come
 *  first: they explain the others. On success the caller owns *ret and frees it with bf_differences_free. Errors:
 *  OUT_OF_MEMORY; *ret is then untouched. */
BF_API bf_status bf_replay_compare(const bf_replay *replay, const bf_record *now, bf_differences **ret, bf_error *err);

/** Frees differences and sets the pointer to NULL; accepts NULL and a pointer to NULL. */
BF_API void bf_differences_free(bf_differences **differences);

/** Number of differences; 0 means that the judgement was reproduced bit for bit. */
BF_API int bf_differences_count(const bf_differences *differences);

/** The difference at `index` 0..count-1; its strings live as long as `differences`. Past the last of the 256 that
 *  are kept, every text is "". */
BF_API bf_difference bf_differences_at(const bf_differences *differences, int index);

/** How many of the first differences are about versions (code, models, calibration, fusion, policy). */
BF_API int bf_differences_of_versions(const bf_differences *differences);

/** Whether the decision and its reasons are still the same; the EVIDENCE_ ones only explain, and are left out. */
BF_API bool bf_differences_same_decision(const bf_differences *differences);

#ifdef __cplusplus
}
#endif
#endif

/* Captures that look like one of another session: nearly the same frames, coded anew. The record has a fingerprint of
 * sixteen frames; halves of some of them lead to the candidates, and the whole fingerprints decide. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "session/attempt.h"

#define CANDIDATES_MAX 64
#define HALVES 8

static bool read_frame(const char *text, uint64_t *ret)
{
    char *end = NULL;
    if (!text || strlen(text) != 16)
        return false;
    *ret = strtoull(text, &end, 16);
    return *end == '\0';
}

void bf_seen_read_clip(const json_t *record, bf_clip_fingerprint *ret)
{
    const json_t *list = json_object_get(json_object_get(record, "capture"), "fingerprint");
    *ret = (bf_clip_fingerprint){.count = 0};
    if (json_array_size(list) != BF_CLIP_FRAMES)
        return;
    for (int i = 0; i < BF_CLIP_FRAMES; i++) {
        if (!read_frame(json_string_value(json_array_get(list, (size_t)i)), &ret->frame[i]))
            return;
    }
    ret->count = BF_CLIP_FRAMES;
}

/* The n-th half of those that lead to a capture: of every fourth frame, the first and the last 32 bits. A frame in
 * another place of the clip leads to it as well. */
static bf_value half(const bf_clip_fingerprint *clip, int n)
{
    const uint8_t *frame = (const uint8_t *)&clip->frame[2 + 4 * (n / 2)];
    return bf_value_blob(frame + (n % 2 ? 4 : 0), 4);
}

#define HALVES_OF(clip)                                                                                                \
    half(clip, 0), half(clip, 1), half(clip, 2), half(clip, 3), half(clip, 4), half(clip, 5), half(clip, 6),           \
        half(clip, 7)
_Static_assert(HALVES == 8 && BF_CLIP_FRAMES == 16, "the statements below name eight halves of sixteen frames");

static bool is_same(const bf_rows *rows, const bf_clip_fingerprint *clip)
{
    size_t size = 0;
    const void *bytes = bf_rows_blob(rows, 0, &size);
    bf_clip_fingerprint other = {.count = BF_CLIP_FRAMES};
    if (size != sizeof other.frame)
        return false;
    memcpy(other.frame, bytes, size);
    return bf_clip_fingerprint_same(clip, &other);
}

bf_status bf_seen_find_similar(bf_db *db, const bf_attempt *attempt, int64_t since_ms, bool *ret, bf_error *err)
{
    const bf_clip_fingerprint *clip = &attempt->judgement.clip;
    const bf_session *session = &attempt->session;
    *ret = false;
    if (clip->count == 0)
        return BF_OK;
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db,
                    "SELECT DISTINCT fingerprint, at_ms FROM capture_seen WHERE client = $1 AND"
                    " kind = 'look' AND hash IN ($2, $3, $4, $5, $6, $7, $8, $9) AND at_ms > $10"
                    " AND session_id <> $11 ORDER BY at_ms DESC LIMIT $12",
                    BF_VALUES(bf_value_text(session->client), HALVES_OF(clip), bf_value_integer(since_ms),
                              bf_value_text(session->id), bf_value_integer(CANDIDATES_MAX)),
                    &rows, err);
    while (status == BF_OK && !*ret && bf_rows_next(rows))
        *ret = is_same(rows, clip);
    return status;
}

bf_status bf_seen_keep_look(bf_db *db, const bf_attempt *attempt, bf_error *err)
{
    const bf_clip_fingerprint *clip = &attempt->judgement.clip;
    const bf_session *session = &attempt->session;
    if (clip->count == 0)
        return BF_OK;
    return bf_db_run(db,
                     "INSERT INTO capture_seen(client, kind, hash, session_id, attempt, fingerprint, at_ms) VALUES"
                     " ($1, 'look', $2, $3, $4, $5, $6), ($1, 'look', $7, $3, $4, $5, $6),"
                     " ($1, 'look', $8, $3, $4, $5, $6), ($1, 'look', $9, $3, $4, $5, $6),"
                     " ($1, 'look', $10, $3, $4, $5, $6), ($1, 'look', $11, $3, $4, $5, $6),"
                     " ($1, 'look', $12, $3, $4, $5, $6), ($1, 'look', $13, $3, $4, $5, $6)"
                     " ON CONFLICT DO NOTHING",
                     BF_VALUES(bf_value_text(session->client), half(clip, 0), bf_value_text(session->id),
                               bf_value_integer(session->attempt), bf_value_blob(clip->frame, sizeof clip->frame),
                               bf_value_integer(attempt->decided_ms), half(clip, 1), half(clip, 2), half(clip, 3),
                               half(clip, 4), half(clip, 5), half(clip, 6), half(clip, 7)),
                     NULL, err);
}

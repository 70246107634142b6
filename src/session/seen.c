/* Captures that were seen before. The store keeps keyed hashes of each capture's bytes and of some of its frames; when
 * another attempt brings the same, it is judged again with a signal that says so.
 *
 * Frames are compared because the same frames in a new file are another file. Of all frame hashes the smallest few
 * stand for the capture: whichever frames two captures share, the smallest of those are likely among the smallest of
 * both. */
#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "capture/file.h"
#include "session/attempt.h"

#define FRAME_BYTES_MIN 5000 /* a picture without anything in it, as of a covered camera, compresses to less */
#define FRAMES_IN_COMMON 2   /* one may be chance: a test picture of the camera, say */
#define DELETED_MAX 1000

static void hash_of(const bf_service *service, const bf_session *session, const void *data, size_t size,
                    uint8_t ret[BF_SEEN_HASH])
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, service->seen_key, sizeof service->seen_key, BF_SEEN_HASH);
    (void)crypto_generichash_update(&state, (const uint8_t *)session->client, strlen(session->client) + 1);
    (void)crypto_generichash_update(&state, data, size);
    (void)crypto_generichash_final(&state, ret, BF_SEEN_HASH);
}

/* Puts the hash in its place among the smallest, each of them once. */
static void keep_smallest(bf_seen *seen, const uint8_t hash[BF_SEEN_HASH])
{
    int at = seen->frame_count;
    for (int i = 0; i < seen->frame_count; i++) {
        int order = memcmp(hash, seen->frame[i], BF_SEEN_HASH);
        if (order == 0)
            return;
        if (order < 0) {
            at = i;
            break;
        }
    }
    if (at == BF_SEEN_FRAMES)
        return;
    int last = seen->frame_count < BF_SEEN_FRAMES ? seen->frame_count++ : BF_SEEN_FRAMES - 1;
    memmove(seen->frame[at + 1], seen->frame[at], (size_t)(last - at) * BF_SEEN_HASH);
    memcpy(seen->frame[at], hash, BF_SEEN_HASH);
}

bf_status bf_seen_take(const bf_service *service, const bf_session *session, const bf_region *media, bf_seen *ret,
                       bf_error *err)
{
    bf_capture_file file = {.frame_count = 0};
    *ret = (bf_seen){.frame_count = 0};
    if (service->settings.seen_days <= 0)
        return BF_OK;
    hash_of(service, session, media->data, media->size, ret->media);
    ret->taken = true;
    if (!bf_capture_file_is(media->data, media->size))
        return BF_OK;
    /* Its frames are compared byte by byte, nothing is decoded. A damaged file has none; its judgement says so. */
    bf_status status = bf_capture_file_parse(media->data, media->size, &file, NULL);
    if (status == BF_OUT_OF_MEMORY)
        return bf_fail_memory(err);
    for (int i = 0; status == BF_OK && i < file.frame_count; i++) {
        uint8_t hash[BF_SEEN_HASH];
        if (file.frame[i].size < FRAME_BYTES_MIN)
            continue;
        hash_of(service, session, file.frame[i].bytes, file.frame[i].size, hash);
        keep_smallest(ret, hash);
    }
    if (status == BF_OK)
        bf_capture_file_done(&file);
    return BF_OK;
}

static bf_value blob(const uint8_t hash[BF_SEEN_HASH])
{
    return bf_value_blob(hash, BF_SEEN_HASH);
}

/* The `index`-th hash of a frame; the first one again where there are fewer. */
static bf_value frame(const bf_seen *seen, int index)
{
    return blob(seen->frame[index < seen->frame_count ? index : 0]);
}

#define FRAMES_OF(seen)                                                                                                \
    frame(seen, 0), frame(seen, 1), frame(seen, 2), frame(seen, 3), frame(seen, 4), frame(seen, 5), frame(seen, 6),    \
        frame(seen, 7)
_Static_assert(BF_SEEN_FRAMES == 8, "the statements below name eight frames");

static int64_t since(const bf_service *service, int64_t now_ms)
{
    return now_ms - BF_DAY_MS * service->settings.seen_days;
}

static bf_status find_media(bf_db *db, const bf_attempt *attempt, bool *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(
        db, "SELECT 1 FROM capture_seen WHERE client = $1 AND kind = 'media' AND hash = $2 AND at_ms > $3 LIMIT 1",
        BF_VALUES(bf_value_text(attempt->session.client), blob(attempt->seen.media),
                  bf_value_integer(since(attempt->service, attempt->decided_ms))),
        &rows, err);
    *ret = status == BF_OK && bf_rows_count(rows) > 0;
    return status;
}

static bf_status find_frames(bf_db *db, const bf_attempt *attempt, bool *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db,
                                   "SELECT COUNT(DISTINCT hash) FROM capture_seen WHERE client = $1 AND kind = 'frame'"
                                   " AND hash IN ($2, $3, $4, $5, $6, $7, $8, $9) AND at_ms > $10",
                                   BF_VALUES(bf_value_text(attempt->session.client), FRAMES_OF(&attempt->seen),
                                             bf_value_integer(since(attempt->service, attempt->decided_ms))),
                                   &rows, err);
    *ret = status == BF_OK && bf_rows_next(rows) && bf_rows_integer(rows, 0) >= FRAMES_IN_COMMON;
    return status;
}

bf_status bf_seen_find(bf_db *db, const bf_attempt *attempt, const char **ret_signal, bf_error *err)
{
    bool before = false, similar = false;
    *ret_signal = NULL;
    if (!attempt->seen.taken)
        return BF_OK;
    bf_status status = find_media(db, attempt, &before, err);
    if (status == BF_OK && !before && attempt->seen.frame_count >= FRAMES_IN_COMMON)
        status = find_frames(db, attempt, &before, err);
    if (status == BF_OK && !before)
        status = bf_seen_find_similar(db, attempt, since(attempt->service, attempt->decided_ms), &similar, err);
    if (status == BF_OK)
        *ret_signal = before ? "seen_before" : similar ? "seen_similar" : NULL;
    return status;
}

static bf_status keep_frames(bf_db *db, const bf_attempt *attempt, bf_error *err)
{
    const bf_session *session = &attempt->session;
    const bf_seen *seen = &attempt->seen;
    return bf_db_run(db,
                     "INSERT INTO capture_seen(client, kind, hash, session_id, attempt, at_ms) VALUES"
                     " ($1, 'frame', $2, $3, $4, $5), ($1, 'frame', $6, $3, $4, $5),"
                     " ($1, 'frame', $7, $3, $4, $5), ($1, 'frame', $8, $3, $4, $5),"
                     " ($1, 'frame', $9, $3, $4, $5), ($1, 'frame', $10, $3, $4, $5),"
                     " ($1, 'frame', $11, $3, $4, $5), ($1, 'frame', $12, $3, $4, $5)"
                     " ON CONFLICT DO NOTHING",
                     BF_VALUES(bf_value_text(session->client), frame(seen, 0), bf_value_text(session->id),
                               bf_value_integer(session->attempt), bf_value_integer(attempt->decided_ms),
                               frame(seen, 1), frame(seen, 2), frame(seen, 3), frame(seen, 4), frame(seen, 5),
                               frame(seen, 6), frame(seen, 7)),
                     NULL, err);
}

bf_status bf_seen_keep(bf_db *db, const bf_attempt *attempt, bf_error *err)
{
    const bf_session *session = &attempt->session;
    const bf_seen *seen = &attempt->seen;
    if (!seen->taken)
        return BF_OK;
    bf_status status = bf_db_run(
        db,
        "INSERT INTO capture_seen(client, kind, hash, session_id, attempt, at_ms) VALUES($1, 'media', $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        BF_VALUES(bf_value_text(session->client), blob(seen->media), bf_value_text(session->id),
                  bf_value_integer(session->attempt), bf_value_integer(attempt->decided_ms)),
        NULL, err);
    if (status == BF_OK && seen->frame_count > 0)
        status = keep_frames(db, attempt, err);
    return status == BF_OK ? bf_seen_keep_look(db, attempt, err) : status;
}

bf_status bf_seen_erase(bf_db *db, const char *session_id, bf_error *err)
{
    return bf_db_run(db, "DELETE FROM capture_seen WHERE session_id = $1", BF_VALUES(bf_value_text(session_id)), NULL,
                     err);
}

bf_status bf_seen_tidy(bf_db *db, const bf_service *service, int64_t now_ms, bf_error *err)
{
    return bf_db_run(db,
                     "DELETE FROM capture_seen WHERE (client, kind, hash, session_id, attempt) IN (SELECT client, kind,"
                     " hash, session_id, attempt FROM capture_seen WHERE at_ms <= $1 LIMIT $2)",
                     BF_VALUES(bf_value_integer(since(service, now_ms)), bf_value_integer(DELETED_MAX)), NULL, err);
}

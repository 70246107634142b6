/* What is kept of a session's captures: the list, and a look at one of them. */
#include <string.h>

#include "access/keys.h"
#include "base/bytes.h"
#include "base/error.h"
#include "decode/sniff.h"
#include "session/internal.h"

bf_status bf_session_write_media(bf_db *db, const bf_session *session, bf_text *text, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_vault_list(db, session->id, &rows, err);
    if (status != BF_OK)
        return status;
    bf_text_open_list(text, "media");
    while (bf_rows_next(rows)) {
        bf_text_open(text, NULL);
        bf_text_put(text, "name", json_string(bf_rows_text(rows, 0)));
        bf_text_put(text, "bytes", json_integer(bf_rows_integer(rows, 1)));
        bf_text_put(text, "stored_at", bf_json_time(bf_rows_integer(rows, 2)));
        bf_text_put(text, "delete_after", bf_json_time(bf_rows_integer(rows, 3)));
        bf_text_close(text);
    }
    bf_text_close_list(text);
    return BF_OK;
}

typedef struct media_look {
    const bf_call *call;
    const char *name;
    bool foreign;
    bf_session session;
} media_look;

static void media_look_done(media_look *at)
{
    bf_session_done(&at->session);
}

static bf_status check_session(bf_db *db, void *context, bf_error *err)
{
    media_look *at = context;
    bf_session_done(&at->session);
    bf_status status = bf_session_of_call(db, at->call, &at->session, &at->foreign, err);
    if (status == BF_OK && at->session.erased_ms > 0)
        return bf_fail(err, BF_ERASED, "%s", bf_status_text(BF_ERASED));
    return status;
}

/* Who looked is in the log for good before anything is shown; that the session was erased meanwhile is found here. */
static bf_status write_leaf(bf_db *db, void *context, bf_error *err)
{
    media_look *at = context;
    bf_status status = check_session(db, at, err);
    if (status != BF_OK)
        return status;
    json_t *facts = json_pack("{ss ss ss}", "session", at->session.id, "media", at->name, "role",
                              bf_access_role_name(at->call->who->role));
    return bf_call_leaf(db, at->call, BF_AUDIT_MEDIA_READ, facts, err);
}

/* By its first bytes, not by what a caller said. */
static const char *type_of(const bf_region *media)
{
    static const char *const types[] = {
        [BF_CONTAINER_UNKNOWN] = "application/octet-stream",
        [BF_CONTAINER_JPEG] = "image/jpeg",
        [BF_CONTAINER_PNG] = "image/png",
        [BF_CONTAINER_WEBP] = "image/webp",
        [BF_CONTAINER_HEIC] = "image/heic",
        [BF_CONTAINER_BURST] = "application/octet-stream",
        [BF_CONTAINER_MP4] = "video/mp4",
        [BF_CONTAINER_WEBM] = "video/webm",
    };
    const char *looks_like = NULL;
    return types[bf_sniff(media->data, media->size, &looks_like)];
}

static bf_status copy_body(const bf_region *media, bf_answer *ret, bf_error *err)
{
    uint8_t *copy = bf_malloc(media->size);
    if (!copy)
        return bf_fail_memory(err);
    memcpy(copy, media->data, media->size);
    *ret = (bf_answer){.http = 200, .body = {copy, media->size}, .type = type_of(media)};
    return BF_OK;
}

bf_status bf_service_session_media(bf_service *service, const bf_call *call, bf_answer *ret, bf_error *err)
{
    BF_CLEANUP(media_look_done) media_look at = {.call = call};
    BF_CLEANUP(bf_region_done) bf_region media = BF_REGION_NONE;
    const bf_service_parts *parts = &service->parts;
    at.name = json_string_value(json_object_get(call->body, "name"));
    if (!at.name)
        return bf_fail(err, BF_INVALID_REQUEST, "name is missing.");
    bf_status status = bf_store_read(parts->store, check_session, &at, err);
    if (at.foreign)
        bf_service_signal(service, BF_SECURITY_FOREIGN_SESSION);
    if (status == BF_OK)
        status = bf_vault_read(parts->vault, parts->store, call->id, at.name, BF_CLIP_BYTES_MAX, &media, err);
    if (status == BF_OK)
        status = bf_store_write(parts->store, write_leaf, &at, err);
    return status == BF_OK ? copy_body(&media, ret, err) : status;
}

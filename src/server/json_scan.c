#include "server/json_scan.h"

#include <string.h>

#include "base/error.h"

static void begin_text(bf_scan *scan)
{
    scan->in_text = true;
    scan->is_key = scan->depth == 1 && !scan->after_colon;
    scan->key_size = 0;
}

static void add_to_key(bf_scan *scan, char c)
{
    if (c == '\\')
        scan->key_size = BF_SCAN_KEY_SIZE;
    if (scan->key_size < BF_SCAN_KEY_SIZE)
        scan->key[scan->key_size++] = c;
}

/* The field whose value begins with this quote; -1 when it is no media field. */
static int field_of(bf_scan *scan, const bf_scan_handler *handler, void *context)
{
    if (scan->depth != 1 || !scan->after_colon || !scan->is_key || scan->key_size >= BF_SCAN_KEY_SIZE)
        return -1;
    scan->key[scan->key_size] = '\0';
    return handler->is_media(context, scan->key);
}

/* One character outside of media texts. */
static void step(bf_scan *scan, char c)
{
    if (scan->in_text) {
        if (scan->is_key && (scan->escaped || c != '"'))
            add_to_key(scan, c);
        if (scan->escaped)
            scan->escaped = false;
        else if (c == '\\')
            scan->escaped = true;
        else if (c == '"')
            scan->in_text = false;
        return;
    }
    switch (c) {
    case '"':
        begin_text(scan);
        break;
    case '{':
    case '[':
        scan->depth++;
        scan->after_colon = false;
        break;
    case '}':
    case ']':
        scan->depth--;
        scan->after_colon = false;
        break;
    case ':':
        scan->after_colon = true;
        break;
    case ',':
        scan->after_colon = false;
        break;
    default:
        break;
    }
}

/* Takes what belongs to a media text; *ret_used: how much that was. */
static bf_status take_media(bf_scan *scan, const bf_scan_handler *handler, void *context, const char *text, size_t size,
                            size_t *ret_used, bf_error *err)
{
    if (scan->escaped) {
        scan->escaped = false;
        *ret_used = 1;
        if (text[0] != '/')
            return bf_fail(err, BF_INVALID_REQUEST, "%s: the text is not base64.", scan->key);
        return handler->media(context, scan->field, text, 1, err);
    }
    size_t count = 0;
    while (count < size && text[count] != '"' && text[count] != '\\')
        count++;
    bf_status status = count > 0 ? handler->media(context, scan->field, text, count, err) : BF_OK;
    *ret_used = count;
    if (status != BF_OK || count == size)
        return status;
    *ret_used = count + 1;
    if (text[count] == '\\') {
        scan->escaped = true;
        return BF_OK;
    }
    status = handler->media_end(context, scan->field, err);
    scan->field = -1;
    scan->is_key = false;
    return status == BF_OK ? handler->keep(context, "\"\"", 2, err) : status;
}

bf_status bf_scan_add(bf_scan *scan, const bf_scan_handler *handler, void *context, const char *text, size_t size,
                      bf_error *err)
{
    size_t at = 0, kept = 0; /* text[kept..at) is still to be kept */
    bf_status status = BF_OK;
    while (status == BF_OK && at < size) {
        if (scan->field >= 0) {
            size_t used = 0;
            status = take_media(scan, handler, context, text + at, size - at, &used, err);
            at += used;
            kept = at;
            continue;
        }
        int field = text[at] == '"' && !scan->in_text ? field_of(scan, handler, context) : -1;
        if (field < 0) {
            step(scan, text[at++]);
            continue;
        }
        if (at > kept)
            status = handler->keep(context, text + kept, at - kept, err);
        scan->field = field;
        kept = ++at;
    }
    if (status == BF_OK && at > kept)
        status = handler->keep(context, text + kept, at - kept, err);
    return status;
}

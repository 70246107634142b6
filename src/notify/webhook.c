#include "notify/webhook.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <sodium.h>

#include "base/error.h"

#define URL_BYTES_MAX 1024

static bf_status refuse(bf_error *err, const char *why)
{
    bf_fail(err, BF_INVALID_REQUEST, "webhook.url %s.", why);
    return BF_INVALID_REQUEST;
}

static bool printable(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

/* Whether the URL has that part. */
static bool has(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool found = curl_url_get(url, part, &text, 0) == CURLUE_OK && text && *text;
    curl_free(text);
    return found;
}

/* The parser is the one that delivers, so there is one opinion on what the host is. */
static const char *find_fault(const char *text)
{
    CURLU *url = curl_url();
    if (!url)
        return "could not be read";
    const char *fault = NULL;
    if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK || !has(url, CURLUPART_HOST))
        fault = "is not a URL with a host";
    else if (has(url, CURLUPART_USER) || has(url, CURLUPART_PASSWORD) || has(url, CURLUPART_OPTIONS))
        fault = "must not hold a user or password";
    else if (has(url, CURLUPART_FRAGMENT))
        fault = "must not hold a fragment";
    curl_url_cleanup(url);
    return fault;
}

bf_status bf_webhook_check_url(const char *url, bool allow_http, bf_error *err)
{
    if (!url || strlen(url) > URL_BYTES_MAX)
        return refuse(err, "has more than 1024 bytes");
    if (!printable(url))
        return refuse(err, "holds a blank or a character that is not printable ASCII");
    bool https = strncasecmp(url, "https://", 8) == 0;
    bool http = strncasecmp(url, "http://", 7) == 0;
    if (!https && !(http && allow_http))
        return refuse(err, allow_http ? "must begin with https:// or http://" : "must begin with https://");
    /* "https:///x" and "https://@host" are read differently by different parsers. */
    if (strchr("/?#@:", url[https ? 8 : 7]))
        return refuse(err, "has no host");
    const char *fault = find_fault(url);
    return fault ? refuse(err, fault) : BF_OK;
}

bf_status bf_webhook_enqueue(bf_db *db, const char *key_id, const char *session_id, const char *url, const char *body,
                             int64_t now_ms, bf_error *err)
{
    uint8_t chance[16];
    char hex[2 * sizeof chance + 1], id[sizeof hex + 4];
    randombytes_buf(chance, sizeof chance);
    (void)sodium_bin2hex(hex, sizeof hex, chance, sizeof chance);
    (void)snprintf(id, sizeof id, "wh_%s", hex);
    return bf_db_run(db,
                     "INSERT INTO webhook(id, key_id, session_id, url, body, created_ms, tries, next_ms,"
                     " claimed_until_ms) VALUES($1, $2, $3, $4, $5, $6, 0, $7, 0)",
                     BF_VALUES(bf_value_text(id), bf_value_text(key_id), bf_value_text(session_id), bf_value_text(url),
                               bf_value_text(body), bf_value_integer(now_ms), bf_value_integer(now_ms)),
                     NULL, err);
}

bf_status bf_webhook_erase(bf_db *db, const char *session_id, bf_error *err)
{
    return bf_db_run(db, "DELETE FROM webhook WHERE session_id = $1", BF_VALUES(bf_value_text(session_id)), NULL, err);
}

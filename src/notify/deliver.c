#include "notify/deliver.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <sodium.h>

#include "base/attr.h"
#include "notify/address.h"

#define ANSWER_BYTES_MAX 65536u /* of headers and of body; nobody reads them */
#define HEADER_SIZE 256

/* What the callbacks of one delivery share. */
typedef struct exchange {
    const bf_delivery *delivery;
    bool refused; /* an address */
    size_t body_bytes, header_bytes;
} exchange;

void bf_webhook_sign(const uint8_t secret[BF_SECRET_SIZE], int64_t at_ms, const char *body,
                     char ret[BF_WEBHOOK_SIGNATURE_SIZE])
{
    char head[64], hex[2 * crypto_auth_hmacsha256_BYTES + 1];
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    (void)snprintf(head, sizeof head, "bonafide-webhook-v1\n%" PRId64 "\n", at_ms);
    crypto_auth_hmacsha256_state state;
    (void)crypto_auth_hmacsha256_init(&state, secret, BF_SECRET_SIZE);
    (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)head, strlen(head));
    (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)body, strlen(body));
    (void)crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
    (void)sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    (void)snprintf(ret, BF_WEBHOOK_SIGNATURE_SIZE, "t=%" PRId64 ", v1=%s", at_ms, hex);
}

/* Called with the address that is about to be connected to, so a name cannot resolve to one thing when it is checked
 * and to another when it is used. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    exchange *what = context;
    bool internet = address->family == AF_INET || address->family == AF_INET6;
    bool allowed = internet &&
                   (what->delivery->allow_private || bf_address_is_public(&address->addr, (socklen_t)address->addrlen));
    if (purpose != CURLSOCKTYPE_IPCXN || !allowed) {
        what->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t count(size_t *bytes, size_t more)
{
    *bytes += more;
    return *bytes <= ANSWER_BYTES_MAX ? more : 0;
}

static size_t take_body(char *data, /* NOLINT(readability-non-const-parameter): libcurl's type */
                        size_t size, size_t number, void *context)
{
    (void)data;
    return count(&((exchange *)context)->body_bytes, size * number);
}

static size_t take_header(char *data, /* NOLINT(readability-non-const-parameter): libcurl's type */
                          size_t size, size_t number, void *context)
{
    (void)data;
    return count(&((exchange *)context)->header_bytes, size * number);
}

static void free_headers(struct curl_slist **headers)
{
    curl_slist_free_all(*headers);
}

static void free_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static bool add_header(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);
    if (longer)
        *headers = longer;
    return longer != NULL;
}

static bool make_headers(const bf_delivery *delivery, struct curl_slist **headers)
{
    char signature[BF_WEBHOOK_SIGNATURE_SIZE], line[HEADER_SIZE];
    bf_webhook_sign(delivery->secret, delivery->now_ms, delivery->body, signature);
    (void)snprintf(line, sizeof line, "Bonafide-Signature: %s", signature);
    bool ok = add_header(headers, line);
    (void)snprintf(line, sizeof line, "Bonafide-Delivery: %s", delivery->id);
    return ok && add_header(headers, line) && add_header(headers, "Content-Type: application/json") &&
           add_header(headers, "Accept:") && add_header(headers, "Expect:");
}

#define SET(option, value) ok = curl_easy_setopt(curl, option, value) == CURLE_OK && ok

/* An option that this libcurl does not know makes the delivery fail instead of making it less strict. */
static bool set_limits(CURL *curl, const bf_delivery *delivery, exchange *what)
{
    bool ok = true;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)delivery->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)delivery->timeout_ms);
    SET(CURLOPT_PROTOCOLS_STR, delivery->allow_http ? "http,https" : "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* A kept connection would be used again without its address being looked at. */
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, what);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, what);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, what);
    if (delivery->ca_file)
        SET(CURLOPT_CAINFO, delivery->ca_file);
    return ok;
}

static bool set_request(CURL *curl, const bf_delivery *delivery, struct curl_slist *headers)
{
    bool ok = true;
    SET(CURLOPT_URL, delivery->url);
    SET(CURLOPT_USERAGENT, "bonafide/" BF_VERSION);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(delivery->body));
    SET(CURLOPT_POSTFIELDS, delivery->body);
    SET(CURLOPT_HTTPHEADER, headers);
    return ok;
}

static const char *explain(CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "name not found";
    case CURLE_COULDNT_CONNECT:
        return "no connection";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
        return "tls failed";
    case CURLE_WRITE_ERROR:
        return "answer too large";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return "url refused";
    default:
        return "transfer failed";
    }
}

static bf_delivered judge(CURL *curl, CURLcode code, const exchange *what, char ret_outcome[BF_OUTCOME_SIZE])
{
    long http = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    if (code == CURLE_OK || http >= 200) {
        /* What follows the status is of no interest, however long or late. */
        (void)snprintf(ret_outcome, BF_OUTCOME_SIZE, "http %ld", http);
        if (http >= 200 && http < 300)
            return BF_DELIVERED;
        return http == 410 ? BF_DELIVER_NEVER : BF_DELIVER_AGAIN;
    }
    bool refused = what->refused && code == CURLE_COULDNT_CONNECT;
    (void)snprintf(ret_outcome, BF_OUTCOME_SIZE, "%s", refused ? "address refused" : explain(code));
    if (refused || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
        return BF_DELIVER_NEVER;
    return BF_DELIVER_AGAIN;
}

bf_delivered bf_deliver(const bf_delivery *delivery, char ret_outcome[BF_OUTCOME_SIZE])
{
    BF_CLEANUP(free_headers) struct curl_slist *headers = NULL;
    BF_CLEANUP(free_curl) CURL *curl = curl_easy_init();
    exchange what = {.delivery = delivery};
    (void)snprintf(ret_outcome, BF_OUTCOME_SIZE, "could not be prepared");
    if (!curl || !make_headers(delivery, &headers) || !set_limits(curl, delivery, &what) ||
        !set_request(curl, delivery, headers))
        return BF_DELIVER_AGAIN;
    CURLcode code = curl_easy_perform(curl);
    return judge(curl, code, &what, ret_outcome);
}

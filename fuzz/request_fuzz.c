/* Requests: the first byte chooses what the rest is: the body of an operation, in pieces; the parts of a form; a
 * target; or the value of a header. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/bytes.h"
#include "server/address.h"
#include "server/body.h"
#include "server/header.h"
#include "server/route.h"

enum { TARGETS = 64, HEADERS, FORMS = 128 };

static const bf_schema *schema_of(unsigned number)
{
    const bf_schema *found[16] = {NULL};
    unsigned count = 0;
    for (const bf_route *route = BF_ROUTES; route->operation && count < 16; route++) {
        if (route->body)
            found[count++] = route->body;
    }
    return found[count > 0 ? number % count : 0];
}

static void end(bf_body *body, bf_status status)
{
    json_t *object = NULL;
    const bf_region *image = NULL, *reference = NULL;
    bf_error err = {0};
    if (status == BF_OK && bf_body_end(body, &object, &image, &reference, &err) == BF_OK) {
        if (!json_is_object(object) || json_object_get(object, "image") || json_object_get(object, "reference"))
            abort();
        if ((image && image->size == 0) || (reference && reference->size == 0))
            abort();
    }
    json_decref(object);
    bf_body_free(&body);
}

/* JSON is cut at every byte whose value is that of the first. */
static void read_json(const bf_schema *schema, const uint8_t *data, size_t size)
{
    bf_body *body = NULL;
    bf_error err = {0};
    bf_status status = bf_body_new(BF_BODY_JSON, schema, &body, &err);
    size_t from = 0;
    for (size_t at = 1; status == BF_OK && at <= size; at++) {
        if (at < size && data[at] != data[0])
            continue;
        status = bf_body_add_json(body, data + from, at - from, &err);
        from = at;
    }
    end(body, status);
}

/* Parts are "NAME=VALUE" up to a NUL. */
static void read_form(const bf_schema *schema, const uint8_t *data, size_t size)
{
    bf_body *body = NULL;
    bf_error err = {0};
    bf_status status = bf_body_new(BF_BODY_FORM, schema, &body, &err);
    while (status == BF_OK && size > 0) {
        const uint8_t *stop = memchr(data, 0, size);
        size_t length = stop ? (size_t)(stop - data) : size;
        const uint8_t *equal = memchr(data, '=', length);
        char name[64] = "";
        size_t name_size = equal ? (size_t)(equal - data) : 0;
        if (name_size >= sizeof name)
            break;
        memcpy(name, data, name_size);
        const uint8_t *value = equal ? equal + 1 : data;
        size_t left = length - (size_t)(value - data), half = left / 2;
        status = bf_body_add_part(body, name, 0, value, half, &err);
        if (status == BF_OK && half > 0)
            status = bf_body_add_part(body, name, half, value + half, left - half, &err);
        data += length + (stop != NULL);
        size -= length + (stop != NULL);
    }
    end(body, status);
}

static void read_target(const char *text)
{
    bf_target target = {0};
    bf_error err = {0};
    char allowed[BF_ALLOWED_SIZE];
    json_t *query = NULL;
    static const char *const METHODS[] = {"GET", "POST", "DELETE"};
    for (int i = 0; i < 3; i++) {
        if (bf_route_find(METHODS[i], text, &target, allowed, &err) != BF_OK)
            continue;
        if (strchr(target.parameter, '/'))
            abort();
        if (bf_route_query(&target, &query, &err) == BF_OK)
            json_decref(query);
        query = NULL;
    }
}

static void read_headers(const char *text)
{
    bf_body_kind kind;
    uint64_t length;
    bf_network network = {0};
    bf_address address;
    bf_error err = {0};
    (void)bf_header_content_type(text, &kind);
    (void)bf_header_content_length(text, &length);
    (void)bf_header_is_idempotency_key(text);
    (void)bf_header_is_request_id(text);
    (void)bf_network_parse(text, &network);
    (void)bf_address_parse(text, &address, &err);
    const bf_network all = {.bits = 0};
    const bf_ip peer = {.byte = {[15] = 1}};
    (void)bf_client_ip(&all, 1, &peer, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (sodium_init() < 0 || size < 2)
        return 0;
    unsigned choice = data[0];
    if (choice == TARGETS || choice == HEADERS) {
        char *text = bf_malloc(size);
        if (!text)
            return 0;
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        if (choice == TARGETS)
            read_target(text);
        else
            read_headers(text);
        bf_free(text);
    } else if (choice >= FORMS) {
        read_form(schema_of(choice), data + 1, size - 1);
    } else {
        read_json(schema_of(choice), data + 1, size - 1);
    }
    return 0;
}

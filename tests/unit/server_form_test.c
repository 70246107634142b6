/* What arrives: addresses, connections, headers, targets, and bodies in pieces of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "base/bytes.h"
#include "server/address.h"
#include "server/clock.h"
#include "server/connections.h"
#include "server/header.h"
#include "server/route.h"

static bf_ip ip(const char *text)
{
    bf_ip ret = {0};
    assert_true(bf_ip_parse(text, &ret));
    return ret;
}

static void addresses_to_listen_on_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good, loopback;
    } cases[] = {
        {"127.0.0.1:8443", true, true},
        {"127.9.9.9:1", true, true},
        {"[::1]:8443", true, true},
        {"0.0.0.0:80", true, false},
        {"[::]:80", true, false},
        {"192.0.2.7:443", true, false},
        {"unix:/run/x.sock", true, true},
        {"unix:relative", false, false},
        {"127.0.0.1", false, false},
        {"127.0.0.1:", false, false},
        {"127.0.0.1:65536", false, false},
        {"127.0.0.1:-1", false, false},
        {"127.0.0.1:80x", false, false},
        {"::1:80", false, false},
        {"[::1:80", false, false},
        {"localhost:80", false, false},
        {":80", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bf_address address = {0};
        bf_error err = {0};
        bool good = bf_address_parse(cases[i].text, &address, &err) == BF_OK;
        if (good != cases[i].good || address.is_loopback != cases[i].loopback)
            fail_msg("%s: %s", cases[i].text, err.message);
    }
}

static void networks_hold_what_they_name(void **state)
{
    (void)state;
    static const struct {
        const char *network, *ip;
        bool holds;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"192.0.2.128/25", "192.0.2.200", true},
        {"192.0.2.128/25", "192.0.2.100", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"0.0.0.0/0", "203.0.113.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
        {"unix", "127.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bf_network network;
        assert_true(bf_network_parse(cases[i].network, &network));
        const bf_ip at = ip(cases[i].ip);
        if (bf_network_holds(&network, 1, &at) != cases[i].holds)
            fail_msg("%s in %s", cases[i].ip, cases[i].network);
    }
    bf_network none;
    static const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129", "example.com", "10.0.0/8"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(bf_network_parse(bad[i], &none));
}

static void only_trusted_proxies_tell_the_client(void **state)
{
    (void)state;
    bf_network proxies[2];
    assert_true(bf_network_parse("10.0.0.0/8", &proxies[0]));
    assert_true(bf_network_parse("unix", &proxies[1]));
    static const struct {
        const char *peer, *forwarded, *client;
    } cases[] = {
        {"192.0.2.1", "203.0.113.9", "192.0.2.1"},
        {"10.1.1.1", "203.0.113.9", "203.0.113.9"},
        {"10.1.1.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"},
        {"10.1.1.1", "198.51.100.1,10.2.2.2", "198.51.100.1"},
        {"10.1.1.1", "198.51.100.1, 10.2.2.2 , 10.3.3.3", "198.51.100.1"},
        {"10.1.1.1", "junk, 10.2.2.2", "10.2.2.2"},
        {"10.1.1.1", "203.0.113.9, junk", "10.1.1.1"},
        {"10.1.1.1", "", "10.1.1.1"},
        {"10.1.1.1", NULL, "10.1.1.1"},
        {"10.1.1.1", ",,,", "10.1.1.1"},
        {"10.1.1.1", "2001:db8::7", "2001:db8::7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bf_ip peer = ip(cases[i].peer), client = ip(cases[i].client);
        const bf_ip got = bf_client_ip(proxies, 2, &peer, cases[i].forwarded);
        assert_memory_equal(&got, &client, sizeof got);
    }
    const bf_ip local = {.is_local = true}, client = ip("203.0.113.9");
    const bf_ip got = bf_client_ip(proxies, 2, &local, "203.0.113.9");
    assert_memory_equal(&got, &client, sizeof got);
}

static void never_cut(void *context, const char *request_id, bool while_receiving, const bf_ip *peer)
{
    (void)context;
    (void)request_id;
    (void)while_receiving;
    (void)peer;
    fail();
}

static void a_household_of_ipv6_counts_as_one_address(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool same;
    } cases[] = {
        {"2001:db8::1", "2001:db8::ffff:2", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
        {"203.0.113.9", "203.0.113.9", true},
        {"203.0.113.9", "203.0.113.8", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bf_connection_limits limits = {.total = 9, .per_address = 1, .request_s = 600, .idle_s = 600};
        const bf_ip first = ip(cases[i].first), second = ip(cases[i].second);
        bf_connections *all = NULL;
        assert_int_equal(bf_connections_new(&limits, never_cut, NULL, &all, NULL), BF_OK);
        assert_true(bf_connections_accept(all, &first, false));
        bf_connection *one = bf_connections_open(all, -1, true, &first, false);
        assert_non_null(one);
        assert_true(bf_connections_accept(all, &second, false) == !cases[i].same);
        assert_true(bf_connections_accept(all, &second, true));
        bf_connections_close(all, one);
        assert_true(bf_connections_accept(all, &second, false));
        bf_connections_free(&all);
    }
}

static void content_types_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int kind; /* -1: refused */
    } cases[] = {
        {"application/json", BF_BODY_JSON},
        {"Application/JSON; charset=UTF-8", BF_BODY_JSON},
        {"application/json;charset=\"utf-8\"", BF_BODY_JSON},
        {"application/json; charset=latin1", -1},
        {"application/json; charset=utf-8; x=y", -1},
        {"application/json2", -1},
        {"application/json;", -1},
        {"multipart/form-data; boundary=abc", BF_BODY_FORM},
        {"multipart/form-data; boundary=\"abc\"", BF_BODY_FORM},
        {"multipart/form-data; boundary=\"abc", -1},
        {"multipart/form-data; boundary=", -1},
        {"multipart/form-data", -1},
        {"multipart/form-data; boundary=a; boundary=b", -1},
        {"", -1},
        {"text/plain", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bf_body_kind kind = BF_BODY_JSON;
        bool good = bf_header_content_type(cases[i].text, &kind);
        if (good != (cases[i].kind >= 0) || (good && (int)kind != cases[i].kind))
            fail_msg("%s", cases[i].text);
    }
}

static void request_ids_and_lengths(void **state)
{
    (void)state;
    char made[BF_REQUEST_ID_SIZE], other[BF_REQUEST_ID_SIZE];
    bf_header_make_request_id(made);
    bf_header_make_request_id(other);
    assert_true(bf_header_is_request_id(made));
    assert_string_not_equal(made, other);
    assert_true(bf_header_is_request_id("A.b_c:d-9"));
    static const char *const bad[] = {
        "", " ", "a b", "a/b", "a\n", "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(bf_header_is_request_id(bad[i]));
    uint64_t length = 0;
    assert_true(bf_header_content_length("0", &length) && length == 0);
    assert_true(bf_header_content_length("123456789012345678", &length) && length == 123456789012345678ull);
    static const char *const no_length[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "1234567890123456789"};
    for (size_t i = 0; i < sizeof no_length / sizeof no_length[0]; i++)
        assert_false(bf_header_content_length(no_length[i], &length));
}

static bf_status find(const char *method, const char *target, bf_target *ret, char *allowed)
{
    bf_error err = {0};
    return bf_route_find(method, target, ret, allowed, &err);
}

static void routes_are_found(void **state)
{
    (void)state;
    bf_target at = {0};
    char allowed[BF_ALLOWED_SIZE] = "";
    assert_int_equal(find("POST", "/v1/liveness", &at, allowed), BF_OK);
    assert_string_equal(at.route->operation, "liveness");
    assert_int_equal(find("GET", "/v1/sessions/ab-C_9", &at, allowed), BF_OK);
    assert_string_equal(at.route->operation, "session_get");
    assert_string_equal(at.parameter, "ab-C_9");
    assert_int_equal(find("GET", "/v1/decisions/a%3Ab.c", &at, allowed), BF_OK);
    assert_string_equal(at.parameter, "a:b.c");
    assert_int_equal(find("GET", "/v1/audit/proof/17?x", &at, allowed), BF_OK);
    assert_string_equal(at.parameter, "17");
    assert_string_equal(at.query, "x");
    assert_int_equal(find("PUT", "/v1/sessions/abc", &at, allowed), BF_METHOD_NOT_ALLOWED);
    assert_string_equal(allowed, "GET, DELETE");
    assert_int_equal(find("get", "/healthz", &at, allowed), BF_METHOD_NOT_ALLOWED);
    static const char long_id[] = "/v1/sessions/0123456789012345678901234567890123456789012345678901234567890123";
    const char *const nothing[] = {"/",
                                   "/v1",
                                   "/v1/livenes",
                                   "/v1/livenesss",
                                   "/v1/audit/proof/-1",
                                   "/v1/audit/proof/1e3",
                                   "/v1/audit/proof/99999999999999999999",
                                   "/v1/sessions/a%2Fb",
                                   "/v1/sessions/a%00",
                                   "/v1/sessions/a%",
                                   "/v1/sessions/a%4",
                                   "/v1/sessions/a.b",
                                   long_id};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        if (find("GET", nothing[i], &at, allowed) != BF_NOT_FOUND)
            fail_msg("%s", nothing[i]);
    }
    static const char *const odd[] = {"",          "*",
                                      "healthz",   "http://x/healthz",
                                      "//healthz", "/v1//liveness",
                                      "/../",      "/v1/./liveness",
                                      "/v1/..",    "/v1\\liveness",
                                      "/h\x80",    "/v1/sessions/"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        if (find("GET", odd[i], &at, allowed) != BF_INVALID_REQUEST)
            fail_msg("%s", odd[i]);
    }
}

static bf_status read_query(const char *target, json_int_t *ret_since)
{
    bf_target at = {0};
    bf_error err = {0};
    char allowed[BF_ALLOWED_SIZE];
    json_t *query = NULL;
    assert_int_equal(find("GET", target, &at, allowed), BF_OK);
    bf_status status = bf_route_query(&at, &query, &err);
    *ret_since = query ? json_integer_value(json_object_get(query, "since")) : -1;
    json_decref(query);
    return status;
}

static void queries_are_read_strictly(void **state)
{
    (void)state;
    json_int_t since = 0;
    assert_int_equal(read_query("/v1/audit/checkpoint?since=1234", &since), BF_OK);
    assert_int_equal(since, 1234);
    assert_int_equal(read_query("/v1/audit/checkpoint?since=%31", &since), BF_OK);
    assert_int_equal(since, 1);
    assert_int_equal(read_query("/v1/audit/checkpoint?", &since), BF_OK);
    static const char *const bad[] = {
        "since=", "since",    "since=1&since=2", "since=-1", "since=1.5",          "sinec=1", "since=9007199254740992",
        "=1",     "since=1%", "since=1&&x",      "since=+1", "a&b&c&d&e&f&g&h&i&j"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char target[128];
        (void)snprintf(target, sizeof target, "/v1/audit/checkpoint?%s", bad[i]);
        if (read_query(target, &since) != BF_INVALID_REQUEST)
            fail_msg("%s", bad[i]);
    }
    assert_int_equal(read_query("/healthz?a=b", &since), BF_INVALID_REQUEST);
}

static const char *check_clock(bf_clock *clock, int64_t wall_ms, double steady_ms, int64_t audit_ms, bool *ret_jumped)
{
    double jump_ms = 0;
    return bf_clock_check(clock, wall_ms, steady_ms, audit_ms, ret_jumped, &jump_ms);
}

static void a_clock_that_was_set_has_to_settle(void **state)
{
    (void)state;
    bf_clock clock;
    bool jumped = false;
    bf_clock_init(&clock, 1000000, 0);
    assert_string_equal(check_clock(&clock, 1001000, 1000, 0, &jumped), "ok");
    /* An hour forward: told once, not believed for a minute, believed then. */
    assert_string_equal(check_clock(&clock, 4602000, 2000, 0, &jumped), "the clock was set a moment ago");
    assert_true(jumped);
    assert_string_equal(check_clock(&clock, 4631000, 31000, 0, &jumped), "the clock was set a moment ago");
    assert_false(jumped);
    assert_string_equal(check_clock(&clock, 4663000, 63000, 0, &jumped), "ok");
    /* And back: behind what the log holds, however long it lasts. */
    assert_string_equal(check_clock(&clock, 1064000, 64000, 4663000, &jumped), "the clock is behind the audit log");
    assert_true(jumped);
    assert_string_equal(check_clock(&clock, 1264000, 264000, 4663000, &jumped), "the clock is behind the audit log");
    /* Set right at once, it is believed at once. */
    bf_clock_init(&clock, 1000000, 0);
    assert_string_equal(check_clock(&clock, 9001000, 1000, 0, &jumped), "the clock was set a moment ago");
    assert_string_equal(check_clock(&clock, 1002000, 2000, 0, &jumped), "ok");
    /* A correction by slow steps is none. */
    for (int i = 0; i < 100; i++)
        assert_string_equal(check_clock(&clock, 1002000 + i * 2000, 2000 + i * 1000, 0, &jumped), "ok");
    bf_clock_done(&clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_to_listen_on_are_read),
        cmocka_unit_test(networks_hold_what_they_name),
        cmocka_unit_test(only_trusted_proxies_tell_the_client),
        cmocka_unit_test(a_household_of_ipv6_counts_as_one_address),
        cmocka_unit_test(content_types_are_read_strictly),
        cmocka_unit_test(request_ids_and_lengths),
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(queries_are_read_strictly),
        cmocka_unit_test(a_clock_that_was_set_has_to_settle),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

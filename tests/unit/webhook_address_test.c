#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "notify/address.h"

static const char *const PUBLIC[] = {
    "1.1.1.1",           "8.8.8.8",        "9.255.255.255",    "11.0.0.0",        "100.63.255.255",  "100.128.0.0",
    "126.255.255.255",   "128.0.0.1",      "169.253.255.255",  "169.255.0.0",     "172.15.255.255",  "172.32.0.0",
    "192.0.1.0",         "192.0.3.0",      "192.167.255.255",  "192.169.0.0",     "198.17.255.255",  "198.20.0.0",
    "198.51.99.255",     "198.51.101.0",   "203.0.112.255",    "203.0.114.0",     "223.255.255.255", "2606:4700::1111",
    "2a00:1450:4001::1", "2001:200::1",    "2001:4860::8888",  "2001:db7::1",     "2001:db9::1",     "3ffe:ffff::1",
    "3fff:1000::1",      "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2003::1",
};

static const char *const REFUSED[] = {
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254", /* where clouds keep their credentials */
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1", /* IPv4-compatible, retired */
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::192.168.1.1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1", /* Teredo */
    "2001:0:808:808::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "2002:7f00:1::1",   /* 6to4 of 127.0.0.1 */
    "2002:a01:203::1",  /* of 10.1.2.3 */
    "2002:c0a8:101::1", /* of 192.168.1.1 */
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
};

static bool is_public(const char *text)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return bf_address_is_public((const struct sockaddr *)&four, sizeof four);
    assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return bf_address_is_public((const struct sockaddr *)&six, sizeof six);
}

static void test_public_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PUBLIC / sizeof PUBLIC[0]; i++) {
        if (!is_public(PUBLIC[i]))
            fail_msg("%s was refused", PUBLIC[i]);
    }
}

static void test_refused_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        if (is_public(REFUSED[i]))
            fail_msg("%s was taken for public", REFUSED[i]);
    }
}

static void test_other_families(void **state)
{
    (void)state;
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    assert_false(bf_address_is_public((const struct sockaddr *)&local, sizeof local));
    struct sockaddr_in cut = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01010101)};
    assert_true(bf_address_is_public((const struct sockaddr *)&cut, sizeof cut));
    assert_false(bf_address_is_public((const struct sockaddr *)&cut, sizeof cut - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public_addresses),
        cmocka_unit_test(test_refused_addresses),
        cmocka_unit_test(test_other_families),
    };
    return cmocka_run_group_tests_name("webhook_address", tests, NULL, NULL);
}

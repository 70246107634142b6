#include "server/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/error.h"

#define IP_TEXT_MAX 46 /* the longest IPv6 address as text, with its NUL */
#define FORWARDED_HOPS_MAX 32
#define IPV6_HOUSEHOLD_BYTES 8

static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_mapped(const bf_ip *ip)
{
    return memcmp(ip->byte, MAPPED, sizeof MAPPED) == 0;
}

bool bf_ip_parse(const char *text, bf_ip *ret)
{
    bf_ip ip = {0};
    memcpy(ip.byte, MAPPED, sizeof MAPPED);
    if (inet_pton(AF_INET, text, ip.byte + sizeof MAPPED) != 1 && inet_pton(AF_INET6, text, ip.byte) != 1)
        return false;
    *ret = ip;
    return true;
}

bf_ip bf_ip_of_socket(const struct sockaddr *address, socklen_t size)
{
    bf_ip ip = {0};
    if (address && address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        memcpy(ip.byte, MAPPED, sizeof MAPPED);
        memcpy(ip.byte + sizeof MAPPED, &in.sin_addr, 4);
    } else if (address && address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        memcpy(ip.byte, &in6.sin6_addr, sizeof ip.byte);
    } else {
        ip.is_local = true;
    }
    return ip;
}

bf_ip bf_ip_household(const bf_ip *ip)
{
    bf_ip household = *ip;
    if (!ip->is_local && !is_mapped(ip))
        memset(household.byte + IPV6_HOUSEHOLD_BYTES, 0, sizeof household.byte - IPV6_HOUSEHOLD_BYTES);
    return household;
}

static bool is_loopback(const bf_ip *ip)
{
    static const uint8_t ONE[16] = {[15] = 1};
    return (is_mapped(ip) && ip->byte[12] == 127) || memcmp(ip->byte, ONE, sizeof ONE) == 0;
}

static bf_status parse_unix(const char *path, bf_address *ret, bf_error *err)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (path[0] != '/' || length >= sizeof un.sun_path)
        return bf_fail(err, BF_INVALID_ARGUMENT, "unix: needs an absolute path of at most %zu characters.",
                       sizeof un.sun_path - 1);
    memcpy(un.sun_path, path, length + 1);
    memcpy(&ret->socket, &un, sizeof un);
    ret->size = sizeof un;
    ret->is_unix = ret->is_loopback = true;
    return BF_OK;
}

/* Cuts "HOST:PORT" or "[HOST]:PORT". */
static bool split(const char *text, char host[IP_TEXT_MAX], int *ret_port)
{
    const char *colon = strrchr(text, ':');
    if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5 || !colon[1])
        return false;
    const char *begin = text, *end = colon;
    if (text[0] == '[') {
        begin++;
        end--;
        if (end < begin || *end != ']')
            return false;
    }
    size_t length = (size_t)(end - begin);
    if (length >= IP_TEXT_MAX || (text[0] != '[' && memchr(begin, ':', length)))
        return false;
    memcpy(host, begin, length);
    host[length] = '\0';
    *ret_port = (int)strtol(colon + 1, NULL, 10);
    return *ret_port <= 65535;
}

bf_status bf_address_parse(const char *text, bf_address *ret, bf_error *err)
{
    bf_address address = {0};
    char host[IP_TEXT_MAX];
    int port = 0;
    bf_ip ip;
    if ((size_t)snprintf(address.text, sizeof address.text, "%s", text) >= sizeof address.text)
        return bf_fail(err, BF_INVALID_ARGUMENT, "the address is too long.");
    if (strncmp(text, "unix:", 5) == 0) {
        bf_status status = parse_unix(text + 5, &address, err);
        if (status == BF_OK)
            *ret = address;
        return status;
    }
    if (!split(text, host, &port) || !bf_ip_parse(host, &ip))
        return bf_fail(err, BF_INVALID_ARGUMENT,
                       "'%.60s' is no address to listen on, such as 127.0.0.1:8443, [::1]:8443 or unix:/path.", text);
    address.is_loopback = is_loopback(&ip);
    if (strchr(host, ':')) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        memcpy(&in6.sin6_addr, ip.byte, sizeof ip.byte);
        memcpy(&address.socket, &in6, address.size = sizeof in6);
    } else {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        memcpy(&in.sin_addr, ip.byte + sizeof MAPPED, 4);
        memcpy(&address.socket, &in, address.size = sizeof in);
    }
    *ret = address;
    return BF_OK;
}

bool bf_network_parse(const char *text, bf_network *ret)
{
    char host[IP_TEXT_MAX];
    bf_network network = {.bits = 128};
    if (strcmp(text, "unix") == 0) {
        network.ip.is_local = true;
        *ret = network;
        return true;
    }
    size_t length = strcspn(text, "/");
    if (length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (!bf_ip_parse(host, &network.ip))
        return false;
    if (text[length] == '/') {
        const char *digits = text + length + 1;
        int widest = strchr(host, ':') ? 128 : 32;
        if (!digits[0] || strlen(digits) > 3 || strspn(digits, "0123456789") != strlen(digits))
            return false;
        int bits = (int)strtol(digits, NULL, 10);
        if (bits > widest)
            return false;
        network.bits = 128 - widest + bits;
    }
    *ret = network;
    return true;
}

static bool holds(const bf_network *network, const bf_ip *ip)
{
    if (network->ip.is_local || ip->is_local)
        return network->ip.is_local && ip->is_local;
    int whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->ip.byte, ip->byte, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((network->ip.byte[whole] ^ ip->byte[whole]) >> (8 - rest)) == 0;
}

bool bf_network_holds(const bf_network *networks, int count, const bf_ip *ip)
{
    for (int i = 0; i < count; i++) {
        if (holds(&networks[i], ip))
            return true;
    }
    return false;
}

/* Takes the last entry off a list of `*length` characters; false when it is no address. */
static bool last_entry(const char *list, size_t *length, bf_ip *ret)
{
    size_t end = *length;
    while (end > 0 && (list[end - 1] == ' ' || list[end - 1] == '\t'))
        end--;
    size_t begin = end;
    while (begin > 0 && list[begin - 1] != ',')
        begin--;
    *length = begin > 0 ? begin - 1 : 0;
    while (begin < end && (list[begin] == ' ' || list[begin] == '\t'))
        begin++;
    char text[IP_TEXT_MAX];
    if (end - begin >= sizeof text)
        return false;
    memcpy(text, list + begin, end - begin);
    text[end - begin] = '\0';
    return bf_ip_parse(text, ret);
}

bf_ip bf_client_ip(const bf_network *proxies, int count, const bf_ip *peer, const char *forwarded)
{
    bf_ip client = *peer;
    size_t length = forwarded ? strlen(forwarded) : 0;
    /* From the right: each entry was written by the hop after it, so it is as good as that hop. */
    for (int i = 0; i < FORWARDED_HOPS_MAX && length > 0 && bf_network_holds(proxies, count, &client); i++) {
        bf_ip before;
        if (!last_entry(forwarded, &length, &before))
            break;
        client = before;
    }
    return client;
}

#include "notify/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct range4 {
    uint32_t prefix;
    int bits;
} range4;

#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* RFC 6890 and its successors: what is not globally reachable, or is not one host. */
static const range4 REFUSED4[] = {
    {IPV4(0, 0, 0, 0), 8},      {IPV4(10, 0, 0, 0), 8},     {IPV4(100, 64, 0, 0), 10}, {IPV4(127, 0, 0, 0), 8},
    {IPV4(169, 254, 0, 0), 16}, {IPV4(172, 16, 0, 0), 12},  {IPV4(192, 0, 0, 0), 24},  {IPV4(192, 0, 2, 0), 24},
    {IPV4(192, 88, 99, 0), 24}, {IPV4(192, 168, 0, 0), 16}, {IPV4(198, 18, 0, 0), 15}, {IPV4(198, 51, 100, 0), 24},
    {IPV4(203, 0, 113, 0), 24}, {IPV4(224, 0, 0, 0), 4},    {IPV4(240, 0, 0, 0), 4},
};

typedef struct range6 {
    uint8_t prefix[16];
    int bits;
} range6;

/* Parts of 2000::/3, the only block of public unicast addresses, that are something else: protocol assignments (Teredo,
 * benchmarking, ORCHID, ...), and documentation twice. */
static const range6 REFUSED6[] = {
    {{0x20, 0x01, 0x00}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x3f, 0xff, 0x00}, 20},
};

static bool is_public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof REFUSED4 / sizeof REFUSED4[0]; i++) {
        if ((address ^ REFUSED4[i].prefix) >> (32 - REFUSED4[i].bits) == 0)
            return false;
    }
    return true;
}

static uint32_t embedded4(const uint8_t *byte)
{
    return IPV4(byte[0], byte[1], byte[2], byte[3]);
}

static bool begins_with(const uint8_t address[16], const uint8_t *prefix, int bits)
{
    size_t whole = (size_t)bits / 8;
    if (memcmp(address, prefix, whole) != 0)
        return false;
    int rest = bits % 8;
    return rest == 0 || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static bool is_public6(const uint8_t address[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    if (begins_with(address, mapped, 96) || begins_with(address, nat64, 96))
        return is_public4(embedded4(address + 12));
    if (begins_with(address, six_to_four, 16))
        return is_public4(embedded4(address + 2));
    if (address[0] >> 5 != 1) /* outside 2000::/3 */
        return false;
    for (size_t i = 0; i < sizeof REFUSED6 / sizeof REFUSED6[0]; i++) {
        if (begins_with(address, REFUSED6[i].prefix, REFUSED6[i].bits))
            return false;
    }
    return true;
}

bool bf_address_is_public(const struct sockaddr *address, socklen_t size)
{
    if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        return is_public4(ntohl(four.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        return is_public6(six.sin6_addr.s6_addr);
    }
    return false;
}

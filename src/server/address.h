/* Addresses to listen on, networks of trusted proxies, and the address of a client. */
#ifndef BF_SERVER_ADDRESS_H
#define BF_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "bonafide/status.h"

#define BF_ADDRESS_TEXT_SIZE 160

/* Where to listen: "127.0.0.1:8443", "[::1]:8443", "0.0.0.0:443", "unix:/run/bonafide/http.sock". */
typedef struct bf_address {
    char text[BF_ADDRESS_TEXT_SIZE];
    struct sockaddr_storage socket;
    socklen_t size;
    bool is_unix, is_loopback;
} bf_address;

/* INVALID_ARGUMENT with what is wrong. Names are not looked up: an address is a number. */
bf_status bf_address_parse(const char *text, bf_address *ret, bf_error *err);

/* An IP address as 16 bytes, IPv4 as ::ffff:a.b.c.d; all zero with `is_local` for a unix socket. */
typedef struct bf_ip {
    uint8_t byte[16];
    bool is_local;
} bf_ip;

bool bf_ip_parse(const char *text, bf_ip *ret);
bf_ip bf_ip_of_socket(const struct sockaddr *address, socklen_t size);
/* What limits count as one address: of IPv6 the first 64 bits, since one household has all addresses below them. */
bf_ip bf_ip_household(const bf_ip *ip);

/* "10.0.0.0/8", "::1", or "unix" for every peer on a unix socket. */
typedef struct bf_network {
    bf_ip ip;
    int bits; /* of 128 */
} bf_network;

bool bf_network_parse(const char *text, bf_network *ret);
bool bf_network_holds(const bf_network *networks, int count, const bf_ip *ip);

/* The client behind `peer`: `peer` itself unless it is a trusted proxy; then the last address of X-Forwarded-For that
 * is none. What is no address ends the search at the proxy that told it. `forwarded` may be NULL; untrusted text. */
bf_ip bf_client_ip(const bf_network *proxies, int count, const bf_ip *peer, const char *forwarded);

#endif

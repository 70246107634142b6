/* Which addresses a webhook may be sent to. */
#ifndef BF_NOTIFY_ADDRESS_H
#define BF_NOTIFY_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether an address is one of the public internet: not loopback, private, shared (100.64/10), link-local, unique
 * local, multicast, unspecified, reserved or for documentation (IANA's special-purpose registries), and not an IPv6
 * address that carries such an IPv4 address (mapped, 6to4, NAT64). Anything but IPv4 and IPv6 is not public. */
bool bf_address_is_public(const struct sockaddr *address, socklen_t size);

#endif

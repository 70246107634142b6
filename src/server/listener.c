#include "server/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "server/exchange.h"
#include "server/tls.h"

#define BACKLOG 512
#define THREAD_STACK_BYTES (1u << 20)
#define POOL_FACTOR 2 /* of the header limit: the library keeps the answer's headers in the same memory */
#define SOCKET_MODE 0660

/* A socket file that a killed server left behind is taken away; one that somebody listens on is not. */
static bf_status remove_stale(const bf_address *address, bf_error *err)
{
    struct sockaddr_un un;
    struct stat info;
    memcpy(&un, &address->socket, sizeof un);
    if (lstat(un.sun_path, &info) != 0)
        return BF_OK;
    if (!S_ISSOCK(info.st_mode))
        return bf_fail(err, BF_IO_ERROR, "'%s' is there and is no socket.", un.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool used = fd >= 0 && connect(fd, (const struct sockaddr *)&un, sizeof un) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (used)
        return bf_fail(err, BF_IO_ERROR, "Another server listens on '%s'.", un.sun_path);
    (void)unlink(un.sun_path);
    return BF_OK;
}

static bf_status fail_listen(const bf_address *address, int why, bf_error *err)
{
    bf_fail(err, BF_IO_ERROR, "Cannot listen on %s: %s.", address->text, strerror(why));
    if (why == EADDRINUSE)
        bf_fail_hint(err, "Another program listens there ('ss -ltnp' names it): end it, or change 'listen'.");
    else if (why == EADDRNOTAVAIL)
        bf_fail_hint(err, "This machine has no such address: change 'listen'.");
    else if (address->is_unix)
        bf_fail_hint(err, "The socket's folder has to exist, and this user has to be able to write it.");
    else if (why == EACCES)
        bf_fail_hint(err, "Ports below 1024 are root's: change 'listen', or give the program CAP_NET_BIND_SERVICE.");
    return BF_IO_ERROR;
}

static bf_status bind_socket(bf_listener *listener, int *ret, bf_error *err)
{
    const bf_address *address = &listener->address;
    bf_status status = address->is_unix ? remove_stale(address, err) : BF_OK;
    if (status != BF_OK)
        return status;
    int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    bool bound = fd >= 0;
    if (bound && !address->is_unix)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bound && address->socket.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    bound = bound && bind(fd, (const struct sockaddr *)&address->socket, address->size) == 0;
    if (bound && address->is_unix)
        bound = chmod(((const struct sockaddr_un *)&address->socket)->sun_path, SOCKET_MODE) == 0;
    if (bound && listen(fd, BACKLOG) == 0) {
        *ret = fd;
        return BF_OK;
    }
    int why = errno;
    if (fd >= 0)
        (void)close(fd);
    return fail_listen(address, why, err);
}

static int port_of(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        return 0;
    if (at.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&at)->sin_port);
    return at.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&at)->sin6_port) : 0;
}

static bool is_trusted(const bf_listener *listener, const bf_ip *ip)
{
    const bf_config *config = &atomic_load(&listener->server->generation)->config;
    return ip->is_local || bf_network_holds(config->trusted_proxies, config->trusted_proxy_count, ip);
}

static enum MHD_Result accept_policy(void *context, const struct sockaddr *address, socklen_t size)
{
    const bf_listener *listener = context;
    bf_ip ip = bf_ip_of_socket(address, size);
    return bf_connections_accept(listener->server->connections, &ip, is_trusted(listener, &ip)) ? MHD_YES : MHD_NO;
}

static void notify_connection(void *context, struct MHD_Connection *http, void **socket_context,
                              enum MHD_ConnectionNotificationCode what)
{
    const bf_listener *listener = context;
    bf_connections *connections = listener->server->connections;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        bf_connections_close(connections, *socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *peer = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    bf_ip ip = bf_ip_of_socket(peer ? peer->client_addr : NULL, sizeof(struct sockaddr_in6));
    *socket_context = bf_connections_open(connections, fd->connect_fd, !listener->tls, &ip, is_trusted(listener, &ip));
}

/* Escapes stay as they are: the route's own decoding is stricter, and signatures are over what was sent. */
static size_t keep_escapes(void *context, struct MHD_Connection *http, char *text)
{
    (void)context;
    (void)http;
    return strlen(text);
}

bf_status bf_listener_open(bf_listener *listener, bf_server *server, const bf_address *address, bool tls,
                           const bf_config *config, bf_error *err)
{
    int fd = -1;
    *listener = (bf_listener){.server = server, .address = *address, .tls = tls && !address->is_unix, .quiesced = -1};
    bf_status status = bind_socket(listener, &fd, err);
    if (status != BF_OK)
        return status;
    listener->port = port_of(fd);
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
                     (listener->tls ? (unsigned)MHD_USE_TLS : 0u);
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)BF_TLS_PRIORITIES},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, bf_tls_hook()},
        {MHD_OPTION_END, 0, NULL},
    };
    if (!listener->tls)
        tls_options[0] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    listener->daemon = MHD_start_daemon(
        flags, 0, accept_policy, listener, bf_exchange_handle, listener, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->limits.connections_max + 16,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_FACTOR * config->limits.header_bytes_max,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, config->limits.header_bytes_max, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)THREAD_STACK_BYTES, MHD_OPTION_URI_LOG_CALLBACK, bf_exchange_open, listener,
        MHD_OPTION_NOTIFY_COMPLETED, bf_exchange_close, listener, MHD_OPTION_NOTIFY_CONNECTION, notify_connection,
        listener, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_ARRAY, tls_options, MHD_OPTION_END);
    if (listener->daemon)
        return BF_OK;
    (void)close(fd);
    return bf_fail(err, BF_INTERNAL, "The HTTP library cannot serve %s.", address->text);
}

void bf_listener_quiesce(bf_listener *listener)
{
    if (!listener->daemon)
        return;
    /* Closed later: the daemon's thread may still be looking at it. */
    listener->quiesced = MHD_quiesce_daemon(listener->daemon);
    if (listener->quiesced >= 0)
        (void)shutdown(listener->quiesced, SHUT_RDWR);
}

void bf_listener_close(bf_listener *listener)
{
    if (!listener->daemon)
        return;
    MHD_stop_daemon(listener->daemon);
    listener->daemon = NULL;
    if (listener->quiesced >= 0)
        (void)close(listener->quiesced);
    if (listener->address.is_unix)
        (void)unlink(((const struct sockaddr_un *)&listener->address.socket)->sun_path);
}

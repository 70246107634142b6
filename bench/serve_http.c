#include "serve_http.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

bool http_address(const char *text, struct sockaddr_in *ret)
{
    char host[32];
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    char *end = NULL;
    unsigned long port = strtoul(colon + 1, &end, 10);
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (*end || !port || port > 65535 || inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return false;
    address.sin_port = htons((unsigned short)port);
    *ret = address;
    return ntohl(address.sin_addr.s_addr) >> 24 == 127;
}

bool http_open(http_connection *connection, const struct sockaddr_in *address)
{
    *connection = (http_connection){.address = *address, .fd = -1, .answer = malloc(HTTP_ANSWER_MAX + 1)};
    return connection->answer != NULL;
}

static void drop(http_connection *connection)
{
    if (connection->fd >= 0)
        (void)close(connection->fd);
    connection->fd = -1;
}

void http_close(http_connection *connection)
{
    drop(connection);
    free(connection->answer);
    connection->answer = NULL;
}

static bool connect_now(http_connection *connection)
{
    const struct timeval patience = {.tv_sec = HTTP_TIMEOUT_S};
    const int on = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        return false;
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(connection->fd, (const struct sockaddr *)&connection->address, sizeof connection->address) == 0)
        return true;
    drop(connection);
    return false;
}

/* Head and body in one system call where they fit: a server that waits for the body must not wait for the network. */
static bool send_all(int fd, struct iovec part[2])
{
    while (part[0].iov_len + part[1].iov_len > 0) {
        struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        for (int i = 0; i < 2; i++) {
            size_t n = (size_t)sent < part[i].iov_len ? (size_t)sent : part[i].iov_len;
            part[i].iov_base = (char *)part[i].iov_base + n;
            part[i].iov_len -= n;
            sent -= (ssize_t)n;
        }
    }
    return true;
}

/* The value of a header in a NUL-terminated head; NULL when it has none of that name. */
static const char *header(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
            return line + 2 + length + 1 + strspn(line + 2 + length + 1, " ");
    }
    return NULL;
}

/* Only answers of a stated length are understood; bonafide gives no others. */
static int read_answer(http_connection *connection)
{
    size_t got = 0, whole = 0;
    while (!whole || got < whole) {
        ssize_t n = recv(connection->fd, connection->answer + got, HTTP_ANSWER_MAX - got, 0);
        if (n <= 0)
            return 0;
        got += (size_t)n;
        connection->answer[got] = '\0';
        char *end = whole ? NULL : strstr(connection->answer, "\r\n\r\n");
        if (end) {
            *end = '\0';
            const char *length = header(connection->answer, "Content-Length");
            connection->body_at = (size_t)(end - connection->answer) + 4;
            connection->body_size = length ? strtoul(length, NULL, 10) : HTTP_ANSWER_MAX;
            whole = connection->body_at + connection->body_size;
            if (whole > HTTP_ANSWER_MAX)
                return 0;
        }
    }
    return strncmp(connection->answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(connection->answer + 9, NULL, 10) : 0;
}

int http_ask(http_connection *connection, const void *head, size_t head_size, const void *body, size_t body_size)
{
    if (connection->fd < 0 && !connect_now(connection))
        return 0;
    /* sendmsg takes its buffers as not const and does not change them. */
    struct iovec part[2] = {{.iov_len = head_size}, {.iov_len = body_size}};
    memcpy(&part[0].iov_base, &head, sizeof head);
    memcpy(&part[1].iov_base, &body, sizeof body);
    bool sent = send_all(connection->fd, part);
    /* A server may answer and close before it has read everything. */
    int status = read_answer(connection);
    const char *more = status ? header(connection->answer, "Connection") : NULL;
    if (!sent || !status || (more && strncasecmp(more, "close", 5) == 0))
        drop(connection);
    return status;
}

#include "worker/channel.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the descriptors of one message, aligned as the kernel's macros want it. */
typedef union descriptors {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(BF_CHANNEL_FDS_MAX * sizeof(int))];
} descriptors;

ssize_t bf_channel_send(int socket, const void *data, size_t size, const int *fds, int fd_count)
{
    descriptors control = {0};
    /* The kernel does not write through this pointer. */
    struct iovec piece = {(void *)(uintptr_t)data, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd_count > 0) {
        size_t bytes = (size_t)fd_count * sizeof *fds;
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(bytes);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(header), fds, bytes);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t bf_channel_receive(int socket, void *ret, size_t size, int flags, int ret_fds[BF_CHANNEL_FDS_MAX],
                           int *ret_fd_count)
{
    descriptors control = {0};
    struct iovec piece = {ret, size};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *ret_fd_count = 0;
    ssize_t got;
    do
        got = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return got;
    /* There is room for as many as may come; the kernel closes any more. */
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof *ret_fds;
        count = count < BF_CHANNEL_FDS_MAX ? count : BF_CHANNEL_FDS_MAX;
        memcpy(ret_fds, CMSG_DATA(header), count * sizeof *ret_fds);
        *ret_fd_count = (int)count;
    }
    return got;
}

bool bf_channel_write(int socket, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool bf_channel_read(int socket, void *ret, size_t size)
{
    char *at = ret;
    while (size > 0) {
        ssize_t got = recv(socket, at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

void bf_channel_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

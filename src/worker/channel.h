/* Bytes and descriptors between processes, over unix sockets. */
#ifndef BF_WORKER_CHANNEL_H
#define BF_WORKER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define BF_CHANNEL_FDS_MAX 2

/* Sends without waiting, descriptors along; what sendmsg says. */
ssize_t bf_channel_send(int socket, const void *data, size_t size, const int *fds, int fd_count);

/* Receives at most `size` bytes and the descriptors that came with them, which are the caller's to close and close
 * themselves on exec. What recvmsg says. `flags` as for recvmsg. */
ssize_t bf_channel_receive(int socket, void *ret, size_t size, int flags, int ret_fds[BF_CHANNEL_FDS_MAX],
                           int *ret_fd_count);

/* All of it, waiting as long as it takes; false when the other end has gone. */
bool bf_channel_write(int socket, const void *data, size_t size);
bool bf_channel_read(int socket, void *ret, size_t size);

/* Closes and sets to -1; accepts -1. */
void bf_channel_close(int *fd);

#endif

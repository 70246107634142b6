/* One address that is listened on, and the HTTP library's daemon behind it. */
#ifndef BF_SERVER_LISTENER_H
#define BF_SERVER_LISTENER_H

#include "server/config.h"

struct MHD_Daemon;
struct bf_server;

typedef struct bf_listener {
    struct bf_server *server;
    bf_address address;
    bool tls;
    int port; /* the one that was bound; 0: a unix socket */
    struct MHD_Daemon *daemon;
    int quiesced; /* the socket that no longer accepts; -1 while it does */
} bf_listener;

/* Binds and begins to answer. IO_ERROR when the address cannot be had. `listener` must not move afterwards. */
bf_status bf_listener_open(bf_listener *listener, struct bf_server *server, const bf_address *address, bool tls,
                           const bf_config *config, bf_error *err);
/* Accepts nothing more; connections go on. */
void bf_listener_quiesce(bf_listener *listener);
/* Closes every connection of it. */
void bf_listener_close(bf_listener *listener);

#endif

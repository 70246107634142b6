/* Every open connection, of all listeners: how many there are, and when each must have got on. A thread of its own cuts
 * those whose time is over, so a client that drips its bytes holds nothing for long. */
#ifndef BF_SERVER_CONNECTIONS_H
#define BF_SERVER_CONNECTIONS_H

#include <stdbool.h>

#include "server/address.h"

typedef enum bf_phase {
    BF_PHASE_IDLE,      /* between two requests */
    BF_PHASE_RECEIVING, /* a request is arriving */
    BF_PHASE_WORKING,   /* it is being answered by us: no deadline, the work has its own */
    BF_PHASE_ANSWERING  /* the answer is leaving */
} bf_phase;

typedef struct bf_connections bf_connections;
typedef struct bf_connection bf_connection;

typedef struct bf_connection_limits {
    int total, per_address;
    int request_s, idle_s;
} bf_connection_limits;

/* Told of each connection that was cut within a request: while it arrived, or while its answer left. In the cutting
 * thread; calls nothing of this header. */
typedef void bf_cut_fn(void *context, const char *request_id, bool while_receiving, const bf_ip *ip);

/* Starts the cutting thread. The caller frees *ret when no connection is left. */
bf_status bf_connections_new(const bf_connection_limits *limits, bf_cut_fn *cut, void *context, bf_connections **ret,
                             bf_error *err);
void bf_connections_free(bf_connections **connections);
void bf_connections_set_limits(bf_connections *connections, const bf_connection_limits *limits);

/* Whether one more connection of this address may be accepted; `trusted` ones count in all only. */
bool bf_connections_accept(bf_connections *connections, const bf_ip *ip, bool trusted);

/* A connection was opened, in phase RECEIVING; NULL without memory: it has to be closed then. `plain` tells that text
 * may be written to the descriptor without TLS. */
bf_connection *bf_connections_open(bf_connections *connections, int fd, bool plain, const bf_ip *ip, bool trusted);
void bf_connections_close(bf_connections *connections, bf_connection *connection);

void bf_connection_set_phase(bf_connections *connections, bf_connection *connection, bf_phase phase);
/* Whether its request was cut for being slow. */
bool bf_connection_was_cut(const bf_connection *connection);
const bf_ip *bf_connection_ip(const bf_connection *connection);

int bf_connections_count(bf_connections *connections);
/* Connections with a request that is not answered yet. */
int bf_connections_busy(bf_connections *connections);
/* Cuts the idle ones, now and from now on as soon as they are idle. */
void bf_connections_drain(bf_connections *connections);

#endif

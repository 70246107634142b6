/* HTTP in front of the service: listeners, connections, authentication, limits, validation, answers, log. One in a
 * process. */
#ifndef BF_SERVER_SERVER_H
#define BF_SERVER_SERVER_H

#include "server/config.h"
#include "server/log.h"
#include "session/service.h"

typedef struct bf_server bf_server;

/* What the server works with; all borrowed for its life. */
typedef struct bf_server_parts {
    bf_store *store;
    bf_pool *pool;
    bf_limiter *limiter;
    bf_metrics *metrics;
    bf_service *service;
    const bf_master *master;
    bf_log *log;
} bf_server_parts;

/* Opens every address of the configuration and begins to answer. Errors: IO_ERROR (an address or a certificate cannot
 * be used), CONFIG_INVALID, OUT_OF_MEMORY, INTERNAL. The configuration is copied. */
bf_status bf_server_new(const bf_config *config, const bf_server_parts *parts, bf_server **ret, bf_error *err);

/* Takes over what may change while the server runs, and reads the certificate anew. The rest of `config` is logged when
 * it differs. On failure nothing changes. */
bf_status bf_server_reconfigure(bf_server *server, const bf_config *config, bf_error *err);

/* From now on the demonstration page may open and look at sessions as `who`, for callers on this machine only: for
 * development. The page itself needs bf_config.demo. Once, before or while requests come in. */
void bf_server_open_demo(bf_server *server, const bf_principal *who);

/* Stops accepting and closes idle connections; what is under way goes on. */
void bf_server_drain(bf_server *server);
/* Requests that have not been answered yet. */
int bf_server_busy(bf_server *server);

/* Closes every connection. Accepts NULL. */
void bf_server_free(bf_server **server);

/* The URL of a listener, "http://127.0.0.1:8443", with the port that was really bound. */
#define BF_SERVER_URL_SIZE 192
int bf_server_url_count(const bf_server *server);
void bf_server_url(const bf_server *server, int index, char ret[BF_SERVER_URL_SIZE]);

#endif

/* The server, put together and run. */
#ifndef BF_CLI_SERVE_H
#define BF_CLI_SERVE_H

#include "audit/note.h"
#include "cli/command.h"
#include "cli/place.h"
#include "server/server.h"

/* Everything the server works with, in the order in which it is made. Zero-initialise. */
typedef struct cli_service {
    bf_config config;
    const char *config_path;
    bool development;
    cli_place place;
    bf_master master;
    bf_log_key log_key;
    bf_log *log;
    bf_store *store;
    bf_metrics *metrics;
    bf_limiter *limiter;
    bf_vault *vault;
    bf_pool *pool;
    bf_notifier *notifier;
    bf_service *service;
    bf_server *server;
} cli_service;

/* Reads the configuration's keys and opens the store; with `create`, what is not there is made: folder, keys, SQLite
 * file. */
bf_status cli_service_open(cli_service *service, bool create, bf_error *err);
/* A folder of the service's own, which is made with mode 0700 where it is not there. */
bf_status cli_service_folder(const char *path, bf_error *err);
/* Starts workers and listeners. */
bf_status cli_service_start(cli_service *service, bf_error *err);
/* Answers requests until a signal ends it; returns the exit code. Signals must be blocked (cli_service_block_signals)
 * before the first thread is started. */
int cli_service_run(cli_service *service);
void cli_service_close(cli_service *service);
void cli_service_block_signals(void);

/* Development mode: makes the folder with a configuration when it is not there, and fills `ret_config`. */
bf_status cli_development_prepare(const char *folder, char ret_config[BF_CONFIG_PATH_SIZE], bf_error *err);
/* Takes the next free port where the configured one is in use. */
void cli_development_find_port(bf_config *config);
/* Makes keys that are valid for a day, revokes older ones of this kind, and prints how to use the server. `sample` (may
 * be NULL) is the photo of the example. */
bf_status cli_development_greet(cli_service *service, const char *folder, const char *sample, bf_error *err);

#endif

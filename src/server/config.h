/* The configuration file of the service (docs/reference/configuration.md), read strictly. `bonafide serve` and the
 * commands that work beside it read the very same file. */
#ifndef BF_SERVER_CONFIG_H
#define BF_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/limit.h"
#include "server/address.h"

#define BF_CONFIG_PATH_SIZE 1024
#define BF_CONFIG_URL_SIZE 1024
#define BF_CONFIG_LISTEN_MAX 8
#define BF_CONFIG_PROXIES_MAX 32
#define BF_CONFIG_ORIGINS_MAX 16
#define BF_CONFIG_ORIGIN_SIZE 256

/* Environment variables that stand for what does not belong into a file. */
#define BF_CONFIG_ENV_FILE "BONAFIDE_CONFIG"
#define BF_CONFIG_ENV_MASTER_KEY "BONAFIDE_MASTER_KEY"
#define BF_CONFIG_ENV_STORE_URL "BONAFIDE_STORE_URL"
#define BF_CONFIG_FILE_DEFAULT "/etc/bonafide/bonafide.yaml"

typedef enum bf_metrics_access { BF_METRICS_OPEN, BF_METRICS_OPERATOR } bf_metrics_access;
typedef enum bf_log_level { BF_LOG_ERROR, BF_LOG_WARNING, BF_LOG_INFO } bf_log_level;

typedef struct bf_config_limits {
    size_t body_bytes_max;       /* of one request's body as it is sent */
    size_t header_bytes_max;     /* of its request line and headers together */
    int connections_max;         /* of all listeners together */
    int connections_per_address; /* trusted proxies and unix sockets apart */
    int request_s_max;           /* from the first byte to the last */
    int idle_s_max;              /* between two requests of one connection */
} bf_config_limits;

typedef struct bf_config_workers {
    int count, queue, job_ms; /* as in bf_pool_options; 0: its default */
    size_t memory_bytes;
} bf_config_workers;

typedef struct bf_config_sessions {
    int token_s, session_s, attempts_max, review_days, seen_days; /* as in bf_service_settings */
} bf_config_sessions;

/* Paths are absolute, or relative to the program's working folder where the file's own path was. "": not given. */
typedef struct bf_config {
    bf_address listen[BF_CONFIG_LISTEN_MAX];
    int listen_count;
    bool plain_http_elsewhere; /* plain HTTP on addresses that are not loopback */
    char tls_certificate[BF_CONFIG_PATH_SIZE], tls_key[BF_CONFIG_PATH_SIZE]; /* both or none */
    char state_dir[BF_CONFIG_PATH_SIZE];
    char store_url[BF_CONFIG_URL_SIZE];
    int store_readers, store_wait_ms;
    char master_key[BF_CONFIG_PATH_SIZE]; /* a file; unused where the environment holds the key */
    char audit_key[BF_CONFIG_PATH_SIZE], audit_origin[128];
    char vault_dir[BF_CONFIG_PATH_SIZE];
    char data[BF_CONFIG_PATH_SIZE], weights[BF_CONFIG_PATH_SIZE], fusion[64];
    bool mirror;
    bf_config_workers workers;
    bf_config_limits limits;
    bf_rate per_key, per_address, per_subject;
    bf_network trusted_proxies[BF_CONFIG_PROXIES_MAX];
    int trusted_proxy_count;
    char cors_origins[BF_CONFIG_ORIGINS_MAX][BF_CONFIG_ORIGIN_SIZE];
    int cors_origin_count;
    bool demo; /* serve the demonstration page */
    bf_metrics_access metrics;
    bf_config_sessions sessions;
    bool webhooks_allow_private, webhooks_allow_http;
    char log_file[BF_CONFIG_PATH_SIZE]; /* "": standard error */
    bf_log_level log_level;
} bf_config;

/* The file to read when `given` (may be NULL) names none: $BONAFIDE_CONFIG, else /etc/bonafide/bonafide.yaml. */
const char *bf_config_path(const char *given);

/* Reads and checks the file. CONFIG_INVALID ("FILE:LINE: ..."), IO_ERROR, OUT_OF_MEMORY; *ret is written on success
 * only. Looks at no other file but asks the environment for the store's URL where the file has none. */
bf_status bf_config_read(const char *path, bf_config *ret, bf_error *err);

#endif

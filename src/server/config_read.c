/* The keys of the configuration file, section by section. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/words.h"
#include "server/config_internal.h"

#define KIB 1024
#define DAY_S 86400

const char *const BF_CONFIG_KEYS[] = {"format",
                                      "listen",
                                      "plain_http_elsewhere",
                                      "tls",
                                      "state_dir",
                                      "store",
                                      "master_key",
                                      "audit",
                                      "vault_dir",
                                      "engine",
                                      "workers",
                                      "limits",
                                      "rates",
                                      "trusted_proxies",
                                      "cors_origins",
                                      "demo",
                                      "metrics",
                                      "sessions",
                                      "webhooks",
                                      "log",
                                      NULL};

/* A whole number that is read into an int. */
typedef struct number {
    const char *key;
    int min, max;
    int *ret;
} number;

/* Finds a section and checks its keys; *ret_map is NULL where it is not there. */
static bf_status find_section(const bf_config_reader *reader, const char *key, const char *const known[],
                              const bf_yaml_node **ret_map)
{
    *ret_map = bf_yaml_get(reader->root, key);
    return *ret_map ? bf_yaml_check_keys(reader->doc, *ret_map, known, reader->err) : BF_OK;
}

static bf_status read_numbers(const bf_config_reader *reader, const bf_yaml_node *map, const number rows[])
{
    for (int i = 0; map && rows[i].key; i++) {
        int64_t value = *rows[i].ret;
        bf_status status =
            bf_yaml_integer(reader->doc, map, rows[i].key, false, rows[i].min, rows[i].max, &value, reader->err);
        if (status != BF_OK)
            return status;
        *rows[i].ret = (int)value;
    }
    return BF_OK;
}

static bf_status read_bytes(const bf_config_reader *reader, const bf_yaml_node *map, const char *key, int64_t min,
                            int64_t max, size_t *ret)
{
    int64_t value = (int64_t)*ret;
    bf_status status = map ? bf_yaml_integer(reader->doc, map, key, false, min, max, &value, reader->err) : BF_OK;
    if (status == BF_OK)
        *ret = (size_t)value;
    return status;
}

static bf_status read_text(const bf_config_reader *reader, const bf_yaml_node *map, const char *key, char *ret,
                           size_t size)
{
    const char *text = NULL;
    bf_status status = map ? bf_yaml_string(reader->doc, map, key, false, &text, reader->err) : BF_OK;
    if (status != BF_OK || !text)
        return status;
    if (text[0] == '\0' || strlen(text) >= size)
        return bf_yaml_fail(reader->doc, bf_yaml_get(map, key), reader->err, "'%s' needs 1 to %zu characters.", key,
                            size - 1);
    memcpy(ret, text, strlen(text) + 1);
    return BF_OK;
}

static bf_status read_path(const bf_config_reader *reader, const bf_yaml_node *map, const char *key,
                           char ret[BF_CONFIG_PATH_SIZE])
{
    char text[BF_CONFIG_PATH_SIZE] = "";
    bf_status status = read_text(reader, map, key, text, sizeof text);
    return status == BF_OK && text[0] ? bf_config_join(reader, bf_yaml_get(map, key), text, ret) : status;
}

/* The texts of a list, one by one. */
typedef bf_status take_entry(const bf_config_reader *reader, const bf_yaml_node *node);

static bf_status read_list(const bf_config_reader *reader, const char *key, int max, take_entry *take)
{
    const bf_yaml_node *list = bf_yaml_get(reader->root, key);
    if (!list)
        return BF_OK;
    if (list->kind != BF_YAML_LIST)
        return bf_yaml_fail(reader->doc, list, reader->err, "'%s' must be a list.", key);
    if (list->child_count > (size_t)max)
        return bf_yaml_fail(reader->doc, list, reader->err, "'%s' may have at most %d entries.", key, max);
    for (const bf_yaml_node *node = list->child; node; node = node->next) {
        if (node->kind != BF_YAML_SCALAR)
            return bf_yaml_fail(reader->doc, node, reader->err, "'%s' is a list of single values.", key);
        bf_status status = take(reader, node);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

static bf_status take_listen(const bf_config_reader *reader, const bf_yaml_node *node)
{
    bf_error why = {0};
    bf_config *config = reader->config;
    if (bf_address_parse(node->scalar, &config->listen[config->listen_count], &why) != BF_OK)
        return bf_yaml_fail(reader->doc, node, reader->err, "%s", why.message);
    config->listen_count++;
    return BF_OK;
}

static bf_status take_proxy(const bf_config_reader *reader, const bf_yaml_node *node)
{
    bf_config *config = reader->config;
    if (!bf_network_parse(node->scalar, &config->trusted_proxies[config->trusted_proxy_count]))
        return bf_yaml_fail(reader->doc, node, reader->err,
                            "'%.60s' is no address or network, such as 10.0.0.0/8, ::1 or unix.", node->scalar);
    config->trusted_proxy_count++;
    return BF_OK;
}

/* An origin as browsers send it: scheme, host, port where it is not the scheme's. */
static bf_status take_origin(const bf_config_reader *reader, const bf_yaml_node *node)
{
    bf_config *config = reader->config;
    const char *text = node->scalar;
    const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
                       : strncmp(text, "http://", 7) == 0 ? text + 7
                                                          : NULL;
    if (!host || !host[0] || strlen(text) >= BF_CONFIG_ORIGIN_SIZE ||
        strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != strlen(host))
        return bf_yaml_fail(reader->doc, node, reader->err,
                            "'%.60s' is no origin, such as https://onboarding.example.com, in small letters and "
                            "without a path.",
                            text);
    memcpy(config->cors_origins[config->cors_origin_count++], text, strlen(text) + 1);
    return BF_OK;
}

static bf_status read_lists(const bf_config_reader *reader)
{
    bf_config *config = reader->config;
    bf_status status = read_list(reader, "listen", BF_CONFIG_LISTEN_MAX, take_listen);
    if (status == BF_OK)
        status = read_list(reader, "trusted_proxies", BF_CONFIG_PROXIES_MAX, take_proxy);
    if (status == BF_OK)
        status = read_list(reader, "cors_origins", BF_CONFIG_ORIGINS_MAX, take_origin);
    if (status == BF_OK && config->listen_count == 0) {
        status = bf_address_parse("127.0.0.1:8443", &config->listen[0], reader->err);
        config->listen_count = 1;
    }
    return status;
}

static bf_status read_tls(const bf_config_reader *reader)
{
    static const char *const KNOWN[] = {"certificate", "key", NULL};
    bf_config *config = reader->config;
    const bf_yaml_node *map;
    bf_status status = find_section(reader, "tls", KNOWN, &map);
    if (status == BF_OK)
        status = read_path(reader, map, "certificate", config->tls_certificate);
    if (status == BF_OK)
        status = read_path(reader, map, "key", config->tls_key);
    if (status == BF_OK && (config->tls_certificate[0] != '\0') != (config->tls_key[0] != '\0'))
        status = bf_yaml_fail(reader->doc, map, reader->err, "certificate and key belong together.");
    return status;
}

/* A relative path of a SQLite file begins at the configuration's folder, as every other path of the file does. */
static bf_status resolve_store(const bf_config_reader *reader, const bf_yaml_node *map)
{
    static const char SQLITE[] = "sqlite:";
    char *url = reader->config->store_url;
    char path[BF_CONFIG_PATH_SIZE];
    if (strncmp(url, SQLITE, sizeof SQLITE - 1) != 0)
        return BF_OK;
    bf_status status = bf_config_join(reader, map, url + sizeof SQLITE - 1, path);
    if (status != BF_OK)
        return status;
    int length = snprintf(url, BF_CONFIG_URL_SIZE, "%s%s", SQLITE, path);
    if (length < 0 || length >= BF_CONFIG_URL_SIZE)
        return bf_yaml_fail(reader->doc, map, reader->err, "the path is too long.");
    return BF_OK;
}

static bf_status read_store(const bf_config_reader *reader)
{
    static const char *const KNOWN[] = {"url", "readers", "wait_ms", NULL};
    bf_config *config = reader->config;
    const bf_yaml_node *map;
    const number rows[] = {{"readers", 1, 64, &config->store_readers},
                           {"wait_ms", 100, 60000, &config->store_wait_ms},
                           {NULL, 0, 0, NULL}};
    bf_status status = find_section(reader, "store", KNOWN, &map);
    if (status == BF_OK)
        status = read_numbers(reader, map, rows);
    if (status == BF_OK)
        status = read_text(reader, map, "url", config->store_url, sizeof config->store_url);
    return status == BF_OK ? resolve_store(reader, map) : status;
}

static bf_status read_places(const bf_config_reader *reader)
{
    static const char *const AUDIT[] = {"key", "origin", NULL};
    bf_config *config = reader->config;
    const bf_yaml_node *map;
    bf_status status = read_path(reader, reader->root, "state_dir", config->state_dir);
    if (status == BF_OK && !config->state_dir[0])
        status = bf_yaml_fail(reader->doc, reader->root, reader->err, "the key 'state_dir' is missing.");
    if (status == BF_OK)
        status = read_path(reader, reader->root, "master_key", config->master_key);
    if (status == BF_OK)
        status = read_path(reader, reader->root, "vault_dir", config->vault_dir);
    if (status == BF_OK)
        status = find_section(reader, "audit", AUDIT, &map);
    if (status == BF_OK)
        status = read_path(reader, map, "key", config->audit_key);
    if (status == BF_OK)
        status = read_text(reader, map, "origin", config->audit_origin, sizeof config->audit_origin);
    if (status == BF_OK && strcspn(config->audit_origin, "+ \t\n") != strlen(config->audit_origin))
        status = bf_yaml_fail(reader->doc, map, reader->err, "the origin may hold neither blanks nor '+'.");
    return status;
}

static bf_status read_engine(const bf_config_reader *reader)
{
    static const char *const ENGINE[] = {"data", "weights", "fusion", "mirror", NULL};
    static const char *const WORKERS[] = {"count", "queue", "job_ms", "memory_mib", NULL};
    bf_config *config = reader->config;
    const bf_yaml_node *map;
    int memory_mib = (int)(config->workers.memory_bytes / KIB / KIB);
    const number rows[] = {{"count", 0, 256, &config->workers.count},
                           {"queue", 0, 4096, &config->workers.queue},
                           {"job_ms", 100, 120000, &config->workers.job_ms},
                           {"memory_mib", 256, 16384, &memory_mib},
                           {NULL, 0, 0, NULL}};
    bf_status status = find_section(reader, "engine", ENGINE, &map);
    if (status == BF_OK)
        status = read_path(reader, map, "data", config->data);
    if (status == BF_OK)
        status = read_path(reader, map, "weights", config->weights);
    if (status == BF_OK)
        status = read_text(reader, map, "fusion", config->fusion, sizeof config->fusion);
    if (status == BF_OK && map)
        status = bf_yaml_bool(reader->doc, map, "mirror", false, &config->mirror, reader->err);
    if (status == BF_OK)
        status = find_section(reader, "workers", WORKERS, &map);
    if (status == BF_OK)
        status = read_numbers(reader, map, rows);
    config->workers.memory_bytes = (size_t)memory_mib * KIB * KIB;
    return status;
}

static bf_status read_limits(const bf_config_reader *reader)
{
    static const char *const KNOWN[] = {"body_bytes", "header_bytes", "connections", "connections_per_address",
                                        "request_s",  "idle_s",       NULL};
    bf_config_limits *limits = &reader->config->limits;
    const bf_yaml_node *map;
    const number rows[] = {{"connections", 1, 16384, &limits->connections_max},
                           {"connections_per_address", 1, 16384, &limits->connections_per_address},
                           {"request_s", 1, 600, &limits->request_s_max},
                           {"idle_s", 1, 3600, &limits->idle_s_max},
                           {NULL, 0, 0, NULL}};
    bf_status status = find_section(reader, "limits", KNOWN, &map);
    if (status == BF_OK)
        status = read_numbers(reader, map, rows);
    if (status == BF_OK)
        status = read_bytes(reader, map, "body_bytes", KIB, 256 * KIB * KIB, &limits->body_bytes_max);
    if (status == BF_OK)
        status = read_bytes(reader, map, "header_bytes", 4 * KIB, 256 * KIB, &limits->header_bytes_max);
    return status;
}

static bf_status read_rate(const bf_config_reader *reader, const bf_yaml_node *rates, const char *key, bf_rate *ret)
{
    static const char *const KNOWN[] = {"per_second", "burst", NULL};
    const bf_yaml_node *map = bf_yaml_get(rates, key);
    if (!map)
        return BF_OK;
    bf_status status = bf_yaml_check_keys(reader->doc, map, KNOWN, reader->err);
    if (status == BF_OK)
        status = bf_yaml_number(reader->doc, map, "per_second", true, 0, 1e6, &ret->per_second, reader->err);
    if (status == BF_OK)
        status = bf_yaml_number(reader->doc, map, "burst", true, 1, 1e6, &ret->burst, reader->err);
    return status;
}

static bf_status read_rates(const bf_config_reader *reader)
{
    static const char *const KNOWN[] = {"per_key", "per_address", "per_subject", NULL};
    bf_config *config = reader->config;
    const bf_yaml_node *map;
    bf_status status = find_section(reader, "rates", KNOWN, &map);
    if (status == BF_OK)
        status = read_rate(reader, map, "per_key", &config->per_key);
    if (status == BF_OK)
        status = read_rate(reader, map, "per_address", &config->per_address);
    if (status == BF_OK)
        status = read_rate(reader, map, "per_subject", &config->per_subject);
    return status;
}

static bf_status read_sessions(const bf_config_reader *reader)
{
    static const char *const SESSIONS[] = {"token_s", "session_s", "attempts_max", "review_days", "seen_days", NULL};
    static const char *const WEBHOOKS[] = {"allow_private", "allow_http", NULL};
    bf_config *config = reader->config;
    const bf_yaml_node *map;
    const number rows[] = {{"token_s", 1, DAY_S, &config->sessions.token_s},
                           {"session_s", 1, 7 * DAY_S, &config->sessions.session_s},
                           {"attempts_max", 1, 100, &config->sessions.attempts_max},
                           {"review_days", 1, 3650, &config->sessions.review_days},
                           {"seen_days", 0, 3650, &config->sessions.seen_days},
                           {NULL, 0, 0, NULL}};
    bf_status status = find_section(reader, "sessions", SESSIONS, &map);
    if (status == BF_OK)
        status = read_numbers(reader, map, rows);
    if (status == BF_OK)
        status = find_section(reader, "webhooks", WEBHOOKS, &map);
    if (status == BF_OK && map)
        status = bf_yaml_bool(reader->doc, map, "allow_private", false, &config->webhooks_allow_private, reader->err);
    if (status == BF_OK && map)
        status = bf_yaml_bool(reader->doc, map, "allow_http", false, &config->webhooks_allow_http, reader->err);
    return status;
}

static bf_status read_watching(const bf_config_reader *reader)
{
    static const char *const METRICS[] = {"open", "operator", NULL};
    static const char *const LEVELS[] = {"error", "warning", "info", NULL};
    static const char *const LOG[] = {"file", "level", NULL};
    bf_config *config = reader->config;
    const bf_yaml_node *map;
    int metrics = (int)config->metrics, level = (int)config->log_level;
    bf_status status = bf_yaml_choice(reader->doc, reader->root, "metrics", false, METRICS, &metrics, reader->err);
    if (status == BF_OK)
        status = find_section(reader, "log", LOG, &map);
    if (status == BF_OK)
        status = read_path(reader, map, "file", config->log_file);
    if (status == BF_OK && map)
        status = bf_yaml_choice(reader->doc, map, "level", false, LEVELS, &level, reader->err);
    config->metrics = (bf_metrics_access)metrics;
    config->log_level = (bf_log_level)level;
    return status;
}

bf_status bf_config_read_keys(bf_config_reader *reader)
{
    static bf_status (*const SECTIONS[])(const bf_config_reader *) = {read_lists, read_tls,      read_places,
                                                                      read_store, read_engine,   read_limits,
                                                                      read_rates, read_sessions, read_watching};
    bf_status status = bf_yaml_bool(reader->doc, reader->root, "plain_http_elsewhere", false,
                                    &reader->config->plain_http_elsewhere, reader->err);
    if (status == BF_OK)
        status = bf_yaml_bool(reader->doc, reader->root, "demo", false, &reader->config->demo, reader->err);
    for (size_t i = 0; status == BF_OK && i < sizeof SECTIONS / sizeof SECTIONS[0]; i++)
        status = SECTIONS[i](reader);
    return status;
}

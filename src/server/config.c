#include "server/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/config.h"
#include "base/error.h"
#include "base/limits.h"
#include "server/config_internal.h"

#define FORMAT 1

const char *bf_config_path(const char *given)
{
    const char *told = getenv(BF_CONFIG_ENV_FILE);
    return given ? given : told && told[0] ? told : BF_CONFIG_FILE_DEFAULT;
}

static void set_defaults(bf_config *config)
{
    config->store_readers = 4;
    config->store_wait_ms = 5000;
    config->limits = (bf_config_limits){
        /* The largest capture, or a photo and a reference of the largest size in base64, and some. */
        .body_bytes_max = BF_CLIP_BYTES_MAX + (4u << 20),
        .header_bytes_max = 16 << 10,
        .connections_max = 512,
        .connections_per_address = 64,
        .request_s_max = 30,
        .idle_s_max = 60,
    };
    config->per_key = (bf_rate){.per_second = 200, .burst = 400};
    config->per_address = (bf_rate){.per_second = 50, .burst = 200};
    config->per_subject = (bf_rate){.per_second = 0.01, .burst = 10};
    config->metrics = BF_METRICS_OPERATOR;
    config->sessions =
        (bf_config_sessions){.token_s = 180, .session_s = 900, .attempts_max = 10, .review_days = 30, .seen_days = 30};
    config->log_level = BF_LOG_INFO;
    (void)snprintf(config->audit_origin, sizeof config->audit_origin, "bonafide");
}

bf_status bf_config_join(const bf_config_reader *reader, const bf_yaml_node *node, const char *path,
                         char ret[BF_CONFIG_PATH_SIZE])
{
    int length = path[0] == '/' ? snprintf(ret, BF_CONFIG_PATH_SIZE, "%s", path)
                                : snprintf(ret, BF_CONFIG_PATH_SIZE, "%s/%s", reader->folder, path);
    if (length < 0 || length >= BF_CONFIG_PATH_SIZE)
        return bf_yaml_fail(reader->doc, node, reader->err, "the path is too long.");
    return BF_OK;
}

static bf_status folder_of(const char *path, char ret[BF_CONFIG_PATH_SIZE], bf_error *err)
{
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 1;
    int used = snprintf(ret, BF_CONFIG_PATH_SIZE, "%.*s", length, slash ? path : ".");
    if (used < 0 || used >= BF_CONFIG_PATH_SIZE)
        return bf_fail(err, BF_CONFIG_INVALID, "The path of the configuration is too long.");
    return BF_OK;
}

/* What was not told lies in state_dir. */
static bf_status fill_place(const bf_config_reader *reader, const char *name, char ret[BF_CONFIG_PATH_SIZE])
{
    if (ret[0])
        return BF_OK;
    int length = snprintf(ret, BF_CONFIG_PATH_SIZE, "%s/%s", reader->config->state_dir, name);
    if (length < 0 || length >= BF_CONFIG_PATH_SIZE)
        return bf_yaml_fail(reader->doc, reader->root, reader->err, "the path of state_dir is too long.");
    return BF_OK;
}

static bf_status fill_store(const bf_config_reader *reader)
{
    bf_config *config = reader->config;
    const char *told = getenv(BF_CONFIG_ENV_STORE_URL);
    if (config->store_url[0])
        return BF_OK;
    int length = told && told[0] ? snprintf(config->store_url, sizeof config->store_url, "%s", told)
                                 : snprintf(config->store_url, sizeof config->store_url, "sqlite:%s/bonafide.db",
                                            config->state_dir);
    if (length < 0 || (size_t)length >= sizeof config->store_url)
        return bf_yaml_fail(reader->doc, reader->root, reader->err, "the store's URL is too long.");
    return BF_OK;
}

static bf_status check_listeners(const bf_config_reader *reader)
{
    const bf_config *config = reader->config;
    bool tls = config->tls_certificate[0] != '\0';
    const bf_yaml_node *node = bf_yaml_get(reader->root, "listen");
    for (int i = 0; i < config->listen_count; i++) {
        const bf_address *at = &config->listen[i];
        if (tls || at->is_loopback || config->plain_http_elsewhere)
            continue;
        bf_yaml_fail(reader->doc, node, reader->err,
                     "%s is not loopback, and plain HTTP would show faces to the "
                     "network.",
                     at->text);
        bf_fail_hint(reader->err, "Give a certificate under tls, or set plain_http_elsewhere where something else "
                                  "encrypts.");
        return BF_CONFIG_INVALID;
    }
    return BF_OK;
}

static bf_status complete(const bf_config_reader *reader)
{
    bf_config *config = reader->config;
    bf_status status = fill_store(reader);
    if (status == BF_OK)
        status = fill_place(reader, "master.key", config->master_key);
    if (status == BF_OK)
        status = fill_place(reader, "audit.key", config->audit_key);
    if (status == BF_OK)
        status = fill_place(reader, "vault", config->vault_dir);
    if (status == BF_OK)
        status = check_listeners(reader);
    if (status == BF_OK && config->sessions.token_s > config->sessions.session_s)
        status = bf_yaml_fail(reader->doc, bf_yaml_get(reader->root, "sessions"), reader->err,
                              "token_s is longer than session_s.");
    return status;
}

static void yaml_release(bf_yaml **doc)
{
    bf_yaml_free(doc);
}

bf_status bf_config_read(const char *path, bf_config *ret, bf_error *err)
{
    BF_CLEANUP(yaml_release) bf_yaml *doc = NULL;
    bf_config config = {0};
    bf_config_reader reader = {.config = &config, .err = err};
    set_defaults(&config);
    bf_status status = folder_of(path, reader.folder, err);
    if (status == BF_OK)
        status = bf_yaml_read_file(path, &doc, err);
    if (status == BF_IO_ERROR)
        bf_fail_hint(err, "--config FILE or $" BF_CONFIG_ENV_FILE " names another; " BF_CONFIG_FILE_DEFAULT
                          " is read where neither does.");
    if (status != BF_OK)
        return status;
    reader.doc = doc;
    reader.root = bf_yaml_root(doc);
    status = bf_yaml_check_keys(doc, reader.root, BF_CONFIG_KEYS, err);
    if (status == BF_OK)
        status = bf_config_format(doc, reader.root, FORMAT, err);
    if (status == BF_OK)
        status = bf_config_read_keys(&reader);
    if (status == BF_OK)
        status = complete(&reader);
    if (status == BF_OK)
        *ret = config;
    return status;
}

/* Development mode: a server on loopback with everything in one folder, for trying things out. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "access/keys.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/serve.h"
#include "store/time.h"

#define KEY_LIFE_MS (24LL * 3600 * 1000)
#define LABEL "development"
#define CLIENT "development"
#define FIRST_PORT 8080
#define PORTS_TRIED 100

static const char CONFIG[] =
    "# Made by 'bonafide serve --development'; docs/reference/configuration.md has every key.\n"
    "format: 1\n"
    "listen: [127.0.0.1:8080]\n"
    "state_dir: .\n"
    "audit: {origin: bonafide-development}\n"
    "metrics: open\n"
    "demo: true\n"
    "webhooks: {allow_private: true, allow_http: true}\n"
    "log: {file: server.log}\n";

bf_status cli_development_prepare(const char *folder, char ret_config[BF_CONFIG_PATH_SIZE], bf_error *err)
{
    int length = snprintf(ret_config, BF_CONFIG_PATH_SIZE, "%s/bonafide.yaml", folder);
    if (length < 0 || length >= BF_CONFIG_PATH_SIZE)
        return bf_fail(err, BF_CONFIG_INVALID, "The path of the folder is too long.");
    bf_status status = cli_service_folder(folder, err);
    if (status != BF_OK)
        return status;
    if (access(ret_config, F_OK) == 0)
        return BF_OK;
    return bf_bytes_write_file(ret_config, CONFIG, sizeof CONFIG - 1, err);
}

static bool is_free(const struct sockaddr_in *at)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 bind(fd, (const struct sockaddr *)at, sizeof *at) == 0 && listen(fd, 1) == 0;
    if (fd >= 0)
        (void)close(fd);
    return bound;
}

void cli_development_find_port(bf_config *config)
{
    struct sockaddr_in at;
    bf_error none = {0};
    memcpy(&at, &config->listen[0].socket, sizeof at);
    if (config->listen_count != 1 || config->listen[0].socket.ss_family != AF_INET || ntohs(at.sin_port) != FIRST_PORT)
        return;
    for (int port = FIRST_PORT; port < FIRST_PORT + PORTS_TRIED; port++) {
        char text[BF_ADDRESS_TEXT_SIZE];
        at.sin_port = htons((uint16_t)port);
        if (!is_free(&at))
            continue;
        (void)snprintf(text, sizeof text, "127.0.0.1:%d", port);
        (void)bf_address_parse(text, &config->listen[0], &none);
        return;
    }
}

typedef struct key_making {
    const bf_master *master;
    char actor[32];
    bf_new_key integrator, auditor;
} key_making;

static bf_status revoke_old(bf_db *db, const key_making *making, bf_error *err)
{
    bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT id FROM api_key WHERE client = $1 AND label = $2 AND revoked_ms IS NULL",
                                   BF_VALUES(bf_value_text(CLIENT), bf_value_text(LABEL)), &rows, err);
    while (status == BF_OK && bf_rows_next(rows))
        status = bf_key_revoke(db, bf_rows_text(rows, 0), bf_time_now_ms(), making->actor, err);
    bf_rows_free(&rows);
    return status;
}

static bf_status make_keys(bf_db *db, void *context, bf_error *err)
{
    key_making *making = context;
    bf_key_request request = {
        .client = CLIENT,
        .role = BF_ACCESS_INTEGRATOR,
        .label = LABEL,
        .now_ms = bf_time_now_ms(),
        .expires_ms = bf_time_now_ms() + KEY_LIFE_MS,
    };
    bf_status status = revoke_old(db, making, err);
    if (status == BF_OK)
        status = bf_key_create(db, making->master, &request, making->actor, &making->integrator, err);
    request.role = BF_ACCESS_AUDITOR;
    if (status == BF_OK)
        status = bf_key_create(db, making->master, &request, making->actor, &making->auditor, err);
    return status;
}

static void print_greeting(const cli_service *service, const key_making *making, const char *folder, const char *sample)
{
    char url[BF_SERVER_URL_SIZE];
    bf_server_url(service->server, 0, url);
    (void)printf("bonafide is ready on %s\n\n"
                 "API keys of this run, valid for a day:\n"
                 "  integrator  %s\n"
                 "  auditor     %s\n\n"
                 "Try live capture: open %s/demo/ in a browser on this machine.\n\n"
                 "Ask it:\n"
                 "  curl -H 'Authorization: Bearer %s' -F image=@%s -F flow_type=account_opening %s/v1/liveness\n\n"
                 "The API for reading: %s/docs   State and log: %s   Ctrl-C ends it.\n",
                 url, making->integrator.key, making->auditor.key, url, making->integrator.key,
                 sample ? sample : "PHOTO.jpg", url, url, folder);
    (void)fflush(stdout);
}

bf_status cli_development_greet(cli_service *service, const char *folder, const char *sample, bf_error *err)
{
    key_making making = {.master = &service->master};
    (void)snprintf(making.actor, sizeof making.actor, "uid:%u", (unsigned)getuid());
    bf_status status = bf_store_write(service->store, make_keys, &making, err);
    if (status == BF_OK) {
        bf_principal who = {.role = BF_ACCESS_INTEGRATOR, .client = CLIENT};
        memcpy(who.key_id, making.integrator.id, sizeof who.key_id);
        bf_server_open_demo(service->server, &who);
        print_greeting(service, &making, folder, sample);
    }
    sodium_memzero(&making, sizeof making);
    return status;
}

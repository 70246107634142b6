/* bonafide serve: the HTTP API. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "cli/commands.h"
#include "cli/open.h"
#include "cli/serve.h"
#include "server/tls.h"

#define DEVELOPMENT_FOLDER "bonafide-development"

enum { OPTION_CONFIG, OPTION_CHECK, OPTION_CREATE, OPTION_DEVELOPMENT, OPTION_SAMPLE };

static const cli_option OPTIONS[] = {
    [OPTION_CONFIG] = {"config", 0, "FILE", "configuration of the server ($BONAFIDE_CONFIG)"},
    [OPTION_CHECK] = {"check", 0, NULL, "only check the configuration and what it names"},
    [OPTION_CREATE] = {"create", 0, NULL, "make folder, keys and SQLite file where they are not there"},
    [OPTION_DEVELOPMENT] = {"development", 0, NULL, "keep everything in DIR, and make keys valid for a day"},
    [OPTION_SAMPLE] = {"sample", 0, "FILE", "the photo that the example of development mode names"},
    {NULL, 0, NULL, NULL},
};

typedef struct serve_options {
    const char *config, *sample, *folder;
    bool check, create, development;
} serve_options;

static int read_options(const cli_command *command, int argc, char **argv, serve_options *ret)
{
    int option;
    cli_parser parser = cli_parser_start(command, argc, argv);
    while ((option = cli_parser_next(&parser)) >= 0) {
        if (option == OPTION_CONFIG)
            ret->config = parser.value;
        else if (option == OPTION_SAMPLE)
            ret->sample = parser.value;
        ret->check |= option == OPTION_CHECK;
        ret->create |= option == OPTION_CREATE;
        ret->development |= option == OPTION_DEVELOPMENT;
    }
    if (parser.ended)
        return parser.code;
    ret->folder = parser.operand_count > 0 ? parser.operand[0] : DEVELOPMENT_FOLDER;
    if (!ret->development && (ret->sample || parser.operand_count > 0))
        return cli_fail_usage(command, "%s goes with --development only.", ret->sample ? "--sample" : "DIR");
    if (ret->development && (ret->config || ret->check))
        return cli_fail_usage(command, "--development and %s exclude each other.",
                              ret->config ? "--config" : "--check");
    return -1;
}

/* Whatever the operator can mend in the configuration or around it is wrong usage; the rest is ours. */
static int fail(const cli_command *command, const bf_error *err)
{
    int code = cli_fail_error(command, err);
    bool usage = err->status == BF_CONFIG_INVALID || err->status == BF_IO_ERROR;
    return usage ? CLI_USAGE : code == CLI_UNREADABLE ? CLI_INTERNAL : code;
}

static bf_status check(cli_service *service, bool create, bf_error *err)
{
    const bf_config *config = &service->config;
    bf_status status = cli_place_find(config->data[0] ? config->data : NULL,
                                      config->weights[0] ? config->weights : NULL, &service->place, err);
    if (status == BF_OK && config->tls_certificate[0])
        status = bf_tls_load(config->tls_certificate, config->tls_key, err);
    bf_tls_unload();
    return status == BF_OK ? cli_service_open(service, create, err) : status;
}

static int serve_prepared(const cli_command *command, const serve_options *options, cli_service *service)
{
    bf_error err = {0};
    bf_status status = bf_config_read(service->config_path, &service->config, &err);
    if (status == BF_OK && options->check) {
        status = check(service, options->create, &err);
        if (status != BF_OK)
            return fail(command, &err);
        (void)printf("%s: no fault\n", service->config_path);
        return cli_finish_output(command, 0);
    }
    if (status == BF_OK && options->development)
        cli_development_find_port(&service->config);
    if (status == BF_OK)
        status = cli_service_open(service, options->create || options->development, &err);
    if (status == BF_OK)
        status = cli_service_start(service, &err);
    if (status == BF_OK && options->development)
        status = cli_development_greet(service, options->folder, options->sample, &err);
    return status == BF_OK ? cli_service_run(service) : fail(command, &err);
}

static int serve(const cli_command *command, int argc, char **argv)
{
    bf_error err = {0};
    serve_options options = {0};
    char prepared[BF_CONFIG_PATH_SIZE];
    int code = read_options(command, argc, argv, &options);
    if (code >= 0)
        return code;
    if (sodium_init() < 0)
        return cli_fail(command, CLI_INTERNAL, "libsodium cannot start.");
    cli_service_block_signals();
    if (options.development && cli_development_prepare(options.folder, prepared, &err) != BF_OK)
        return fail(command, &err);
    cli_service service = {
        .config_path = options.development ? prepared : bf_config_path(options.config),
        .development = options.development,
    };
    code = serve_prepared(command, &options, &service);
    cli_service_close(&service);
    return code;
}

const cli_command CLI_SERVE = {
    .name = "serve",
    .operands = "[DIR]",
    .summary = "Answer requests over HTTP",
    .about = "Runs the service that its configuration describes until SIGTERM or SIGINT, which let requests under way "
             "end; a second one ends at once. SIGHUP reads configuration, policies, networks and certificate anew. "
             "The log goes to standard error, one JSON object a line.",
    .options = OPTIONS,
    .operands_min = 0,
    .operands_max = 1,
    .run = serve,
};

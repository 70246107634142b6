/* bonafide models: lists, verifies and imports the networks. */
#include <stdio.h>
#include <string.h>

#include "bonafide/models.h"
#include "bonafide/words.h"
#include "cli/commands.h"
#include "cli/models.h"
#include "cli/open.h"
#include "cli/term.h"

static const cli_option OPTIONS[] = {CLI_MODELS_PLACE_ROWS, {NULL, 0, NULL, NULL}};
static const cli_option IMPORT_OPTIONS[] = {
    CLI_MODELS_PLACE_ROWS,
    {"as", 'a', "NAME", "the model that the file is, a folder of models/"},
    {NULL, 0, NULL, NULL},
};

bool cli_models_start(cli_parser *parser, cli_place *ret_place, const char **ret_own, int *ret_code)
{
    const char *data = NULL, *weights = NULL;
    for (int key; (key = cli_parser_next(parser)) >= 0;) {
        if (key == CLI_MODELS_DATA)
            data = parser->value;
        else if (key == CLI_MODELS_WEIGHTS)
            weights = parser->value;
        else
            *ret_own = parser->value ? parser->value : "";
    }
    *ret_code = parser->code;
    if (parser->ended)
        return false;
    bf_error err = {0};
    if (cli_place_find(data, weights, ret_place, &err) == BF_OK)
        return true;
    (void)cli_fail_error(parser->command, &err);
    *ret_code = data ? CLI_USAGE : CLI_INTERNAL;
    return false;
}

static int column_width(const bf_model_list *list, size_t offset)
{
    int widest = 4;
    for (size_t i = 0; i < bf_model_list_count(list); i++) {
        int width = cli_text_width((const char *)bf_model_list_at(list, i) + offset);
        widest = width > widest ? width : widest;
    }
    return widest < 24 ? widest : 24;
}

static void print_model(const bf_model_info *model, int name_width, int task_width, bool colours)
{
    bool ok = model->state == BF_MODEL_STATE_OK;
    /* A model that is only not installed is no fault. */
    cli_colour colour = ok ? CLI_GREEN : model->state == BF_MODEL_STATE_MISSING ? CLI_YELLOW : CLI_RED;
    (void)printf("%-*s  %-*s  %-8.8s  %s%-10s%s  %-9s  %.12s\n", name_width, model->name, task_width, model->task,
                 model->version, cli_colour_start(colours, colour), bf_model_state_name(model->state),
                 cli_colour_end(colours, colour),
                 ok && model->optimised ? "optimised"
                 : ok                   ? "published"
                                        : "-",
                 model->sha256[0] ? model->sha256 : "-");
    if (!ok && model->why[0])
        (void)printf("    %s\n", model->why);
    if (!ok && model->hint[0])
        (void)printf("    %s\n", model->hint);
}

/* The worst that a list holds: tampered or invalid files are failures, others are not installed or not wanted. */
static int print_list(const bf_model_list *list)
{
    int code = 0;
    bool colours = cli_term_colours(stdout);
    int name_width = column_width(list, offsetof(bf_model_info, name));
    int task_width = column_width(list, offsetof(bf_model_info, task));
    (void)printf("%s%-*s  %-*s  %-8s  %-10s  %-9s  %s%s\n", cli_colour_start(colours, CLI_DIM), name_width, "NAME",
                 task_width, "TASK", "VERSION", "STATE", "WEIGHTS", "SHA-256", cli_colour_end(colours, CLI_DIM));
    for (size_t i = 0; i < bf_model_list_count(list); i++) {
        const bf_model_info *model = bf_model_list_at(list, i);
        print_model(model, name_width, task_width, colours);
        if (model->state == BF_MODEL_STATE_TAMPERED || model->state == BF_MODEL_STATE_INVALID)
            code = CLI_INTERNAL;
    }
    return code;
}

typedef bf_status read_list(const char *data_dir, const char *weights_dir, bf_model_list **ret_list, bf_error *err);

static int show(const cli_command *command, int argc, char **argv, read_list *read, bool strict)
{
    cli_place place;
    const char *as = NULL;
    int code = 0;
    cli_parser parser = cli_parser_start(command, argc, argv);
    if (!cli_models_start(&parser, &place, &as, &code))
        return code;
    bf_error err = {0};
    bf_model_list *list = NULL;
    if (read(place.data, place.weights, &list, &err) != BF_OK) {
        (void)cli_fail_error(command, &err);
        return CLI_INTERNAL;
    }
    code = print_list(list);
    bf_model_list_free(&list);
    return cli_finish_output(command, strict ? code : 0);
}

static int list_models(const cli_command *command, int argc, char **argv)
{
    return show(command, argc, argv, bf_models_list, false);
}

static int verify_models(const cli_command *command, int argc, char **argv)
{
    return show(command, argc, argv, bf_models_verify, true);
}

static int import_model(const cli_command *command, int argc, char **argv)
{
    cli_place place;
    const char *as = NULL;
    int code = 0;
    cli_parser parser = cli_parser_start(command, argc, argv);
    if (!cli_models_start(&parser, &place, &as, &code))
        return code;
    if (!as)
        return cli_fail_usage(command, "--as is missing: the name of the model.");
    bf_error err = {0};
    if (bf_models_import(place.data, place.weights, as, parser.operand[0], &err) != BF_OK) {
        code = cli_fail_error(command, &err);
        /* The file was given, so what is wrong with it is a fault of the input. */
        return strcmp(bf_status_family(err.status), "model") == 0 ? CLI_UNREADABLE : code;
    }
    (void)printf("%s is now the model %s, in %s.\n", parser.operand[0], as, place.weights);
    return cli_finish_output(command, 0);
}

const cli_command CLI_MODELS_LIST = {
    .name = "models list",
    .operands = "",
    .summary = "List the models and the state of their weights",
    .options = OPTIONS,
    .run = list_models,
};

const cli_command CLI_MODELS_VERIFY = {
    .name = "models verify",
    .operands = "",
    .summary = "Check hashes, load every model and run its golden vectors",
    .about =
        "The exit status is 70 when a model was tampered with or does not do what its manifest says. A model that is "
        "not installed is no failure.",
    .options = OPTIONS,
    .run = verify_models,
};

const cli_command CLI_MODELS_IMPORT = {
    .name = "models import",
    .operands = "FILE",
    .summary = "Add the weights of a model that bonafide cannot fetch itself",
    .about = "The file must have the hash that the model's manifest states, or meet its golden vectors. The exit "
             "status is 65 "
             "when it does not.",
    .options = IMPORT_OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = import_model,
};

/* bonafide models optimise: rewrites verified networks for speed, once. */
#include <stdio.h>

#include "bonafide/models.h"
#include "cli/commands.h"
#include "cli/models.h"
#include "cli/open.h"

static const cli_option OPTIONS[] = {
    CLI_MODELS_PLACE_ROWS,
    [CLI_MODELS_OWN] = {"verbose", 'v', NULL, "also name the models for which there is nothing to do"},
    {NULL, 0, NULL, NULL},
};

static void print_outcome(const char *name, const bf_model_optimisation *o, bool verbose)
{
    switch (o->state) {
    case BF_OPTIMISE_WRITTEN:
    case BF_OPTIMISE_UNPINNED:
        (void)printf("%s: rewritten, %d nodes became %d; outputs differ by at most %.1e of their range\n", name,
                     o->nodes_before, o->nodes_after, o->difference);
        if (o->state == BF_OPTIMISE_UNPINNED)
            (void)printf("    not written: the manifest states no optimised_sha256; this one would be %s\n", o->sha256);
        return;
    case BF_OPTIMISE_PRESENT:
        if (verbose)
            (void)printf("%s: rewritten before\n", name);
        return;
    case BF_OPTIMISE_UNCHANGED:
        if (verbose)
            (void)printf("%s: nothing to rewrite\n", name);
        return;
    }
}

static int optimise(const cli_command *command, const cli_place *place, const char *name, bool verbose)
{
    bf_error err = {0};
    bf_model_optimisation outcome;
    if (bf_models_optimise(place->data, place->weights, name, &outcome, &err) != BF_OK) {
        (void)cli_fail_error(command, &err);
        return CLI_INTERNAL;
    }
    print_outcome(name, &outcome, verbose);
    (void)fflush(stdout);
    return 0;
}

/* Every model that is installed; those that are not are passed over. */
static int optimise_all(const cli_command *command, const cli_place *place, bool verbose)
{
    bf_error err = {0};
    bf_model_list *list = NULL;
    int code = 0;
    if (bf_models_list(place->data, place->weights, &list, &err) != BF_OK) {
        (void)cli_fail_error(command, &err);
        return CLI_INTERNAL;
    }
    for (size_t i = 0; i < bf_model_list_count(list); i++) {
        const bf_model_info *model = bf_model_list_at(list, i);
        if (model->state == BF_MODEL_STATE_MISSING || model->state == BF_MODEL_STATE_UNAPPROVED)
            continue;
        int one = optimise(command, place, model->name, verbose);
        code = one > code ? one : code;
    }
    bf_model_list_free(&list);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    cli_place place;
    const char *verbose = NULL;
    int code = 0;
    cli_parser parser = cli_parser_start(command, argc, argv);
    if (!cli_models_start(&parser, &place, &verbose, &code))
        return code;
    if (parser.operand_count == 0)
        code = optimise_all(command, &place, verbose != NULL);
    for (int i = 0; i < parser.operand_count; i++) {
        int one = optimise(command, &place, parser.operand[i], true);
        code = one > code ? one : code;
    }
    return cli_finish_output(command, code);
}

const cli_command CLI_MODELS_OPTIMISE = {
    .name = "models optimise",
    .operands = "[NAME...]",
    .summary = "Rewrite verified networks for speed, once",
    .about = "The rewritten file computes the same, is checked against the published one and lies beside it. Without a "
             "NAME, every installed model. The exit status is 70 when one could not be rewritten.",
    .options = OPTIONS,
    .operands_min = 0,
    .operands_max = -1,
    .run = run,
};

/* From a word of the command line to the command. */
#include <stdio.h>
#include <string.h>

#include "base/yaml.h"
#include "cli/help.h"

#define NAMES_MAX 32

/* The last word of a command's name: "policy lint" -> "lint". */
static const char *last_word(const char *name)
{
    const char *space = strrchr(name, ' ');
    return space ? space + 1 : name;
}

static int fail_unknown(const cli_group *group, const char *word)
{
    const char *names[NAMES_MAX + 1] = {0};
    int count = 0;
    for (int i = 0; group->commands[i] && count < NAMES_MAX; i++)
        names[count++] = last_word(group->commands[i]->name);
    for (int i = 0; group->subgroups && group->subgroups[i] && count < NAMES_MAX; i++)
        names[count++] = group->subgroups[i]->name;
    const char *nearest = bf_nearest_word(word, names);
    bool whole = group->name[0] == '\0';
    (void)fprintf(stderr, "bonafide%s%s: unknown command '%s'%s%s%s\nTry 'bonafide %s%s--help'.\n", whole ? "" : " ",
                  group->name, word, nearest ? "; did you mean '" : ".", nearest ? nearest : "", nearest ? "'?" : "",
                  group->name, whole ? "" : " ");
    return CLI_USAGE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int cli_group_run(const cli_group *group, int argc, char **argv)
{
    static char help_option[] = "--help";
    const char *word = argc > 1 ? argv[1] : NULL;
    if (!word || (is_help(word) && argc == 2)) {
        cli_help_group(group);
        return word ? 0 : CLI_USAGE;
    }
    if (is_help(word)) {
        /* "help policy lint" is "policy lint --help". */
        memmove(argv + 1, argv + 2, (size_t)(argc - 2) * sizeof *argv);
        argv[argc - 1] = help_option;
        return cli_group_run(group, argc, argv);
    }
    for (int i = 0; group->commands[i]; i++) {
        if (strcmp(word, last_word(group->commands[i]->name)) == 0)
            return group->commands[i]->run(group->commands[i], argc - 1, argv + 1);
    }
    for (int i = 0; group->subgroups && group->subgroups[i]; i++) {
        if (strcmp(word, group->subgroups[i]->name) == 0)
            return cli_group_run(group->subgroups[i], argc - 1, argv + 1);
    }
    return fail_unknown(group, word);
}

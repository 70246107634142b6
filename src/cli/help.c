#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#define TEXT_COLUMN 26 /* where the explanations of options begin */
#define WIDTH 80

/* Prints `text` from `column` on, broken between words at WIDTH; the cursor stands at `at`. */
static void print_wrapped(const char *text, int at, int column)
{
    if (at >= column) {
        (void)putchar('\n');
        at = 0;
    }
    (void)printf("%*s", column - at, "");
    int used = column;
    while (*text) {
        int length = (int)strcspn(text, " \n");
        if (used > column && used + 1 + length > WIDTH) {
            (void)printf("\n%*s", column, "");
            used = column;
        } else if (used > column) {
            (void)putchar(' ');
            used++;
        }
        (void)printf("%.*s", length, text);
        used += length;
        text += length;
        if (*text == '\n') {
            (void)printf("\n%*s", column, "");
            used = column;
        }
        if (*text)
            text++;
    }
    (void)putchar('\n');
}

static void print_option(const cli_option *option)
{
    char letter[6] = "    ";
    if (option->letter)
        (void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
    int at = printf("  %s--%s%s%s", letter, option->name, option->value ? " " : "", option->value ? option->value : "");
    /* One blank at least between the option and its explanation. */
    print_wrapped(option->help, at + 1 > TEXT_COLUMN ? TEXT_COLUMN : at, TEXT_COLUMN);
}

void cli_help_command(const cli_command *command)
{
    (void)printf("Usage: bonafide %s [OPTION]...%s%s\n\n", command->name, command->operands[0] ? " " : "",
                 command->operands);
    (void)printf("%s.\n", command->summary);
    if (command->about) {
        (void)putchar('\n');
        print_wrapped(command->about, 0, 0);
    }
    (void)printf("\nOptions:\n");
    for (int i = 0; command->options[i].name; i++)
        print_option(&command->options[i]);
    print_option(&(cli_option){"help", 'h', NULL, "show this help"});
}

void cli_help_group(const cli_group *group)
{
    bool whole = group->name[0] == '\0';
    (void)printf("Usage: bonafide %s%sCOMMAND [OPTION]...\n\n%s.\n\nCommands:\n", group->name, whole ? "" : " ",
                 group->summary);
    for (int i = 0; group->commands[i]; i++)
        print_wrapped(group->commands[i]->summary, printf("  %s", group->commands[i]->name), TEXT_COLUMN);
    for (int i = 0; group->subgroups && group->subgroups[i]; i++) {
        const cli_group *below = group->subgroups[i];
        for (int k = 0; below->commands[k]; k++)
            print_wrapped(below->commands[k]->summary, printf("  %s", below->commands[k]->name), TEXT_COLUMN);
    }
    (void)printf("\n'bonafide COMMAND --help' says more about a command.\n");
    if (!whole)
        return;
    (void)printf("\nExit status:\n"
                 "   0  approved, or done       10  retry             11  challenge or review\n"
                 "  12  rejected                64  wrong usage       65  unreadable input\n"
                 "  70  internal failure        (of several files: the largest)\n"
                 "   1  compare: fail            2  compare: inconclusive\n");
}

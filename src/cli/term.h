/* Writing for people: colours where a terminal shows them, columns that are right for any UTF-8 text. */
#ifndef BF_CLI_TERM_H
#define BF_CLI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum cli_colour { CLI_PLAIN, CLI_GREEN, CLI_RED, CLI_YELLOW, CLI_DIM, CLI_BOLD } cli_colour;

/* Must be called once, first: lets the C library measure UTF-8. */
void cli_term_start(void);

/* Whether `stream` is a terminal that understands colours and the user has not set NO_COLOR. */
bool cli_term_colours(FILE *stream);
/* Columns of the terminal behind `stream`; 0 when it is none. */
int cli_term_width(FILE *stream);

/* The escape sequence that starts a colour; "" when `on` is false or for CLI_PLAIN. */
const char *cli_colour_start(bool on, cli_colour colour);
const char *cli_colour_end(bool on, cli_colour colour);

/* Columns that `text` takes, as cli_text_copy would print it. */
int cli_text_width(const char *text);

/* Copies `text` so that printing it is harmless: control characters and invalid UTF-8 become '?'. When it takes more
 * than `width` columns, its beginning (`keep_end`) or its end is replaced by "...". Returns the columns used. */
int cli_text_copy(const char *text, int width, bool keep_end, char *ret, size_t ret_size);

#endif

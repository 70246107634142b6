#include "cli/term.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define WIDTH_MAX 400

void cli_term_start(void)
{
    /* Only the kind of characters: numbers and messages stay as they are in every country. */
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        (void)setlocale(LC_CTYPE, "");
}

bool cli_term_colours(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no_color && no_color[0])
        return false;
    return isatty(fileno(stream)) && term && term[0] && strcmp(term, "dumb") != 0;
}

int cli_term_width(FILE *stream)
{
    struct winsize size = {0};
    if (!isatty(fileno(stream)))
        return 0;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

const char *cli_colour_start(bool on, cli_colour colour)
{
    static const char *const codes[] = {"", "\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m"};
    return on ? codes[colour] : "";
}

const char *cli_colour_end(bool on, cli_colour colour)
{
    return on && colour != CLI_PLAIN ? "\033[0m" : "";
}

/* One character of `text`: its bytes, and its columns; -1 columns when it must not be printed. */
static size_t next_character(const char *text, mbstate_t *state, int *ret_columns)
{
    wchar_t wide = 0;
    size_t size = mbrtowc(&wide, text, strlen(text), state);
    if (size == (size_t)-1 || size == (size_t)-2 || size == 0) {
        *state = (mbstate_t){0};
        *ret_columns = -1;
        return 1;
    }
    /* Marks that turn the direction of writing could make a name look like another one. */
    bool turns =
        (wide >= 0x200e && wide <= 0x200f) || (wide >= 0x202a && wide <= 0x202e) || (wide >= 0x2066 && wide <= 0x2069);
    *ret_columns = turns ? -1 : wcwidth(wide);
    return size;
}

int cli_text_width(const char *text)
{
    mbstate_t state = {0};
    int width = 0;
    for (int columns; *text; width += columns < 0 ? 1 : columns)
        text += next_character(text, &state, &columns);
    return width;
}

/* Skips characters at the beginning until the rest takes at most `width` columns. */
static const char *skip_to_width(const char *text, int width)
{
    mbstate_t state = {0};
    int rest = cli_text_width(text);
    while (*text && rest > width) {
        int columns;
        text += next_character(text, &state, &columns);
        rest -= columns < 0 ? 1 : columns;
    }
    return text;
}

static int copy_safely(const char *text, int width, char *ret, size_t ret_size)
{
    mbstate_t state = {0};
    int used = 0;
    size_t at = 0;
    while (*text) {
        int columns;
        size_t size = next_character(text, &state, &columns);
        int needed = columns < 0 ? 1 : columns;
        if (used + needed > width || at + size >= ret_size)
            break;
        if (columns < 0)
            ret[at++] = '?';
        else
            memcpy(ret + at, text, size);
        at += columns < 0 ? 0 : size;
        used += needed;
        text += size;
    }
    ret[at] = '\0';
    return used;
}

int cli_text_copy(const char *text, int width, bool keep_end, char *ret, size_t ret_size)
{
    static const char dots[] = "...";
    if (cli_text_width(text) <= width || width <= 3 || ret_size <= sizeof dots)
        return copy_safely(text, width, ret, ret_size);
    if (keep_end) {
        memcpy(ret, dots, sizeof dots);
        return 3 + copy_safely(skip_to_width(text, width - 3), width - 3, ret + 3, ret_size - 3);
    }
    int used = copy_safely(text, width - 3, ret, ret_size - 3);
    memcpy(ret + strlen(ret), dots, sizeof dots);
    return used + 3;
}

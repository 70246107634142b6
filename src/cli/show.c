#include "cli/show.h"

#include <ctype.h>
#include <string.h>

#include "bonafide/words.h"

#define NAME_WIDTH_MIN 8
#define NAME_WIDTH_MAX 44
/* Columns of everything between the name and the reason. */
#define FIXED_WIDTH (2 + 10 + 2 + 5 + 2 + 9 + 2)
#define MATCH_WIDTH 15
#define REASON_WIDTH_MIN 24
#define TEXT_SIZE 1024

cli_table cli_table_for(int longest_name, bool match)
{
    cli_table table = {.width = cli_term_width(stdout), .colours = cli_term_colours(stdout), .match = match};
    int room = table.width - FIXED_WIDTH - REASON_WIDTH_MIN - (match ? MATCH_WIDTH : 0);
    int widest = table.width == 0 || room > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : room;
    table.name_width = longest_name < widest ? longest_name : widest;
    if (table.name_width < NAME_WIDTH_MIN)
        table.name_width = NAME_WIDTH_MIN;
    return table;
}

static bool is_family(const bf_record *record, const char *family)
{
    return strcmp(bf_status_family(bf_record_error(record)), family) == 0;
}

const char *cli_verdict(const bf_record *record)
{
    switch (bf_record_band(record)) {
    case BF_BAND_PASS:
        return "live";
    case BF_BAND_UNCERTAIN:
        return "uncertain";
    case BF_BAND_FAIL:
        return "spoof";
    case BF_BAND_NOT_JUDGED:
        break;
    }
    if (is_family(record, "quality"))
        return "not judged";
    return is_family(record, "input") ? "unreadable" : "failed";
}

cli_colour cli_verdict_colour(const bf_record *record)
{
    switch (bf_record_band(record)) {
    case BF_BAND_PASS:
        return CLI_GREEN;
    case BF_BAND_FAIL:
        return CLI_RED;
    case BF_BAND_UNCERTAIN:
    case BF_BAND_NOT_JUDGED:
        break;
    }
    return CLI_YELLOW;
}

/* "QUALITY_TOO_LOW" and "move_closer" as words. */
static void append_words(char *text, size_t size, const char *code)
{
    size_t used = strlen(text);
    for (; *code && used + 1 < size; code++)
        text[used++] = (char)(*code == '_' ? ' ' : tolower((unsigned char)*code));
    text[used] = '\0';
}

/* How much of a clip was seen, and what was noticed in it. */
static void append_clip(const bf_record *record, char *text, size_t size)
{
    size_t used = strlen(text);
    if (bf_record_frames(record) == 0 || used >= size)
        return;
    (void)snprintf(text + used, size - used, "; %d frames in %.1f s", bf_record_frames(record),
                   bf_record_duration_ms(record) / 1e3);
    const char *before = "";
    for (int i = 0; bf_record_finding(record, i); i++) {
        if (strcmp(bf_record_finding(record, i), before) == 0)
            continue; /* the same again, at another time */
        before = bf_record_finding(record, i);
        append_words(text, size, ", ");
        append_words(text, size, before);
    }
}

/* What weighed against a clear pass: "; against: flat motion, network". */
static void append_evidence(const bf_record *record, char *text, size_t size)
{
    static const char prefix[] = "EVIDENCE_";
    const char *between = "; against: ";
    for (int i = 0; bf_record_reason_at(record, i); i++) {
        const char *code = bf_record_reason_at(record, i);
        if (strncmp(code, prefix, sizeof prefix - 1) != 0)
            continue;
        append_words(text, size, between);
        append_words(text, size, code + sizeof prefix - 1);
        between = ", ";
    }
}

/* Why, and what to do about it. An error speaks for itself. */
static void explain(const bf_record *record, char *text, size_t size)
{
    const char *guidance = bf_record_guidance(record, 0);
    text[0] = '\0';
    if (bf_record_error(record) != BF_OK && !is_family(record, "quality")) {
        (void)snprintf(text, size, "%s", bf_record_error_message(record));
        return;
    }
    append_words(text, size, bf_record_reason(record));
    if (guidance && bf_record_decision(record) != BF_DECISION_APPROVE) {
        append_words(text, size, ": ");
        append_words(text, size, guidance);
    }
    append_evidence(record, text, size);
    append_clip(record, text, size);
}

static void match_words(const bf_record *record, char *text, size_t size)
{
    static const char *const words[] = {[BF_MATCH_NOT_REQUESTED] = "-",
                                        [BF_MATCH_STRONG] = "strong",
                                        [BF_MATCH_WEAK] = "weak",
                                        [BF_MATCH_NONE] = "none",
                                        [BF_MATCH_NOT_JUDGED] = "not judged"};
    double similarity = bf_record_similarity(record);
    if (similarity < -1.0)
        (void)snprintf(text, size, "%s", words[bf_record_match(record)]);
    else
        (void)snprintf(text, size, "%s %.2f", words[bf_record_match(record)], similarity);
}

void cli_table_header(const cli_table *table)
{
    (void)printf("%s%-*s  %-10s  %5s  %-9s  ", cli_colour_start(table->colours, CLI_DIM), table->name_width, "FILE",
                 "VERDICT", "SCORE", "DECISION");
    if (table->match)
        (void)printf("%-*s", MATCH_WIDTH, "MATCH");
    (void)printf("WHY%s\n", cli_colour_end(table->colours, CLI_DIM));
}

void cli_table_row(const cli_table *table, const char *name, const bf_record *record)
{
    char text[TEXT_SIZE], why[TEXT_SIZE], score[16] = "-";
    cli_colour colour = cli_verdict_colour(record);
    int used = cli_text_copy(name, table->name_width, true, text, sizeof text);
    if (bf_record_score(record) >= 0.0)
        (void)snprintf(score, sizeof score, "%.1f", bf_record_score(record));
    (void)printf("%s%*s  %s%-10s%s  %5s  %-9s  ", text, table->name_width - used, "",
                 cli_colour_start(table->colours, colour), cli_verdict(record), cli_colour_end(table->colours, colour),
                 score, bf_record_decision_name(record));
    int column = table->name_width + FIXED_WIDTH;
    if (table->match) {
        match_words(record, text, sizeof text);
        (void)printf("%-*s", MATCH_WIDTH, text);
        column += MATCH_WIDTH;
    }
    explain(record, why, sizeof why);
    /* What went wrong is said in full; the rest may be cut to keep one line. */
    bool whole = table->width == 0 || is_family(record, "input") || is_family(record, "model");
    int room = whole || table->width - column < 8 ? TEXT_SIZE : table->width - column;
    (void)cli_text_copy(why, room, false, text, sizeof text);
    (void)printf("%s\n", text);
}

void cli_tally_add(cli_tally *tally, const bf_record *record)
{
    tally->files++;
    tally->decisions[bf_record_decision(record)]++;
    if (bf_record_error(record) == BF_OK || is_family(record, "quality"))
        return;
    if (is_family(record, "input"))
        tally->unreadable++;
    else
        tally->failed++;
}

void cli_tally_print(const cli_tally *tally, double seconds, bool colours)
{
    static const struct {
        bf_decision decision;
        const char *name;
    } order[] = {{BF_DECISION_APPROVE, "approve"},
                 {BF_DECISION_RETRY, "retry"},
                 {BF_DECISION_CHALLENGE, "challenge"},
                 {BF_DECISION_REVIEW, "review"},
                 {BF_DECISION_REJECT, "reject"}};
    const char *comma = " ";
    (void)printf("%s%zu files:", cli_colour_start(colours, CLI_BOLD), tally->files);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (tally->decisions[order[i].decision] == 0)
            continue;
        (void)printf("%s%zu %s", comma, tally->decisions[order[i].decision], order[i].name);
        comma = ", ";
    }
    if (tally->unreadable > 0)
        (void)printf(" (%zu unreadable)", tally->unreadable);
    if (tally->failed > 0)
        (void)printf(" (%zu failed)", tally->failed);
    if (seconds >= 0.0)
        (void)printf(", %.1f s", seconds);
    (void)printf("%s\n", cli_colour_end(colours, CLI_BOLD));
}

/* One judgement as one line for people. */
#ifndef BF_CLI_SHOW_H
#define BF_CLI_SHOW_H

#include <stdbool.h>

#include "bonafide/engine.h"
#include "cli/term.h"

/* How the lines of one run look. */
typedef struct cli_table {
    int name_width; /* columns for file names */
    int width;      /* of the terminal; 0: lines are as long as they get */
    bool colours;
    bool match; /* there is a reference to compare with */
} cli_table;

/* A table for standard output whose longest name takes `longest_name` columns. */
cli_table cli_table_for(int longest_name, bool match);

void cli_table_header(const cli_table *table);
void cli_table_row(const cli_table *table, const char *name, const bf_record *record);

/* "live", "spoof", "uncertain", "not judged", "unreadable" or "failed". */
const char *cli_verdict(const bf_record *record);
cli_colour cli_verdict_colour(const bf_record *record);

/* Counts for the last line. */
typedef struct cli_tally {
    size_t files, decisions[5], unreadable, failed;
} cli_tally;
void cli_tally_add(cli_tally *tally, const bf_record *record);
/* "6 files: 4 approve, 2 retry"; `seconds` < 0 leaves the time out. */
void cli_tally_print(const cli_tally *tally, double seconds, bool colours);

#endif

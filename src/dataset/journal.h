/* The cache of judgements: a table that only grows, so that whatever ends a run, what was judged is kept. A row that
 * was cut short by a crash is dropped when the journal is opened. Several processes may add to one journal at once. */
#ifndef BF_DATASET_JOURNAL_H
#define BF_DATASET_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "bonafide/status.h"

/* Whose judgement it is. */
typedef struct bf_journal_key {
    const char *sha256;    /* of the picture */
    const char *reference; /* of the ID portrait; "" when there is none */
    const char *channel;   /* "" when none is asked for */
} bf_journal_key;

typedef struct bf_journal bf_journal;

/* Opens or makes the journal at `path`, whose rows have the columns `header` (names with commas between them). A file
 * with other columns is started anew. The caller frees *ret. IO_ERROR, OUT_OF_MEMORY. */
bf_status bf_journal_open(const char *path, const char *header, bf_journal **ret, bf_error *err);
void bf_journal_free(bf_journal **journal);

/* Whether there is a judgement for the key. Any thread. */
bool bf_journal_has(bf_journal *journal, const bf_journal_key *key);

/* Copies the judgement's text into `ret`. NOT_FOUND when there is none; IO_ERROR. */
bf_status bf_journal_get(bf_journal *journal, const bf_journal_key *key, char *ret, size_t ret_size, size_t *ret_used,
                         bf_error *err);

/* Adds a judgement. Any thread. IO_ERROR, OUT_OF_MEMORY. */
bf_status bf_journal_add(bf_journal *journal, const bf_journal_key *key, const char *text, size_t size, bf_error *err);

#endif

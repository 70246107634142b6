/* Many small strings that live as long as their pool; equal strings are kept once. */
#ifndef BF_DATASET_TEXT_H
#define BF_DATASET_TEXT_H

#include <stddef.h>

typedef struct bf_text_block bf_text_block;

/* Zero-initialise; bf_texts_done frees every string. */
typedef struct bf_texts {
    bf_text_block *block;
    const char **slot; /* hash table with a power of two of slots */
    size_t slot_count, used;
} bf_texts;

/* The one copy of the text, the same pointer for equal texts; NULL when memory ran out. */
const char *bf_texts_keep(bf_texts *texts, const char *text, size_t size);
void bf_texts_done(bf_texts *texts);

#endif

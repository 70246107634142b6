/* Numbers for names: many (ids of samples and persons, kept as hashes only) or few (values of a column, kept as
 * text). */
#ifndef BF_EVALUATE_NAMES_H
#define BF_EVALUATE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bonafide/status.h"

/* The 128-bit hash (SipHash) that stands for a text. */
void bf_hash_text(const char *text, size_t size, uint64_t ret[2]);

/* A set of texts by their 128-bit hash. Zero-initialise; bf_ids_done frees. */
typedef struct bf_ids {
    uint64_t (*hash)[2]; /* by number */
    uint32_t *slot;      /* number + 1; 0 is free */
    size_t count, capacity, slots;
} bf_ids;

/* Numbers count from 0 in the order of arrival. *ret_new says whether the text was not there before. OUT_OF_MEMORY. */
bf_status bf_ids_add(bf_ids *ids, const char *text, size_t size, uint32_t *ret, bool *ret_new, bf_error *err);
void bf_ids_done(bf_ids *ids);
/* For each number its rank among all hashes, so that the order of arrival no longer matters. OUT_OF_MEMORY. The caller
 * frees *ret with bf_free. */
bf_status bf_ids_ranks(const bf_ids *ids, uint32_t **ret, bf_error *err);

#define BF_NAMES_MAX 4096 /* values of one column; what comes later counts as "(other values)" */

typedef struct bf_names {
    bf_ids ids;
    char **text; /* by number */
    size_t capacity;
    uint32_t last; /* rows of the same value often stand together */
} bf_names;

bf_status bf_names_add(bf_names *names, const char *text, size_t size, uint32_t *ret, bf_error *err);
void bf_names_done(bf_names *names);
/* Sorts the names by their bytes and writes the new number of each old one into ret[]. ret has names->ids.count places.
 * Nothing can be added afterwards. OUT_OF_MEMORY. */
bf_status bf_names_sort(bf_names *names, uint32_t *ret, bf_error *err);
static inline size_t bf_names_count(const bf_names *names)
{
    return names->ids.count;
}

#endif

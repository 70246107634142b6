#include "evaluate/names.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/sort.h"

#define OTHERS "(other values)"

void bf_hash_text(const char *text, size_t size, uint64_t ret[2])
{
    static const unsigned char key[crypto_shorthash_siphashx24_KEYBYTES] = {0};
    unsigned char bytes[crypto_shorthash_siphashx24_BYTES];
    (void)crypto_shorthash_siphashx24(bytes, (const unsigned char *)text, size, key);
    memcpy(ret, bytes, 16);
}

static bf_status grow_slots(bf_ids *ids, bf_error *err)
{
    size_t slots = ids->slots ? ids->slots * 2 : 256;
    uint32_t *slot = bf_calloc(slots, sizeof *slot);
    if (!slot)
        return bf_fail_memory(err);
    for (size_t i = 0; i < ids->count; i++) {
        size_t at = ids->hash[i][0] & (slots - 1);
        while (slot[at] != 0)
            at = (at + 1) & (slots - 1);
        slot[at] = (uint32_t)i + 1;
    }
    bf_free(ids->slot);
    ids->slot = slot;
    ids->slots = slots;
    return BF_OK;
}

static bf_status grow(bf_ids *ids, bf_error *err)
{
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity ? ids->capacity * 2 : 128;
        uint64_t(*hash)[2] = bf_realloc(ids->hash, capacity * sizeof *hash);
        if (!hash)
            return bf_fail_memory(err);
        ids->hash = hash;
        ids->capacity = capacity;
    }
    return ids->count * 2 >= ids->slots ? grow_slots(ids, err) : BF_OK;
}

/* The slot of a text, or the free one where it would go. There must be slots. */
static size_t slot_of(const bf_ids *ids, const uint64_t hash[2])
{
    size_t at = hash[0] & (ids->slots - 1);
    for (; ids->slot[at] != 0; at = (at + 1) & (ids->slots - 1)) {
        const uint64_t *other = ids->hash[ids->slot[at] - 1];
        if (other[0] == hash[0] && other[1] == hash[1])
            break;
    }
    return at;
}

bf_status bf_ids_add(bf_ids *ids, const char *text, size_t size, uint32_t *ret, bool *ret_new, bf_error *err)
{
    uint64_t hash[2];
    bf_hash_text(text, size, hash);
    bf_status status = grow(ids, err);
    if (status != BF_OK)
        return status;
    size_t at = slot_of(ids, hash);
    *ret_new = ids->slot[at] == 0;
    if (!*ret_new) {
        *ret = ids->slot[at] - 1;
        return BF_OK;
    }
    memcpy(ids->hash[ids->count], hash, sizeof hash);
    ids->slot[at] = (uint32_t)ids->count + 1;
    *ret = (uint32_t)ids->count++;
    return BF_OK;
}

void bf_ids_done(bf_ids *ids)
{
    bf_free(ids->hash);
    bf_free(ids->slot);
    *ids = (bf_ids){0};
}

static void free_items(bf_sort_item **items)
{
    bf_free(*items);
}

bf_status bf_ids_ranks(const bf_ids *ids, uint32_t **ret, bf_error *err)
{
    BF_CLEANUP(free_items) bf_sort_item *items = bf_malloc((ids->count + 1) * sizeof *items);
    if (!items)
        return bf_fail_memory(err);
    for (size_t i = 0; i < ids->count; i++)
        items[i] = (bf_sort_item){.key = ids->hash[i][0], .index = (uint32_t)i};
    bf_status status = bf_sort(items, ids->count, err);
    if (status != BF_OK)
        return status;
    uint32_t *ranks = bf_malloc((ids->count + 1) * sizeof *ranks);
    if (!ranks)
        return bf_fail_memory(err);
    for (size_t i = 0; i < ids->count; i++)
        ranks[items[i].index] = (uint32_t)i;
    *ret = ranks;
    return BF_OK;
}

static bf_status keep_text(bf_names *names, uint32_t number, const char *text, size_t size, bf_error *err)
{
    if (number >= names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 16;
        char **grown = bf_realloc(names->text, capacity * sizeof *grown);
        if (!grown)
            return bf_fail_memory(err);
        names->text = grown;
        names->capacity = capacity;
    }
    names->text[number] = bf_malloc(size + 1);
    if (!names->text[number])
        return bf_fail_memory(err);
    memcpy(names->text[number], text, size);
    names->text[number][size] = '\0';
    return BF_OK;
}

static bool is_known(const bf_names *names, const char *text, size_t size)
{
    uint64_t hash[2];
    bf_hash_text(text, size, hash);
    return names->ids.slot[slot_of(&names->ids, hash)] != 0;
}

bf_status bf_names_add(bf_names *names, const char *text, size_t size, uint32_t *ret, bf_error *err)
{
    bool is_new;
    uint32_t number;
    if (bf_names_count(names) > 0) {
        const char *last = names->text[names->last];
        if (strlen(last) == size && memcmp(last, text, size) == 0) {
            *ret = names->last;
            return BF_OK;
        }
    }
    if (bf_names_count(names) >= BF_NAMES_MAX && !is_known(names, text, size)) {
        text = OTHERS;
        size = strlen(OTHERS);
    }
    bf_status status = bf_ids_add(&names->ids, text, size, &number, &is_new, err);
    if (status == BF_OK && is_new) {
        status = keep_text(names, number, text, size, err);
        if (status != BF_OK)
            names->ids.count--; /* the name is not there; the set is only freed from here on */
    }
    if (status != BF_OK)
        return status;
    names->last = number;
    *ret = number;
    return BF_OK;
}

void bf_names_done(bf_names *names)
{
    for (size_t i = 0; i < bf_names_count(names); i++)
        bf_free(names->text[i]);
    bf_free(names->text);
    bf_ids_done(&names->ids);
    *names = (bf_names){0};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bf_status bf_names_sort(bf_names *names, uint32_t *ret, bf_error *err)
{
    size_t count = bf_names_count(names);
    char **old = bf_malloc((count + 1) * sizeof *old);
    if (!old)
        return bf_fail_memory(err);
    if (count > 0) {
        memcpy(old, names->text, count * sizeof *old);
        qsort(names->text, count, sizeof *names->text, by_text);
    }
    for (size_t i = 0; i < count; i++) {
        char **found = bsearch(&old[i], names->text, count, sizeof *names->text, by_text);
        ret[i] = (uint32_t)(found - names->text);
    }
    bf_free(old);
    return BF_OK;
}

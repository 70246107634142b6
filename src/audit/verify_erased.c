#include <string.h>

#include <sodium.h>

#include "audit/verify_state.h"

#define CAPACITY_FIRST 64

static uint64_t name_of(const char *kind, const char *id)
{
    uint64_t name;
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)kind, strlen(kind) + 1);
    crypto_hash_sha256_update(&state, (const uint8_t *)id, strlen(id));
    crypto_hash_sha256_final(&state, digest);
    memcpy(&name, digest, sizeof name);
    return name ? name : 1;
}

/* The entry of that name, or the free one where it belongs. */
static bf_erased_entry *find(const bf_erased *erased, uint64_t who)
{
    size_t mask = erased->capacity - 1, at = (size_t)who & mask;
    while (erased->entry[at].who != 0 && erased->entry[at].who != who)
        at = (at + 1) & mask;
    return &erased->entry[at];
}

/* Leaves out what was found, and grows when the rest fills more than half. */
static bool make_room(bf_erased *erased)
{
    bf_erased next = *erased;
    next.count = erased->waiting;
    next.capacity = CAPACITY_FIRST;
    while (next.capacity < erased->waiting * 4)
        next.capacity *= 2;
    next.entry = bf_calloc(next.capacity, sizeof *next.entry);
    if (!next.entry)
        return false;
    for (size_t i = 0; i < erased->capacity; i++)
        if (erased->entry[i].who != 0 && !erased->entry[i].found)
            *find(&next, erased->entry[i].who) = erased->entry[i];
    bf_free(erased->entry);
    *erased = next;
    return true;
}

bool bf_erased_add(bf_erased *erased, const char *kind, const char *id, int64_t index)
{
    if (erased->count * 2 >= erased->capacity && !make_room(erased))
        return false;
    uint64_t who = name_of(kind, id);
    bf_erased_entry *entry = find(erased, who);
    if (entry->who != 0 && !entry->found)
        return true; /* the first one stands for all of the session */
    if (erased->waiting >= BF_VERIFY_ERASED_MAX) {
        erased->unchecked++;
        return true;
    }
    erased->count += entry->who == 0;
    erased->waiting++;
    *entry = (bf_erased_entry){.who = who, .index = index};
    return true;
}

void bf_erased_found(bf_erased *erased, const char *kind, const char *id)
{
    if (erased->capacity == 0)
        return;
    bf_erased_entry *entry = find(erased, name_of(kind, id));
    erased->waiting -= entry->who != 0 && !entry->found;
    entry->found = true;
}

#include "dataset/link.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define LEAKS_NAMED_MAX 20 /* of one kind; more are counted */

typedef struct linking {
    const bf_dataset *dataset;
    const bf_probe *probes;
    const char *const *part;
    bf_link_take *take;
    void *data;
} linking;

const char *bf_link_name(bf_link link)
{
    static const char *const names[] = {"person", "session", "file", "picture"};
    return link < BF_LINK_COUNT ? names[link] : "";
}

/* What the tie compares: interned text, or NULL when the sample has none. */
static const char *key_of(const linking *l, bf_texts *texts, bf_link link, size_t index)
{
    static const bf_dataset_column column[] = {BF_COLUMN_PERSON_ID, BF_COLUMN_SESSION_ID, BF_COLUMN_SHA256};
    const char *text = l->dataset->sample[index].value[column[link]];
    if (link == BF_LINK_HASH && l->probes)
        text = l->probes[index].sha256;
    if (text[0] == '\0' || (l->part && l->part[index][0] == '\0'))
        return NULL;
    return bf_texts_keep(texts, text, strlen(text));
}

static bool link_equal(const linking *l, bf_link link)
{
    BF_CLEANUP(bf_texts_done) bf_texts texts = {0};
    size_t size = 1024;
    while (size < l->dataset->count * 2)
        size *= 2;
    struct entry {
        const char *key;
        size_t first;
    } *table = bf_calloc(size, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < l->dataset->count; i++) {
        const char *key = key_of(l, &texts, link, i);
        if (!key)
            continue;
        size_t at = (size_t)(((uintptr_t)key * 11400714819323198485u) >> 20) & (size - 1);
        while (table[at].key && table[at].key != key)
            at = (at + 1) & (size - 1);
        if (table[at].key)
            l->take(l->data, link, table[at].first, i);
        else
            table[at] = (struct entry){key, i};
    }
    bf_free(table);
    return true;
}

static void take_near(void *data, size_t first, size_t second, int distance)
{
    const linking *l = data;
    (void)distance;
    if (strcmp(l->probes[first].sha256, l->probes[second].sha256) != 0)
        l->take(l->data, BF_LINK_NEAR, first, second);
}

static bf_status link_near(linking *l, bf_error *err)
{
    size_t count = l->dataset->count;
    bf_print *prints = bf_malloc((count + 1) * sizeof *prints);
    if (!prints)
        return bf_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        prints[i] = l->probes[i].print;
        prints[i].present = prints[i].present && !(l->part && l->part[i][0] == '\0');
    }
    bf_status status = bf_print_pairs(prints, count, BF_PRINT_NEAR, take_near, l, err);
    bf_free(prints);
    return status;
}

bf_status bf_links_find(const bf_dataset *dataset, const bf_probe *probes, const char *const *part, bf_link_take *take,
                        void *data, bf_error *err)
{
    linking l = {dataset, probes, part, take, data};
    if (!link_equal(&l, BF_LINK_PERSON) || !link_equal(&l, BF_LINK_SESSION) || !link_equal(&l, BF_LINK_HASH))
        return bf_fail_memory(err);
    return probes ? link_near(&l, err) : BF_OK;
}

typedef struct review {
    const bf_dataset *dataset;
    const char *const *part;
    bf_problems *problems;
    size_t leaks[BF_LINK_COUNT];
} review;

static void review_twins(void *data, bf_link link, size_t first, size_t second)
{
    const review *r = data;
    const bf_sample *a = &r->dataset->sample[first], *b = &r->dataset->sample[second];
    const char *person_a = a->value[BF_COLUMN_PERSON_ID], *person_b = b->value[BF_COLUMN_PERSON_ID];
    const char *what = link == BF_LINK_HASH ? "the same bytes as" : "nearly the same picture as";
    unsigned long long row = a->row;
    if (link == BF_LINK_PERSON || link == BF_LINK_SESSION)
        return;
    if (a->label != b->label && link == BF_LINK_HASH)
        bf_problems_error(r->problems, b->row, "it has %s row %llu and another label; correct one of them.", what, row);
    else if (a->label != b->label)
        bf_problems_warn(r->problems, b->row, "it shows %s row %llu and has another label.", what, row);
    else if (person_a[0] && person_b[0] && person_a != person_b)
        bf_problems_warn(r->problems, b->row, "it has %s row %llu and another person_id.", what, row);
    else if (link == BF_LINK_HASH)
        bf_problems_warn(r->problems, b->row, "it has %s row %llu, and counts twice.", what, row);
}

bf_status bf_twins_review(const bf_dataset *dataset, const bf_probe *probes, bf_problems *problems, bf_error *err)
{
    review r = {dataset, NULL, problems, {0}};
    return bf_links_find(dataset, probes, NULL, review_twins, &r, err);
}

static void review_leak(void *data, bf_link link, size_t first, size_t second)
{
    review *r = data;
    const bf_sample *a = &r->dataset->sample[first], *b = &r->dataset->sample[second];
    if (strcmp(r->part[first], r->part[second]) == 0 || r->leaks[link]++ >= LEAKS_NAMED_MAX)
        return;
    bf_problems_error(r->problems, b->row, "the split leaks: it is in %s, and row %llu, with the same %s, in %s.",
                      r->part[second], (unsigned long long)a->row, bf_link_name(link), r->part[first]);
}

bf_status bf_leaks_review(const bf_dataset *dataset, const bf_probe *probes, const char *const *part,
                          bf_problems *problems, bf_error *err)
{
    review r = {dataset, part, problems, {0}};
    bf_status status = bf_links_find(dataset, probes, part, review_leak, &r, err);
    for (int i = 0; i < BF_LINK_COUNT; i++) {
        if (r.leaks[i] > LEAKS_NAMED_MAX)
            bf_problems_error(problems, 0, "the split leaks: %zu more samples share a %s with another part.",
                              r.leaks[i] - LEAKS_NAMED_MAX, bf_link_name((bf_link)i));
    }
    return status;
}

#include "fit/diff.h"

#include <string.h>

#include "base/error.h"

#define CONTEXT 3

typedef struct line {
    const char *text;
    size_t size; /* with the line end, where there is one */
} line;

typedef struct lines {
    line *line;
    size_t count;
} lines;

/* One step through both texts: a line that stays (' '), goes ('-') or comes ('+'). */
typedef struct step {
    char kind;
    size_t old, new; /* lines of each text before this step */
} step;

typedef struct differing {
    lines old, new;
    step *step;
    size_t steps;
} differing;

static void differing_done(differing *d)
{
    bf_free(d->old.line);
    bf_free(d->new.line);
    bf_free(d->step);
}

static bool split(const char *text, lines *ret)
{
    size_t count = 0;
    for (const char *at = text; *at; at++)
        count += *at == '\n';
    ret->line = bf_malloc((count + 2) * sizeof *ret->line);
    if (!ret->line)
        return false;
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t size = end ? (size_t)(end - text) + 1 : strlen(text);
        ret->line[ret->count++] = (line){text, size};
        text += size;
    }
    return true;
}

static bool same(const differing *d, size_t old, size_t new)
{
    const line *a = &d->old.line[old], *b = &d->new.line[new];
    return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* How many lines to leave out on both sides until the texts agree again: the fewest, which is how edits look. */
static void find_agreement(const differing *d, size_t old, size_t new, size_t *ret_old, size_t *ret_new)
{
    size_t left_old = d->old.count - old, left_new = d->new.count - new;
    for (size_t away = 1; away < left_old + left_new; away++) {
        for (size_t a = away < left_new ? 0 : away - left_new + 1; a <= away && a < left_old; a++) {
            if (same(d, old + a, new + away - a)) {
                *ret_old = a;
                *ret_new = away - a;
                return;
            }
        }
    }
    *ret_old = left_old;
    *ret_new = left_new;
}

static void walk(differing *d)
{
    size_t old = 0, new = 0;
    while (old < d->old.count || new < d->new.count) {
        if (old < d->old.count && new < d->new.count && same(d, old, new)) {
            d->step[d->steps++] = (step){' ', old++, new ++};
            continue;
        }
        size_t go = 0, come = 0;
        find_agreement(d, old, new, &go, &come);
        for (; go > 0; go--)
            d->step[d->steps++] = (step){'-', old++, new};
        for (; come > 0; come--)
            d->step[d->steps++] = (step){'+', old, new ++};
    }
}

static void put_step(bf_page *page, const differing *d, const step *s)
{
    const line *l = s->kind == '+' ? &d->new.line[s->new] : &d->old.line[s->old];
    bool ended = l->text[l->size - 1] == '\n';
    bf_page_put(page, "%c%.*s%s", s->kind, (int)l->size, l->text, ended ? "" : "\n\\ No newline at end of file\n");
}

static void put_hunk(bf_page *page, const differing *d, size_t first, size_t end)
{
    size_t old = 0, new = 0;
    for (size_t i = first; i < end; i++) {
        old += d->step[i].kind != '+';
        new += d->step[i].kind != '-';
    }
    bf_page_put(page, "@@ -%zu,%zu +%zu,%zu @@\n", d->step[first].old + (old > 0), old, d->step[first].new + (new > 0),
                new);
    for (size_t i = first; i < end; i++)
        put_step(page, d, &d->step[i]);
}

bf_status bf_diff(bf_page *page, const char *name, const char *before, const char *after, bf_error *err)
{
    BF_CLEANUP(differing_done) differing d = {0};
    if (!split(before, &d.old) || !split(after, &d.new) ||
        !(d.step = bf_malloc((d.old.count + d.new.count + 1) * sizeof *d.step)))
        return bf_fail_memory(err);
    walk(&d);
    bool headed = false;
    for (size_t at = 0; at < d.steps;) {
        if (d.step[at].kind == ' ') {
            at++;
            continue;
        }
        /* A hunk goes on as long as the next change is near enough for their contexts to touch. */
        size_t last = at;
        for (size_t i = at; i < d.steps && i <= last + 2 * CONTEXT + 1; i++)
            last = d.step[i].kind != ' ' ? i : last;
        size_t first = at > CONTEXT ? at - CONTEXT : 0, end = last + 1 + CONTEXT;
        if (!headed)
            bf_page_put(page, "--- a/%s\n+++ b/%s\n", name, name);
        headed = true;
        put_hunk(page, &d, first, end < d.steps ? end : d.steps);
        at = last + 1;
    }
    return page->failed ? bf_fail_memory(err) : BF_OK;
}

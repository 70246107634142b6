/* ShuffleNet-like networks split a value into halves, work on one, concatenate, and interleave the channels. In the
 * runtime's blocked layout none of that has a kernel, so each unit unpacks, copies the tensor four times, and packs
 * again.
 *
 * But the convolutions around these nodes can number their channels as they like. So each value that is made (an
 * origin) gets its channels ordered by who uses them; channels that always travel together form a piece, a run of
 * neighbours. A value at the end of a route is then a plain concatenation of pieces, whose readers have their
 * weights reordered. What remains of all the routes between two convolutions is at most one Split and one Concat. */
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "optimise/passes.h"
#include "optimise/route.h"

/* A run of channels of one origin value in its new order. */
typedef struct piece {
    int value;                     /* its origin value */
    int first, count;              /* range of work.ordered */
    char name[BF_FRESH_NAME_SIZE]; /* "" when it is all of its value */
} piece;

typedef struct work {
    bf_routes routes;
    bf_channels channels;
    bool *refused; /* per representative: these routes stay as they are */
    int *owner;    /* per group: the one value on a route that it has, -1 none */
    int *piece_of; /* per origin: number of its piece */
    int *ordered;  /* origins in their new order */
    int *position; /* per origin: its place in the list of the value at hand, while `stamp` says so */
    int *stamp;    /* per origin: value for which `position` was written */
    piece *pieces;
    int piece_count;
} work;

static void work_done(work *w)
{
    bf_routes_done(&w->routes);
    bf_channels_done(&w->channels);
    bf_free(w->refused);
    bf_free(w->owner);
    bf_free(w->piece_of);
    bf_free(w->ordered);
    bf_free(w->position);
    bf_free(w->stamp);
    bf_free(w->pieces);
}

static int channel_count(const bf_graph *g, int value)
{
    return (int)g->values[value].dims.dim[1];
}

static bool is_on_route(const work *w, int value)
{
    return w->routes.first[value] >= 0;
}

/* Whether a copying node makes the value; otherwise, on a route, it is where channels begin. */
static bool is_copied(const bf_graph *g, const work *w, int value)
{
    return g->values[value].maker >= 0 && w->routes.copies[g->values[value].maker];
}

/* Whether something other than copying nodes reads the value. */
static bool is_used(const bf_graph *g, const work *w, int value)
{
    const bf_graph_value *v = &g->values[value];
    for (int i = 0; i < v->use_count; i++)
        if (!w->routes.copies[g->uses[v->use_first + i].node])
            return true;
    return false;
}

/* Where a route ends. */
static bool is_end(const bf_graph *g, const work *w, int value)
{
    return is_on_route(w, value) && is_copied(g, w, value) && is_used(g, w, value);
}

static bool is_rewritten(const work *w, int value)
{
    int component = w->routes.component[value];
    return is_on_route(w, value) && w->routes.shuffled[component] && !w->refused[component];
}

/* Writes down where each origin stands in a value's list; false when one stands there twice. */
static bool note_positions(const bf_graph *g, work *w, int value)
{
    const int *list = &w->routes.list[w->routes.first[value]];
    for (int i = 0; i < channel_count(g, value); i++)
        w->stamp[list[i]] = -1;
    for (int i = 0; i < channel_count(g, value); i++) {
        if (w->stamp[list[i]] == value)
            return false;
        w->stamp[list[i]] = value;
        w->position[list[i]] = i;
    }
    return true;
}

/* Refuses routes whose values show the order of their channels, or share a group with another value on a route. */
static void refuse_some(const bf_graph *g, work *w)
{
    for (int v = 0; v < g->value_count; v++) {
        if (!is_on_route(w, v))
            continue;
        bool begins = !is_copied(g, w, v), ends = is_end(g, w, v);
        int group = w->channels.group_of[v], component = w->routes.component[v];
        if (g->values[v].is_output || g->values[v].constant)
            w->refused[component] = true;
        if (!begins && !ends)
            continue;
        if (!w->channels.groups[group].is_free || (ends && !note_positions(g, w, v)))
            w->refused[component] = true;
        if (w->owner[group] >= 0)
            w->refused[component] = w->refused[w->routes.component[w->owner[group]]] = true;
        w->owner[group] = v;
    }
}

/* Refines a partition: origins stay in one class only while each end uses all of the class or nothing. `renamed` and
 * `renamed_for` hold one entry per class. */
static int refine(const bf_graph *g, const work *w, int *class_of, int *renamed, int *renamed_for, int class_count)
{
    for (int v = 0; v < g->value_count; v++) {
        if (!is_rewritten(w, v) || !is_end(g, w, v))
            continue;
        const int *list = &w->routes.list[w->routes.first[v]];
        for (int i = 0; i < channel_count(g, v); i++) {
            int old = class_of[list[i]];
            if (renamed_for[old] != v) {
                renamed_for[old] = v;
                renamed[old] = class_count++;
            }
            class_of[list[i]] = renamed[old];
        }
    }
    return class_count;
}

/* Gathers the origins of one value into pieces, each where its first channel stands. */
static void make_pieces(const bf_graph *g, work *w, int value, const int *class_of, int *piece_of_class)
{
    int base = w->routes.list[w->routes.first[value]], count = channel_count(g, value), first = w->piece_count;
    for (int o = base; o < base + count; o++) {
        int *p = &piece_of_class[class_of[o]];
        if (*p < 0) {
            *p = w->piece_count++;
            w->pieces[*p] = (piece){.value = value};
        }
        w->piece_of[o] = *p;
        w->pieces[*p].count++;
    }
    for (int p = first, at = base; p < w->piece_count; p++) {
        w->pieces[p].first = at;
        at += w->pieces[p].count;
        w->pieces[p].count = 0;
    }
    for (int o = base; o < base + count; o++) {
        piece *p = &w->pieces[w->piece_of[o]];
        w->ordered[p->first + p->count++] = o;
    }
}

/* Divides all origins into pieces. OUT_OF_MEMORY. */
static bf_status find_pieces(const bf_graph *g, work *w, bf_error *err)
{
    size_t origins = (size_t)w->routes.origin_count, values = (size_t)g->value_count;
    /* A class for each value to begin with, and at most one more for each channel of each end. */
    size_t classes = values + (size_t)w->routes.list_count + 1;
    int *class_of = bf_malloc((origins + 1) * sizeof *class_of), *renamed = bf_malloc(classes * sizeof *renamed);
    int *renamed_for = bf_malloc(classes * sizeof *renamed_for);
    bool ok = class_of && renamed && renamed_for;
    if (ok) {
        memset(renamed_for, 0xff, classes * sizeof *renamed_for);
        for (size_t o = 0; o < origins; o++)
            class_of[o] = w->routes.origins[o].value;
        (void)refine(g, w, class_of, renamed, renamed_for, (int)values);
        memset(renamed, 0xff, classes * sizeof *renamed); /* from here on: piece of each class */
        for (int v = 0; v < g->value_count; v++)
            if (is_rewritten(w, v) && !is_copied(g, w, v))
                make_pieces(g, w, v, class_of, renamed);
    }
    bf_free(class_of);
    bf_free(renamed);
    bf_free(renamed_for);
    return ok ? BF_OK : bf_fail_memory(err);
}

/* Gives a group its new numbering; the caller fills the array. NULL when memory is short. */
static int *new_layout(work *w, int value, int count)
{
    bf_channel_group *group = &w->channels.groups[w->channels.group_of[value]];
    group->layout = bf_malloc((size_t)count * sizeof *group->layout);
    group->layout_size = count;
    return group->layout;
}

/* Orders the channels of a value where routes begin, and splits it where it has several pieces. */
static bool rewrite_begin(bf_graph *g, work *w, int value)
{
    int base = w->routes.list[w->routes.first[value]], count = channel_count(g, value), pieces = 0;
    int *layout = new_layout(w, value, count);
    const char **names = bf_malloc((size_t)count * sizeof *names);
    int64_t *sizes = bf_malloc((size_t)count * sizeof *sizes);
    bool ok = layout && names && sizes;
    for (int i = 0; ok && i < count; i++) {
        piece *p = &w->pieces[w->piece_of[w->ordered[base + i]]];
        layout[i] = w->routes.origins[w->ordered[base + i]].channel;
        if (p->first == base + i && p->count < count) {
            bf_graph_fresh_name(g, p->name);
            names[pieces] = p->name;
            sizes[pieces++] = p->count;
        }
    }
    if (ok && pieces > 0) {
        bool by_input = g->opset >= 13;
        const char *inputs[2] = {g->values[value].name, by_input ? bf_graph_add_ints(g, sizes, (size_t)pieces) : NULL};
        Onnx__NodeProto *split = bf_graph_add_node(g, "Split", inputs, by_input ? 2 : 1, names, pieces);
        if (!by_input)
            bf_graph_set_ints(g, split, "split", sizes, (size_t)pieces);
        bf_graph_set_int(g, split, "axis", 1);
    }
    bf_free(names);
    bf_free(sizes);
    return ok;
}

/* Makes a value where routes end from its pieces, and lets its readers read that. */
static bool rewrite_end(bf_graph *g, work *w, int value)
{
    int count = channel_count(g, value), filled = 0, parts = 0;
    const int *list = &w->routes.list[w->routes.first[value]];
    int *layout = new_layout(w, value, count);
    const char **names = bf_malloc((size_t)count * sizeof *names);
    bool ok = layout && names;
    (void)note_positions(g, w, value);
    for (int i = 0; ok && i < count; i++) {
        const piece *p = &w->pieces[w->piece_of[list[i]]];
        if (w->stamp[w->ordered[p->first]] != value)
            continue; /* the piece is in already */
        for (int k = p->first; k < p->first + p->count; k++)
            layout[filled++] = w->position[w->ordered[k]];
        w->stamp[w->ordered[p->first]] = -1;
        names[parts++] = p->name[0] ? p->name : g->values[p->value].name;
    }
    if (ok && parts == 1) {
        bf_graph_redirect(g, value, names[0]);
    } else if (ok) {
        char name[BF_FRESH_NAME_SIZE];
        bf_graph_fresh_name(g, name);
        bf_graph_set_int(g, bf_graph_add_node(g, "Concat", names, parts, (const char *const[]){name}, 1), "axis", 1);
        bf_graph_redirect(g, value, name);
    }
    bf_free(names);
    return ok;
}

static bf_status rewrite(bf_graph *g, work *w, bf_error *err)
{
    /* Ends are put together from pieces that get their names where they begin. */
    for (int ends = 0; ends < 2; ends++)
        for (int v = 0; v < g->value_count; v++) {
            if (!is_rewritten(w, v) || is_copied(g, w, v) != (ends == 1))
                continue;
            if (ends == 0 ? !rewrite_begin(g, w, v) : is_used(g, w, v) && !rewrite_end(g, w, v))
                return bf_fail_memory(err);
        }
    bf_channels_apply(g, &w->channels, w->routes.copies);
    return bf_graph_rebuild(g, err); /* which removes the copying nodes, as nobody reads them any more */
}

static bool allocate(const bf_graph *g, work *w)
{
    size_t values = (size_t)g->value_count + 1, origins = (size_t)w->routes.origin_count + 1;
    w->refused = bf_calloc(values, sizeof *w->refused);
    w->owner = bf_malloc(values * sizeof *w->owner);
    w->piece_of = bf_calloc(origins, sizeof *w->piece_of);
    w->ordered = bf_calloc(origins, sizeof *w->ordered);
    w->position = bf_calloc(origins, sizeof *w->position);
    w->stamp = bf_malloc(origins * sizeof *w->stamp);
    w->pieces = bf_calloc(origins, sizeof *w->pieces);
    if (!w->refused || !w->owner || !w->piece_of || !w->ordered || !w->position || !w->stamp || !w->pieces)
        return false;
    memset(w->owner, 0xff, values * sizeof *w->owner);
    memset(w->stamp, 0xff, origins * sizeof *w->stamp);
    return true;
}

bf_status bf_pass_route(bf_graph *g, int *changes, bf_error *err)
{
    BF_CLEANUP(work_done) work w = {0};
    bf_status status = bf_routes_find(g, &w.routes, err);
    if (status == BF_OK)
        status = bf_channels_find(g, w.routes.copies, &w.channels, err);
    if (status != BF_OK)
        return status;
    if (!allocate(g, &w))
        return bf_fail_memory(err);
    refuse_some(g, &w);
    int found = 0;
    for (int n = 0; n < g->node_count; n++)
        found += w.routes.copies[n] && bf_node_is(bf_graph_node(g, n), "Transpose") &&
                 is_rewritten(&w, bf_graph_input(g, bf_graph_input_maker(g, n, 0), 0));
    if (found == 0)
        return BF_OK;
    status = find_pieces(g, &w, err);
    if (status == BF_OK)
        status = rewrite(g, &w, err);
    *changes += found;
    return status;
}

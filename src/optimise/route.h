/* Where channels travel: through nodes that only copy them (concatenate, split, shuffle), from the values that make
 * them to the values that use them. Shared by the two files of the routing pass. */
#ifndef BF_OPTIMISE_ROUTE_H
#define BF_OPTIMISE_ROUTE_H

#include "optimise/channels.h"

/* One channel of one value that no copying node makes. */
typedef struct bf_route_origin {
    int value, channel;
} bf_route_origin;

typedef struct bf_routes {
    bool *copies; /* per node: it only copies channels */
    int *first;   /* per value: where its list begins in `list`; -1 when it is no part of a route */
    int *list;    /* for each channel of a value on a route: the number of its origin */
    int list_count, list_capacity;
    bf_route_origin *origins; /* those of one value stand together, in the order of its channels */
    int origin_count, origin_capacity;
    int *component; /* per value: representative of the routes it is connected with */
    bool *shuffled; /* per representative: one of the routes interleaves channels */
} bf_routes;

/* Follows all routes of a graph. When they are too many, it finds none. OUT_OF_MEMORY. The caller frees with
 * bf_routes_done. */
bf_status bf_routes_find(const bf_graph *g, bf_routes *ret, bf_error *err);
void bf_routes_done(bf_routes *routes);

#endif

/* The pool of connections that only read. Private to src/store. */
#ifndef BF_STORE_READERS_H
#define BF_STORE_READERS_H

#include "store/driver.h"
#include "store/store.h"

typedef struct bf_readers bf_readers;

/* Connections are made when first needed. What `connect` points to must outlive the pool. */
bf_status bf_readers_new(const bf_driver *driver, const bf_connect *connect, int readers_max, bf_readers **ret,
                         bf_error *err);
void bf_readers_free(bf_readers **readers); /* accepts NULL */

/* As bf_store_read. */
bf_status bf_readers_read(bf_readers *readers, bf_store_fn *fn, void *context, bf_error *err);

#endif

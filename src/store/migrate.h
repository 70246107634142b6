/* Bringing a database's tables forward. Private to src/store. */
#ifndef BF_STORE_MIGRATE_H
#define BF_STORE_MIGRATE_H

#include "store/driver.h"

/* Checks the schema's version; an older one is brought forward in one transaction when `may_change`. Replicas that
 * start at once wait for one another. Errors: STORE_NEWER, STORE_UNAVAILABLE (also: older and not `may_change`). */
bf_status bf_migrate(bf_db *db, bool may_change, bf_error *err);

#endif

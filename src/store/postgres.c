#include "base/error.h"
#include "store/driver.h"

static bf_status open_database(const bf_connect *connect, bf_db **ret, bf_error *err)
{
    (void)connect;
    (void)ret;
    return bf_fail(err, BF_STORE_UNAVAILABLE, "PostgreSQL is not there yet.");
}

const bf_driver BF_POSTGRES = {.kind = "postgresql", .open = open_database};

#include "access/idempotency.h"

/* Buckets are forgotten only when every replica's clock says that they are full. */
#define CLOCK_SKEW_MS 60000

bf_status bf_access_tidy(bf_db *db, int64_t now_ms, int limit, bf_error *err)
{
    bf_status status = bf_db_run(db,
                                 "DELETE FROM request_nonce WHERE (key_id, nonce) IN (SELECT key_id, nonce"
                                 " FROM request_nonce WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2)",
                                 BF_VALUES(bf_value_integer(now_ms), bf_value_integer(limit)), NULL, err);
    if (status != BF_OK)
        return status;
    status =
        bf_db_run(db,
                  "DELETE FROM idempotency WHERE (client, name) IN (SELECT client, name FROM idempotency"
                  " WHERE created_ms <= $1 ORDER BY created_ms LIMIT $2)",
                  BF_VALUES(bf_value_integer(now_ms - BF_IDEMPOTENCY_KEEP_MS), bf_value_integer(limit)), NULL, err);
    if (status != BF_OK)
        return status;
    return bf_db_run(db,
                     "DELETE FROM rate_bucket WHERE name IN (SELECT name FROM rate_bucket WHERE full_ms <= $1"
                     " ORDER BY full_ms LIMIT $2)",
                     BF_VALUES(bf_value_integer(now_ms - CLOCK_SKEW_MS), bf_value_integer(limit)), NULL, err);
}

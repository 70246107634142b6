#include <string.h>

#include <jansson.h>

#include "base/attr.h"
#include "base/error.h"
#include "record/parse.h"
#include "session/service.h"

#define SETTING "kill_switch"

/* A value that this version does not know counts as on: somebody wanted the service to be careful. */
bf_status bf_kill_switch_read(bf_db *db, bool *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status =
        bf_db_query(db, "SELECT value FROM setting WHERE name = $1", BF_VALUES(bf_value_text(SETTING)), &rows, err);
    if (status != BF_OK)
        return status;
    const char *value = bf_rows_next(rows) ? bf_rows_text(rows, 0) : "off";
    *ret = !value || strcmp(value, "off") != 0;
    return BF_OK;
}

bf_status bf_kill_switch_write(bf_db *db, bool on, int64_t now_ms, const char *actor, bf_error *err)
{
    bf_status status = bf_db_run(
        db,
        "INSERT INTO setting(name, value, changed_ms) VALUES($1, $2, $3)"
        " ON CONFLICT(name) DO UPDATE SET value = excluded.value,"
        " changed_ms = excluded.changed_ms",
        BF_VALUES(bf_value_text(SETTING), bf_value_text(on ? "on" : "off"), bf_value_integer(now_ms)), NULL, err);
    if (status != BF_OK)
        return status;
    BF_CLEANUP(bf_json_release) json_t *facts = json_pack("{s:b}", "on", (int)on);
    if (!facts)
        return bf_fail_memory(err);
    bf_audit_entry entry = {.kind = BF_AUDIT_KILL_SWITCH, .at_ms = now_ms, .actor = actor, .facts = facts};
    return bf_audit_append(db, &entry, NULL, err);
}

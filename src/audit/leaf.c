#include "audit/leaf.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/error.h"
#include "store/time.h"

static const char *const KIND_NAMES[] = {
    [BF_AUDIT_DECISION] = "decision",
    [BF_AUDIT_SESSION_CREATED] = "session_created",
    [BF_AUDIT_SESSION_ENDED] = "session_ended",
    [BF_AUDIT_REFERENCE_SET] = "reference_set",
    [BF_AUDIT_PLAN_CHANGED] = "plan_changed",
    [BF_AUDIT_ERASED] = "erased",
    [BF_AUDIT_MEDIA_READ] = "media_read",
    [BF_AUDIT_RECORD_READ] = "record_read",
    [BF_AUDIT_KEY_CHANGED] = "key_changed",
    [BF_AUDIT_KILL_SWITCH] = "kill_switch",
    [BF_AUDIT_POLICY_CHANGED] = "policy_changed",
    [BF_AUDIT_VAULT_ROTATED] = "vault_rotated",
    [BF_AUDIT_SECURITY] = "security",
    [BF_AUDIT_CHECKPOINT] = "checkpoint",
};
_Static_assert(sizeof KIND_NAMES / sizeof *KIND_NAMES == BF_AUDIT_KIND_COUNT, "each kind has a word");

const char *bf_audit_kind_name(bf_audit_kind kind)
{
    return (unsigned)kind < BF_AUDIT_KIND_COUNT ? KIND_NAMES[kind] : "unknown";
}

/* An actor is written as it is, so it holds nothing that JSON would escape. */
static bool is_actor(const char *text)
{
    size_t size = text ? strlen(text) : 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return false;
    return size > 0 && size < BF_AUDIT_ACTOR_SIZE;
}

/* Whether the facts are an object that says nothing the log itself says. */
static bool are_facts(const json_t *facts)
{
    static const char *const own[] = {"index", "previous", "at", "kind", "actor"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (json_object_get(facts, own[i]))
            return false;
    return json_is_object(facts);
}

bf_status bf_leaf_write(const bf_audit_entry *entry, int64_t index, const bf_hash *previous,
                        char ret[BF_LEAF_BYTES_MAX], bf_error *err)
{
    char at[BF_TIME_TEXT_SIZE], before[2 * BF_HASH_SIZE + 3] = "null";
    if (!is_actor(entry->actor) || !are_facts(entry->facts) || (unsigned)entry->kind >= BF_AUDIT_KIND_COUNT)
        return bf_fail(err, BF_INTERNAL, "An entry of the audit log is not well formed.");
    if (previous) {
        before[0] = '"';
        sodium_bin2hex(before + 1, sizeof before - 1, previous->byte, BF_HASH_SIZE);
        before[sizeof before - 2] = '"';
        before[sizeof before - 1] = '\0';
    }
    bf_time_text(entry->at_ms, at);
    (void)snprintf(ret, BF_LEAF_BYTES_MAX,
                   "{\"index\":%lld,\"previous\":%s,\"at\":\"%s\",\"kind\":\"%s\",\"actor\":\"%s\"", (long long)index,
                   before, at, KIND_NAMES[entry->kind], entry->actor);
    /* The facts' own brace becomes the comma between. Only ASCII, so that every reader sees one line. */
    size_t start = strlen(ret), left = BF_LEAF_BYTES_MAX - start - 1;
    size_t size = json_dumpb(entry->facts, ret + start, left, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (size == 0 || size > left)
        return bf_fail(err, BF_INTERNAL, "An entry of the audit log is too large.");
    ret[start + size] = '\0';
    if (size == 2)
        memmove(ret + start, ret + start + 1, size);
    else
        ret[start] = ',';
    return BF_OK;
}

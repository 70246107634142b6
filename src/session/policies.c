/* The journeys: their names, versions and retry caps, as the workers' policies have them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "session/internal.h"
#include "store/time.h"

typedef struct flow_list {
    bf_flow_facts flow[BF_POLICIES_MAX];
    bf_policy *policy[BF_POLICIES_MAX]; /* in the order in which they were read */
    int count;
} flow_list;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const bf_flow_facts *)a)->flow, ((const bf_flow_facts *)b)->flow);
}

static bf_status read_policies(const char *data_dir, flow_list *list, bf_error *err)
{
    bf_policy *const *policies = list->policy;
    bf_status status = bf_policies_read(data_dir, list->policy, &list->count, err);
    if (status != BF_OK)
        return status;
    for (int i = 0; i < list->count; i++) {
        bf_flow_facts *facts = &list->flow[i];
        (void)snprintf(facts->flow, sizeof facts->flow, "%s", bf_policy_flow(policies[i]));
        (void)snprintf(facts->version, sizeof facts->version, "%s", bf_policy_version(policies[i]));
        for (int channel = 0; channel < BF_SERVICE_CHANNELS; channel++)
            facts->retry_cap[channel] = bf_policy_retry_cap(policies[i], (bf_channel)channel);
    }
    qsort(list->flow, (size_t)list->count, sizeof *list->flow, by_name);
    return BF_OK;
}

/* ---- the audit log's view ---- */

typedef struct policy_change {
    const flow_list *list;
    const char *actor;
    int64_t now_ms;
} policy_change;

static json_t *versions_of(const flow_list *list)
{
    json_t *versions = json_array();
    for (int i = 0; i < list->count; i++) {
        if (json_array_append_new(versions, json_string(list->flow[i].version)) != 0) {
            json_decref(versions);
            return NULL;
        }
    }
    return versions;
}

static bf_status is_known(bf_db *db, const char *versions, bool *ret, bf_error *err)
{
    BF_CLEANUP(bf_rows_free) bf_rows *rows = NULL;
    bf_status status = bf_db_query(db, "SELECT value FROM setting WHERE name = 'policies'", BF_NO_VALUES, &rows, err);
    if (status != BF_OK)
        return status;
    const char *value = bf_rows_next(rows) ? bf_rows_text(rows, 0) : NULL;
    *ret = value && strcmp(value, versions) == 0;
    return BF_OK;
}

static bf_status remember(bf_db *db, const policy_change *change, const char *versions, const json_t *facts,
                          bf_error *err)
{
    bool known = false;
    bf_status status = is_known(db, versions, &known, err);
    if (status != BF_OK || known)
        return status;
    status = bf_db_run(db,
                       "INSERT INTO setting(name, value, changed_ms) VALUES('policies', $1, $2) ON CONFLICT(name)"
                       " DO UPDATE SET value = excluded.value, changed_ms = excluded.changed_ms",
                       BF_VALUES(bf_value_text(versions), bf_value_integer(change->now_ms)), NULL, err);
    bf_audit_entry entry = {BF_AUDIT_POLICY_CHANGED, change->now_ms, change->actor, facts};
    return status == BF_OK ? bf_audit_append(db, &entry, NULL, err) : status;
}

static bf_status write_change(bf_db *db, void *context, bf_error *err)
{
    const policy_change *change = context;
    json_t *list = versions_of(change->list);
    BF_CLEANUP(bf_text_done) bf_text text = {0};
    BF_CLEANUP(bf_free_string) char *versions = NULL;
    bf_text_put(&text, NULL, json_incref(list));
    json_t *facts = json_pack("{so}", "policies", list); /* the list is gone even where this fails */
    bf_status status = facts ? bf_text_take_string(&text, &versions, err) : bf_fail_memory(err);
    if (status == BF_OK)
        status = remember(db, change, versions, facts, err);
    json_decref(facts);
    return status;
}

bf_status bf_service_policies(bf_service *service, const char *actor, bf_error *err)
{
    flow_list *list = bf_calloc(1, sizeof *list);
    if (!list)
        return bf_fail_memory(err);
    bf_status status = read_policies(service->parts.data_dir, list, err);
    if (status == BF_OK) {
        policy_change change = {list, actor, bf_time_now_ms()};
        status = bf_store_write(service->parts.store, write_change, &change, err);
    }
    if (status == BF_OK) {
        (void)pthread_rwlock_wrlock(&service->flows_lock);
        bf_policy *old[BF_POLICIES_MAX];
        int old_count = service->flow_count;
        memcpy(old, service->policy, sizeof old);
        memcpy(service->flow, list->flow, sizeof service->flow);
        memcpy(service->policy, list->policy, sizeof service->policy);
        service->flow_count = list->count;
        (void)pthread_rwlock_unlock(&service->flows_lock);
        memcpy(list->policy, old, sizeof old);
        list->count = old_count;
    }
    bf_policies_free(list->policy, list->count);
    bf_free(list);
    return status;
}

bool bf_service_flow(const bf_service *service, const char *flow, bf_flow_facts *ret)
{
    /* The lock is no part of what a reader sees. */
    pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&service->flows_lock;
    bool found = false;
    (void)pthread_rwlock_rdlock(lock);
    for (int i = 0; i < service->flow_count && !found; i++) {
        found = strcmp(service->flow[i].flow, flow) == 0;
        if (found)
            *ret = service->flow[i];
    }
    (void)pthread_rwlock_unlock(lock);
    return found;
}

static const bf_policy *find_policy(const bf_service *service, const char *flow)
{
    for (int i = 0; i < service->flow_count; i++) {
        if (strcmp(bf_policy_flow(service->policy[i]), flow) == 0)
            return service->policy[i];
    }
    return NULL;
}

bf_status bf_service_capture_ask(const bf_service *service, const bf_session *session, bf_capture_ask *ret,
                                 bf_error *err)
{
    pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&service->flows_lock;
    bool passive = strcmp(session->mode, "passive") == 0;
    bool challenged = session->active || strcmp(session->mode, "active") == 0;
    bf_channel channel = BF_CHANNEL_UNSPECIFIED;
    bf_risk_context risk;
    bf_capture_ask ask = {.active = false};
    bf_status status = bf_risk_of_session(session, &risk, err);
    if (status != BF_OK)
        return status;
    (void)bf_channel_from_name(session->channel, &channel);
    (void)pthread_rwlock_rdlock(lock);
    const bf_policy *policy = find_policy(service, session->flow);
    if (policy)
        ask = bf_policy_capture(policy, channel, &risk, challenged);
    (void)pthread_rwlock_unlock(lock);
    if (!policy && !passive)
        return bf_fail(err, BF_INVALID_REQUEST, "flow_type: there is no journey named '%.40s'.", session->flow);
    *ret = passive ? (bf_capture_ask){.excuse = ask.excuse} : ask;
    return BF_OK;
}

bool bf_service_has_flow(const bf_service *service, const char *flow)
{
    bf_flow_facts facts;
    return bf_service_flow(service, flow, &facts);
}

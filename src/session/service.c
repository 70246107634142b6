#include "session/service.h"

#include <sodium.h>
#include <string.h>

#include "base/error.h"
#include "session/internal.h"

#define CLAIM_GRACE_MS 30000 /* beyond the time that a job may take */

static int or_default(int value, int standard)
{
    return value > 0 ? value : standard;
}

static bf_status judge_by_pool(void *pool, const bf_job *job, bf_bytes *ret_record, double *ret_wait_ms, bf_error *err)
{
    return bf_pool_judge(pool, job, ret_record, ret_wait_ms, err);
}

bf_status bf_service_new(const bf_service_parts *parts, const bf_service_settings *settings, bf_service **ret,
                         bf_error *err)
{
    bf_service *service = bf_calloc(1, sizeof *service);
    if (!service)
        return bf_fail_memory(err);
    service->parts = *parts;
    service->settings = *settings;
    service->settings.token_s = or_default(settings->token_s, 180);
    service->settings.session_s = or_default(settings->session_s, 900);
    service->settings.attempts_max = or_default(settings->attempts_max, 10);
    service->settings.job_ms_max = or_default(settings->job_ms_max, BF_POOL_JOB_MS);
    service->settings.review_days = or_default(settings->review_days, 30);
    service->judge = judge_by_pool;
    service->judge_data = parts->pool;
    if (pthread_rwlock_init(&service->flows_lock, NULL) != 0) {
        bf_free(service);
        return bf_fail(err, BF_INTERNAL, "A lock could not be made.");
    }
    bf_master_derive(parts->master, "subject", service->subject_key);
    bf_master_derive(parts->master, "seen", service->seen_key);
    bf_status status = bf_service_policies(service, "server", err);
    if (status != BF_OK) {
        bf_service_free(&service);
        return status;
    }
    *ret = service;
    return BF_OK;
}

void bf_service_free(bf_service **service)
{
    if (!service || !*service)
        return;
    (void)pthread_rwlock_destroy(&(*service)->flows_lock);
    bf_policies_free((*service)->policy, (*service)->flow_count);
    sodium_memzero((*service)->subject_key, sizeof(*service)->subject_key);
    sodium_memzero((*service)->seen_key, sizeof(*service)->seen_key);
    bf_free(*service);
    *service = NULL;
}

int64_t bf_service_claim_ms(const bf_service *service)
{
    return (int64_t)service->settings.job_ms_max + CLAIM_GRACE_MS;
}

void bf_answer_done(bf_answer *answer)
{
    bf_bytes_done(&answer->body);
    *answer = (bf_answer){0};
}

void bf_service_signal(const bf_service *service, bf_security_signal signal)
{
    bf_metrics_security(service->parts.metrics, signal);
}

/* Webhooks: a session's end is told to the integrator's server. Put into the store in the transaction that ends the
 * session, delivered afterwards by whichever replica comes first, at least once. */
#ifndef BF_NOTIFY_WEBHOOK_H
#define BF_NOTIFY_WEBHOOK_H

#include "access/master.h"
#include "monitor/metrics.h"
#include "store/store.h"

/* Whether a URL may be registered: https (or http where allowed), a host, no user or password, at most 1024 bytes.
 * INVALID_REQUEST with what is wrong. */
bf_status bf_webhook_check_url(const char *url, bool allow_http, bf_error *err);

/* In a write transaction. `body` is the JSON to deliver. */
bf_status bf_webhook_enqueue(bf_db *db, const char *key_id, const char *session_id, const char *url, const char *body,
                             int64_t now_ms, bf_error *err);
/* In a write transaction: forgets every delivery about a session, made or not. */
bf_status bf_webhook_erase(bf_db *db, const char *session_id, bf_error *err);

typedef struct bf_notifier bf_notifier;

typedef struct bf_notifier_options {
    bf_store *store;
    const bf_master *master;
    bf_metrics *metrics;
    bool allow_private; /* deliver to private, loopback and link-local addresses too */
    bool allow_http;
    int tries_max;       /* 0: 10, with backoff from 5 s doubling to 1 h */
    int backoff_ms;      /* before the second try; 0: 5000 */
    int timeout_ms;      /* of one delivery; 0: 10000 */
    const char *ca_file; /* certificates to trust instead of the system's; NULL: those. Borrowed */
} bf_notifier_options;

/* Starts a few delivering threads, so that one slow receiver does not hold up the others. The request carries
 * "Bonafide-Signature: t=MS, v1=HEX" with HEX = HMAC-SHA-256(signing secret of the session's key,
 * "bonafide-webhook-v1\n" t "\n" body), and "Bonafide-Delivery: ID". Redirects are not followed; the address that is
 * connected to is checked, not the name. What is not answered by 2xx is tried again, each time after about twice as
 * long; 410 and a refused address are final. */
bf_status bf_notifier_new(const bf_notifier_options *options, bf_notifier **ret, bf_error *err);
void bf_notifier_free(bf_notifier **notifier); /* ends a delivery under way after its timeout at the latest */
void bf_notifier_wake(bf_notifier *notifier);  /* something was enqueued */

#endif

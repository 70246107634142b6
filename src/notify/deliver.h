/* One delivery over HTTP. */
#ifndef BF_NOTIFY_DELIVER_H
#define BF_NOTIFY_DELIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "access/master.h"

#define BF_OUTCOME_SIZE 64

typedef struct bf_delivery {
    const char *id, *url, *body;
    const uint8_t *secret; /* BF_SECRET_SIZE bytes */
    int64_t now_ms;
    int timeout_ms;
    bool allow_private, allow_http;
    const char *ca_file; /* NULL: the system's */
} bf_delivery;

typedef enum bf_delivered {
    BF_DELIVERED,
    BF_DELIVER_AGAIN, /* it may go well another time */
    BF_DELIVER_NEVER
} bf_delivered;

/* Sends and waits for the answer, at most timeout_ms. `ret_outcome` becomes a few words without secrets: "http 200",
 * "timeout", "address refused". Any thread, after curl_global_init. */
bf_delivered bf_deliver(const bf_delivery *delivery, char ret_outcome[BF_OUTCOME_SIZE]);

/* The value of Bonafide-Signature. */
#define BF_WEBHOOK_SIGNATURE_SIZE 96
void bf_webhook_sign(const uint8_t secret[BF_SECRET_SIZE], int64_t at_ms, const char *body,
                     char ret[BF_WEBHOOK_SIGNATURE_SIZE]);

#endif

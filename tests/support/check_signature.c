/* usage: check_signature STORE-URL MASTER-KEY-FILE KEY-ID METHOD TARGET BODY-FILE HEADER
 *
 * Asks bf_signature_check about a request with today's clock and prints the name of its status. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "access/signature.h"
#include "base/bytes.h"
#include "store/store.h"
#include "store/time.h"
#include "support/must.h"

typedef struct question {
    bf_master master;
    bf_principal who;
    bf_signed_request request;
} question;

static bf_status ask(bf_db *db, void *context, bf_error *err)
{
    const question *q = context;
    return bf_signature_check(db, &q->master, &q->who, &q->request, err);
}

int main(int argc, char **argv)
{
    test_must(argc == 8, "seven arguments");
    question q = {.request = {.method = argv[4], .target = argv[5], .header = argv[7], .now_ms = bf_time_now_ms()}};
    bf_store_options options = {.url = argv[1]};
    bf_store *store = NULL;
    bf_bytes body = {0};
    bf_error err = {0};
    uint8_t digest[crypto_hash_sha256_BYTES];
    test_must(bf_master_read(argv[2], false, &q.master, &err) == BF_OK, err.message);
    test_must(bf_bytes_read_file(&body, argv[6], 1u << 20, &err) == BF_OK, err.message);
    test_must(bf_store_open(&options, &store, &err) == BF_OK, err.message);
    test_must(snprintf(q.who.key_id, sizeof q.who.key_id, "%s", argv[3]) == (int)strlen(q.who.key_id), "an id");
    (void)crypto_hash_sha256(digest, body.data, body.size);
    q.request.body_sha256 = digest;
    (void)printf("%s\n", bf_status_name(bf_store_write(store, ask, &q, &err)));
    bf_store_free(&store);
    bf_bytes_done(&body);
    return 0;
}

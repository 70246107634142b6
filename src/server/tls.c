#include "server/tls.h"

#include <pthread.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

#define CHAIN_MAX 16
#define FILE_BYTES_MAX (1u << 20)

typedef struct pair {
    struct pair *older;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
    int64_t begins_s, expires_s;
} pair;

/* Older pairs are kept: a handshake may hold pointers into one, and there is no telling when it ends. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pair *newest;

static void free_pair(pair *one)
{
    if (!one)
        return;
    for (unsigned i = 0; i < one->count; i++)
        gnutls_pcert_deinit(&one->chain[i]);
    if (one->key)
        gnutls_privkey_deinit(one->key);
    bf_free(one);
}

static bf_status fail(bf_error *err, const char *path, int code)
{
    return bf_fail(err, BF_CONFIG_INVALID, "'%.160s' cannot be used for TLS: %s", path, gnutls_strerror(code));
}

static bf_status load_chain(pair *one, const char *path, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes file = {0};
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    bf_status status = bf_bytes_read_file(&file, path, FILE_BYTES_MAX, err);
    if (status != BF_OK)
        return status;
    const gnutls_datum_t pem = {.data = file.data, .size = (unsigned)file.size};
    int code =
        gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    if (code >= 0 && count > CHAIN_MAX)
        status = bf_fail(err, BF_CONFIG_INVALID, "'%.160s' holds more than %d certificates.", path, CHAIN_MAX);
    for (unsigned i = 0; code >= 0 && status == BF_OK && i < count; i++) {
        code = gnutls_pcert_import_x509(&one->chain[i], list[i], 0);
        one->count += code >= 0;
    }
    if (code >= 0 && count > 0) {
        one->begins_s = (int64_t)gnutls_x509_crt_get_activation_time(list[0]);
        one->expires_s = (int64_t)gnutls_x509_crt_get_expiration_time(list[0]);
    }
    for (unsigned i = 0; list && i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return code < 0 ? fail(err, path, code) : status;
}

/* The key proves itself by a signature that the certificate verifies. */
static int check_pair(const pair *one)
{
    gnutls_datum_t text = {.data = (unsigned char[]){"bonafide"}, .size = 8}, signature = {0};
    gnutls_pubkey_t public_key = one->chain[0].pubkey;
    gnutls_digest_algorithm_t digest;
    int code = gnutls_pubkey_get_preferred_hash_algorithm(public_key, &digest, NULL);
    if (code >= 0)
        code = gnutls_privkey_sign_data(one->key, digest, 0, &text, &signature);
    if (code >= 0) {
        const gnutls_pk_algorithm_t kind = (gnutls_pk_algorithm_t)gnutls_pubkey_get_pk_algorithm(public_key, NULL);
        code = gnutls_pubkey_verify_data2(public_key, gnutls_pk_to_sign(kind, digest), 0, &text, &signature);
    }
    gnutls_free(signature.data);
    return code;
}

static bf_status load_key(pair *one, const char *path, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes file = {0};
    bf_status status = bf_bytes_read_file(&file, path, FILE_BYTES_MAX, err);
    if (status != BF_OK)
        return status;
    const gnutls_datum_t pem = {.data = file.data, .size = (unsigned)file.size};
    int code = gnutls_privkey_init(&one->key);
    if (code >= 0)
        code = gnutls_privkey_import_x509_raw(one->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0)
        return fail(err, path, code);
    if (check_pair(one) < 0)
        return bf_fail(err, BF_CONFIG_INVALID, "'%.160s' is not the key of the certificate.", path);
    return BF_OK;
}

bf_status bf_tls_load(const char *certificate_path, const char *key_path, bf_error *err)
{
    pair *one = bf_calloc(1, sizeof *one);
    if (!one)
        return bf_fail_memory(err);
    bf_status status = load_chain(one, certificate_path, err);
    if (status == BF_OK && one->count == 0)
        status = bf_fail(err, BF_CONFIG_INVALID, "'%.160s' holds no certificate.", certificate_path);
    if (status == BF_OK)
        status = load_key(one, key_path, err);
    if (status != BF_OK) {
        free_pair(one);
        return status;
    }
    (void)pthread_mutex_lock(&lock);
    one->older = newest;
    newest = one;
    (void)pthread_mutex_unlock(&lock);
    return BF_OK;
}

void bf_tls_unload(void)
{
    (void)pthread_mutex_lock(&lock);
    while (newest) {
        pair *older = newest->older;
        free_pair(newest);
        newest = older;
    }
    (void)pthread_mutex_unlock(&lock);
}

int64_t bf_tls_expires_s(void)
{
    (void)pthread_mutex_lock(&lock);
    int64_t expires = newest ? newest->expires_s : 0;
    (void)pthread_mutex_unlock(&lock);
    return expires;
}

int64_t bf_tls_begins_s(void)
{
    (void)pthread_mutex_lock(&lock);
    int64_t begins = newest ? newest->begins_s : 0;
    (void)pthread_mutex_unlock(&lock);
    return begins;
}

static int give(gnutls_session_t session, const gnutls_datum_t *names, int name_count,
                const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_chain,
                unsigned *ret_count, gnutls_privkey_t *ret_key)
{
    (void)session;
    (void)names;
    (void)name_count;
    (void)algorithms;
    (void)algorithm_count;
    (void)pthread_mutex_lock(&lock);
    pair *one = newest;
    (void)pthread_mutex_unlock(&lock);
    if (!one)
        return -1;
    *ret_chain = one->chain;
    *ret_count = one->count;
    *ret_key = one->key;
    return 0;
}

void *bf_tls_hook(void)
{
    gnutls_certificate_retrieve_function2 *hook = give;
    void *ret = NULL;
    memcpy(&ret, &hook, sizeof ret);
    return ret;
}

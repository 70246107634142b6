/* The text forms: client tokens and API keys. Nothing but what was written is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "access/key_text.h"
#include "access/token.h"

#define NOW 1795635600000
#define HEADER_SIZE (BF_TOKEN_SIZE + 16)

static bf_master the_master(void)
{
    static const char line[] = "bonafide-master-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    bf_master master = {0};
    assert_int_equal(bf_master_parse(line, sizeof line - 1, &master, NULL), BF_OK);
    return master;
}

static const bf_token TOKEN = {
    .session_id = "s_0123456789abcdef", .client = "a_bank", .attempt = 2, .expires_ms = NOW + 180000};

static void header_of(const bf_master *master, const bf_token *token, char ret[HEADER_SIZE])
{
    char text[BF_TOKEN_SIZE];
    bf_token_write(master, token, text);
    (void)snprintf(ret, HEADER_SIZE, "Bearer %s", text);
}

static void assert_same(const bf_token *a, const bf_token *b)
{
    assert_string_equal(a->session_id, b->session_id);
    assert_string_equal(a->client, b->client);
    assert_int_equal(a->attempt, b->attempt);
    assert_int_equal(a->expires_ms, b->expires_ms);
}

static void a_token_tells_what_was_written(void **state)
{
    (void)state;
    bf_master master = the_master();
    bf_token longest = {.attempt = INT32_MAX, .expires_ms = INT64_MAX}, shortest = {"s", "c", 1, NOW + 1};
    memset(longest.session_id, 'z', BF_NAME_MAX - 1);
    memset(longest.client, 'y', BF_NAME_MAX - 1);
    const bf_token *tokens[] = {&TOKEN, &longest, &shortest};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        char header[HEADER_SIZE];
        bf_token got = {0};
        header_of(&master, tokens[i], header);
        assert_int_equal(bf_token_read(&master, header, NOW, &got, NULL), BF_OK);
        assert_same(&got, tokens[i]);
        header[0] = 'b'; /* the scheme's case does not matter */
        assert_int_equal(bf_token_read(&master, header, NOW, &got, NULL), BF_OK);
    }
}

static void a_token_ends(void **state)
{
    (void)state;
    bf_master master = the_master();
    char header[HEADER_SIZE];
    header_of(&master, &TOKEN, header);
    bf_token got = {0};
    assert_int_equal(bf_token_read(&master, header, TOKEN.expires_ms - 1, &got, NULL), BF_OK);
    memset(&got, 0, sizeof got);
    assert_int_equal(bf_token_read(&master, header, TOKEN.expires_ms, &got, NULL), BF_SESSION_EXPIRED);
    assert_same(&got, &TOKEN);
    assert_int_equal(bf_token_read(&master, header, INT64_MAX, &got, NULL), BF_SESSION_EXPIRED);
}

static void refuse(const bf_master *master, const char *header)
{
    bf_token got = {0};
    bf_error err = {0};
    assert_int_equal(bf_token_read(master, header, NOW, &got, &err), BF_UNAUTHENTICATED);
    assert_string_equal(err.message, "The request carries no valid client token.");
    assert_memory_equal(&got, &(bf_token){0}, sizeof got);
}

static void no_changed_bit_of_a_token_is_accepted(void **state)
{
    (void)state;
    bf_master master = the_master();
    char header[HEADER_SIZE];
    header_of(&master, &TOKEN, header);
    size_t length = strlen(header);
    for (size_t bit = 7 * 8; bit < length * 8; bit++) {
        header[bit / 8] = (char)(header[bit / 8] ^ (1 << bit % 8));
        refuse(&master, header);
        header[bit / 8] = (char)(header[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t cut = 0; cut < length; cut++) {
        char kept = header[cut];
        header[cut] = '\0';
        refuse(&master, header);
        header[cut] = kept;
    }
}

static void no_other_text_is_a_token(void **state)
{
    (void)state;
    bf_master master = the_master();
    char header[HEADER_SIZE], changed[HEADER_SIZE * 2], huge[100000];
    header_of(&master, &TOKEN, header);
    static const char *const endings[] = {"A", "AA", "AAA", "AAAA", "=", "==", " ", "\n", ",", "\xff"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        (void)snprintf(changed, sizeof changed, "%s%s", header, endings[i]);
        refuse(&master, changed);
    }
    (void)snprintf(changed, sizeof changed, "Bearer  %s", header + 7);
    refuse(&master, changed);
    (void)snprintf(changed, sizeof changed, "Basic %s", header + 7);
    refuse(&master, changed);
    static const char *const others[] = {"", "Bearer", "Bearer ", "Bearer bft_", "Bearer bft_A", "Bearer bf_", "bft_"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        refuse(&master, others[i]);
    refuse(&master, NULL);
    refuse(&master, header + 7);
    memset(huge, 'A', sizeof huge);
    memcpy(huge, "Bearer bft_", 11);
    huge[sizeof huge - 1] = '\0';
    refuse(&master, huge);
}

static void a_token_of_another_master_key_is_refused(void **state)
{
    (void)state;
    bf_master master = the_master(), other = {0};
    assert_int_equal(bf_master_random(&other, NULL), BF_OK);
    char header[HEADER_SIZE];
    header_of(&other, &TOKEN, header);
    refuse(&master, header);
}

/* Writes a token of any body, rightly authenticated: what a later version, or a faulty one, may have written. */
static void header_of_body(const bf_master *master, const uint8_t *body, size_t size, char ret[HEADER_SIZE])
{
    uint8_t bytes[BF_TOKEN_SIZE], key[BF_SECRET_SIZE];
    memcpy(bytes, body, size);
    bf_master_derive(master, "token", key);
    assert_int_equal(crypto_auth(bytes + size, body, size, key), 0);
    memcpy(ret, "Bearer bft_", sizeof "Bearer bft_");
    sodium_bin2base64(ret + 11, HEADER_SIZE - 11, bytes, size + crypto_auth_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void authentic_nonsense_is_refused(void **state)
{
    (void)state;
    bf_master master = the_master();
    static const uint8_t good[] = {1, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 1, 's', 1, 'c'};
    char header[HEADER_SIZE];
    bf_token got = {0};
    header_of_body(&master, good, sizeof good, header);
    assert_int_equal(bf_token_read(&master, header, NOW, &got, NULL), BF_OK);
    static const struct {
        size_t at;
        uint8_t value;
    } faults[] = {{0, 0},   {0, 2},    {0, 255}, {1, 0x80}, {4, 0},  {5, 0x80}, {13, 0}, {13, 2},
                  {13, 64}, {13, 255}, {14, 0},  {15, 0},   {15, 2}, {15, 64},  {16, 0}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        uint8_t body[sizeof good];
        memcpy(body, good, sizeof body);
        body[faults[i].at] = faults[i].value;
        header_of_body(&master, body, sizeof body, header);
        refuse(&master, header);
    }
    uint8_t longer[sizeof good + 1] = {0};
    memcpy(longer, good, sizeof good);
    header_of_body(&master, longer, sizeof longer, header);
    refuse(&master, header);
    for (size_t size = 0; size < sizeof good; size++) {
        header_of_body(&master, good, size, header);
        refuse(&master, header);
    }
}

static bf_key_text the_key(char ret[BF_API_KEY_SIZE])
{
    bf_key_text key = {.id = "0123456789abcdef"};
    for (int i = 0; i < BF_SECRET_SIZE; i++)
        key.secret[i] = (uint8_t)(i * 8);
    bf_key_text_write(&key, ret);
    return key;
}

static void a_key_is_read_as_written(void **state)
{
    (void)state;
    char text[BF_API_KEY_SIZE];
    bf_key_text key = the_key(text), got = {0};
    assert_string_equal(text, "bf_0123456789abcdef_0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8");
    assert_true(bf_key_text_read(text, &got));
    assert_memory_equal(&got, &key, sizeof key);
}

/* A changed bit is no key, or it is another key: another id, or a secret of another hash. */
static void every_bit_of_a_key_counts(void **state)
{
    (void)state;
    char text[BF_API_KEY_SIZE], again[BF_API_KEY_SIZE];
    bf_key_text key = the_key(text), got = {0};
    uint8_t hash[BF_SECRET_SIZE], other[BF_SECRET_SIZE];
    bf_key_text_hash(&key, hash);
    for (size_t bit = 0; bit < strlen(text) * 8; bit++) {
        char changed[BF_API_KEY_SIZE];
        memcpy(changed, text, sizeof text);
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
        if (!bf_key_text_read(changed, &got))
            continue;
        bf_key_text_write(&got, again);
        assert_string_equal(again, changed);
        bf_key_text_hash(&got, other);
        assert_memory_not_equal(other, hash, sizeof hash);
    }
}

static void no_other_text_is_a_key(void **state)
{
    (void)state;
    static const char digits[] = "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8";
    static const char *const forms[] = {
        "bf_0123456789abcdef_%sx",
        "bf_0123456789abcdef%s",
        "BF_0123456789abcdef_%s",
        "bf_0123456789ABCDEF_%s",
        "bf_0123456789abcde_%s",
        "bf_0123456789abcdeg_%s",
        "bf_0123456789abcdef-%s",
        " bf_0123456789abcdef_%s",
        "bf_0123456789abcdef_%s ",
        "bf_%s",
        "%s",
    };
    bf_key_text got = {0};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char text[200];
        const char *percent = strstr(forms[i], "%s");
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(percent - forms[i]), forms[i], digits, percent + 2);
        assert_false(bf_key_text_read(text, &got));
    }
    assert_false(bf_key_text_read("", &got));
    assert_false(bf_key_text_read(NULL, &got));
}

static void signing_secrets_are_read_as_written(void **state)
{
    (void)state;
    uint8_t secret[BF_SECRET_SIZE], got[BF_SECRET_SIZE];
    char text[BF_API_KEY_SIZE];
    for (int i = 0; i < BF_SECRET_SIZE; i++)
        secret[i] = (uint8_t)(255 - i);
    bf_signing_secret_write(secret, text);
    assert_int_equal(strlen(text), 68);
    assert_true(bf_signing_secret_read(text, got));
    assert_memory_equal(got, secret, sizeof got);
    text[4] = 'F';
    assert_false(bf_signing_secret_read(text, got));
    text[4] = 'f';
    text[67] = '\0';
    assert_false(bf_signing_secret_read(text, got));
    assert_false(bf_signing_secret_read(NULL, got));
}

static void roles_have_names(void **state)
{
    (void)state;
    static const bf_access_role roles[] = {BF_ACCESS_INTEGRATOR, BF_ACCESS_REVIEWER, BF_ACCESS_AUDITOR,
                                           BF_ACCESS_OPERATOR, BF_ACCESS_PERSON};
    bf_access_role role = 0;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        assert_true(bf_access_role_from_name(bf_access_role_name(roles[i]), &role));
        assert_int_equal(role, roles[i]);
    }
    assert_false(bf_access_role_from_name("unknown", &role));
    assert_false(bf_access_role_from_name("", &role));
    assert_false(bf_access_role_from_name(NULL, &role));
    assert_string_equal(bf_access_role_name((bf_access_role)3), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_tells_what_was_written),
        cmocka_unit_test(a_token_ends),
        cmocka_unit_test(no_changed_bit_of_a_token_is_accepted),
        cmocka_unit_test(no_other_text_is_a_token),
        cmocka_unit_test(a_token_of_another_master_key_is_refused),
        cmocka_unit_test(authentic_nonsense_is_refused),
        cmocka_unit_test(a_key_is_read_as_written),
        cmocka_unit_test(every_bit_of_a_key_counts),
        cmocka_unit_test(no_other_text_is_a_key),
        cmocka_unit_test(signing_secrets_are_read_as_written),
        cmocka_unit_test(roles_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

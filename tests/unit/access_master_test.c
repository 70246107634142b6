/* The master key: its text, its file, what follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "access/master.h"
#include "base/bytes.h"

#define LINE "bonafide-master-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static bf_status parse(const char *text, bf_master *ret, bf_error *err)
{
    return bf_master_parse(text, strlen(text), ret, err);
}

static void text_is_read_and_written(void **state)
{
    (void)state;
    bf_master master = {0};
    assert_int_equal(parse(LINE, &master, NULL), BF_OK);
    for (int i = 0; i < BF_SECRET_SIZE; i++)
        assert_int_equal(master.key[i], i);
    char text[BF_MASTER_TEXT_SIZE];
    bf_master_write(&master, text);
    assert_string_equal(text, LINE "\n");
    bf_master again = {0};
    assert_int_equal(parse(text, &again, NULL), BF_OK);
    assert_memory_equal(&again, &master, sizeof master);
    assert_int_equal(strlen(master.id), 16);
    bf_master_done(&master);
    assert_memory_equal(&master, &(bf_master){0}, sizeof master);
}

static void text_that_is_no_key_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "bonafide-master-key-v1",
        "bonafide-master-key-v1 ",
        "bonafide-master-key-v2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "bonafide-master-key-v1  AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "bonafide-master-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "bonafide-master-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", /* a spare bit is set */
        "bonafide-master-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "bonafide-master-key-v1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-_",
        (LINE " "),
        (LINE "\n\n"),
        (LINE "\r\n"),
        (" " LINE),
        "bonafide-master-key-v1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bf_master master = {0};
        bf_error err = {0};
        assert_int_equal(parse(bad[i], &master, &err), BF_CONFIG_INVALID);
        assert_memory_equal(&master, &(bf_master){0}, sizeof master);
        assert_null(strstr(err.message, "AAEC")); /* messages go to logs */
    }
}

/* A key has one spelling: what is read is written again as it was. */
static void no_changed_bit_gives_the_same_key(void **state)
{
    (void)state;
    char text[] = LINE, again[BF_MASTER_TEXT_SIZE];
    bf_master master = {0}, other = {0};
    assert_int_equal(parse(text, &master, NULL), BF_OK);
    for (size_t bit = 0; bit < (sizeof text - 1) * 8; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        if (parse(text, &other, NULL) == BF_OK) {
            assert_memory_not_equal(&other, &master, sizeof master);
            bf_master_write(&other, again);
            assert_memory_equal(again, text, sizeof text - 1);
        }
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
}

static void random_keys_differ(void **state)
{
    (void)state;
    bf_master a = {0}, b = {0};
    assert_int_equal(bf_master_random(&a, NULL), BF_OK);
    assert_int_equal(bf_master_random(&b, NULL), BF_OK);
    assert_memory_not_equal(a.key, b.key, sizeof a.key);
    assert_string_not_equal(a.id, b.id);
}

static void keys_for_purposes_differ_and_stay(void **state)
{
    (void)state;
    bf_master master = {0};
    uint8_t token[BF_SECRET_SIZE], again[BF_SECRET_SIZE], address[BF_SECRET_SIZE];
    assert_int_equal(parse(LINE, &master, NULL), BF_OK);
    bf_master_derive(&master, "token", token);
    bf_master_derive(&master, "token", again);
    bf_master_derive(&master, "12345678", address);
    assert_memory_equal(token, again, sizeof token);
    assert_memory_not_equal(token, address, sizeof token);
    assert_memory_not_equal(token, master.key, sizeof token);
    /* BLAKE2b by another implementation: tokens and sealed secrets must outlive an update of the program. */
    static const uint8_t begin[4] = {0x8b, 0x6b, 0xc9, 0x27};
    assert_memory_equal(token, begin, sizeof begin);
    assert_string_equal(master.id, "59a140862a59c8ca");
}

static void sealing_hides_and_opening_checks(void **state)
{
    (void)state;
    bf_master master = {0}, other = {0};
    bf_error err = {0};
    uint8_t sealed[BF_SEALED_SIZE(5)], twice[BF_SEALED_SIZE(5)], opened[5] = {0};
    assert_int_equal(bf_master_random(&master, NULL), BF_OK);
    assert_int_equal(bf_master_random(&other, NULL), BF_OK);
    bf_master_seal(&master, "hello", 5, sealed);
    bf_master_seal(&master, "hello", 5, twice);
    assert_memory_not_equal(sealed, twice, sizeof sealed);
    assert_int_equal(bf_master_open(&master, sealed, sizeof sealed, opened, &err), BF_OK);
    assert_memory_equal(opened, "hello", 5);
    assert_int_equal(bf_master_open(&other, sealed, sizeof sealed, opened, &err), BF_VAULT_LOCKED);
    for (size_t bit = 0; bit < sizeof sealed * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(bf_master_open(&master, sealed, sizeof sealed, opened, &err), BF_VAULT_LOCKED);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < sizeof sealed; size++)
        assert_int_equal(bf_master_open(&master, sealed, size, opened, &err), BF_VAULT_LOCKED);
}

/* A folder of its own for each case; PATH/key is where the key is to be. */
typedef struct place {
    char folder[64];
    char path[128];
} place;

static place place_new(void)
{
    place p = {.folder = "access_master.XXXXXX"};
    assert_non_null(mkdtemp(p.folder));
    (void)snprintf(p.path, sizeof p.path, "%s/key", p.folder);
    return p;
}

static void place_done(place *p)
{
    (void)unlink(p->path);
    assert_int_equal(rmdir(p->folder), 0); /* nothing else was left */
}

static void file_is_made_once(void **state)
{
    (void)state;
    place p = place_new();
    bf_error err = {0};
    bf_master made = {0}, read = {0};
    assert_int_equal(bf_master_read(p.path, false, &made, &err), BF_IO_ERROR);
    assert_int_equal(bf_master_read(p.path, true, &made, &err), BF_OK);
    struct stat info;
    assert_int_equal(stat(p.path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(bf_master_read(p.path, true, &read, &err), BF_OK);
    assert_memory_equal(&read, &made, sizeof made);
    place_done(&p);
}

static void file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    place p = place_new();
    bf_error err = {0};
    bf_master master = {0};
    assert_int_equal(bf_master_read(p.path, true, &master, &err), BF_OK);
    static const mode_t bad[] = {0604, 0602, 0660, 0644, 0777};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(chmod(p.path, bad[i]), 0);
        assert_int_equal(bf_master_read(p.path, true, &master, &err), BF_CONFIG_INVALID);
        assert_non_null(strstr(err.hint, "chmod 600"));
    }
    assert_int_equal(chmod(p.path, 0640), 0);
    assert_int_equal(bf_master_read(p.path, true, &master, &err), geteuid() == 0 ? BF_OK : BF_CONFIG_INVALID);
    assert_int_equal(chmod(p.path, 0400), 0);
    assert_int_equal(bf_master_read(p.path, true, &master, &err), BF_OK);
    place_done(&p);
}

static void file_of_another_form_is_refused_and_left(void **state)
{
    (void)state;
    place p = place_new();
    bf_error err = {0};
    bf_master master = {0};
    char large[5000];
    memset(large, 'A', sizeof large);
    memcpy(large, LINE "\n", sizeof LINE);
    static const char short_text[] = "bonafide-master-key-v1 AAEC\n";
    struct {
        const char *text;
        size_t size;
    } cases[] = {{"", 0}, {short_text, sizeof short_text - 1}, {large, sizeof large}, {LINE "\0\n", sizeof LINE + 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(bf_bytes_write_file(p.path, cases[i].text, cases[i].size, NULL), BF_OK);
        assert_int_equal(chmod(p.path, 0600), 0);
        assert_int_equal(bf_master_read(p.path, true, &master, &err), BF_CONFIG_INVALID);
        assert_non_null(strstr(err.message, p.path));
        struct stat info;
        assert_int_equal(stat(p.path, &info), 0);
        assert_int_equal(info.st_size, cases[i].size);
    }
    assert_int_equal(bf_master_read(p.folder, true, &master, &err), BF_CONFIG_INVALID);
    assert_int_equal(bf_master_read("access_master.none/key", true, &master, &err), BF_IO_ERROR);
    place_done(&p);
}

static void without_memory_no_file_is_made(void **state)
{
    (void)state;
    place p = place_new();
    bf_error err = {0};
    bf_master master = {0};
    (void)bf_alloc_fail_after(1, 1);
    bf_status status = bf_master_read(p.path, true, &master, &err);
    (void)bf_alloc_fail_after(0, 0);
    assert_int_equal(status, BF_OUT_OF_MEMORY);
    assert_int_equal(access(p.path, F_OK), -1);
    place_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_and_written),
        cmocka_unit_test(text_that_is_no_key_is_refused),
        cmocka_unit_test(no_changed_bit_gives_the_same_key),
        cmocka_unit_test(random_keys_differ),
        cmocka_unit_test(keys_for_purposes_differ_and_stay),
        cmocka_unit_test(sealing_hides_and_opening_checks),
        cmocka_unit_test(file_is_made_once),
        cmocka_unit_test(file_that_others_can_read_is_refused),
        cmocka_unit_test(file_of_another_form_is_refused_and_left),
        cmocka_unit_test(without_memory_no_file_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Keys of the audit log and its signed checkpoints. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/note.h"

#define PROCESSES 8

/* Of the documentation of Go's package note: key and signature of another implementation. */
static const char PETER[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/* Of C2SP signed-note. */
static const char EXAMPLE[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

static char folder[] = "/tmp/bonafide-note-XXXXXX";
static bf_log_key key; /* of a fixed seed, named test.example/log */

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static int set_up(void **state)
{
    (void)state;
    uint8_t seed[32];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    (void)snprintf(key.origin, sizeof key.origin, "test.example/log");
    (void)crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
    key.can_sign = true;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"key", "made", "bad", "race"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unlink(path_of(names[i]));
    return rmdir(folder); /* fails when something was left behind */
}

static void test_verifier_keys_of_others(void **state)
{
    (void)state;
    const char *const texts[] = {PETER, EXAMPLE};
    for (size_t i = 0; i < 2; i++) {
        bf_log_key read;
        char written[BF_VERIFIER_KEY_SIZE];
        assert_int_equal(bf_log_verifier_key_read(texts[i], &read, NULL), BF_OK);
        assert_false(read.can_sign);
        bf_log_verifier_key(&read, written);
        assert_string_equal(written, texts[i]);
    }
}

static void test_verifier_keys_are_read_strictly(void **state)
{
    (void)state;
    bf_log_key read = {.origin = "untouched"};
    char text[2 * BF_VERIFIER_KEY_SIZE];
    for (size_t i = 0; i < strlen(EXAMPLE); i++) {
        static const char others[] = {'\0', '\n', ' ', '+', 'z', (char)0xc3};
        for (size_t k = 0; k < sizeof others; k++) {
            (void)snprintf(text, sizeof text, "%s", EXAMPLE);
            if (text[i] == others[k])
                continue;
            text[i] = others[k];
            assert_int_equal(bf_log_verifier_key_read(text, &read, NULL), BF_INVALID_ARGUMENT);
        }
        (void)snprintf(text, sizeof text, "%.*s", (int)i, EXAMPLE);
        assert_int_equal(bf_log_verifier_key_read(text, &read, NULL), BF_INVALID_ARGUMENT);
        (void)snprintf(text, sizeof text, "%.*s", (int)strlen(EXAMPLE) + 1, EXAMPLE);
        text[i] = text[i + 1];
    }
    (void)snprintf(text, sizeof text, "%s\n\n", EXAMPLE);
    assert_int_equal(bf_log_verifier_key_read(text, &read, NULL), BF_INVALID_ARGUMENT);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(bf_log_verifier_key_read(text, &read, NULL), BF_INVALID_ARGUMENT);
    assert_string_equal(read.origin, "untouched");
    (void)snprintf(text, sizeof text, "%s\n", EXAMPLE);
    assert_int_equal(bf_log_verifier_key_read(text, &read, NULL), BF_OK);
}

static void test_a_key_file_is_made_once(void **state)
{
    (void)state;
    bf_log_key made, again;
    bf_error err = {0};
    struct stat facts;
    assert_int_equal(bf_log_key_read(path_of("made"), "a.example", false, &made, &err), BF_IO_ERROR);
    assert_int_equal(bf_log_key_read(path_of("made"), "two words", true, &made, &err), BF_CONFIG_INVALID);
    assert_int_equal(bf_log_key_read(path_of("made"), "a.example", true, &made, &err), BF_OK);
    assert_int_equal(stat(path_of("made"), &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_string_equal(made.origin, "a.example");
    assert_true(made.can_sign);
    assert_int_equal(bf_log_key_read(path_of("made"), "another", true, &again, &err), BF_OK);
    assert_memory_equal(&made, &again, sizeof made);
    assert_int_equal(bf_log_key_read("/nowhere/at/all", "a.example", true, &made, &err), BF_IO_ERROR);
    assert_int_equal(bf_log_key_read(folder, "a.example", true, &made, &err), BF_CONFIG_INVALID);
    bf_log_key_done(&made);
    static const bf_log_key nothing;
    assert_memory_equal(&made, &nothing, sizeof made);
}

static void test_processes_that_make_it_at_once_agree(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            bf_log_key mine = {0};
            bool told = bf_log_key_read(path_of("race"), "a.example", true, &mine, NULL) == BF_OK &&
                        write(ends[1], mine.public_key, sizeof mine.public_key) == sizeof mine.public_key;
            _exit(told ? 0 : 1);
        }
    }
    uint8_t first[32], other[32];
    assert_int_equal(read(ends[0], first, sizeof first), sizeof first);
    for (int i = 1; i < PROCESSES; i++) {
        assert_int_equal(read(ends[0], other, sizeof other), sizeof other);
        assert_memory_equal(first, other, sizeof first);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int how = 0;
        assert_true(wait(&how) > 0);
        assert_int_equal(how, 0);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_a_key_file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0604, 0620, 0602, 0610, 0601};
    static const char line[] = "bonafide-log-key-v1 a.example AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    bf_log_key read;
    bf_error err = {0};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        write_file(path_of("key"), line, modes[i]);
        assert_int_equal(bf_log_key_read(path_of("key"), NULL, false, &read, &err), BF_CONFIG_INVALID);
        assert_non_null(strstr(err.hint, "chmod 600"));
    }
    /* A group may read what is root's: the service's group, where root keeps the key. */
    write_file(path_of("key"), line, 0640);
    bf_status of_group = geteuid() == 0 ? BF_OK : BF_CONFIG_INVALID;
    assert_int_equal(bf_log_key_read(path_of("key"), NULL, false, &read, &err), of_group);
    write_file(path_of("key"), line, 0400);
    assert_int_equal(bf_log_key_read(path_of("key"), NULL, false, &read, &err), BF_OK);
    assert_memory_equal(read.secret_key, key.secret_key, sizeof read.secret_key);
}

static void test_key_files_that_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n",
        "bonafide-log-key-v1",
        "bonafide-log-key-v1 a.example",
        "bonafide-log-key-v1 a.example ",
        "bonafide-log-key-v2 a.example AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "bonafide-log-key-v1  AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "bonafide-log-key-v1 a+b AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "bonafide-log-key-v1 a.example AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "bonafide-log-key-v1 a.example AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "bonafide-log-key-v1 a.example AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
        "bonafide-log-key-v1 a.example AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8fHw==",
        "bonafide-log-key-v1 a.example AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nmore",
        "bonafide-log-key-v1 a.example AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= ",
    };
    bf_log_key read = {.origin = "untouched"};
    bf_error err = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_file(path_of("bad"), texts[i], 0600);
        assert_int_equal(bf_log_key_read(path_of("bad"), "a.example", true, &read, &err), BF_CONFIG_INVALID);
    }
    char large[1000];
    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    write_file(path_of("bad"), large, 0600);
    assert_int_equal(bf_log_key_read(path_of("bad"), "a.example", true, &read, &err), BF_CONFIG_INVALID);
    assert_string_equal(read.origin, "untouched");
}

static bf_checkpoint sample(void)
{
    bf_checkpoint checkpoint = {.size = 1234567};
    for (int i = 0; i < BF_HASH_SIZE; i++)
        checkpoint.root.byte[i] = (uint8_t)(200 + i);
    return checkpoint;
}

static bf_status verify(const char *text)
{
    bf_checkpoint read;
    bf_error err = {0};
    bf_status status = bf_note_verify(&key, text, strlen(text), &read, &err);
    assert_int_equal(err.status, status);
    return status;
}

static void test_a_signed_checkpoint(void **state)
{
    (void)state;
    bf_checkpoint checkpoint = sample(), read;
    char note[BF_NOTE_SIZE];
    bf_note_sign(&key, &checkpoint, note);
    static const char start[] = "test.example/log\n1234567\nyMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5uc=\n\n"
                                "\xe2\x80\x94 test.example/log ";
    assert_memory_equal(note, start, strlen(start));
    assert_int_equal(bf_note_verify(&key, note, strlen(note), &read, NULL), BF_OK);
    assert_int_equal(read.size, checkpoint.size);
    assert_memory_equal(&read.root, &checkpoint.root, sizeof read.root);
    assert_int_equal(bf_note_read(note, strlen(note), &read, NULL), BF_OK);
    /* The longest one fits. */
    bf_log_key longest = key;
    memset(longest.origin, 'o', sizeof longest.origin - 1);
    checkpoint.size = BF_LOG_SIZE_MAX;
    bf_note_sign(&longest, &checkpoint, note);
    assert_int_equal(bf_note_verify(&longest, note, strlen(note), &read, NULL), BF_OK);
    assert_int_equal(read.size, BF_LOG_SIZE_MAX);
}

/* Every byte of a note in turn changed, left out, or the end of it. */
static void test_no_byte_can_be_changed(void **state)
{
    (void)state;
    bf_checkpoint checkpoint = sample();
    char note[BF_NOTE_SIZE], wrong[BF_NOTE_SIZE];
    bf_note_sign(&key, &checkpoint, note);
    size_t size = strlen(note);
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(wrong, note, size + 1);
            wrong[i] = (char)(wrong[i] ^ 1 << bit);
            bf_status status = bf_note_verify(&key, wrong, size, &checkpoint, NULL);
            assert_true(status == BF_AUDIT_TAMPERED || status == BF_INVALID_ARGUMENT);
        }
        memcpy(wrong, note, size + 1);
        memmove(wrong + i, wrong + i + 1, size - i - 1);
        assert_int_not_equal(bf_note_verify(&key, wrong, size - 1, &checkpoint, NULL), BF_OK);
        assert_int_not_equal(bf_note_verify(&key, note, i, &checkpoint, NULL), BF_OK);
    }
}

/* Signs any text as a note. */
static const char *signed_text(const bf_log_key *with, const char *text)
{
    static char note[4096];
    uint8_t blob[BF_LOG_KEY_ID_SIZE + crypto_sign_BYTES];
    char encoded[128];
    bf_log_key_id(with, blob);
    (void)crypto_sign_detached(blob + BF_LOG_KEY_ID_SIZE, NULL, (const uint8_t *)text, strlen(text), with->secret_key);
    sodium_bin2base64(encoded, sizeof encoded, blob, sizeof blob, sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(note, sizeof note, "%s\n\xe2\x80\x94 %s %s\n", text, with->origin, encoded);
    return note;
}

#define ROOT "yMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5uc="

static void test_signed_text_that_is_no_checkpoint(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "test.example/log\n",
        "test.example/log\n1\n",
        "test.example/log\n\n",
        "test.example/log\n01\n" ROOT "\n",
        "test.example/log\n-1\n" ROOT "\n",
        "test.example/log\n+1\n" ROOT "\n",
        "test.example/log\n 1\n" ROOT "\n",
        "test.example/log\n1 \n" ROOT "\n",
        "test.example/log\n1e3\n" ROOT "\n",
        "test.example/log\n\n" ROOT "\n",
        "test.example/log\n9007199254740993\n" ROOT "\n",
        "test.example/log\n99999999999999999999999\n" ROOT "\n",
        "test.example/log\n1\n" ROOT " \n",
        "test.example/log\n1\nAAAA\n",
        "test.example/log\n1\nyMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5ud=\n",
        "test.example/log\n1\n" ROOT "\r\n",
        "\n1\n" ROOT "\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(verify(signed_text(&key, texts[i])), BF_INVALID_ARGUMENT);
    assert_int_equal(verify(signed_text(&key, "test.example/log\n0\n" ROOT "\n")), BF_OK);
    assert_int_equal(verify(signed_text(&key, "test.example/log\n1\n" ROOT "\nan extension\n")), BF_OK);
    assert_int_equal(verify(signed_text(&key, "other.example/log\n1\n" ROOT "\n")), BF_AUDIT_TAMPERED);
}

static void test_signatures_of_others(void **state)
{
    (void)state;
    static const char text[] = "test.example/log\n1\n" ROOT "\n";
    char note[16384], extra[16384 + 32], own[1024];
    bf_log_key other = key;
    (void)snprintf(other.origin, sizeof other.origin, "witness.example");
    (void)snprintf(own, sizeof own, "%s", strrchr(signed_text(&key, text), '\xe2'));
    assert_int_equal(verify(signed_text(&other, text)), BF_AUDIT_TAMPERED);
    /* Before and behind the own one they do not matter; alone they are not enough. */
    (void)snprintf(note, sizeof note, "%s%s", signed_text(&other, text), own);
    assert_int_equal(verify(note), BF_OK);
    (void)snprintf(note, sizeof note, "%s\xe2\x80\x94 w AAAA\n", signed_text(&key, text));
    assert_int_equal(verify(note), BF_OK);
    (void)snprintf(note, sizeof note, "%snot a signature\n", signed_text(&key, text));
    assert_int_equal(verify(note), BF_INVALID_ARGUMENT);
    /* The same name with another key: passed over, for the four bytes tell them apart. */
    (void)crypto_sign_keypair(other.public_key, other.secret_key);
    (void)snprintf(other.origin, sizeof other.origin, "%s", key.origin);
    assert_int_equal(verify(signed_text(&other, text)), BF_AUDIT_TAMPERED);
    /* The signature is of another text. */
    (void)snprintf(note, sizeof note, "%s", signed_text(&key, text));
    note[strlen("test.example/log\n")] = '2';
    assert_int_equal(verify(note), BF_AUDIT_TAMPERED);
    /* As many lines as are read, and one more. */
    (void)snprintf(note, sizeof note, "%s", signed_text(&key, text));
    for (int i = 1; i < BF_NOTE_SIGNATURES_MAX; i++) {
        (void)snprintf(extra, sizeof extra, "%s\xe2\x80\x94 w AAAA\n", note);
        memcpy(note, extra, sizeof note);
    }
    assert_int_equal(verify(note), BF_OK);
    (void)snprintf(extra, sizeof extra, "%s\xe2\x80\x94 w AAAA\n", note);
    assert_int_equal(verify(extra), BF_INVALID_ARGUMENT);
}

static void test_texts_beyond_the_ceiling(void **state)
{
    (void)state;
    static char large[BF_NOTE_BYTES_MAX + 2];
    const char *note = signed_text(&key, "test.example/log\n1\n" ROOT "\n");
    memset(large, 'x', sizeof large - 1);
    memcpy(large, note, strlen(note)); /* NOLINT(bugprone-not-null-terminated-result): more text follows */
    large[sizeof large - 2] = '\n';
    bf_checkpoint read;
    assert_int_equal(bf_note_verify(&key, large, sizeof large - 1, &read, NULL), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_note_verify(&key, NULL, 0, &read, NULL), BF_INVALID_ARGUMENT);
    assert_int_equal(bf_note_read("\n\n", 2, &read, NULL), BF_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verifier_keys_of_others),
        cmocka_unit_test(test_verifier_keys_are_read_strictly),
        cmocka_unit_test(test_a_key_file_is_made_once),
        cmocka_unit_test(test_processes_that_make_it_at_once_agree),
        cmocka_unit_test(test_a_key_file_that_others_can_read_is_refused),
        cmocka_unit_test(test_key_files_that_are_none),
        cmocka_unit_test(test_a_signed_checkpoint),
        cmocka_unit_test(test_no_byte_can_be_changed),
        cmocka_unit_test(test_signed_text_that_is_no_checkpoint),
        cmocka_unit_test(test_signatures_of_others),
        cmocka_unit_test(test_texts_beyond_the_ceiling),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, set_up, tear_down);
}

/* The log's key: its file, and its public half as text. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "audit/base64.h"
#include "audit/note.h"
#include "base/attr.h"
#include "base/error.h"

#define KEY_FILE_WORD "bonafide-log-key-v1"
#define KEY_FILE_BYTES_MAX 256
#define ALGORITHM_ED25519 0x01
#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define PATH_SIZE 4096

void bf_log_key_done(bf_log_key *key)
{
    sodium_memzero(key, sizeof *key);
}

bool bf_origin_is_valid(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '+')
            return false;
    return size > 0 && size < BF_ORIGIN_SIZE;
}

void bf_log_key_id(const bf_log_key *key, uint8_t ret[BF_LOG_KEY_ID_SIZE])
{
    static const uint8_t separator[] = {'\n', ALGORITHM_ED25519};
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)key->origin, strlen(key->origin));
    crypto_hash_sha256_update(&state, separator, sizeof separator);
    crypto_hash_sha256_update(&state, key->public_key, sizeof key->public_key);
    crypto_hash_sha256_final(&state, digest);
    memcpy(ret, digest, BF_LOG_KEY_ID_SIZE);
}

void bf_log_verifier_key(const bf_log_key *key, char ret[BF_VERIFIER_KEY_SIZE])
{
    uint8_t id[BF_LOG_KEY_ID_SIZE], typed[1 + sizeof key->public_key] = {ALGORITHM_ED25519};
    char hex[2 * BF_LOG_KEY_ID_SIZE + 1], encoded[sodium_base64_ENCODED_LEN(sizeof typed, BASE64)];
    bf_log_key_id(key, id);
    memcpy(typed + 1, key->public_key, sizeof key->public_key);
    sodium_bin2hex(hex, sizeof hex, id, sizeof id);
    sodium_bin2base64(encoded, sizeof encoded, typed, sizeof typed, BASE64);
    (void)snprintf(ret, BF_VERIFIER_KEY_SIZE, "%s+%s+%s", key->origin, hex, encoded);
}

/* Copies `size` bytes as the origin; false when they cannot be one. */
static bool take_origin(const char *text, size_t size, bf_log_key *key)
{
    if (size >= sizeof key->origin)
        return false;
    memcpy(key->origin, text, size);
    key->origin[size] = '\0';
    return strlen(key->origin) == size && bf_origin_is_valid(key->origin);
}

static bool read_verifier_key(const char *text, bf_log_key *key)
{
    uint8_t id[BF_LOG_KEY_ID_SIZE], typed[1 + sizeof key->public_key];
    char hex[2 * BF_LOG_KEY_ID_SIZE + 1];
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        length--;
    const char *hash = memchr(text, '+', length);
    if (!hash || !take_origin(text, (size_t)(hash - text), key))
        return false;
    hash++;
    size_t rest = length - (size_t)(hash - text);
    if (rest < sizeof hex || hash[sizeof hex - 1] != '+')
        return false;
    if (!bf_base64_exact(hash + sizeof hex, rest - sizeof hex, typed, sizeof typed) || typed[0] != ALGORITHM_ED25519)
        return false;
    memcpy(key->public_key, typed + 1, sizeof key->public_key);
    bf_log_key_id(key, id);
    sodium_bin2hex(hex, sizeof hex, id, sizeof id);
    return memcmp(hex, hash, sizeof hex - 1) == 0;
}

bf_status bf_log_verifier_key_read(const char *text, bf_log_key *ret, bf_error *err)
{
    bf_log_key key = {0};
    if (strlen(text) >= BF_VERIFIER_KEY_SIZE || !read_verifier_key(text, &key)) {
        (void)bf_fail(err, BF_INVALID_ARGUMENT, "The text is no verifier key of a log.");
        bf_fail_hint(err, "It has the form NAME+HEX+BASE64, as 'bonafide audit key' prints it.");
        return BF_INVALID_ARGUMENT;
    }
    *ret = key;
    return BF_OK;
}

static void close_file(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void wipe_line(char (*line)[KEY_FILE_BYTES_MAX])
{
    sodium_memzero(*line, sizeof *line);
}

static bf_status fail_file(bf_error *err, const char *path, const char *what, int number)
{
    (void)bf_fail(err, BF_IO_ERROR, "The audit log's key file '%s' cannot be %s.", path, what);
    bf_fail_detail(err, "%s", strerrordesc_np(number));
    return BF_IO_ERROR;
}

/* Keeps the key of a seed. */
static void take_seed(const uint8_t seed[crypto_sign_SEEDBYTES], bf_log_key *key)
{
    (void)crypto_sign_seed_keypair(key->public_key, key->secret_key, seed);
    key->can_sign = true;
}

/* Reads the file's one line, without its newline. */
static bool read_line(const char *line, size_t size, bf_log_key *key)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    size_t word = strlen(KEY_FILE_WORD " ");
    if (size <= word || memcmp(line, KEY_FILE_WORD " ", word) != 0)
        return false;
    const char *origin = line + word, *blank = memchr(origin, ' ', size - word);
    if (!blank || !take_origin(origin, (size_t)(blank - origin), key))
        return false;
    bool sound = bf_base64_exact(blank + 1, size - (size_t)(blank + 1 - line), seed, sizeof seed);
    if (sound)
        take_seed(seed, key);
    sodium_memzero(seed, sizeof seed);
    return sound;
}

static bf_status read_key_file(int fd, const char *path, bf_log_key *ret, bf_error *err)
{
    BF_CLEANUP(bf_log_key_done) bf_log_key key = {0};
    BF_CLEANUP(wipe_line) char line[KEY_FILE_BYTES_MAX];
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return fail_file(err, path, "read", errno);
    if (!S_ISREG(facts.st_mode))
        return bf_fail(err, BF_CONFIG_INVALID, "The audit log's key '%s' is not a regular file.", path);
    if (facts.st_mode & 077) {
        (void)bf_fail(err, BF_CONFIG_INVALID, "The audit log's key file '%s' can be used by others.", path);
        bf_fail_hint(err, "chmod 600 '%s'; whoever may have read it can forge the log.", path);
        return BF_CONFIG_INVALID;
    }
    ssize_t got = read(fd, line, sizeof line);
    if (got < 0)
        return fail_file(err, path, "read", errno);
    size_t size = (size_t)got;
    if (size > 0 && line[size - 1] == '\n')
        size--;
    if (size == sizeof line || !read_line(line, size, &key))
        return bf_fail(err, BF_CONFIG_INVALID, "The file '%s' is no audit log key.", path);
    *ret = key;
    return BF_OK;
}

/* Writes a new key beside `path` and gives it that name unless another process was faster. */
static bf_status write_key_file(const char *path, const char *origin, bf_error *err)
{
    char fresh[PATH_SIZE];
    BF_CLEANUP(wipe_line) char line[KEY_FILE_BYTES_MAX];
    uint8_t seed[crypto_sign_SEEDBYTES];
    char encoded[sodium_base64_ENCODED_LEN(sizeof seed, BASE64)];
    int length = snprintf(fresh, sizeof fresh, "%s.%08x%08x", path, randombytes_random(), randombytes_random());
    if (length < 0 || (size_t)length >= sizeof fresh)
        return fail_file(err, path, "written", ENAMETOOLONG);
    BF_CLEANUP(close_file) int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail_file(err, path, "written", errno);
    randombytes_buf(seed, sizeof seed);
    sodium_bin2base64(encoded, sizeof encoded, seed, sizeof seed, BASE64);
    int size = snprintf(line, sizeof line, KEY_FILE_WORD " %s %s\n", origin, encoded);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(encoded, sizeof encoded);
    bool written = write(fd, line, (size_t)size) == size && fsync(fd) == 0;
    if (written && link(fresh, path) != 0 && errno != EEXIST)
        written = false;
    int number = errno;
    (void)unlink(fresh);
    return written ? BF_OK : fail_file(err, path, "written", number);
}

/* A key whose name is lost with the power would leave a log that nobody can continue. */
static bf_status sync_folder(const char *path, bf_error *err)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) + 1 : 1;
    (void)snprintf(folder, sizeof folder, "%.*s", length, slash ? path : ".");
    BF_CLEANUP(close_file) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? BF_OK : fail_file(err, path, "written", errno);
}

bf_status bf_log_key_read(const char *path, const char *origin_when_created, bool create, bf_log_key *ret,
                          bf_error *err)
{
    BF_CLEANUP(close_file) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT && create) {
        if (!bf_origin_is_valid(origin_when_created))
            return bf_fail(err, BF_CONFIG_INVALID,
                           "The audit log's origin must be 1 to %d printable characters without blanks and '+'.",
                           BF_ORIGIN_SIZE - 1);
        bf_status status = write_key_file(path, origin_when_created, err);
        if (status == BF_OK)
            status = sync_folder(path, err);
        if (status != BF_OK)
            return status;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    return fd >= 0 ? read_key_file(fd, path, ret, err) : fail_file(err, path, "read", errno);
}

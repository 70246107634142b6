#include "dataset/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "dataset/csv.h"

#define DIGEST_BYTES 16
#define KEY_COLUMNS "sha256,reference,channel"
#define KEY_COUNT 3
#define KEY_TEXT_SIZE 256

typedef struct entry {
    unsigned char digest[DIGEST_BYTES];
    uint64_t offset; /* of the judgement in the file; 0: a free slot, since the file begins with a header */
    size_t size;
} entry;

struct bf_journal {
    char *path;
    int fd;
    pthread_mutex_t lock;
    entry *slot; /* open addressing, a power of two of them */
    size_t slot_count, used;
};

/* "sha256,reference,channel," of a row; its values never need quotes. Returns its length, 0 when it is too long. */
static size_t key_text(const bf_journal_key *key, char ret[KEY_TEXT_SIZE])
{
    int length = snprintf(ret, KEY_TEXT_SIZE, "%s,%s,%s,", key->sha256, key->reference, key->channel);
    return length > 0 && length < KEY_TEXT_SIZE ? (size_t)length : 0;
}

static void digest_key(const char *text, size_t size, unsigned char ret[DIGEST_BYTES])
{
    (void)crypto_generichash(ret, DIGEST_BYTES, (const unsigned char *)text, size, NULL, 0);
}

static entry *find(entry *slot, size_t count, const unsigned char digest[DIGEST_BYTES])
{
    uint64_t start = 0;
    memcpy(&start, digest, sizeof start);
    size_t at = (size_t)start & (count - 1);
    while (slot[at].offset != 0 && memcmp(slot[at].digest, digest, DIGEST_BYTES) != 0)
        at = (at + 1) & (count - 1);
    return &slot[at];
}

static bool grow(bf_journal *journal)
{
    size_t count = journal->slot_count ? journal->slot_count * 2 : 1024;
    entry *slot = bf_calloc(count, sizeof *slot);
    if (!slot)
        return false;
    for (size_t i = 0; i < journal->slot_count; i++) {
        if (journal->slot[i].offset != 0)
            *find(slot, count, journal->slot[i].digest) = journal->slot[i];
    }
    bf_free(journal->slot);
    journal->slot = slot;
    journal->slot_count = count;
    return true;
}

/* The later of two judgements counts: they are equal but for their times. */
static bool note(bf_journal *journal, const char *key, size_t key_size, uint64_t offset, size_t size)
{
    entry found = {.offset = offset, .size = size};
    digest_key(key, key_size, found.digest);
    if (journal->used * 2 >= journal->slot_count && !grow(journal))
        return false;
    entry *slot = find(journal->slot, journal->slot_count, found.digest);
    journal->used += slot->offset == 0;
    *slot = found;
    return true;
}

static bf_status fail_io(const bf_journal *journal, const char *what, bf_error *err)
{
    return bf_fail(err, BF_IO_ERROR, "Cannot %s %.200s: %s.", what, journal->path, strerror(errno));
}

static bf_status start_anew(bf_journal *journal, const char *header, bf_error *err)
{
    if (ftruncate(journal->fd, 0) == 0 && bf_write_all(journal->fd, KEY_COLUMNS ",", sizeof KEY_COLUMNS) &&
        bf_write_all(journal->fd, header, strlen(header)) && bf_write_all(journal->fd, "\n", 1))
        return BF_OK;
    return fail_io(journal, "write", err);
}

/* Whether the table has exactly the columns that are wanted. */
static bool has_columns(const bf_csv_reader *csv, const char *header)
{
    static const char *const keys[] = {"sha256", "reference", "channel"};
    size_t count = bf_csv_column_count(csv);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (i >= count || strcmp(bf_csv_column(csv, i), keys[i]) != 0)
            return false;
    }
    for (size_t i = KEY_COUNT; i < count; i++) {
        size_t size = strcspn(header, ",");
        if (strlen(bf_csv_column(csv, i)) != size || memcmp(bf_csv_column(csv, i), header, size) != 0)
            return false;
        header += size + (header[size] == ',');
    }
    return *header == '\0';
}

static bool note_row(bf_journal *journal, const bf_csv_field *row, uint64_t from, uint64_t to)
{
    char key[KEY_TEXT_SIZE];
    size_t size = key_text(&(bf_journal_key){row[0].text, row[1].text, row[2].text}, key);
    return size == 0 || to <= from + size + 1 || note(journal, key, size, from + size, (size_t)(to - from) - size - 1);
}

/* Whether the byte before `offset` ends a line: the last row of a crashed run may lack its end and still look whole. */
static bool line_ends_at(int fd, uint64_t offset)
{
    char last = 0;
    return offset > 0 && pread(fd, &last, 1, (off_t)offset - 1) == 1 && last == '\n';
}

/* Reads what is there up to the first row that is broken, and cuts the file after it. */
static bf_status load(bf_journal *journal, const char *header, bf_error *err)
{
    BF_CLEANUP(bf_csv_free) bf_csv_reader *csv = NULL;
    const bf_csv_field *row = NULL;
    bf_status status = bf_csv_open(journal->path, &csv, err);
    if (status == BF_OUT_OF_MEMORY || status == BF_IO_ERROR)
        return status;
    if (status != BF_OK || !has_columns(csv, header) || !line_ends_at(journal->fd, bf_csv_offset(csv)))
        return start_anew(journal, header, err);
    uint64_t good = bf_csv_offset(csv);
    while (bf_csv_next(csv, &row, NULL) == BF_OK && row && line_ends_at(journal->fd, bf_csv_offset(csv))) {
        uint64_t end = bf_csv_offset(csv);
        if (!note_row(journal, row, good, end))
            return bf_fail_memory(err);
        good = end;
    }
    return ftruncate(journal->fd, (off_t)good) == 0 ? BF_OK : fail_io(journal, "repair", err);
}

bf_status bf_journal_open(const char *path, const char *header, bf_journal **ret, bf_error *err)
{
    BF_CLEANUP(bf_journal_free) bf_journal *journal = bf_calloc(1, sizeof *journal);
    if (!journal)
        return bf_fail_memory(err);
    (void)pthread_mutex_init(&journal->lock, NULL);
    journal->fd = -1;
    journal->path = bf_strdup(path);
    if (!journal->path || !grow(journal))
        return bf_fail_memory(err);
    journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (journal->fd < 0 || flock(journal->fd, LOCK_EX) != 0)
        return fail_io(journal, "open", err);
    bf_status status = load(journal, header, err);
    (void)flock(journal->fd, LOCK_UN);
    if (status != BF_OK)
        return status;
    *ret = journal;
    journal = NULL; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

void bf_journal_free(bf_journal **journal)
{
    if (!*journal)
        return;
    if ((*journal)->fd >= 0)
        (void)close((*journal)->fd);
    (void)pthread_mutex_destroy(&(*journal)->lock);
    bf_free((*journal)->slot);
    bf_free((*journal)->path);
    bf_free(*journal);
    *journal = NULL;
}

static entry look_up(bf_journal *journal, const bf_journal_key *key)
{
    char text[KEY_TEXT_SIZE];
    unsigned char digest[DIGEST_BYTES];
    digest_key(text, key_text(key, text), digest);
    (void)pthread_mutex_lock(&journal->lock);
    entry found = *find(journal->slot, journal->slot_count, digest);
    (void)pthread_mutex_unlock(&journal->lock);
    return found;
}

bool bf_journal_has(bf_journal *journal, const bf_journal_key *key)
{
    return look_up(journal, key).offset != 0;
}

bf_status bf_journal_get(bf_journal *journal, const bf_journal_key *key, char *ret, size_t ret_size, size_t *ret_used,
                         bf_error *err)
{
    entry found = look_up(journal, key);
    if (found.offset == 0 || found.size > ret_size)
        return bf_fail(err, BF_NOT_FOUND, "%.200s holds no judgement of that picture.", journal->path);
    for (size_t done = 0; done < found.size;) {
        ssize_t got = pread(journal->fd, ret + done, found.size - done, (off_t)(found.offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail_io(journal, "read", err);
        done += (size_t)got;
    }
    *ret_used = found.size;
    return BF_OK;
}

/* The row as one write at the end of the file; what fails halfway is taken back. */
static bf_status append_row(bf_journal *journal, const char *row, size_t size, uint64_t *ret_offset, bf_error *err)
{
    if (flock(journal->fd, LOCK_EX) != 0)
        return fail_io(journal, "lock", err);
    off_t offset = lseek(journal->fd, 0, SEEK_END);
    bool good = offset > 0 && bf_write_all(journal->fd, row, size);
    bf_status status = good ? BF_OK : fail_io(journal, "write", err);
    if (!good && offset > 0)
        (void)!ftruncate(journal->fd, offset);
    (void)flock(journal->fd, LOCK_UN);
    *ret_offset = (uint64_t)offset;
    return status;
}

bf_status bf_journal_add(bf_journal *journal, const bf_journal_key *key, const char *text, size_t size, bf_error *err)
{
    char prefix[KEY_TEXT_SIZE];
    size_t key_size = key_text(key, prefix);
    BF_CLEANUP(bf_free_string) char *row = bf_malloc(key_size + size + 1);
    if (!row || key_size == 0)
        return bf_fail_memory(err);
    memcpy(row, prefix, key_size);
    memcpy(row + key_size, text, size);
    row[key_size + size] = '\n';
    uint64_t offset = 0;
    (void)pthread_mutex_lock(&journal->lock);
    bf_status status = append_row(journal, row, key_size + size + 1, &offset, err);
    if (status == BF_OK && !note(journal, prefix, key_size, offset + key_size, size))
        status = bf_fail_memory(err);
    (void)pthread_mutex_unlock(&journal->lock);
    return status;
}

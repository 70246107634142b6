#include "dataset/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"

#define READ_BYTES (256u << 10)
#define BUFFER_BYTES (BF_CSV_ROW_BYTES_MAX + READ_BYTES)
#define DIGITS_EXACT 15     /* decimal digits that a double always holds */
#define POWER_OF_TEN_MAX 22 /* 10^22 is the largest power of ten that is a double exactly */
#define NUMBER_BYTES_MAX 64

struct bf_csv_reader {
    char *name;
    int fd;
    char *buffer;    /* BUFFER_BYTES and one byte for a sentinel */
    size_t at, end;  /* the part of it that is not read yet */
    uint64_t before; /* bytes of the file in front of the buffer */
    bool at_end;     /* the file has no more than what is in the buffer */
    uint64_t row;
    size_t column_count;
    char *column[BF_CSV_COLUMNS_MAX];
    bf_csv_field field[BF_CSV_COLUMNS_MAX + 1]; /* one more than allowed, to see that there are too many */
};

/* How the scan of one row ended. */
typedef enum outcome {
    ROW_COMPLETE,
    ROW_UNFINISHED, /* the buffer ends first */
    ROW_STRAY_QUOTE,
    ROW_OPEN_QUOTE,
    ROW_STRAY_RETURN,
    ROW_NUL,
    ROW_TOO_MANY
} outcome;

/* Where a row's scan stands. */
typedef struct scan {
    char *at, *end; /* *end is a line feed that is not part of the file */
    bool last;      /* the file ends at `end` */
    unsigned char bits;
    size_t count; /* fields */
} scan;

/* Bytes that an unquoted value cannot run over. */
static const bool STOPS[256] = {['\0'] = true, ['\n'] = true, ['\r'] = true, ['"'] = true, [','] = true};

/* A doubled quote inside is left as it is: a row that the buffer cuts is scanned again. */
static outcome scan_quoted(scan *s, bf_csv_field *field)
{
    char *from = s->at + 1, *at = from;
    for (;;) {
        at = memchr(at, '"', (size_t)(s->end - at));
        if (!at)
            return s->last ? ROW_OPEN_QUOTE : ROW_UNFINISHED;
        if (at + 1 == s->end || at[1] != '"')
            break;
        at += 2;
    }
    if (at + 1 == s->end && !s->last)
        return ROW_UNFINISHED;
    if (memchr(from, '\0', (size_t)(at - from)))
        return ROW_NUL;
    for (char *byte = from; byte < at; byte++)
        s->bits |= (unsigned char)*byte;
    *field = (bf_csv_field){from, (size_t)(at - from)};
    s->at = at + 1;
    return ROW_COMPLETE;
}

static outcome scan_plain(scan *s, bf_csv_field *field)
{
    const unsigned char *at = (const unsigned char *)s->at;
    unsigned char bits = s->bits;
    while (!STOPS[*at])
        bits |= *at++;
    s->bits = bits;
    *field = (bf_csv_field){s->at, (size_t)((const char *)at - s->at)};
    s->at += field->size;
    return *s->at == '"' ? ROW_STRAY_QUOTE : ROW_COMPLETE;
}

/* What follows a value: *ret_more says whether another value does. */
static outcome scan_separator(scan *s, bool *ret_more)
{
    *ret_more = false;
    if (s->at == s->end)
        return s->last ? ROW_COMPLETE : ROW_UNFINISHED;
    switch (*s->at) {
    case ',':
        s->at++;
        *ret_more = true;
        return ROW_COMPLETE;
    case '\n':
        s->at++;
        return ROW_COMPLETE;
    case '\r':
        if (s->at + 1 == s->end && !s->last)
            return ROW_UNFINISHED;
        if (s->at + 1 == s->end || s->at[1] != '\n')
            return ROW_STRAY_RETURN;
        s->at += 2;
        return ROW_COMPLETE;
    case '\0':
        return ROW_NUL;
    default:
        return ROW_STRAY_QUOTE; /* text behind a closing quote */
    }
}

/* Finds the fields of the row at s->at without changing a byte. */
static outcome scan_row(scan *s, bf_csv_field *fields)
{
    outcome found = ROW_COMPLETE;
    for (bool more = true; more && found == ROW_COMPLETE;) {
        if (s->count > BF_CSV_COLUMNS_MAX)
            return ROW_TOO_MANY;
        bf_csv_field *field = &fields[s->count];
        found = *s->at == '"' && s->at < s->end ? scan_quoted(s, field) : scan_plain(s, field);
        s->count++;
        if (found == ROW_COMPLETE)
            found = scan_separator(s, &more);
    }
    return found;
}

/* Puts a NUL behind the value and takes doubled quotes apart. */
static void finish_field(bf_csv_field *field, char *buffer)
{
    char *text = buffer + (field->text - buffer);
    if (field->text > buffer && field->text[-1] == '"') {
        size_t size = 0;
        for (size_t i = 0; i < field->size; i++) {
            text[size++] = text[i];
            if (text[i] == '"')
                i++;
        }
        field->size = size;
    }
    text[field->size] = '\0';
}

static bf_status fail_io(const bf_csv_reader *reader, bf_error *err)
{
    return bf_fail(err, BF_IO_ERROR, "Cannot read %.200s: %s.", reader->name, strerror(errno));
}

/* Moves what is left to the buffer's beginning and reads on. */
static bf_status refill(bf_csv_reader *reader, bf_error *err)
{
    memmove(reader->buffer, reader->buffer + reader->at, reader->end - reader->at);
    reader->before += reader->at;
    reader->end -= reader->at;
    reader->at = 0;
    while (reader->end < BUFFER_BYTES && !reader->at_end) {
        ssize_t got = read(reader->fd, reader->buffer + reader->end, BUFFER_BYTES - reader->end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_io(reader, err);
        reader->at_end = got == 0;
        reader->end += (size_t)got;
    }
    return BF_OK;
}

static bf_status fail_scan(const bf_csv_reader *reader, outcome found, bf_error *err)
{
    static const char *const why[] = {
        [ROW_COMPLETE] = "",
        [ROW_UNFINISHED] = "the row is too long, or a quote is never closed",
        [ROW_STRAY_QUOTE] = "a quote stands where none may; write a value with quotes in it as \"a \"\"word\"\"\"",
        [ROW_OPEN_QUOTE] = "a quote is never closed",
        [ROW_STRAY_RETURN] = "a carriage return stands alone; end lines with LF or CR LF",
        [ROW_NUL] = "there is a NUL byte; save the table as UTF-8 text",
        [ROW_TOO_MANY] = "there are too many columns",
    };
    return bf_csv_fail(reader, err, "%s.", why[found]);
}

static bf_status check_fields(const bf_csv_reader *reader, const scan *s, bf_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        if (reader->field[i].size > BF_CSV_FIELD_BYTES_MAX)
            return bf_csv_fail(reader, err, "value %zu has more than %d bytes.", i + 1, BF_CSV_FIELD_BYTES_MAX);
        /* Most rows are ASCII, which needs no look at each value. */
        if ((s->bits & 0x80) != 0 && !bf_utf8_valid(reader->field[i].text))
            return bf_csv_fail(reader, err, "value %zu is not UTF-8; save the table as UTF-8.", i + 1);
    }
    return BF_OK;
}

/* Reads one row with any number of fields; *ret_count is 0 at the end of the file. */
static bf_status read_row(bf_csv_reader *reader, size_t *ret_count, bf_error *err)
{
    for (;;) {
        if (reader->at == reader->end && !reader->at_end) {
            bf_status status = refill(reader, err);
            if (status != BF_OK)
                return status;
        }
        *ret_count = 0;
        if (reader->at == reader->end)
            return BF_OK;
        char *from = reader->buffer + reader->at, *end = reader->buffer + reader->end;
        *end = '\n';
        scan s = {.at = from, .end = end, .last = reader->at_end};
        outcome found = scan_row(&s, reader->field);
        if (found == ROW_UNFINISHED && reader->end - reader->at <= BF_CSV_ROW_BYTES_MAX) {
            bf_status status = refill(reader, err);
            if (status != BF_OK)
                return status;
            continue;
        }
        reader->row++;
        if (found != ROW_COMPLETE)
            return fail_scan(reader, found, err);
        if ((size_t)(s.at - from) > BF_CSV_ROW_BYTES_MAX)
            return fail_scan(reader, ROW_UNFINISHED, err);
        if (reader->row > BF_CSV_ROWS_MAX)
            return bf_csv_fail(reader, err, "there are too many rows.");
        reader->at = (size_t)(s.at - reader->buffer);
        if (s.count == 1 && reader->field[0].size == 0 && reader->field[0].text == from)
            continue;
        for (size_t i = 0; i < s.count; i++)
            finish_field(&reader->field[i], from);
        *ret_count = s.count;
        return check_fields(reader, &s, err);
    }
}

static bf_status take_column(bf_csv_reader *reader, bf_csv_field field, bf_error *err)
{
    size_t index = reader->column_count;
    if (field.size == 0)
        return bf_csv_fail(reader, err, "column %zu has no name.", index + 1);
    if (field.size > BF_CSV_NAME_BYTES_MAX)
        return bf_csv_fail(reader, err, "the name of column %zu is longer than %d bytes.", index + 1,
                           BF_CSV_NAME_BYTES_MAX);
    if (bf_csv_find(reader, field.text) >= 0)
        return bf_csv_fail(reader, err, "two columns are called '%s'.", field.text);
    reader->column[index] = bf_strdup(field.text);
    if (!reader->column[index])
        return bf_fail_memory(err);
    reader->column_count++;
    return BF_OK;
}

static bf_status read_header(bf_csv_reader *reader, bf_error *err)
{
    size_t count = 0;
    bf_status status = refill(reader, err);
    if (status == BF_OK && reader->end >= 3 && memcmp(reader->buffer, "\xef\xbb\xbf", 3) == 0)
        reader->at = 3;
    if (status == BF_OK)
        status = read_row(reader, &count, err);
    if (status == BF_OK && count == 0) {
        (void)bf_fail(err, BF_INVALID_ARGUMENT, "%.200s is empty.", reader->name);
        bf_fail_hint(err, "The first row names the columns.");
        return BF_INVALID_ARGUMENT;
    }
    if (status == BF_OK && count == 1 && strpbrk(reader->field[0].text, ";\t"))
        return bf_csv_fail(reader, err, "the columns are not separated by commas.");
    if (status == BF_OK && count > BF_CSV_COLUMNS_MAX)
        return fail_scan(reader, ROW_TOO_MANY, err);
    for (size_t i = 0; i < count && status == BF_OK; i++)
        status = take_column(reader, reader->field[i], err);
    return status;
}

static bf_status open_file(bf_csv_reader *reader, const char *path, bf_error *err)
{
    struct stat info;
    if (strcmp(path, "-") == 0)
        reader->fd = STDIN_FILENO;
    else
        reader->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0 || fstat(reader->fd, &info) != 0)
        return bf_fail(err, BF_IO_ERROR, "Cannot open %.200s: %s.", reader->name, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return bf_fail(err, BF_IO_ERROR, "Cannot read %.200s: it is a directory.", reader->name);
    return BF_OK;
}

bf_status bf_csv_open(const char *path, bf_csv_reader **ret, bf_error *err)
{
    BF_CLEANUP(bf_csv_free) bf_csv_reader *reader = bf_calloc(1, sizeof *reader);
    if (!reader)
        return bf_fail_memory(err);
    reader->fd = -1;
    reader->name = bf_strdup(strcmp(path, "-") == 0 ? "Standard input" : path);
    reader->buffer = bf_malloc(BUFFER_BYTES + 1);
    if (!reader->name || !reader->buffer)
        return bf_fail_memory(err);
    bf_status status = open_file(reader, path, err);
    if (status == BF_OK)
        status = read_header(reader, err);
    if (status != BF_OK)
        return status;
    *ret = reader;
    reader = NULL; /* NOLINT(clang-analyzer-deadcode.DeadStores): read by BF_CLEANUP */
    return BF_OK;
}

void bf_csv_free(bf_csv_reader **reader)
{
    if (!*reader)
        return;
    if ((*reader)->fd > STDERR_FILENO)
        (void)close((*reader)->fd);
    for (size_t i = 0; i < (*reader)->column_count; i++)
        bf_free((*reader)->column[i]);
    bf_free((*reader)->name);
    bf_free((*reader)->buffer);
    bf_free(*reader);
    *reader = NULL;
}

size_t bf_csv_column_count(const bf_csv_reader *reader)
{
    return reader->column_count;
}

const char *bf_csv_column(const bf_csv_reader *reader, size_t index)
{
    return reader->column[index];
}

int bf_csv_find(const bf_csv_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->column_count; i++) {
        if (strcmp(reader->column[i], name) == 0)
            return (int)i;
    }
    return -1;
}

bf_status bf_csv_next(bf_csv_reader *reader, const bf_csv_field **ret, bf_error *err)
{
    size_t count = 0;
    bf_status status = read_row(reader, &count, err);
    if (status == BF_OK && count > 0 && count != reader->column_count)
        status = bf_csv_fail(reader, err, "there are %zu values for %zu columns.", count, reader->column_count);
    if (status == BF_OK)
        *ret = count > 0 ? reader->field : NULL;
    return status;
}

uint64_t bf_csv_row(const bf_csv_reader *reader)
{
    return reader->row;
}

uint64_t bf_csv_offset(const bf_csv_reader *reader)
{
    return reader->before + reader->at;
}

const char *bf_csv_name(const bf_csv_reader *reader)
{
    return reader->name;
}

bf_status bf_csv_fail(const bf_csv_reader *reader, bf_error *err, const char *format, ...)
{
    char message[BF_ERROR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return bf_fail(err, BF_INVALID_ARGUMENT, "%.150s, row %llu: %s", reader->name, (unsigned long long)reader->row,
                   message);
}

/* A number of few digits and a small power of ten is one exact product or quotient; the rest is strtod's. */
bool bf_csv_number(bf_csv_field field, double *ret)
{
    static const double power[POWER_OF_TEN_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *at = field.text;
    uint64_t digits = 0;
    int count = 0, after_point = 0;
    bool minus = *at == '-', point = false;
    for (at += minus || *at == '+'; (*at >= '0' && *at <= '9') || (*at == '.' && !point); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (count <= DIGITS_EXACT)
            digits = digits * 10 + (uint64_t)(*at - '0');
        count++;
        after_point += point;
    }
    if (count == 0 || field.size > NUMBER_BYTES_MAX)
        return false;
    if (*at == '\0' && count <= DIGITS_EXACT) {
        double value = (double)digits / power[after_point];
        *ret = minus ? -value : value;
        return true;
    }
    /* strtod knows more forms than a table may hold, such as 0x10; past the digits only an exponent may follow. */
    if (*at != '\0' && *at != 'e' && *at != 'E')
        return false;
    char *end = NULL;
    errno = 0;
    double value = strtod(field.text, &end);
    if (*end != '\0' || (errno == ERANGE && (value > 1 || value < -1)))
        return false;
    *ret = value;
    return true;
}

int bf_csv_word(const char *text, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
    }
    return -1;
}

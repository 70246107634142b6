/* The table reader on any bytes: it reads or refuses, what it hands out is UTF-8 of the length that it says, and every
 * number is one that it would read again. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/utf8.h"
#include "dataset/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_field(bf_csv_field field)
{
    double value = 0;
    assert(strlen(field.text) == field.size && field.size <= BF_CSV_FIELD_BYTES_MAX && bf_utf8_valid(field.text));
    if (bf_csv_number(field, &value))
        assert(isfinite(value));
}

static void read_table(const char *path, size_t size)
{
    bf_error err = {0};
    bf_csv_reader *reader = NULL;
    const bf_csv_field *row = NULL;
    if (bf_csv_open(path, &reader, &err) != BF_OK) {
        assert(!reader && err.message[0]);
        return;
    }
    size_t columns = bf_csv_column_count(reader);
    assert(columns > 0);
    while (bf_csv_next(reader, &row, &err) == BF_OK && row) {
        for (size_t i = 0; i < columns; i++)
            check_field(row[i]);
        assert(bf_csv_offset(reader) <= size);
    }
    bf_csv_free(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("table", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, data, size) == (ssize_t)size) {
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        read_table(path, size);
    }
    (void)close(fd);
    return 0;
}

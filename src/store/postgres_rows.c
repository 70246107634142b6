#include "store/postgres.h"

#include <limits.h>

#include "base/error.h"

/* Big-endian, signed; 1 to 8 bytes. */
static int64_t read_integer(const unsigned char *at, int size)
{
    uint64_t bits = at[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < size; i++)
        bits = bits << 8 | at[i];
    return (int64_t)bits;
}

/* SUM over integers gives a numeric: digits of base 10000, the first of which counts 10000^weight. */
static bool read_numeric(const unsigned char *at, int size, int64_t *ret)
{
    if (size < 8)
        return false;
    int count = (int)read_integer(at, 2), weight = (int)read_integer(at + 2, 2);
    int sign = at[4] << 8 | at[5];
    if (count < 0 || size < 8 + 2 * count || weight > 4 || (sign != 0 && sign != 0x4000))
        return false;
    int64_t sum = 0;
    for (int i = 0; i <= weight || i < count; i++) {
        int64_t digit = i < count ? read_integer(at + 8 + 2 * (ptrdiff_t)i, 2) : 0;
        if (i > weight && digit != 0)
            return false;
        if (i > weight)
            continue;
        /* Downwards, since the least integer has no positive counterpart. */
        if (__builtin_mul_overflow(sum, 10000, &sum) || __builtin_sub_overflow(sum, digit, &sum))
            return false;
    }
    if (sign == 0 && sum == INT64_MIN)
        return false;
    *ret = sign == 0 ? -sum : sum;
    return true;
}

static bool read_cell(const PGresult *result, int row, int column, bf_value *ret)
{
    *ret = (bf_value){.kind = BF_VALUE_NULL};
    if (PQgetisnull(result, row, column))
        return true;
    const char *data = PQgetvalue(result, row, column);
    int size = PQgetlength(result, row, column);
    ret->kind = BF_VALUE_INTEGER;
    switch (PQftype(result, column)) {
    case BF_POSTGRES_BOOL:
        ret->integer = data[0] != 0;
        return true;
    case BF_POSTGRES_INT2:
    case BF_POSTGRES_INT4:
    case BF_POSTGRES_INT8:
        ret->integer = read_integer((const unsigned char *)data, size);
        return true;
    case BF_POSTGRES_NUMERIC:
        return read_numeric((const unsigned char *)data, size, &ret->integer);
    case BF_POSTGRES_NAME:
    case BF_POSTGRES_TEXT:
    case BF_POSTGRES_VARCHAR:
        ret->kind = BF_VALUE_TEXT;
        break;
    case BF_POSTGRES_BYTEA:
        ret->kind = BF_VALUE_BLOB;
        break;
    default:
        return false;
    }
    ret->data = data;
    ret->size = (size_t)size;
    return true;
}

bf_status bf_postgres_rows(const PGresult *result, bf_rows *ret, bf_error *err)
{
    int rows = PQntuples(result), columns = PQnfields(result);
    bf_rows_columns(ret, columns);
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            bf_value value;
            if (!read_cell(result, row, column, &value))
                return bf_fail(err, BF_INTERNAL, "A column is neither an integer nor text nor a blob.");
            bf_status status = bf_rows_add(ret, &value, err);
            if (status != BF_OK)
                return status;
        }
    return BF_OK;
}

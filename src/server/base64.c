#include "server/base64.h"

#include <string.h>

#include <sodium.h>

#include "base/base64.h"
#include "base/error.h"

static bf_status fail(bf_error *err)
{
    bf_fail(err, BF_INVALID_REQUEST, "the text is not base64.");
    bf_fail_hint(err, "Send standard base64 with padding, without line breaks and without a data: prefix.");
    return BF_INVALID_REQUEST;
}

static bf_status decode(bf_base64 *base64, bf_region *region, size_t size_max, bf_error *err)
{
    uint8_t bytes[BF_BASE64_PIECE / 4 * 3];
    size_t count = 0;
    if (base64->used == 0)
        return BF_OK;
    if (base64->padded || base64->used % 4 != 0 ||
        !bf_base64_read(base64->text, base64->used, bytes, sizeof bytes, &count))
        return fail(err);
    base64->padded = base64->text[base64->used - 1] == '=';
    base64->used = 0;
    bf_status status = bf_region_append(region, bytes, count, size_max, err);
    sodium_memzero(bytes, count);
    return status;
}

bf_status bf_base64_add(bf_base64 *base64, const char *text, size_t size, bf_region *region, size_t size_max,
                        bf_error *err)
{
    while (size > 0) {
        size_t room = sizeof base64->text - base64->used;
        size_t count = size < room ? size : room;
        memcpy(base64->text + base64->used, text, count);
        base64->used += count;
        text += count;
        size -= count;
        bf_status status = base64->used == sizeof base64->text ? decode(base64, region, size_max, err) : BF_OK;
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

bf_status bf_base64_end(bf_base64 *base64, bf_region *region, size_t size_max, bf_error *err)
{
    bf_status status = decode(base64, region, size_max, err);
    base64->padded = false;
    return status;
}

void bf_base64_done(bf_base64 *base64)
{
    sodium_memzero(base64, sizeof *base64);
}

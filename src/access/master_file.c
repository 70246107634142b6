/* The master key's file. */
#include "access/master.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/secret_file.h"

_Static_assert(BF_MASTER_TEXT_SIZE <= BF_SECRET_TEXT_SIZE, "a key's line must fit");

static bf_status make_text(const void *context, char ret[BF_SECRET_TEXT_SIZE], bf_error *err)
{
    (void)context;
    BF_CLEANUP(bf_master_done) bf_master master = {0};
    bf_status status = bf_master_random(&master, err);
    if (status == BF_OK)
        bf_master_write(&master, ret);
    return status;
}

bf_status bf_master_read(const char *path, bool create, bf_master *ret, bf_error *err)
{
    BF_CLEANUP(bf_secret_text_wipe) char text[BF_SECRET_TEXT_SIZE];
    size_t size = 0;
    bf_status status = bf_secret_file_read(path, "master key", create ? make_text : NULL, NULL, text, &size, err);
    if (status != BF_OK)
        return status;
    status = bf_master_parse(text, size, ret, err);
    if (status == BF_CONFIG_INVALID)
        bf_fail_prefix(err, "%s", path);
    return status;
}

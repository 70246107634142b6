/* Any bytes as an export of the audit log: read or refused, the same in one piece and in many, and every finding can be
 * told. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "audit/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

static void count(void *context, const bf_finding *finding)
{
    char text[BF_FINDING_TEXT_SIZE];
    bf_finding_text(finding, text);
    must(text[0] != '\0');
    for (const char *c = text; *c; c++)
        must(*c >= ' ' && *c <= '~');
    must(finding->from <= finding->to || finding->to <= 0);
    ++*(int64_t *)context;
}

static bf_status verify(const uint8_t *data, size_t size, size_t piece, bf_verify_summary *ret)
{
    bf_verify *verify = NULL;
    bf_error err = {0};
    int64_t findings = 0;
    const bf_verify_options options = {.report = count, .context = &findings};
    must(bf_verify_new(&options, &verify, &err) == BF_OK);
    bf_status status = BF_OK;
    for (size_t at = 0; at < size && status == BF_OK; at += piece)
        status = bf_verify_feed(verify, data + at, size - at < piece ? size - at : piece, &err);
    if (status == BF_OK)
        status = bf_verify_end(verify, ret, &err);
    must(status == BF_OK || status == BF_INVALID_ARGUMENT);
    must(err.status == status);
    if (status == BF_OK)
        must(ret->findings == findings);
    bf_verify_free(&verify);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bf_verify_summary whole, pieces;
    must(sodium_init() >= 0);
    bf_status status = verify(data, size, size + 1, &whole);
    must(verify(data, size, 37, &pieces) == status);
    if (status == BF_OK)
        must(whole.findings == pieces.findings && whole.leaves == pieces.leaves && whole.size == pieces.size);
    return 0;
}

/* Verifies an export of the audit log without the store: everything is recomputed, and what does not agree is located.
 * Pure and streaming: lines are given as they are read, memory is bounded. docs/reference/audit.md describes the lines.
 *
 * What can be located. A leaf that was changed, removed, exchanged or added: exactly, because its hash stands in four
 * places (beside it, in the next leaf, in the tree's nodes, under signatures) and whoever disagrees with the others is
 * named. Where several of these were rewritten to agree: to the leaves of the smallest subtree, or to those between two
 * signed checkpoints. Leaves cut off at the end together with the head: only against a checkpoint that was kept
 * elsewhere. A decision's row: exactly. */
#ifndef BF_AUDIT_VERIFY_H
#define BF_AUDIT_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/finding.h"
#include "audit/note.h"

#define BF_EXPORT_LINE_MAX (16u << 20) /* bytes of one line */
#define BF_EXPORT_FORMAT 2
#define BF_VERIFY_ERASED_MAX (1 << 20) /* sessions whose record is gone and whose erasure has not come yet */
#define BF_VERIFY_MISSING_MAX 10000    /* leaves that did not come; behind more the tree is not followed */

typedef struct bf_verify bf_verify;

typedef struct bf_verify_options {
    const bf_log_key *key; /* NULL: the one that the export names, which proves nothing about who made it */
    const char *against;   /* a signed checkpoint that was kept elsewhere; NULL: none */
    size_t against_size;
    bf_finding_fn *report; /* told each finding, mostly in the order of leaves */
    void *context;
} bf_verify_options;

typedef struct bf_verify_summary {
    char origin[BF_ORIGIN_SIZE];
    int64_t size; /* leaves that the newest signature covers */
    int64_t leaves, nodes, decisions, erased, checkpoints;
    int64_t findings;
    int64_t unchecked_erasures; /* beyond BF_VERIFY_ERASED_MAX */
} bf_verify_summary;

/* Copies what the options point to. OUT_OF_MEMORY. The caller frees *ret. */
bf_status bf_verify_new(const bf_verify_options *options, bf_verify **ret, bf_error *err);
void bf_verify_free(bf_verify **verify); /* accepts NULL */

/* The next bytes, cut anywhere. INVALID_ARGUMENT when this is no export that can be read (says the line), or the kept
 * checkpoint none that can be; nothing more may then be given. Untrusted bytes. */
bf_status bf_verify_feed(bf_verify *verify, const void *data, size_t size, bf_error *err);

/* The end of the bytes. The log is whole when ret->findings and ret->unchecked_erasures are 0.
 * INVALID_ARGUMENT, as above. */
bf_status bf_verify_end(bf_verify *verify, bf_verify_summary *ret, bf_error *err);

#endif

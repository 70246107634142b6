#include "audit/finding.h"

#include <stdio.h>
#include <string.h>

/* What is said, with the finding's `row` in place of %s. */
static const char *const SAYS[] = {
    [BF_FOUND_LEAF_DATA] = "its text was changed%s",
    [BF_FOUND_LEAF_HASH] = "the hash stored with it was changed%s",
    [BF_FOUND_LEAF_REPLACED] = "it is not the leaf that was logged: its text and its hash were changed%s",
    [BF_FOUND_LEAF_MOVED] = "it is leaf %s: rows were exchanged or copied",
    [BF_FOUND_LEAF_COLUMN] = "its column '%s' was changed",
    [BF_FOUND_LEAF_MISSING] = "missing%s",
    [BF_FOUND_LEAF_ADDED] = "added: it is no part of the log%s",
    [BF_FOUND_LEAVES_CHANGED] = "at least one of them was changed, with the hashes around it%s",
    [BF_FOUND_CHAIN] = "the leaf before it is not the one it follows%s",
    [BF_FOUND_NODE_CHANGED] = "the hash of their subtree was changed%s",
    [BF_FOUND_NODE_MISSING] = "the hash of their subtree is missing%s",
    [BF_FOUND_NODE_ADDED] = "hash of a subtree that does not exist: %s",
    [BF_FOUND_DECISION_COLUMN] = "column of its decision was changed: %s",
    [BF_FOUND_DECISION_RECORD] = "the record of its decision was changed: %s",
    [BF_FOUND_DECISION_EMPTY] = "the record of its decision was removed, and no erasure was logged%s",
    [BF_FOUND_DECISION_MISSING] = "its decision is missing: %s",
    [BF_FOUND_DECISION_ADDED] = "decision that the log does not know: %s",
    [BF_FOUND_CHECKPOINT_CHANGED] = "changed: %s",
    [BF_FOUND_CHECKPOINT_MISSING] = "missing%s",
    [BF_FOUND_CHECKPOINT_ADDED] = "added: the log knows of none%s",
    [BF_FOUND_CHECKPOINT_OTHER_TREE] = "these are not the leaves that were signed%s",
    [BF_FOUND_HEAD_COLUMN] = "its column '%s' was changed",
    [BF_FOUND_HEAD_MISSING] = "missing%s",
    [BF_FOUND_HEAD_ADDED] = "there is more than one%s",
    [BF_FOUND_TAIL_UNSIGNED] = "no signature covers them%s",
    [BF_FOUND_TAIL_CUT] = "cut off: a signed checkpoint knows them%s",
    [BF_FOUND_HISTORY] = "these are not the leaves of the checkpoint that was kept%s",
    [BF_FOUND_OTHER_KEY] = "another log or key: %s",
    [BF_FOUND_ORDER] = "out of order: %s",
    [BF_FOUND_CUT_SHORT] = "the export ends before its last line%s",
};
_Static_assert(sizeof SAYS / sizeof *SAYS == BF_FOUND_KIND_COUNT, "each kind has a sentence");

static void name_leaves(const bf_finding *finding, char *ret, size_t size)
{
    if (finding->to - finding->from == 1)
        (void)snprintf(ret, size, "leaf %lld: ", (long long)finding->from);
    else if (finding->to > finding->from)
        (void)snprintf(ret, size, "leaves %lld to %lld: ", (long long)finding->from, (long long)finding->to - 1);
}

void bf_finding_text(const bf_finding *finding, char ret[BF_FINDING_TEXT_SIZE])
{
    char what[64] = "", where[96] = "", says[BF_FINDING_ROW_SIZE + 128];
    switch (finding->kind) {
    case BF_FOUND_CHECKPOINT_CHANGED:
    case BF_FOUND_CHECKPOINT_MISSING:
    case BF_FOUND_CHECKPOINT_ADDED:
        (void)snprintf(what, sizeof what, "checkpoint of %lld leaves: ", (long long)finding->to);
        break;
    case BF_FOUND_HEAD_COLUMN:
    case BF_FOUND_HEAD_MISSING:
    case BF_FOUND_HEAD_ADDED:
        (void)snprintf(what, sizeof what, "head: ");
        break;
    case BF_FOUND_NODE_CHANGED:
    case BF_FOUND_NODE_MISSING:
        (void)snprintf(what, sizeof what, "node %d/%lld, ", finding->level,
                       (long long)(finding->from >> finding->level));
        break;
    default:
        break;
    }
    if (finding->kind != BF_FOUND_CHECKPOINT_CHANGED && finding->kind != BF_FOUND_CHECKPOINT_MISSING &&
        finding->kind != BF_FOUND_CHECKPOINT_ADDED)
        name_leaves(finding, where, sizeof where);
    const char *form = SAYS[finding->kind], *place = strstr(form, "%s");
    (void)snprintf(says, sizeof says, "%.*s%s%s", (int)(place - form), form, finding->row, place + 2);
    (void)snprintf(ret, BF_FINDING_TEXT_SIZE, "%s%s%s", what, where, says);
}

#include "review/remark.h"

#include <stdio.h>
#include <string.h>

#include "review/notes.h"
#include "review/review.h"

#define BETWEEN " | "

static const char *const VERDICTS[] = {"agreed", "label wrong", "unclear"};
static const char *const STATUSES[] = {"confirmed", "excluded", "uncertain"};

bool bf_verdict_parse(const char *text, bf_verdict *ret)
{
    if (strcmp(text, "label_wrong") == 0)
        text = VERDICTS[BF_VERDICT_LABEL_WRONG];
    for (int v = 0; v < 3; v++) {
        if (strcmp(text, VERDICTS[v]) == 0) {
            *ret = (bf_verdict)v;
            return true;
        }
    }
    return false;
}

bool bf_remark_cause_known(const char *text)
{
    bool known = text[0] == '\0';
    for (int c = 0; c < BF_CAUSES; c++)
        known = known || strcmp(text, bf_cause_word((bf_cause)c)) == 0;
    return known;
}

bool bf_remark_reviewer_valid(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > BF_REVIEWER_BYTES_MAX || text[0] == ' ' || text[size - 1] == ' ')
        return false;
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f || strchr(",;:|()", *at))
            return false;
    }
    return true;
}

bool bf_remark_tidy(const char *text, char *ret, size_t size)
{
    size_t used = 0;
    for (; *text; text++) {
        char c = *text;
        if (c == '|')
            c = '/';
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            c = ' ';
        if (c == ' ' && (used == 0 || ret[used - 1] == ' '))
            continue;
        if (used + 1 == size)
            return false;
        ret[used++] = c;
    }
    while (used > 0 && ret[used - 1] == ' ')
        used--;
    ret[used] = '\0';
    return true;
}

/* Reads "REVIEWER: VERDICT[ (CAUSE)][, TEXT]", putting ends into it. false, and it is as before, for anything else. */
static bool read_one(char *text, bf_remark *ret)
{
    bf_remark said = {.cause = "", .text = ""};
    char *colon = strstr(text, ": "), *rest = NULL;
    if (!colon)
        return false;
    for (int v = 0; v < 3 && !rest; v++) {
        size_t size = strlen(VERDICTS[v]);
        if (strncmp(colon + 2, VERDICTS[v], size) == 0) {
            said.verdict = (bf_verdict)v;
            rest = colon + 2 + size;
        }
    }
    char *close = rest && strncmp(rest, " (", 2) == 0 ? strchr(rest, ')') : NULL;
    char *after = close ? close + 1 : rest;
    if (!rest || (*after && strncmp(after, ", ", 2) != 0))
        return false;
    *colon = '\0';
    said.reviewer = text;
    if (close) {
        *close = '\0';
        said.cause = rest + 2;
    }
    if (!bf_remark_reviewer_valid(text) || !bf_remark_cause_known(said.cause)) {
        *colon = ':';
        if (close)
            *close = ')';
        return false;
    }
    if (*after)
        said.text = after + 2;
    *ret = said;
    return true;
}

static void keep_free_text(bf_remarks *remarks, const char *text)
{
    size_t used = strlen(remarks->free_text);
    if (text[0])
        (void)snprintf(remarks->free_text + used, sizeof remarks->free_text - used, "%s%s", used > 0 ? BETWEEN : "",
                       text);
}

void bf_remarks_read(bf_remarks *remarks, const char *column)
{
    remarks->count = 0;
    remarks->free_text[0] = '\0';
    (void)snprintf(remarks->parsed, sizeof remarks->parsed, "%s", column);
    for (char *at = remarks->parsed, *next; at; at = next) {
        bf_remark said;
        next = strstr(at, BETWEEN);
        if (next) {
            *next = '\0';
            next += strlen(BETWEEN);
        }
        if (!read_one(at, &said) || !bf_remarks_add(remarks, &said))
            keep_free_text(remarks, at);
    }
}

bool bf_remarks_add(bf_remarks *remarks, const bf_remark *said)
{
    size_t at = 0;
    while (at < remarks->count && strcmp(remarks->said[at].reviewer, said->reviewer) < 0)
        at++;
    bool again = at < remarks->count && strcmp(remarks->said[at].reviewer, said->reviewer) == 0;
    if (!again && remarks->count == BF_REMARKS_MAX)
        return false;
    for (size_t i = remarks->count; !again && i > at; i--)
        remarks->said[i] = remarks->said[i - 1];
    remarks->count += !again;
    remarks->said[at] = *said;
    return true;
}

bool bf_remarks_write(bf_remarks *remarks)
{
    size_t size = sizeof remarks->written, used = strlen(remarks->free_text);
    bool differ = false;
    (void)snprintf(remarks->written, size, "%s", remarks->free_text);
    remarks->reviewers[0] = '\0';
    for (size_t i = 0; i < remarks->count; i++) {
        const bf_remark *said = &remarks->said[i];
        bool cause = said->cause[0], text = said->text[0];
        used += (size_t)snprintf(remarks->written + used, size - used, "%s%s: %s%s%s%s%s%s", used > 0 ? BETWEEN : "",
                                 said->reviewer, VERDICTS[said->verdict], cause ? " (" : "", said->cause,
                                 cause ? ")" : "", text ? ", " : "", said->text);
        if (used >= size)
            return false;
        size_t names = strlen(remarks->reviewers);
        (void)snprintf(remarks->reviewers + names, sizeof remarks->reviewers - names, "%s%s", i > 0 ? "; " : "",
                       said->reviewer);
        differ = differ || said->verdict != remarks->said[0].verdict;
    }
    remarks->status = differ ? "disputed" : STATUSES[remarks->said[0].verdict];
    return true;
}

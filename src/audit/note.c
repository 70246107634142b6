#include "audit/note.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/base64.h"
#include "base/error.h"

#define DASH "\xe2\x80\x94 " /* what a line of a signature begins with: an em dash and a blank */
#define SIGNATURE_SIZE (BF_LOG_KEY_ID_SIZE + crypto_sign_BYTES)
#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define SIZE_DIGITS_MAX 16 /* of a number up to BF_LOG_SIZE_MAX */

/* A piece of the text. */
typedef struct span {
    const char *text;
    size_t size;
} span;

void bf_note_sign(const bf_log_key *key, const bf_checkpoint *checkpoint, char ret[BF_NOTE_SIZE])
{
    char root[sodium_base64_ENCODED_LEN(BF_HASH_SIZE, BASE64)];
    char encoded[sodium_base64_ENCODED_LEN(SIGNATURE_SIZE, BASE64)];
    uint8_t signature[SIGNATURE_SIZE];
    sodium_bin2base64(root, sizeof root, checkpoint->root.byte, BF_HASH_SIZE, BASE64);
    (void)snprintf(ret, BF_NOTE_SIZE, "%s\n%lld\n%s\n", key->origin, (long long)checkpoint->size, root);
    size_t body = strlen(ret);
    bf_log_key_id(key, signature);
    (void)crypto_sign_detached(signature + BF_LOG_KEY_ID_SIZE, NULL, (const uint8_t *)ret, body, key->secret_key);
    sodium_bin2base64(encoded, sizeof encoded, signature, sizeof signature, BASE64);
    (void)snprintf(ret + body, BF_NOTE_SIZE - body, "\n" DASH "%s %s\n", key->origin, encoded);
}

static bool span_is(span s, const char *text)
{
    return s.size == strlen(text) && memcmp(s.text, text, s.size) == 0;
}

/* Takes the next line, without its newline, off the front of `rest`; false when no whole line is left. */
static bool next_line(span *rest, span *ret)
{
    const char *newline = rest->size ? memchr(rest->text, '\n', rest->size) : NULL;
    if (!newline)
        return false;
    *ret = (span){rest->text, (size_t)(newline - rest->text)};
    rest->size -= ret->size + 1;
    rest->text = newline + 1;
    return true;
}

/* A number as it is written: no sign, no leading zero. */
static bool read_size(span s, int64_t *ret)
{
    int64_t number = 0;
    if (s.size == 0 || s.size > SIZE_DIGITS_MAX || (s.size > 1 && s.text[0] == '0'))
        return false;
    for (size_t i = 0; i < s.size; i++) {
        if (s.text[i] < '0' || s.text[i] > '9')
            return false;
        number = number * 10 + (s.text[i] - '0');
    }
    *ret = number;
    return number <= BF_LOG_SIZE_MAX;
}

/* Splits a note into its signed text (with its last newline) and its lines of signatures. The text of a checkpoint has
 * no empty line, so the first one is the one in between. */
static bool split_note(span note, span *ret_body, span *ret_signatures)
{
    if (note.size == 0 || note.size > BF_NOTE_BYTES_MAX || note.text[note.size - 1] != '\n')
        return false;
    for (size_t i = 0; i < note.size; i++)
        if ((uint8_t)note.text[i] < 0x20 && note.text[i] != '\n')
            return false;
    const char *gap = memmem(note.text, note.size, "\n\n", 2);
    if (!gap)
        return false;
    *ret_body = (span){note.text, (size_t)(gap - note.text) + 1};
    *ret_signatures = (span){gap + 2, note.size - ret_body->size - 1};
    return ret_signatures->size > 0;
}

static bool read_body(span body, span *ret_origin, bf_checkpoint *ret)
{
    span size, root;
    return next_line(&body, ret_origin) && ret_origin->size > 0 && next_line(&body, &size) &&
           read_size(size, &ret->size) && next_line(&body, &root) &&
           bf_base64_exact(root.text, root.size, ret->root.byte, BF_HASH_SIZE);
}

/* One line "DASH NAME BASE64(key id || signature)". */
typedef struct signature_line {
    span name, encoded;
} signature_line;

static bool read_signature_line(span line, signature_line *ret)
{
    size_t dash = strlen(DASH);
    if (line.size <= dash || memcmp(line.text, DASH, dash) != 0)
        return false;
    line = (span){line.text + dash, line.size - dash};
    const char *blank = memchr(line.text, ' ', line.size);
    if (!blank || blank == line.text)
        return false;
    ret->name = (span){line.text, (size_t)(blank - line.text)};
    ret->encoded = (span){blank + 1, line.size - ret->name.size - 1};
    return ret->encoded.size > 0;
}

typedef enum signed_by_key { SIGNATURE_ABSENT, SIGNATURE_WRONG, SIGNATURE_RIGHT, SIGNATURE_MALFORMED } signed_by_key;

/* The first line that names this key decides; the others are somebody else's. */
static signed_by_key find_signature(const bf_log_key *key, span body, span lines)
{
    signed_by_key found = SIGNATURE_ABSENT;
    uint8_t id[BF_LOG_KEY_ID_SIZE], signature[SIGNATURE_SIZE];
    bf_log_key_id(key, id);
    span line;
    for (int count = 0; next_line(&lines, &line); count++) {
        signature_line parts;
        if (count == BF_NOTE_SIGNATURES_MAX || !read_signature_line(line, &parts))
            return SIGNATURE_MALFORMED;
        if (found != SIGNATURE_ABSENT || !span_is(parts.name, key->origin) ||
            !bf_base64_exact(parts.encoded.text, parts.encoded.size, signature, sizeof signature) ||
            memcmp(signature, id, sizeof id) != 0)
            continue;
        found = crypto_sign_verify_detached(signature + BF_LOG_KEY_ID_SIZE, (const uint8_t *)body.text, body.size,
                                            key->public_key) == 0
                    ? SIGNATURE_RIGHT
                    : SIGNATURE_WRONG;
    }
    return found;
}

static bf_status fail_form(bf_error *err)
{
    return bf_fail(err, BF_INVALID_ARGUMENT, "The text is no signed checkpoint of a log.");
}

bf_status bf_note_verify(const bf_log_key *key, const char *text, size_t size, bf_checkpoint *ret, bf_error *err)
{
    span body, lines, origin;
    bf_checkpoint checkpoint;
    if (!split_note((span){text, size}, &body, &lines) || !read_body(body, &origin, &checkpoint))
        return fail_form(err);
    signed_by_key found = find_signature(key, body, lines);
    if (found == SIGNATURE_MALFORMED)
        return fail_form(err);
    if (!span_is(origin, key->origin))
        return bf_fail(err, BF_AUDIT_TAMPERED, "The checkpoint is of another log than '%s'.", key->origin);
    if (found == SIGNATURE_ABSENT)
        return bf_fail(err, BF_AUDIT_TAMPERED, "The checkpoint is not signed by the log's key.");
    if (found == SIGNATURE_WRONG)
        return bf_fail(err, BF_AUDIT_TAMPERED, "The checkpoint's signature does not fit its text.");
    *ret = checkpoint;
    return BF_OK;
}

bf_status bf_note_read(const char *text, size_t size, bf_checkpoint *ret, bf_error *err)
{
    span body, lines, origin;
    bf_checkpoint checkpoint;
    if (!split_note((span){text, size}, &body, &lines) || !read_body(body, &origin, &checkpoint))
        return fail_form(err);
    *ret = checkpoint;
    return BF_OK;
}

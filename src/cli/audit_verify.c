/* bonafide audit verify: checks an export without store, server or network. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "audit/verify.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "cli/commands.h"
#include "cli/open.h"

#define PIECE_BYTES 65536
#define FINDINGS_SHOWN 1000

enum { OPTION_KEY, OPTION_AGAINST };

static const cli_option OPTIONS[] = {
    [OPTION_KEY] = {"key", 'k', "KEY", "the log's verifier key, as 'bonafide audit key' prints it"},
    [OPTION_AGAINST] = {"against", 'a', "FILE", "a checkpoint that was kept elsewhere"},
    {NULL, 0, NULL, NULL},
};

static void show(void *context, const bf_finding *finding)
{
    int64_t *shown = context;
    char text[BF_FINDING_TEXT_SIZE];
    if ((*shown)++ >= FINDINGS_SHOWN)
        return;
    bf_finding_text(finding, text);
    (void)printf("%s\n", text);
}

static void close_file(FILE **file)
{
    if (*file && *file != stdin)
        (void)fclose(*file);
}

static bf_status feed_file(bf_verify *verify, FILE *file, bool *ret_read, bf_error *err)
{
    static char piece[PIECE_BYTES];
    bf_status status = BF_OK;
    size_t got = 0;
    while (status == BF_OK && (got = fread(piece, 1, sizeof piece, file)) > 0)
        status = bf_verify_feed(verify, piece, got, err);
    *ret_read = !ferror(file);
    return status;
}

static int conclude(const cli_command *command, const bf_verify_summary *sum, bool has_key)
{
    if (sum->findings > FINDINGS_SHOWN)
        (void)printf("(%lld more)\n", (long long)(sum->findings - FINDINGS_SHOWN));
    if (sum->unchecked_erasures > 0)
        (void)printf("%lld removed records were not compared with erasures: there are too many\n",
                     (long long)sum->unchecked_erasures);
    /* What was not compared may hide a record that nobody was allowed to remove. */
    bool partly = sum->findings == 0 && sum->unchecked_erasures > 0;
    const char *verdict = sum->findings > 0 ? "TAMPERED WITH" : partly ? "NOT WHOLLY VERIFIED" : "whole";
    (void)printf("%s: %s; %lld leaves signed, %lld decisions (%lld erased), %lld kept checkpoints\n", sum->origin,
                 verdict, (long long)sum->size, (long long)sum->decisions, (long long)sum->erased,
                 (long long)sum->checkpoints);
    int code = cli_finish_output(command, sum->findings > 0 ? CLI_REJECT : partly ? CLI_UNREADABLE : 0);
    if (!has_key)
        (void)cli_fail(command, 0, "the key was taken from the export itself; --key says whose log it must be.");
    return code;
}

static int fail_unreadable(const cli_command *command, const bf_error *err)
{
    int code = cli_fail_error(command, err);
    return err->status == BF_INVALID_ARGUMENT ? CLI_UNREADABLE : code;
}

static int verify_file(const cli_command *command, const char *path, const bf_verify_options *options)
{
    BF_CLEANUP(bf_verify_free) bf_verify *verify = NULL;
    BF_CLEANUP(close_file) FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    bf_error err = {0};
    bf_verify_summary summary;
    bool was_read = true;
    if (!file)
        return cli_fail(command, CLI_UNREADABLE, "The export '%s' cannot be read: %s.", path, strerror(errno));
    bf_status status = bf_verify_new(options, &verify, &err);
    if (status == BF_OK)
        status = feed_file(verify, file, &was_read, &err);
    if (!was_read)
        return cli_fail(command, CLI_UNREADABLE, "The export '%s' cannot be read: %s.", path, strerror(errno));
    if (status == BF_OK)
        status = bf_verify_end(verify, &summary, &err);
    return status == BF_OK ? conclude(command, &summary, options->key != NULL) : fail_unreadable(command, &err);
}

static int verify(const cli_command *command, int argc, char **argv)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes against = {0};
    const char *key_text = NULL, *against_path = NULL;
    int64_t shown = 0;
    bf_log_key key = {0};
    bf_error err = {0};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int option = 0; (option = cli_parser_next(&parser)) >= 0;) {
        if (option == OPTION_KEY)
            key_text = parser.value;
        else
            against_path = parser.value;
    }
    if (parser.ended)
        return parser.code;
    if (sodium_init() < 0)
        return cli_fail(command, CLI_INTERNAL, "libsodium cannot start.");
    if (key_text && bf_log_verifier_key_read(key_text, &key, &err) != BF_OK)
        return cli_fail_error(command, &err);
    if (against_path && bf_bytes_read_file(&against, against_path, BF_NOTE_BYTES_MAX, &err) != BF_OK)
        return cli_fail_error(command, &err);
    const bf_verify_options options = {.key = key_text ? &key : NULL,
                                       .against = against_path ? (const char *)against.data : NULL,
                                       .against_size = against.size,
                                       .report = show,
                                       .context = &shown};
    return verify_file(command, parser.operand[0], &options);
}

const cli_command CLI_AUDIT_VERIFY = {
    .name = "audit verify",
    .operands = "FILE",
    .summary = "Verify an export of the audit log",
    .about = "Recomputes everything and says which rows were tampered with; needs neither the server nor its store. "
             "'-' reads standard input. The exit status is 0 when the log is whole, 12 when it was tampered with, and "
             "65 when the export cannot be read or wholly verified.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = verify,
};

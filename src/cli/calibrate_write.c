/* What bonafide calibrate says and writes. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "cli/calibrate.h"
#include "cli/table.h"
#include "cli/term.h"
#include "dataset/csv.h"

static bf_status bind_all(cli_calibration *r, bf_error *err)
{
    cli_origin origin;
    bf_status status = cli_origin_read(&origin, r->table_path, r->table.scores.stack, r->data, err);
    for (size_t i = 0; status == BF_OK && i < r->made; i++)
        status = cli_origin_bind(&origin, r->calibrated[i].name, r->release, &r->calibrated[i].fit, err);
    cli_origin_done(&origin);
    return status;
}

static bf_status write_out_of_fold(const cli_calibration *r, bf_error *err)
{
    char name[BF_FIT_DETECTORS_MAX][BF_CSV_NAME_BYTES_MAX + 8];
    bf_fit_column column[BF_FIT_DETECTORS_MAX];
    for (size_t i = 0; i < r->made; i++) {
        (void)snprintf(name[i], sizeof name[i], "llr.%s", r->calibrated[i].name);
        column[i] = (bf_fit_column){name[i], bf_calibrated_after(&r->calibrated[i])->llr, 1};
    }
    return bf_fit_table_rewrite(&r->table, r->table_path, r->out_of_fold, column, r->made, err);
}

static bf_status write_file(const char *folder, const char *name, const char *suffix, const bf_bytes *bytes,
                            bf_error *err)
{
    char file[BF_NAME_MAX + 8];
    (void)snprintf(file, sizeof file, "%s%s", name, suffix);
    bf_status status = cli_write(folder, file, bytes, err);
    if (status == BF_OK)
        (void)printf("%s/%s\n", folder, file);
    return status;
}

static void print_summary(const cli_calibration *r)
{
    size_t warnings = 0;
    (void)printf("%zu presentations of %zu persons%s%s. Log loss of persons held out (50 %% always: 0.693):\n",
                 r->table.scores.count, r->table.scores.persons, r->table.scores.split[0] ? ", split " : "",
                 r->table.scores.split);
    for (size_t i = 0; i < r->made; i++) {
        const bf_calibrated *c = &r->calibrated[i];
        char name[64];
        (void)cli_text_copy(c->name, 40, true, name, sizeof name);
        (void)printf("%-22s %-9s %.3f", name, bf_fit_method_name(c->chosen),
                     bf_calibrated_after(c)->held_out.balanced.log_loss);
        if (c->has_before)
            (void)printf("  before %.3f", c->before.balanced.log_loss);
        (void)printf("  llr %.2f to %.2f\n", c->fit.llr_min, c->fit.llr_max);
        warnings += c->warnings;
    }
    for (size_t i = 0; i < r->skipped_count; i++) {
        char why[BF_ERROR_TEXT_SIZE];
        (void)cli_text_copy(r->skipped[i].why, 200, true, why, sizeof why);
        (void)printf("left out: %s\n", why);
    }
    if (warnings > 0)
        (void)printf("%zu warnings; the report has them.\n", warnings);
}

/* All texts are complete before the first file is written. */
static bf_status write_files(const cli_calibration *r, const bf_bytes *json, const bf_bytes *html, bf_error *err)
{
    const char *split = r->table.scores.split;
    char dataset[256];
    bf_bytes file[BF_FIT_DETECTORS_MAX] = {0};
    bf_status status = BF_OK;
    (void)snprintf(dataset, sizeof dataset, "%.100s%s%.60s", cli_file_name(r->table_path), split[0] ? ", split " : "",
                   split);
    for (size_t i = 0; status == BF_OK && i < r->made; i++)
        status = bf_calibration_write(&file[i], &r->calibrated[i], r->title ? r->title : dataset, err);
    if (status == BF_OK && r->out_of_fold)
        status = write_out_of_fold(r, err);
    if (status == BF_OK)
        print_summary(r);
    if (status == BF_OK && r->out_of_fold)
        (void)printf("%s\n", r->out_of_fold);
    for (size_t i = 0; status == BF_OK && i < r->made; i++)
        status = write_file(r->output, r->calibrated[i].name, ".yaml", &file[i], err);
    if (status == BF_OK)
        status = write_file(r->output, "calibration", ".json", json, err);
    if (status == BF_OK)
        status = write_file(r->output, "calibration", ".html", html, err);
    for (size_t i = 0; i < r->made; i++)
        bf_bytes_done(&file[i]);
    return status;
}

bf_status cli_calibration_write(cli_calibration *r, bf_error *err)
{
    char now[CLI_NOW_SIZE];
    BF_CLEANUP(bf_bytes_done) bf_bytes json = {0}, html = {0};
    const bf_report_facts facts = {
        .table = cli_file_name(r->table_path), .program = "bonafide " BF_VERSION, .made_at = cli_now(!r->no_date, now)};
    const bf_calibration_report all = {&r->table,     &r->options, r->beside,  r->beside_count,
                                       r->calibrated, r->made,     r->skipped, r->skipped_count};
    bf_status status = bind_all(r, err);
    if (status == BF_OK)
        status = bf_calibration_report_json(&json, &all, &facts, err);
    if (status == BF_OK && r->json) {
        (void)fwrite(json.data, 1, json.size, stdout);
        return BF_OK;
    }
    if (status == BF_OK)
        status = bf_calibration_report_html(&html, &all, &facts, err);
    return status == BF_OK ? write_files(r, &json, &html, err) : status;
}

/* bonafide threshold: from a target to the bands of a policy. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/place.h"
#include "cli/table.h"
#include "cli/term.h"
#include "dataset/csv.h"
#include "fit/proposal.h"

#define PATH_BYTES_MAX 4096
#define TARGET_MOST 0.5

enum {
    APCER,
    BPCER,
    REJECT,
    POINT,
    PERSON,
    SPLIT,
    VALIDATE,
    BESIDE,
    POLICY,
    DATA,
    OUTPUT,
    REPLICATES,
    SEED,
    MIXED,
    NO_DATE,
    JSON
};

static const cli_option OPTIONS[] = {
    [APCER] = {"apcer", 0, "P", "the worst species' APCER is at most P, 1% or 0.01"},
    [BPCER] = {"bpcer", 0, "P", "BPCER is at most P"},
    [REJECT] = {"reject-bpcer", 0, "P", "bona fide that fail outright, at the lower band (0.5%)"},
    [POINT] = {"point", 0, NULL, "by the measured rates, not by their upper bounds"},
    [PERSON] = {"by-person", 0, NULL, "a person's attacks of one species count once, by the worst"},
    [SPLIT] = {"split", 's', "NAME", "choose on this split (dev, else train)"},
    [VALIDATE] = {"validate", 0, "NAME", "check the choice on this split"},
    [BESIDE] = {"beside", 'b', "SPECIES", "leave a species out of the claim; repeatable"},
    [POLICY] = {"policy", 'p', "FILE", "the journey's policy (that of the table's journey)"},
    [DATA] = {"data", 0, "DIR", "folder with policies/"},
    [OUTPUT] = {"output", 'o', "DIR", "where to write the proposal (.)"},
    [REPLICATES] = {"replicates", 0, "N", "draws of persons for the spread of the bands (2000)"},
    [SEED] = {"seed", 0, "N", "seed of those draws (1)"},
    [MIXED] = {"mixed-stacks", 0, NULL, "take rows of several versions as one table"},
    [NO_DATE] = {"no-date", 0, NULL, "leave the date out, so that equal input gives equal bytes"},
    [JSON] = {"json", 0, NULL, "print threshold.json instead of writing files"},
    {NULL, 0, NULL, NULL},
};

typedef struct threshold_request {
    const cli_command *command;
    bf_proposal_options options;
    const char *beside[CLI_NAMES_MAX];
    const char *table, *data, *output;
    char policy[PATH_BYTES_MAX];
    char made_at[32], day[16]; /* "2026-11-25T21:00:00Z", and its beginning */
    int replicates, seed;
    bool mixed, no_date, json;
} threshold_request;

static bf_status read_table(const threshold_request *r, bf_rows *ret, bf_error *err)
{
    cli_progress progress = cli_reading_start(r->table);
    bf_status status = bf_rows_read(ret, r->table, r->mixed, cli_reading_show, &progress, err);
    cli_progress_hide(&progress);
    return status;
}

/* The policy of the table's journey, unless one was named. */
static bf_status find_policy(threshold_request *r, const bf_rows *rows, bf_error *err)
{
    cli_place place;
    const char *flow = rows->scores.flow;
    if (r->options.policy_path)
        return BF_OK;
    if (!flow[0] || strcmp(flow, "several") == 0 ||
        strspn(flow, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(flow)) {
        bf_fail(err, BF_INVALID_ARGUMENT, "The table does not say which journey it was scored for.");
        bf_fail_hint(err, "Name the policy: --policy FILE. A table of several journeys has to be split first.");
        return BF_INVALID_ARGUMENT;
    }
    bf_status status = cli_place_find(r->data, NULL, &place, err);
    if (status != BF_OK)
        return status;
    if (snprintf(r->policy, sizeof r->policy, "%s/policies/%s.yaml", place.data, flow) >= (int)sizeof r->policy)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The name of the folder is too long.");
    r->options.policy_path = r->policy;
    return BF_OK;
}

static void print_rate(const char *name, const bf_band_rate *today, const bf_band_rate *is, const char *note)
{
    char plain[64];
    (void)cli_text_copy(note, 40, true, plain, sizeof plain);
    (void)printf("%-22s %6.2f %% today %6.2f %% proposed, at most %.2f %% (%llu of %llu%s%s)\n", name,
                 100 * today->rate.value, 100 * is->rate.value, 100 * is->bound, (unsigned long long)is->rate.count,
                 (unsigned long long)is->rate.total, plain[0] ? ", " : "", plain);
}

static void print_cost(const char *name, double today, double now)
{
    (void)printf("%-22s %6.1f   today %6.1f   proposed\n", name, today, now);
}

static void print_summary(const bf_proposal *p)
{
    static const char *const checks[] = {"not checked on other persons (--validate)", "confirmed on other persons",
                                         "not contradicted on other persons, nor confirmed: too few",
                                         "contradicted on other persons"};
    for (size_t i = 0; i < p->scopes; i++) {
        const bf_scope *s = &p->scope[i];
        bool all = s->channel == BF_CHANNEL_UNSPECIFIED;
        (void)printf("%-22s pass %.8g, uncertain %.8g  (today %.8g, %.8g)%s\n",
                     all ? bf_policy_flow(p->policy) : bf_channel_name(s->channel), s->proposed.pass,
                     s->proposed.uncertain, s->today.pass, s->today.uncertain,
                     s->own ? "" : "  too few rows of its own");
    }
    const bf_scope *journey = &p->scope[0];
    if (journey->choice.uncertain_kept)
        (void)printf("The lower band stays: %llu bona fide presentations do not support %.3g %%.\n",
                     (unsigned long long)journey->kind[0].responses, 100 * p->options.targets.reject);
    if (p->worst_kind > 0)
        print_rate("highest APCER", &journey->kind[p->worst_kind].today, &journey->kind[p->worst_kind].proposed,
                   bf_proposal_kind(p, p->worst_kind));
    print_rate("BPCER", &journey->kind[0].today, &journey->kind[0].proposed, "");
    print_rate("bona fide that fail", &journey->kind[0].rejected_today, &journey->kind[0].rejected, "");
    if (journey->spread.replicates > 0)
        (void)printf("%-22s pass %.6g to %.6g in 95 %% of %zu draws; %zu draws supported no band\n", "by person",
                     journey->spread.pass.low, journey->spread.pass.high, journey->spread.replicates,
                     journey->spread.unsupported);
    const bf_journey_state *today = &p->before[0].after[BF_ATTEMPTS_MAX - 1],
                           *now = &p->after[0].after[BF_ATTEMPTS_MAX - 1];
    (void)printf("Of 100 bona fide persons, with retries:\n");
    print_cost("  approved", 100 * today->approved, 100 * now->approved);
    print_cost("  reviewed", 100 * today->reviewed, 100 * now->reviewed);
    print_cost("  challenged", 100 * today->challenged, 100 * now->challenged);
    print_cost("  rejected", 100 * today->rejected, 100 * now->rejected);
    print_cost("  captures", 100 * p->before[0].captures, 100 * p->after[0].captures);
    if (p->worst_kind > 0) {
        (void)printf("Of 100 persons attacked with the worst species, with retries:\n");
        print_cost("  approved", 100 * p->before[p->worst_kind].after[BF_ATTEMPTS_MAX - 1].approved,
                   100 * p->after[p->worst_kind].after[BF_ATTEMPTS_MAX - 1].approved);
    }
    (void)printf("The choice is %s.\n", checks[p->check]);
    if (bf_proposal_fewest_persons(p) < BF_PERSONS_FEW && !p->options.by_person)
        (void)printf("Some class stands on %llu persons only: bounds by presentation flatter.\n",
                     (unsigned long long)bf_proposal_fewest_persons(p));
    if (p->split_is_fitted)
        (void)printf("Chosen on the split that detectors are fitted on: the rates flatter. Prefer --split dev.\n");
    if (p->patch.broken_count > 0)
        (void)printf(
            "%zu test cases of the policy state the old bands: change them with it (threshold.json names them).\n",
            p->patch.broken_count);
}

static bf_status write_all(const threshold_request *r, const bf_proposal *p, const bf_bytes *json, const bf_bytes *html,
                           bf_error *err)
{
    char diff[160], base[320], own[320];
    const bf_policy_patch *patch = &p->patch;
    (void)snprintf(base, sizeof base, "proposed/%s", patch->base_name);
    (void)snprintf(own, sizeof own, "proposed/%s", patch->name);
    (void)snprintf(diff, sizeof diff, "%.*s.patch", (int)strcspn(patch->name, "."), patch->name);
    bf_status status = cli_write(r->output, "threshold.json", json, err);
    if (status == BF_OK)
        status = cli_write(r->output, "threshold.html", html, err);
    if (status == BF_OK)
        status = cli_write(r->output, diff, &patch->diff, err);
    /* The base first: at no moment does a policy stand there that extends nothing. */
    if (status == BF_OK && patch->base_name[0])
        status = cli_write(r->output, base, &patch->base, err);
    if (status == BF_OK)
        status = cli_write(r->output, own, &patch->own, err);
    if (status != BF_OK)
        return status;
    print_summary(p);
    (void)printf("%s/threshold.html\n%s/threshold.json\n%s/%s\n%s/%s\n", r->output, r->output, r->output, diff,
                 r->output, own);
    return BF_OK;
}

static int refuse(const threshold_request *r, const bf_proposal *p)
{
    char line[BF_REFUSAL_BYTES];
    for (size_t i = 0; i < p->refusals; i++) {
        (void)cli_text_copy(p->refusal[i], sizeof line - 1, true, line, sizeof line);
        if (i == 0)
            (void)cli_fail(r->command, CLI_REFUSED, "%s", line);
        else
            (void)fprintf(stderr, "  %s\n", line);
    }
    (void)fprintf(stderr, "Nothing was written.\n");
    return CLI_REFUSED;
}

static bf_status report(const threshold_request *r, const bf_proposal *p, const char *made_at, bf_error *err)
{
    BF_CLEANUP(bf_bytes_done) bf_bytes json = {0}, html = {0};
    const bf_proposal_facts facts = {cli_file_name(r->table), "bonafide " BF_VERSION, made_at};
    bf_status status = bf_proposal_json(&json, p, &facts, err);
    if (status == BF_OK && r->json) {
        (void)fwrite(json.data, 1, json.size, stdout);
        return BF_OK;
    }
    if (status != BF_OK || p->refused)
        return status;
    status = bf_proposal_html(&html, p, &facts, err);
    return status == BF_OK ? write_all(r, p, &json, &html, err) : status;
}

static int propose(threshold_request *r)
{
    bf_error err = {0};
    BF_CLEANUP(bf_rows_done) bf_rows rows = {0};
    BF_CLEANUP(bf_proposal_free) bf_proposal *proposal = NULL;
    const char *now = cli_now(!r->no_date, r->made_at);
    if (now) {
        (void)snprintf(r->day, sizeof r->day, "%.10s", now);
        r->options.date = r->day;
    }
    r->options.beside = r->beside;
    r->options.replicates = (size_t)r->replicates;
    r->options.seed = (uint64_t)r->seed;
    bf_status status = read_table(r, &rows, &err);
    if (status == BF_OK)
        status = find_policy(r, &rows, &err);
    if (status == BF_OK)
        status = bf_propose(&proposal, &rows, &r->options, &err);
    if (status == BF_OK)
        status = report(r, proposal, now, &err);
    if (status == BF_OK)
        return cli_finish_output(r->command, proposal->refused ? refuse(r, proposal) : 0);
    return cli_fail_table(r->command, &err);
}

/* "1%", "1 %" or "0.01". */
static int read_rate(const threshold_request *r, int option, char *text, double *ret)
{
    double value = NAN;
    size_t size = strlen(text);
    bool percent = size > 0 && text[size - 1] == '%';
    if (percent)
        text[--size] = '\0';
    while (size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
    bool good = bf_csv_number((bf_csv_field){text, size}, &value);
    value = percent ? value / 100 : value;
    if (!good || !(value > 0) || value > TARGET_MOST)
        return cli_fail_usage(r->command,
                              "--%s must be a rate above 0 and up to 50%%, such as 1%% or 0.01, not '%s%s'.",
                              OPTIONS[option].name, text, percent ? "%" : "");
    *ret = value;
    return 0;
}

/* Takes one option over; returns the exit code, 0 to go on. */
static int take_option(threshold_request *r, int option, char *value)
{
    bf_targets *targets = &r->options.targets;
    switch (option) {
    case APCER:
        return read_rate(r, option, value, &targets->apcer);
    case BPCER:
        return read_rate(r, option, value, &targets->bpcer);
    case REJECT:
        r->options.reject_asked = true;
        return read_rate(r, option, value, &targets->reject);
    case SPLIT:
        r->options.split = value;
        return 0;
    case VALIDATE:
        r->options.validate_split = value;
        return 0;
    case BESIDE:
        return cli_add_name(r->command, "beside", value, r->beside, &r->options.beside_count) ? 0 : CLI_USAGE;
    case POLICY:
        r->options.policy_path = value;
        return 0;
    case DATA:
        r->data = value;
        return 0;
    case OUTPUT:
        r->output = value;
        return 0;
    case REPLICATES:
        return cli_read_replicates(r->command, value, &r->replicates) ? 0 : CLI_USAGE;
    case SEED:
        return cli_read_seed(r->command, value, &r->seed) ? 0 : CLI_USAGE;
    default:
        *(option == POINT     ? &targets->point
          : option == PERSON  ? &r->options.by_person
          : option == MIXED   ? &r->mixed
          : option == NO_DATE ? &r->no_date
                              : &r->json) = true;
        return 0;
    }
}

static int run(const cli_command *command, int argc, char **argv)
{
    threshold_request request = {.command = command,
                                 .options = {.targets = {NAN, NAN, BF_REJECT_DEFAULT, false}},
                                 .output = ".",
                                 .replicates = BF_REPLICATES,
                                 .seed = CLI_SEED_DEFAULT};
    cli_parser parser = cli_parser_start(command, argc, argv);
    for (int option; (option = cli_parser_next(&parser)) >= 0;) {
        int code = take_option(&request, option, parser.value);
        if (code != 0)
            return code;
    }
    if (parser.ended)
        return parser.code;
    if (isnan(request.options.targets.apcer) && isnan(request.options.targets.bpcer))
        return cli_fail_usage(command, "A target is missing: --apcer, --bpcer or both.");
    const char *split = request.options.split, *validate = request.options.validate_split;
    if (split && validate && strcmp(split, validate) == 0)
        return cli_fail_usage(command, "--split and --validate must differ.");
    request.table = parser.operand[0];
    return propose(&request);
}

const cli_command CLI_THRESHOLD = {
    .name = "threshold",
    .operands = "SCORES",
    .summary = "Choose a policy's bands for a stated error rate",
    .about =
        "Reads the scores.csv that `bonafide score` writes and proposes the bands of the journey's policy, and of "
        "its channels where they have enough rows: the lowest pass band that keeps the worst species' APCER, or "
        "the highest that keeps BPCER, to the target. Rates keep to it by their one-sided 95 % upper bounds. Writes "
        "threshold.html, threshold.json, the policy with new bands and the patch that leads to it. The exit status "
        "is 13, and nothing is written, when the table cannot support the target: then it says what would; 65 when "
        "the table or the policy cannot be used.",
    .options = OPTIONS,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};

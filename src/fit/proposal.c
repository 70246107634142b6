#include "fit/proposal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "fit/table.h"

#define DEV_SPLIT "dev"
#define HALF_SPAN 3.2905267314919255 /* the normal quantile of 99.95 %: where the trade-off curve ends */

static const bf_scores *scores_of(const bf_proposal *p)
{
    return &p->table->scores;
}

const char *bf_proposal_kind(const bf_proposal *p, size_t kind)
{
    return kind == 0 ? "bona fide" : scores_of(p)->species.text[kind - 1];
}

bool bf_proposal_counts(const bf_proposal *p, size_t kind)
{
    return kind > 0 && !p->beside[kind - 1];
}

static bf_status find_beside(bf_proposal *p, bf_error *err)
{
    for (size_t i = 0; i < p->options.beside_count; i++) {
        size_t s = 0;
        while (s + 1 < p->kinds && strcmp(scores_of(p)->species.text[s], p->options.beside[i]) != 0)
            s++;
        if (s + 1 >= p->kinds)
            return bf_fail(err, BF_INVALID_ARGUMENT,
                           "The table has no attack species '%.80s' to keep beside the others.", p->options.beside[i]);
        p->beside[s] = true;
    }
    return BF_OK;
}

static bf_status fail_split(const char *name, bf_error *err)
{
    bf_fail(err, BF_INVALID_ARGUMENT, "The table has no row that counts in the split '%.60s'.", name);
    bf_fail_hint(err, "Name one of its splits, or split the dataset with `bonafide dataset split` and score it again.");
    return BF_INVALID_ARGUMENT;
}

/* Development rows before training rows: a detector looks better on what it was fitted on. */
static bf_status find_split(bf_proposal *p, int *ret, bf_error *err)
{
    const bf_rows *table = p->table;
    const char *name = p->options.split;
    if (name && strcmp(name, BF_FIT_REFUSED) == 0) {
        bf_fail(err, BF_INVALID_ARGUMENT, "Bands are not chosen on the split '%s'.", BF_FIT_REFUSED);
        bf_fail_hint(err,
                     "What was chosen on it cannot be tested on it any more. Choose on another split and give "
                     "--validate %s.",
                     BF_FIT_REFUSED);
        return BF_INVALID_ARGUMENT;
    }
    bool has_splits = bf_names_count(&table->splits) > 1 || (table->splits.text && table->splits.text[0][0]);
    if (!name && has_splits)
        name = bf_rows_split(table, DEV_SPLIT) != BF_ROWS_EVERY ? DEV_SPLIT : BF_FIT_SPLIT;
    *ret = BF_ROWS_EVERY;
    if (!name)
        return BF_OK;
    *ret = bf_rows_split(table, name);
    (void)snprintf(p->split, sizeof p->split, "%s", name);
    p->split_is_fitted = strcmp(name, BF_FIT_SPLIT) == 0;
    return *ret == BF_ROWS_EVERY ? fail_split(name, err) : BF_OK;
}

static bf_status open_policy(bf_proposal *p, bf_error *err)
{
    const char *flow = scores_of(p)->flow;
    bf_status status = bf_policy_read(p->options.policy_path, &p->policy, err);
    if (status != BF_OK || !flow[0] || strcmp(flow, bf_policy_flow(p->policy)) == 0)
        return status;
    bf_fail(err, BF_INVALID_ARGUMENT, "The table was scored for the journey '%.64s', the policy is for '%.64s'.", flow,
            bf_policy_flow(p->policy));
    bf_fail_hint(err,
                 "The quality gate differs between journeys. Score again with --flow %s, or give the policy of "
                 "the table's journey.",
                 bf_policy_flow(p->policy));
    return BF_INVALID_ARGUMENT;
}

/* Error rates of every kind at a band: attacks that reach it, bona fide presentations that do not. */
static bf_status measure_band(const bf_proposal *p, const bf_rows *part, double band, bf_band_rate *ret, bf_error *err)
{
    bf_curve curve;
    bf_status status = bf_curve_build(&curve, &part->scores, NULL, band, err);
    if (status != BF_OK)
        return status;
    memset(ret, 0, p->kinds * sizeof *ret);
    for (size_t i = 0; i < curve.cells; i++) {
        const bf_curve_cell *cell = &curve.cell[i];
        uint32_t errors = cell->kind == 0 ? cell->responses - cell->accepted : cell->accepted;
        ret[cell->kind].rate.count += errors;
        ret[cell->kind].rate.total += cell->responses;
        ret[cell->kind].by_person.count += errors > 0;
        ret[cell->kind].by_person.total++;
    }
    for (size_t k = 0; k < p->kinds; k++) {
        ret[k].bound = bf_rate_bound(ret[k].rate.count, ret[k].rate.total);
        ret[k].rate = bf_rate_of(ret[k].rate.count, ret[k].rate.total);
        ret[k].by_person = bf_rate_of(ret[k].by_person.count, ret[k].by_person.total);
    }
    bf_curve_done(&curve);
    return BF_OK;
}

static bf_status measure_scope(const bf_proposal *p, bf_scope *scope, const bf_rows *part, bf_error *err)
{
    bf_band_rate rate[4][BF_KINDS_MAX];
    const double bands[] = {scope->today.pass, scope->proposed.pass, scope->today.uncertain, scope->proposed.uncertain};
    for (int i = 0; i < 4; i++) {
        bf_status status = measure_band(p, part, bands[i], rate[i], err);
        if (status != BF_OK)
            return status;
    }
    const bf_targets *t = &p->options.targets;
    for (size_t k = 0; k < p->kinds; k++) {
        double target = k == 0 ? t->bpcer : t->apcer;
        scope->kind[k] = (bf_scope_kind){.responses = rate[0][k].rate.total,
                                         .persons = rate[0][k].by_person.total,
                                         .least = isnan(target) ? 0 : bf_samples_least(target, t->point),
                                         .today = rate[0][k],
                                         .proposed = rate[1][k],
                                         .rejected_today = rate[2][k],
                                         .rejected = rate[3][k]};
    }
    return BF_OK;
}

/* A channel that its own rows say too little about is never made laxer: it follows the journey, or keeps what is
 * stricter today. */
static bf_policy_band follow_journey(const bf_proposal *p, const bf_scope *scope)
{
    const bf_scope *journey = &p->scope[0];
    bf_policy_band band = journey->proposed;
    if (scope->today.pass != journey->today.pass)
        band.pass = fmax(scope->today.pass, band.pass);
    if (scope->today.uncertain != journey->today.uncertain)
        band.uncertain = scope->today.uncertain;
    band.uncertain = fmin(band.uncertain, band.pass - BF_BAND_WIDTH);
    return band;
}

static size_t count_persons(const bf_curve *curve)
{
    size_t persons = 0;
    for (size_t i = 0; i < curve->cells; i++)
        persons += i == 0 || curve->cell[i].person != curve->cell[i - 1].person;
    return persons;
}

static void choose(bf_proposal *p, bf_scope *scope, const bf_curve *curve)
{
    uint64_t responses[BF_KINDS_MAX] = {0};
    for (size_t i = 0; i < curve->cells; i++)
        responses[curve->cell[i].kind] += curve->cell[i].responses;
    scope->persons = count_persons(curve);
    scope->choice =
        bf_bands_choose(curve, responses, &p->options.targets, p->options.reject_asked, scope->today.uncertain);
    scope->own = scope->choice.result == BF_CHOICE_MADE;
    if (scope->own)
        scope->proposed = (bf_policy_band){scope->choice.pass, scope->choice.uncertain};
    else if (scope->channel != BF_CHANNEL_UNSPECIFIED)
        scope->proposed = follow_journey(p, scope);
    else /* what the refusal speaks of */
        scope->proposed =
            (bf_policy_band){scope->choice.pass > 0 ? scope->choice.pass : scope->today.pass, scope->today.uncertain};
}

static bf_policy_band today_of(const bf_policy *policy, bf_channel channel)
{
    const bf_policy_bands bands = bf_policy_bands_of(policy, channel);
    /* A threshold of 83 is 0.83 in there, which times 100 is not quite 83. */
    return (bf_policy_band){round(bands.pass * 1e8) / 1e6, round(bands.uncertain * 1e8) / 1e6};
}

static void measure_trades(bf_proposal *p, const bf_curve *curve)
{
    uint64_t total[BF_KINDS_MAX] = {0}, accepted[BF_KINDS_MAX] = {0};
    size_t at = 0;
    for (size_t i = 0; i < curve->cells; i++)
        total[curve->cell[i].kind] += curve->cell[i].responses;
    for (size_t i = BF_TRADES; i-- > 0;) {
        double place = HALF_SPAN * (2 * (double)i / (BF_TRADES - 1) - 1);
        bf_trade trade = {.threshold = BF_SCORE_TOP * erfc(-place / sqrt(2)) / 2};
        for (; at < curve->entries && curve->entry[at].score >= trade.threshold; at++)
            accepted[curve->entry[at].kind] += curve->entry[at].count;
        for (size_t k = 1; k < p->kinds; k++) {
            if (!bf_proposal_counts(p, k) || total[k] == 0)
                continue;
            trade.apcer = fmax(trade.apcer, (double)accepted[k] / (double)total[k]);
            trade.bound = fmax(trade.bound, bf_rate_bound(accepted[k], total[k]));
        }
        trade.bpcer = (double)(total[0] - accepted[0]) / (double)total[0];
        p->trade[i] = trade;
    }
}

static bf_status choose_scope(bf_proposal *p, int split, bf_channel channel, bf_error *err)
{
    bf_curve curve = {0};
    bf_rows part = {0};
    bool journey = channel == BF_CHANNEL_UNSPECIFIED;
    bf_scope scope = {.channel = channel, .today = today_of(p->policy, channel)};
    bf_status status = bf_rows_part(&part, p->table, split, journey ? BF_ROWS_EVERY : (int)channel, err);
    scope.rows = part.scores.count;
    if (status == BF_OK && p->options.by_person)
        status = bf_rows_keep_worst(&part, err);
    if (status == BF_OK)
        status = bf_curve_build(&curve, &part.scores, p->beside, 0, err);
    scope.kind = status == BF_OK ? bf_calloc(p->kinds, sizeof *scope.kind) : NULL;
    if (status == BF_OK && !scope.kind)
        status = bf_fail_memory(err);
    if (status == BF_OK) {
        choose(p, &scope, &curve);
        status = measure_scope(p, &scope, &part, err);
    }
    if (status == BF_OK && (scope.own || journey))
        status =
            bf_bands_spread(&scope.spread, &curve, &p->options.targets, p->options.replicates, p->options.seed, err);
    if (status == BF_OK && journey)
        measure_trades(p, &curve);
    p->scope[p->scopes] = scope;
    p->scopes += scope.kind != NULL;
    bf_curve_done(&curve);
    bf_rows_part_done(&part);
    return status;
}

static bf_status check_classes(const bf_proposal *p, const bf_rows *part, bf_error *err)
{
    size_t classes[2] = {0};
    for (size_t i = 0; i < part->scores.count; i++) {
        const bf_score_row *row = &part->scores.row[i];
        if (row->status == BF_SCORE_OK && (row->kind == 0 || bf_proposal_counts(p, row->kind)))
            classes[row->kind > 0]++;
    }
    if (classes[0] > 0 && classes[1] > 0)
        return BF_OK;
    bf_fail(err, BF_INVALID_ARGUMENT, "%s%s there is no %s presentation with a score.",
            p->split[0] ? "In the split " : "In this table", p->split, classes[0] > 0 ? "attack" : "bona fide");
    bf_fail_hint(err, "A threshold needs confirmed samples of both labels, live and spoof.");
    return BF_INVALID_ARGUMENT;
}

/* What the policies make of the rows, today's and the new one. */
static bf_status measure_costs(bf_proposal *p, const bf_rows *part, bf_error *err)
{
    p->before = bf_calloc(p->kinds, sizeof *p->before);
    p->after = p->patch.policy ? bf_calloc(p->kinds, sizeof *p->after) : NULL;
    if (!p->before || (p->patch.policy && !p->after))
        return bf_fail_memory(err);
    for (size_t k = 0; k < p->kinds; k++) {
        bf_status status = bf_retries_measure(&p->before[k], part, p->policy, (uint16_t)k, err);
        if (status == BF_OK && p->after)
            status = bf_retries_measure(&p->after[k], part, p->patch.policy, (uint16_t)k, err);
        if (status != BF_OK)
            return status;
    }
    return BF_OK;
}

static bf_check_result check_rate(const bf_band_rate *is, double target, bool point)
{
    if (isnan(target))
        return BF_CHECK_CONFIRMED;
    if (is->rate.total == 0)
        return BF_CHECK_COMPATIBLE;
    double lower = 1 - bf_rate_bound(is->rate.total - is->rate.count, is->rate.total);
    if (lower > target)
        return BF_CHECK_CONTRADICTED;
    return (point ? is->rate.value : is->bound) <= target ? BF_CHECK_CONFIRMED : BF_CHECK_COMPATIBLE;
}

/* The bands of a channel, also of one that nothing was chosen on. */
static bf_policy_band band_of(const bf_proposal *p, bf_channel channel)
{
    for (size_t i = 0; i < p->scopes; i++) {
        if (p->scope[i].channel == channel)
            return p->scope[i].proposed;
    }
    const bf_scope absent = {.channel = channel, .today = today_of(p->policy, channel)};
    return follow_journey(p, &absent);
}

/* Each row meets the bands of its channel: it counts as 100 when it passes, 50 when it is uncertain, else as 0. */
static void settle_scores(const bf_policy_band *bands, bf_rows *part)
{
    for (size_t i = 0; i < part->scores.count; i++) {
        bf_score_row *row = &part->scores.row[i];
        const bf_policy_band *band = &bands[part->cause[i].channel];
        row->score = row->score >= band->pass ? 100 : row->score >= band->uncertain ? 50 : 0;
    }
}

static bf_status measure_check(bf_proposal *p, bf_rows *part, bf_error *err)
{
    bf_band_rate pass[BF_KINDS_MAX], reject[BF_KINDS_MAX];
    const bf_targets *t = &p->options.targets;
    bf_policy_band band[BF_PATCH_CHANNELS];
    for (int c = 0; c < BF_PATCH_CHANNELS; c++)
        band[c] = band_of(p, (bf_channel)c);
    settle_scores(band, part);
    bf_status status = p->options.by_person ? bf_rows_keep_worst(part, err) : BF_OK;
    if (status == BF_OK)
        status = measure_band(p, part, 100, pass, err);
    if (status == BF_OK)
        status = measure_band(p, part, 50, reject, err);
    if (status == BF_OK && !(p->checked = bf_calloc(p->kinds, sizeof *p->checked)))
        status = bf_fail_memory(err);
    if (status != BF_OK)
        return status;
    p->check = BF_CHECK_CONFIRMED;
    for (size_t k = 0; k < p->kinds; k++) {
        p->checked[k] = (bf_scope_kind){.responses = pass[k].rate.total,
                                        .persons = pass[k].by_person.total,
                                        .proposed = pass[k],
                                        .rejected = reject[k]};
        bf_check_result result = BF_CHECK_CONFIRMED;
        if (k == 0 || bf_proposal_counts(p, k))
            result = check_rate(&pass[k], k == 0 ? t->bpcer : t->apcer, t->point);
        p->check = result > p->check ? result : p->check;
        if (result == BF_CHECK_CONTRADICTED)
            bf_proposal_refuse(p, "On the split %s the %s of %s is %.3g %% (%llu of %llu), surely beyond the target.",
                               p->options.validate_split, k == 0 ? "BPCER" : "APCER", bf_proposal_kind(p, k),
                               100 * pass[k].rate.value, (unsigned long long)pass[k].rate.count,
                               (unsigned long long)pass[k].rate.total);
    }
    return BF_OK;
}

static bf_status check(bf_proposal *p, const bf_rows *chosen_on, bf_error *err)
{
    size_t shared = 0;
    bf_rows part = {0};
    const char *name = p->options.validate_split;
    if (!name)
        return BF_OK;
    int split = bf_rows_split(p->table, name);
    if (split == BF_ROWS_EVERY)
        return fail_split(name, err);
    bf_status status = bf_rows_part(&part, p->table, split, BF_ROWS_EVERY, err);
    if (status == BF_OK)
        status = bf_rows_shared_persons(chosen_on, &part, &shared, err);
    if (status == BF_OK && shared > 0) {
        status = bf_fail(err, BF_INVALID_ARGUMENT,
                         "%zu persons are in the split '%.60s' and in what the bands are "
                         "chosen on.",
                         shared, name);
        bf_fail_hint(err, "Nobody may stand on both sides of a check. Split by person with `bonafide dataset split`.");
    }
    p->checked_rows = part.scores.count;
    if (status == BF_OK && !p->refused)
        status = measure_check(p, &part, err);
    bf_rows_part_done(&part);
    return status;
}

static void find_worst(bf_proposal *p)
{
    double worst = -1;
    for (size_t k = 1; k < p->kinds; k++) {
        const bf_band_rate *is = &p->scope[0].kind[k].proposed;
        /* Of species with equal rates the one that is known least. */
        double measure = is->rate.total > 0 ? is->rate.value + is->bound * 1e-6 : -1;
        if (bf_proposal_counts(p, k) && measure > worst) {
            worst = measure;
            p->worst_kind = (uint16_t)k;
        }
    }
}

static bf_status make_patch(bf_proposal *p, bf_error *err)
{
    bf_policy_band band[BF_PATCH_CHANNELS];
    for (int c = 0; c < BF_PATCH_CHANNELS; c++)
        band[c] = band_of(p, (bf_channel)c);
    bf_proposal_explain(p);
    return bf_policy_patch_make(&p->patch, p->options.policy_path, band, p->why, err);
}

static bool has_channel(const bf_rows *part, int channel)
{
    for (size_t i = 0; i < part->scores.count; i++) {
        if (part->cause[i].channel == channel)
            return true;
    }
    return false;
}

static bf_status propose(bf_proposal *p, int split, const bf_rows *part, bf_error *err)
{
    bf_status status = check_classes(p, part, err);
    if (status == BF_OK)
        status = choose_scope(p, split, BF_CHANNEL_UNSPECIFIED, err);
    if (status == BF_OK && !p->scope[0].own)
        bf_proposal_refuse_choice(p);
    for (int c = BF_CHANNEL_UNSPECIFIED + 1; status == BF_OK && !p->refused && c < BF_PATCH_CHANNELS; c++) {
        if (has_channel(part, c))
            status = choose_scope(p, split, (bf_channel)c, err);
    }
    if (status == BF_OK)
        find_worst(p);
    if (status == BF_OK)
        status = check(p, part, err);
    if (status == BF_OK && !p->refused)
        status = make_patch(p, err);
    return status == BF_OK ? measure_costs(p, part, err) : status;
}

bf_status bf_propose(bf_proposal **ret, const bf_rows *table, const bf_proposal_options *options, bf_error *err)
{
    int split = BF_ROWS_EVERY;
    bf_rows part = {0};
    bf_proposal *p = bf_calloc(1, sizeof *p);
    if (!p)
        return bf_fail_memory(err);
    p->options = *options;
    p->table = table;
    p->kinds = 1 + bf_names_count(&table->scores.species);
    bf_status status = find_beside(p, err);
    if (status == BF_OK)
        status = find_split(p, &split, err);
    if (status == BF_OK)
        status = open_policy(p, err);
    if (status == BF_OK)
        status = bf_rows_part(&part, table, split, BF_ROWS_EVERY, err);
    if (status == BF_OK)
        status = propose(p, split, &part, err);
    bf_rows_part_done(&part);
    if (status != BF_OK) {
        bf_proposal_free(&p);
        return status;
    }
    *ret = p;
    return BF_OK;
}

void bf_proposal_free(bf_proposal **proposal)
{
    bf_proposal *p = *proposal;
    if (!p)
        return;
    for (size_t i = 0; i < p->scopes; i++)
        bf_free(p->scope[i].kind);
    bf_free(p->before);
    bf_free(p->after);
    bf_free(p->checked);
    bf_policy_free(&p->policy);
    bf_policy_patch_done(&p->patch);
    bf_free(p);
    *proposal = NULL;
}

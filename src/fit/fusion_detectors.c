/* Which detectors are fused, and as what. */
#include <math.h>
#include <string.h>

#include "base/config.h"
#include "base/error.h"
#include "fit/fusion_model.h"

#define AGAINST_MOST 0.25 /* evidence that is never above it carries nothing for a bona fide presentation */
#define LEAST_ROWS 2      /* of either class, for a detector to be fused at all */

static bool listed(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0)
            return true;
    }
    return false;
}

static bf_status check_names(const bf_fusion_fit *fit, bf_error *err)
{
    const bf_fusion_options *o = &fit->options;
    for (size_t i = 0; i < o->detector_count + o->against_count; i++) {
        const char *name = i < o->detector_count ? o->detectors[i] : o->against[i - o->detector_count];
        if (bf_fit_detector(fit->table, name) >= 0)
            continue;
        bf_fail(err, BF_INVALID_ARGUMENT, "The table has no detector '%.60s'.", name);
        bf_fail_hint(err, "The columns llr.NAME name the detectors.");
        return BF_INVALID_ARGUMENT;
    }
    return BF_OK;
}

bf_status bf_fusion_find_beside(bf_fusion_fit *fit, bf_error *err)
{
    const bf_names *species = &fit->table->scores.species;
    for (size_t i = 0; i < fit->options.beside_count; i++) {
        size_t at = 0;
        while (at < bf_names_count(species) && strcmp(species->text[at], fit->options.beside[i]) != 0)
            at++;
        if (at == bf_names_count(species))
            return bf_fail(err, BF_INVALID_ARGUMENT, "The table has no attack type '%.60s'.", fit->options.beside[i]);
        fit->beside[at] = true;
    }
    return BF_OK;
}

double bf_fusion_time_of(const bf_scores *scores, const char *detector, double *room)
{
    for (size_t s = 0; s < scores->stages; s++) {
        size_t count = 0;
        if (strcmp(scores->stage[s], detector) != 0)
            continue;
        for (size_t i = 0; i < scores->count; i++) {
            float ms = scores->stage_ms[i * scores->stages + s];
            if (!isnan(ms))
                room[count++] = (double)ms;
        }
        bf_span middle = bf_span_of(room, count, 0);
        return middle.low;
    }
    return NAN;
}

/* Takes one detector of the table up if it has evidence to fuse. */
static bf_status take_detector(bf_fusion_fit *fit, size_t column, bf_error *err)
{
    const bf_fit_table *table = fit->table;
    const bf_fusion_options *o = &fit->options;
    bf_fusion_detector found = {0};
    double most = -INFINITY;
    for (size_t i = 0; i < table->scores.count; i++) {
        double llr = table->llr[i * table->detectors + column];
        if (isnan(llr))
            continue;
        found.rows[table->scores.row[i].kind > 0]++;
        most = fmax(most, llr);
    }
    if (found.rows[0] < LEAST_ROWS || found.rows[1] < LEAST_ROWS) {
        if (o->detector_count == 0)
            return BF_OK;
        return bf_fail(err, BF_INVALID_ARGUMENT,
                       "%.60s has calibrated evidence of %zu bona fide and %zu attack presentations: too few to fuse.",
                       table->detector[column], found.rows[0], found.rows[1]);
    }
    if (fit->detectors == BF_DETECTORS_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "At most %d detectors can be fused; say which with --detector.",
                       BF_DETECTORS_MAX);
    if (!bf_config_is_name(table->detector[column]))
        return bf_fail(err, BF_INVALID_ARGUMENT, "The column llr.%.80s: '%.80s' is no name of a detector.",
                       table->detector[column], table->detector[column]);
    memcpy(found.name, table->detector[column], strlen(table->detector[column]) + 1);
    found.against = most <= AGAINST_MOST || listed(found.name, o->against, o->against_count);
    fit->detector[fit->detectors++] = found;
    return BF_OK;
}

/* Measures of pixels (their names have a dot) do not judge where no network does, unless there is no network at all. */
static bf_status decide_roles(bf_fusion_fit *fit, bf_error *err)
{
    size_t needed = 0, networks = 0;
    for (size_t d = 0; d < fit->detectors; d++) {
        needed += !fit->detector[d].against;
        networks += !fit->detector[d].against && !strchr(fit->detector[d].name, '.');
    }
    for (size_t d = 0; d < fit->detectors; d++) {
        bf_fusion_detector *one = &fit->detector[d];
        one->alone = !one->against && (networks == 0 || !strchr(one->name, '.'));
    }
    if (needed == 0)
        return bf_fail(err, BF_INVALID_ARGUMENT,
                       "The table has no calibrated evidence that can speak for a bona fide presentation; calibrate "
                       "first.");
    if (needed > BF_FUSION_NEEDED_MAX)
        return bf_fail(err, BF_INVALID_ARGUMENT, "%zu detectors to fuse; at most %d can be. Choose with --detector.",
                       needed, BF_FUSION_NEEDED_MAX);
    return BF_OK;
}

bf_status bf_fusion_choose_detectors(bf_fusion_fit *fit, bf_error *err)
{
    const bf_fusion_options *o = &fit->options;
    bf_status status = check_names(fit, err);
    for (size_t c = 0; c < fit->table->detectors && status == BF_OK; c++) {
        if (o->detector_count == 0 || listed(fit->table->detector[c], o->detectors, o->detector_count) ||
            listed(fit->table->detector[c], o->against, o->against_count))
            status = take_detector(fit, c, err);
    }
    return status == BF_OK ? decide_roles(fit, err) : status;
}

#include "calibrate/calibrate.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

bf_status bf_calibration_check(const bf_calibration *c, const char *detector, const char *detector_version,
                               const char *model_sha256, bf_error *err)
{
    if (strcmp(c->detector, detector) != 0)
        return bf_fail(err, BF_CONFIG_INVALID, "The calibration of %s cannot be used for %s.", c->detector, detector);
    const char *what = NULL;
    if (strcmp(c->detector_version, detector_version) != 0)
        what = "version";
    else if (c->model_sha256[0] && (!model_sha256 || strcmp(c->model_sha256, model_sha256) != 0))
        what = "weights";
    if (!what)
        return BF_OK;
    bf_fail(err, BF_CONFIG_INVALID, "The calibration of %s was fitted on another %s of it.", detector, what);
    bf_fail_detail(err, "%s is for version %s, weights %.12s; found version %s, weights %.12s.", c->id,
                   c->detector_version, c->model_sha256[0] ? c->model_sha256 : "any", detector_version,
                   model_sha256 && model_sha256[0] ? model_sha256 : "none");
    bf_fail_hint(err, "Fit a new one with `bonafide calibrate`.");
    return BF_CONFIG_INVALID;
}

double bf_calibration_map_llr(const bf_calibration_map *map, double raw)
{
    if (map->knots == 0)
        return map->slope * raw + map->intercept - map->prior_log_odds;
    const bf_knot *knot = map->knot;
    int next = 0;
    while (next < map->knots && knot[next].raw <= raw)
        next++;
    if (next == 0 || next == map->knots)
        return isnan(raw) ? NAN : knot[next == 0 ? 0 : next - 1].llr;
    double share = (raw - knot[next - 1].raw) / (knot[next].raw - knot[next - 1].raw);
    double llr = knot[next - 1].llr + share * (knot[next].llr - knot[next - 1].llr);
    /* Rounding must not carry it beyond the knot. */
    return llr < knot[next].llr ? llr : knot[next].llr;
}

double bf_calibration_llr(const bf_calibration *c, bf_channel channel, double raw)
{
    bool own = (int)channel >= 0 && (int)channel < BF_CHANNEL_COUNT && c->has_channel[channel];
    double llr = bf_calibration_map_llr(own ? &c->by_channel[channel] : &c->map, raw);
    if (isnan(llr) || llr < c->llr_min)
        return c->llr_min;
    return llr > c->llr_max ? c->llr_max : llr;
}

void bf_calibration_apply(const bf_calibration *c, bf_channel channel, bf_evidence *evidence)
{
    evidence->calibrated = evidence->status == BF_EVIDENCE_PRESENT && strcmp(evidence->detector, c->detector) == 0 &&
                           strcmp(evidence->version, c->detector_version) == 0;
    evidence->live_llr = evidence->calibrated ? bf_calibration_llr(c, channel, evidence->raw) : 0;
}

/* The files that turn evidence into a score, on any bytes: calibration, fusion and the texture model. Each is parsed or
 * refused; what was parsed must hold its promises (monotone, inside its limits, a probability). */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/calibrate.h"
#include "fuse/fuse.h"
#include "liveness/texture/texture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void use_channel(const bf_calibration *c, bf_channel channel)
{
    static const double raws[] = {-INFINITY, -1e300, -1000, -3, -0.5, 0, 0.5, 3, 1000, 1e300, INFINITY};
    double last = -INFINITY;
    for (size_t i = 0; i < sizeof raws / sizeof *raws; i++) {
        double llr = bf_calibration_llr(c, channel, raws[i]);
        require(llr >= c->llr_min && llr <= c->llr_max && llr >= last);
        last = llr;
    }
    require(bf_calibration_llr(c, channel, NAN) == c->llr_min);
    bf_evidence evidence = {.status = BF_EVIDENCE_PRESENT, .raw = 1};
    memcpy(evidence.detector, c->detector, sizeof evidence.detector);
    memcpy(evidence.version, c->detector_version, sizeof evidence.version);
    bf_calibration_apply(c, channel, &evidence);
    require(evidence.calibrated && evidence.live_llr == bf_calibration_llr(c, channel, 1));
}

static void use_calibration(const bf_calibration *c)
{
    for (int channel = -1; channel <= BF_CHANNEL_COUNT; channel++)
        use_channel(c, (bf_channel)channel);
}

/* The fused ratio, which the contributions make up. */
static double fused_llr(const bf_fusion *fusion, const bf_evidence *evidence, int count)
{
    bf_fused fused;
    bf_fusion_apply(fusion, evidence, count, &fused);
    double sum = fused.bias;
    for (int i = 0; i < count; i++)
        sum += fused.contribution[i];
    require(fused.present && isfinite(sum));
    /* Outside the clamp the two differ; both rise and fall together. */
    require(fabs(sum - fused.live_llr) < 1e-9 || fabs(sum) > fabs(fused.live_llr));
    return fused.live_llr;
}

/* Nothing that speaks more for bona fide may lower the ratio. */
static void require_rising(const bf_fusion *fusion, const bf_evidence *evidence, int count)
{
    for (int i = 0; i < count; i++) {
        bf_evidence changed[BF_DETECTORS_MAX];
        double last = -INFINITY;
        memcpy(changed, evidence, sizeof changed);
        for (double llr = -20; llr <= 20; llr += 2.5) {
            changed[i].live_llr = llr;
            double fused = fused_llr(fusion, changed, count);
            require(fused >= last - 1e-9);
            last = fused;
        }
    }
}

static void use_fusion(const bf_fusion *fusion)
{
    const char *names[BF_DETECTORS_MAX];
    int count = bf_fusion_detectors(fusion, names);
    require(count > 0);
    bf_evidence evidence[BF_DETECTORS_MAX] = {0};
    for (int i = 0; i < count; i++) {
        (void)snprintf(evidence[i].detector, sizeof evidence[i].detector, "%s", names[i]);
        evidence[i].status = BF_EVIDENCE_PRESENT;
        evidence[i].calibrated = true;
        evidence[i].live_llr = i % 2 ? 20 : -20;
        require(bf_fusion_uses(fusion, names[i]));
    }
    bf_fused fused;
    bf_fusion_apply(fusion, evidence, count, &fused);
    require(fused.present && fused.live_probability > 0 && fused.live_probability < 1);
    require_rising(fusion, evidence, count);
    bf_fusion_apply(fusion, evidence, 0, &fused);
    require(!fused.present && fused.live_probability == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bf_error err = {0};
    bf_calibration calibration;
    if (bf_calibration_parse(data, size, "fuzz.yaml", &calibration, &err) == BF_OK)
        use_calibration(&calibration);
    bf_fusion *fusion = NULL;
    if (bf_fusion_parse(data, size, "fuzz.yaml", &fusion, &err) == BF_OK)
        use_fusion(fusion);
    bf_fusion_free(&fusion);
    bf_texture_model model;
    if (bf_texture_model_parse(data, size, "fuzz.yaml", &model, &err) == BF_OK) {
        for (int i = 0; i < BF_TEXTURE_FEATURES; i++)
            require(model.scale[i] > 0 && isfinite(model.weight[i]) && isfinite(model.mean[i]));
    }
    return 0;
}

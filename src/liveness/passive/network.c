#include "liveness/passive/network.h"

#include <math.h>
#include <stdio.h>

#include "face/crop.h"

/* l_live - ln(sum of e^l over the other classes), which is ln(p / (1 - p)) of the softmax without its rounding. */
static double log_odds(const float *logits, size_t count, int live)
{
    double highest = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if ((int)i != live)
            highest = fmax(highest, (double)logits[i]);
    }
    double others = 0;
    for (size_t i = 0; i < count; i++) {
        if ((int)i != live)
            others += exp((double)logits[i] - highest);
    }
    return (double)logits[live] - highest - log(others);
}

static bool run_once(bf_net_run *run, const bf_manifest *m, const bf_subject *subject, bf_rect rect, bool mirror,
                     double *ret)
{
    bf_tensor_from_rect(subject->rgb, rect, mirror, &m->input, bf_net_input(run));
    if (bf_net_execute(run, NULL) != BF_OK)
        return false;
    size_t count = 0;
    const float *logits = bf_net_output(run, 0, &count);
    if (count < 2 || (size_t)m->positive_class >= count)
        return false;
    *ret = log_odds(logits, count, m->positive_class);
    return isfinite(*ret);
}

void bf_passive_detect(bf_net_run *run, const bf_manifest *manifest, const bf_subject *subject, bool mirror,
                       bf_evidence *ret)
{
    *ret = (bf_evidence){.status = BF_EVIDENCE_FAILED, .why = "the network could not be run"};
    (void)snprintf(ret->detector, sizeof ret->detector, "%s", manifest->name);
    (void)snprintf(ret->version, sizeof ret->version, "%s", manifest->version);
    bf_rect box = subject->face->box;
    if (bf_rect_width(box) < BF_PASSIVE_FACE_SIDE_MIN_PX || bf_rect_height(box) < BF_PASSIVE_FACE_SIDE_MIN_PX) {
        ret->status = BF_EVIDENCE_NOT_APPLICABLE;
        ret->why = "the face is too small";
        return;
    }
    bf_rect rect = bf_crop_rect(manifest, subject->rgb, box);
    double plain = 0, mirrored = 0;
    if (!run_once(run, manifest, subject, rect, false, &plain))
        return;
    if (mirror && !run_once(run, manifest, subject, rect, true, &mirrored))
        return;
    ret->raw = mirror ? (plain + mirrored) / 2 : plain;
    ret->status = BF_EVIDENCE_PRESENT;
    ret->why = NULL;
}

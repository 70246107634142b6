/* A passive network of the class-logits family as a liveness detector. The detector's name and version are the
 * model's. raw = log-odds of the live class, ln(p / (1 - p)), mean over the crop and its mirror image when asked. */
#ifndef BF_LIVENESS_PASSIVE_NETWORK_H
#define BF_LIVENESS_PASSIVE_NETWORK_H

#include "infer/net.h"
#include "liveness/detector.h"

/* Face boxes narrower than this hold too few pixels for a crop to mean anything: NOT_APPLICABLE. */
#define BF_PASSIVE_FACE_SIDE_MIN_PX 24

/* Runs the network once or, with `mirror`, twice. Always fills *ret (FAILED with a reason when the run fails). `run`
 * belongs to this thread; `manifest` is the network's. */
void bf_passive_detect(bf_net_run *run, const bf_manifest *manifest, const bf_subject *subject, bool mirror,
                       bf_evidence *ret);

#endif

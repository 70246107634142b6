/* How good a frame of a clip is for being looked at closely. */
#ifndef BF_PIPELINE_WORTH_H
#define BF_PIPELINE_WORTH_H

#include "policy/policy.h"

typedef struct bf_worth {
    bool passes;  /* the policy's quality gate */
    double value; /* larger is better; comparable between frames that pass and between those that do not */
} bf_worth;

/* input->faces->face[0] is the face in question. A face that is turned far away is not measured further. Pure. */
bf_worth bf_frame_worth(const bf_policy *policy, bf_channel channel, const bf_quality_input *input);

#endif

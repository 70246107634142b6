#include "support/plans.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/synthetic_face.h"

bf_plan_wish wish_active(void)
{
    return (bf_plan_wish){.nonce = NONCE, .attempt = 1, .steps_min = 2, .steps_max = 4};
}

bf_plan plan_drawn(const bf_plan_wish *wish, uint32_t *seed)
{
    uint8_t bytes[BF_PLAN_RANDOM_SIZE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(random_next(seed) >> 16);
    bf_plan plan;
    bf_error err = {0};
    if (bf_plan_make(wish, bytes, &plan, &err) != BF_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return plan;
}

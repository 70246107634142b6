/* Plans of live capture for tests. */
#ifndef TESTS_SUPPORT_PLANS_H
#define TESTS_SUPPORT_PLANS_H

#include <stdint.h>

#include "capture/plan.h"

#define NONCE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Two to four asked steps, no flash. */
bf_plan_wish wish_active(void);

/* A plan by chance taken from the seed, which moves on. A wish that cannot be met ends the test. */
bf_plan plan_drawn(const bf_plan_wish *wish, uint32_t *seed);

#endif

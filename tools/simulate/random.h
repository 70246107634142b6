/* Seeded chance: the same seed gives the same numbers on every machine. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdint.h>

typedef struct sim_random {
    uint64_t state;
} sim_random;

/* A stream of its own for each (seed, stream). */
sim_random sim_random_from(uint64_t seed, uint64_t stream);
uint64_t sim_random_next(sim_random *random);
double sim_uniform(sim_random *random, double low, double high);
int sim_below(sim_random *random, int count);           /* 0..count-1 */
double sim_normal(sim_random *random);                  /* mean 0, deviation 1 */
int sim_chance(sim_random *random, double probability); /* 1 or 0 */

/* A slow wander around 0 with deviation near 1, as of a body that stands still: a function of time alone. Most of it is
 * below 0.5 Hz, a little reaches 3 Hz. */
double sim_wander(uint64_t seed, int channel, double seconds);
/* The same for a hand that holds something: up to 10 Hz. */
double sim_tremor(uint64_t seed, int channel, double seconds);

#endif

#include "simulate/random.h"

#include <math.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

sim_random sim_random_from(uint64_t seed, uint64_t stream)
{
    return (sim_random){mix(mix(seed + 0x9e3779b97f4a7c15u) ^ (stream * 0xd1342543de82ef95u + 1))};
}

uint64_t sim_random_next(sim_random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return mix(random->state);
}

double sim_uniform(sim_random *random, double low, double high)
{
    return low + (high - low) * (double)(sim_random_next(random) >> 11) * 0x1p-53;
}

int sim_below(sim_random *random, int count)
{
    return (int)(sim_random_next(random) % (uint64_t)count);
}

double sim_normal(sim_random *random)
{
    /* Twelve uniforms: no logarithm, whose last bit differs between machines. */
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += sim_uniform(random, 0, 1);
    return sum;
}

int sim_chance(sim_random *random, double probability)
{
    return sim_uniform(random, 0, 1) < probability;
}

static double waves(uint64_t seed, uint64_t stream, double seconds, const double hertz[5], const double weight[5])
{
    sim_random random = sim_random_from(seed, stream);
    double sum = 0;
    for (int i = 0; i < 5; i++) {
        double frequency = hertz[i] * sim_uniform(&random, 0.75, 1.33);
        sum += weight[i] * sin(2 * M_PI * (frequency * seconds + sim_uniform(&random, 0, 1)));
    }
    return sum;
}

double sim_wander(uint64_t seed, int channel, double seconds)
{
    static const double hertz[5] = {0.11, 0.27, 0.6, 1.3, 2.6}, weight[5] = {0.9, 0.7, 0.45, 0.2, 0.08};
    return waves(seed, 1000u + (uint64_t)channel, seconds, hertz, weight);
}

double sim_tremor(uint64_t seed, int channel, double seconds)
{
    static const double hertz[5] = {0.4, 1.1, 2.4, 5.0, 8.5}, weight[5] = {0.8, 0.7, 0.5, 0.35, 0.2};
    return waves(seed, 2000u + (uint64_t)channel, seconds, hertz, weight);
}

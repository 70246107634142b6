#include "evaluate/latency.h"

#include <math.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/sort.h"

static void free_floats(float **values)
{
    bf_free(*values);
}

/* What the table said, which the float is near to. */
static double in_microseconds(float ms)
{
    return round((double)ms * 1000) / 1000;
}

static double nearest_rank(const float *sorted, size_t count, double p)
{
    size_t rank = (size_t)ceil(p * (double)count);
    return in_microseconds(sorted[rank > 0 ? rank - 1 : 0]);
}

bf_status bf_latency_measure(bf_latency ret[BF_STAGES_MAX], const bf_scores *scores, bf_error *err)
{
    BF_CLEANUP(free_floats) float *values = bf_malloc((scores->count + 1) * sizeof *values);
    if (!values)
        return bf_fail_memory(err);
    for (size_t s = 0; s < scores->stages; s++) {
        size_t count = 0;
        for (size_t i = 0; i < scores->count; i++) {
            float ms = scores->stage_ms[i * scores->stages + s];
            if (!isnan(ms))
                values[count++] = ms;
        }
        bf_status status = bf_sort_floats(values, count, err);
        if (status != BF_OK)
            return status;
        ret[s] = (bf_latency){0, NAN, NAN, NAN, NAN, NAN};
        if (count > 0)
            ret[s] = (bf_latency){count,
                                  nearest_rank(values, count, 0.5),
                                  nearest_rank(values, count, 0.9),
                                  nearest_rank(values, count, 0.95),
                                  nearest_rank(values, count, 0.99),
                                  in_microseconds(values[count - 1])};
    }
    return BF_OK;
}

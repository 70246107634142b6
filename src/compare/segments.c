#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "compare/compare.h"
#include "evaluate/segments.h"

/* Presentations of one kind in one segment. */
typedef struct tally {
    uint32_t responses[2], accepted[2]; /* of A and B */
    uint32_t pairs, only_a, only_b;     /* both answered; accepted by one of them */
} tally;

static void free_tallies(tally **tallies)
{
    bf_free(*tallies);
}

static void count_row(tally *t, const bf_score_row *a, const bf_score_row *b, const double threshold[2])
{
    bool answered[2] = {a->status == BF_SCORE_OK, b->status == BF_SCORE_OK};
    bool accepted[2] = {answered[0] && a->score >= threshold[0], answered[1] && b->score >= threshold[1]};
    for (int i = 0; i < 2; i++) {
        t->responses[i] += answered[i];
        t->accepted[i] += accepted[i];
    }
    if (!answered[0] || !answered[1])
        return;
    t->pairs++;
    t->only_a += accepted[0] && !accepted[1];
    t->only_b += accepted[1] && !accepted[0];
}

static double rate_in_b(const tally *t)
{
    return t->responses[1] > 0 ? (double)t->accepted[1] / t->responses[1] : -1;
}

static double difference_of(const bf_rate rate[2])
{
    return rate[0].total > 0 && rate[1].total > 0 ? rate[1].value - rate[0].value : 0;
}

static double low_of(bf_span span)
{
    return isnan(span.low) ? -1 : span.low;
}

static void measure(bf_compared_segment *s, const tally *of_kind, const bf_comparison *c)
{
    const tally *live = &of_kind[0];
    double confidence = c->experiment.confidence;
    for (size_t k = 1; k < c->kinds; k++) {
        double rate = rate_in_b(&of_kind[k]), worst = s->worst_kind > 0 ? rate_in_b(&of_kind[s->worst_kind]) : -1;
        if (bf_compared_counts(c, k) && of_kind[k].responses[1] > 0 &&
            (rate > worst || (rate >= worst && of_kind[k].responses[1] < of_kind[s->worst_kind].responses[1])))
            s->worst_kind = (uint16_t)k;
    }
    tally none = {0};
    const tally *attack = s->worst_kind > 0 ? &of_kind[s->worst_kind] : &none;
    for (int i = 0; i < 2; i++) {
        s->bpcer[i] = bf_rate_of(live->responses[i] - live->accepted[i], live->responses[i]);
        s->apcer[i] = bf_rate_of(attack->accepted[i], attack->responses[i]);
    }
    s->bona_fide = (bf_paired){live->pairs, live->only_a, live->only_b};
    s->attacks = (bf_paired){attack->pairs, attack->only_b, attack->only_a};
    s->bona_fide_span = bf_paired_interval(&s->bona_fide, confidence);
    s->attacks_span = bf_paired_interval(&s->attacks, confidence);
    s->surely = fmax(low_of(s->bona_fide_span), low_of(s->attacks_span));
    s->small = live->pairs < BF_FEW_SAMPLES || attack->pairs < BF_FEW_SAMPLES;
}

static double worse_of(const bf_compared_segment *s)
{
    return fmax(difference_of(s->bpcer), difference_of(s->apcer));
}

static int worst_first(const void *a, const void *b)
{
    const bf_compared_segment *x = a, *y = b;
    if (x->is_protected != y->is_protected)
        return x->is_protected ? -1 : 1;
    if (x->surely != y->surely)
        return x->surely < y->surely ? 1 : -1;
    if (worse_of(x) != worse_of(y))
        return worse_of(x) < worse_of(y) ? 1 : -1;
    return x->column != y->column ? (int)x->column - (int)y->column : strcmp(x->value, y->value);
}

static bf_status measure_column(bf_comparison *c, bf_segment column, bf_error *err)
{
    const bf_scores *a = &c->pairs->a, *b = &c->pairs->b;
    size_t values = bf_names_count(&a->segment[column]);
    BF_CLEANUP(free_tallies) tally *tallies = bf_calloc(c->kinds * (values + 1), sizeof *tallies);
    bf_compared_segment *grown = bf_realloc(c->segment, (c->segments + values + 1) * sizeof *grown);
    if (grown)
        c->segment = grown;
    if (!grown || !tallies)
        return bf_fail_memory(err);
    for (size_t i = 0; i < a->count; i++)
        count_row(&tallies[a->row[i].segment[column] * c->kinds + a->row[i].kind], &a->row[i], &b->row[i],
                  c->experiment.threshold);
    for (size_t v = 0; v < values; v++) {
        bf_compared_segment *s = &c->segment[c->segments];
        *s = (bf_compared_segment){.column = column, .value = a->segment[column].text[v]};
        measure(s, tallies + v * c->kinds, c);
        s->is_protected = bf_experiment_protects(&c->experiment, column, s->value);
        /* With --common a value may have lost all its rows. */
        c->segments += s->bona_fide.pairs + s->attacks.pairs > 0;
    }
    return BF_OK;
}

bf_status bf_compare_segments(bf_comparison *c, bf_error *err)
{
    bf_status status = BF_OK;
    for (int s = 0; status == BF_OK && s < BF_SEGMENTS; s++) {
        if (c->pairs->a.has_segment[s])
            status = measure_column(c, (bf_segment)s, err);
    }
    if (c->segments > 0)
        qsort(c->segment, c->segments, sizeof *c->segment, worst_first);
    return status;
}

#include "evaluate/detectors.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "evaluate/sort.h"

/* The curve of one column: one made-up person, since nobody is drawn again. */
typedef struct measuring {
    const bf_scores *scores;
    const bf_said *said;
    bf_curve curve;
    bf_sort_item *item;
    size_t count;
} measuring;

static void measuring_done(measuring *m)
{
    bf_curve_done(&m->curve);
    bf_free(m->item);
}

static bf_status start(measuring *m, const bool *beside, bf_error *err)
{
    m->curve.kinds = 1 + bf_names_count(&m->scores->species);
    m->curve.persons = 1;
    for (size_t k = 1; k < m->curve.kinds; k++)
        m->curve.beside[k] = beside && beside[k - 1];
    m->item = bf_malloc((m->scores->count + 1) * sizeof *m->item);
    m->curve.entry = bf_malloc((m->scores->count + 1) * sizeof *m->curve.entry);
    m->curve.cell = bf_calloc(m->curve.kinds + 1, sizeof *m->curve.cell);
    return m->item && m->curve.entry && m->curve.cell ? BF_OK : bf_fail_memory(err);
}

/* Value and kind in one number, by falling value and then by kind; and back. -0 and 0 are one. */
static uint64_t key_of(float value, uint16_t kind)
{
    uint32_t bits;
    value += 0.0F;
    memcpy(&bits, &value, sizeof bits);
    bits = bits >> 31 ? bits : ~(bits | UINT32_C(1) << 31);
    return (uint64_t)bits << 16 | kind;
}

static double value_from(uint64_t key)
{
    float value;
    uint32_t bits = (uint32_t)(key >> 16);
    bits = bits >> 31 ? bits : ~bits & ~(UINT32_C(1) << 31);
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* The rows of the headline with a response and a value, by falling value; counts the responses. */
static bf_status sort_rows(measuring *m, size_t column, uint64_t *ret_responses, bf_error *err)
{
    *ret_responses = 0;
    m->count = 0;
    for (size_t i = 0; i < m->scores->count; i++) {
        const bf_score_row *row = &m->scores->row[i];
        if (row->status != BF_SCORE_OK || m->curve.beside[row->kind])
            continue;
        float value = m->said->value[i * m->said->columns + column];
        (*ret_responses)++;
        if (!isnan(value))
            m->item[m->count++] = (bf_sort_item){.key = key_of(value, row->kind), .index = (uint32_t)i};
    }
    return bf_sort(m->item, m->count, err);
}

static void build_curve(measuring *m)
{
    bf_curve *curve = &m->curve;
    curve->entries = 0;
    curve->cells = curve->kinds;
    for (size_t k = 0; k < curve->kinds; k++)
        curve->cell[k] = (bf_curve_cell){.kind = (uint16_t)k};
    for (size_t i = 0; i < m->count; i++) {
        uint16_t kind = (uint16_t)m->item[i].key;
        curve->cell[kind].responses++;
        if (i > 0 && m->item[i].key == m->item[i - 1].key)
            curve->entry[curve->entries - 1].count++;
        else
            curve->entry[curve->entries++] =
                (bf_curve_entry){.score = value_from(m->item[i].key), .count = 1, .kind = kind};
    }
}

/* log2(1 + e^x) */
static double softplus2(double x)
{
    return (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))) / log(2);
}

static double cllr_of(const bf_curve *curve)
{
    double cost[2] = {0}, count[2] = {0};
    for (size_t i = 0; i < curve->entries; i++) {
        const bf_curve_entry *entry = &curve->entry[i];
        bool attack = entry->kind > 0;
        cost[attack] += entry->count * softplus2(attack ? entry->score : -entry->score);
        count[attack] += entry->count;
    }
    return (cost[0] / count[0] + cost[1] / count[1]) / 2;
}

/* Each species' APCER at the highest threshold where BPCER is at most BF_ALONE_BPCER. */
static void measure_species(const bf_curve *curve, bf_detector_figures *f)
{
    uint64_t accepted[BF_KINDS_MAX] = {0};
    bf_curve_point point = bf_curve_at_bpcer(curve, BF_ALONE_BPCER);
    double worst = -1;
    f->threshold = point.threshold;
    f->bpcer = point.bpcer;
    for (size_t i = 0; i < curve->entries && curve->entry[i].score >= point.threshold; i++)
        accepted[curve->entry[i].kind] += curve->entry[i].count;
    for (size_t k = 1; k < curve->kinds; k++) {
        f->apcer[k] = bf_rate_of(accepted[k], curve->cell[k].responses);
        if (f->apcer[k].total > 0 && f->apcer[k].value > worst) {
            worst = f->apcer[k].value;
            f->worst_kind = (uint16_t)k;
        }
    }
}

static double mean_ms(const bf_scores *scores, const char *detector)
{
    double sum = 0;
    size_t stage = 0, count = 0;
    while (stage < scores->stages && strcmp(scores->stage[stage], detector) != 0)
        stage++;
    /* In whole microseconds, so that the order of the rows does not matter. */
    for (size_t i = 0; stage < scores->stages && i < scores->count; i++) {
        float ms = scores->stage_ms[i * scores->stages + stage];
        if (isnan(ms))
            continue;
        sum += round(1000 * (double)ms);
        count++;
    }
    return count > 0 ? sum / 1000 / (double)count : (double)NAN;
}

static bf_status measure_column(measuring *m, size_t column, bf_detector_figures *f, bf_error *err)
{
    uint64_t responses = 0;
    bf_curve_figures figures;
    bf_status status = sort_rows(m, column, &responses, err);
    if (status != BF_OK)
        return status;
    f->column = &m->said->column[column];
    f->present = bf_rate_of(m->count, responses);
    f->ms = mean_ms(m->scores, f->column->detector);
    f->auc = f->eer = f->threshold = f->bpcer = f->cllr = NAN;
    for (int i = 0; i < BF_TARGETS; i++)
        f->bpcer_at[i] = (bf_crossing){NAN, NAN};
    for (size_t k = 0; k < m->curve.kinds; k++)
        f->apcer[k] = bf_rate_of(0, 0);
    build_curve(m);
    if (!bf_curve_measure(&m->curve, NULL, true, &figures))
        return BF_OK;
    f->auc = figures.auc;
    f->eer = figures.eer;
    memcpy(f->bpcer_at, figures.bpcer_at, sizeof f->bpcer_at);
    if (f->column->llr)
        f->cllr = cllr_of(&m->curve);
    measure_species(&m->curve, f);
    return BF_OK;
}

bf_status bf_detectors_measure(bf_detectors *ret, const bf_scores *scores, const bf_said *said, const bool *beside,
                               bf_error *err)
{
    BF_CLEANUP(measuring_done) measuring m = {.scores = scores, .said = said};
    bf_detectors detectors = {0};
    bf_status status = start(&m, beside, err);
    if (status == BF_OK && !(detectors.figures = bf_calloc(said->columns + 1, sizeof *detectors.figures)))
        status = bf_fail_memory(err);
    for (size_t c = 0; status == BF_OK && c < said->columns; c++) {
        bf_detector_figures *f = &detectors.figures[c];
        detectors.count = c + 1;
        f->apcer = bf_calloc(m.curve.kinds, sizeof *f->apcer);
        status = f->apcer ? measure_column(&m, c, f, err) : bf_fail_memory(err);
    }
    if (status != BF_OK) {
        bf_detectors_done(&detectors);
        return status;
    }
    *ret = detectors;
    return BF_OK;
}

void bf_detectors_done(bf_detectors *detectors)
{
    for (size_t i = 0; i < detectors->count; i++)
        bf_free(detectors->figures[i].apcer);
    bf_free(detectors->figures);
    *detectors = (bf_detectors){0};
}

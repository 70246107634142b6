#include "fit/table.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

void bf_fit_table_done(bf_fit_table *table)
{
    bf_scores_done(&table->scores);
    bf_free(table->raw);
    bf_free(table->llr);
    bf_free(table->file_row);
    bf_free(table->quality_passed);
    for (size_t d = 0; d < table->detectors; d++)
        bf_free(table->detector[d]);
    *table = (bf_fit_table){0};
}

int bf_fit_detector(const bf_fit_table *table, const char *name)
{
    for (size_t d = 0; d < table->detectors; d++) {
        if (strcmp(table->detector[d], name) == 0)
            return (int)d;
    }
    return -1;
}

static size_t cell_of(const bf_score_row *row)
{
    return (size_t)row->segment[BF_SEGMENT_SOURCE] * 2 + (row->kind > 0);
}

static void free_counts(size_t **counts)
{
    bf_free(*counts);
}

bf_status bf_fit_weights(const bf_fit_table *table, const bool *use, double *ret, bf_error *err)
{
    const bf_scores *scores = &table->scores;
    size_t cells = 2 * (bf_names_count(&scores->segment[BF_SEGMENT_SOURCE]) + 1), used = 0;
    BF_CLEANUP(free_counts) size_t *counts = bf_calloc(cells, sizeof *counts);
    if (!counts)
        return bf_fail_memory(err);
    for (size_t i = 0; i < scores->count; i++) {
        bool in = !use || use[i];
        used += in;
        counts[cell_of(&scores->row[i])] += in;
    }
    double total[2] = {0};
    for (size_t c = 0; c < cells; c++)
        total[c % 2] += sqrt((double)counts[c]);
    bool both = total[0] > 0 && total[1] > 0;
    for (size_t i = 0; i < scores->count; i++) {
        size_t cell = cell_of(&scores->row[i]);
        bool in = both && (!use || use[i]);
        ret[i] = in ? (double)used / 2 / total[cell % 2] / sqrt((double)counts[cell]) : 0;
    }
    return BF_OK;
}

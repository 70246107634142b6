#include "evaluate/scores.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"

static const struct {
    const char *column, *title;
} SEGMENTS[BF_SEGMENTS] = {
    [BF_SEGMENT_PLATFORM] = {"platform", "Platform"},
    [BF_SEGMENT_DEVICE_CLASS] = {"device_class", "Device class"},
    [BF_SEGMENT_CHANNEL] = {"channel", "Channel"},
    [BF_SEGMENT_CAPTURE_TYPE] = {"capture_type", "Capture type"},
    [BF_SEGMENT_LIGHTING] = {"lighting_bucket", "Lighting"},
    [BF_SEGMENT_QUALITY] = {"quality_bucket", "Quality"},
    [BF_SEGMENT_FACE_SIZE] = {"face_iod_px", "Face size"},
    [BF_SEGMENT_PERSON_GROUP] = {"person_group", "Person group"},
    [BF_SEGMENT_SOURCE] = {"source", "Source"},
};

const char *bf_segment_column(bf_segment segment)
{
    return SEGMENTS[segment].column;
}

const char *bf_segment_title(bf_segment segment)
{
    return SEGMENTS[segment].title;
}

static bf_status grow(bf_scores *scores, bf_error *err)
{
    size_t capacity = scores->capacity ? scores->capacity + scores->capacity / 2 : 1024;
    bf_score_row *row = bf_realloc(scores->row, capacity * sizeof *row);
    if (!row)
        return bf_fail_memory(err);
    scores->row = row;
    if (scores->stages > 0) {
        float *stage_ms = bf_realloc(scores->stage_ms, capacity * scores->stages * sizeof *stage_ms);
        if (!stage_ms)
            return bf_fail_memory(err);
        scores->stage_ms = stage_ms;
    }
    scores->capacity = capacity;
    return BF_OK;
}

bf_status bf_scores_add(bf_scores *scores, const bf_score_row *row, const float *stage_ms, bf_error *err)
{
    if (scores->count == scores->capacity) {
        bf_status status = grow(scores, err);
        if (status != BF_OK)
            return status;
    }
    scores->row[scores->count] = *row;
    if (scores->stages > 0)
        memcpy(scores->stage_ms + scores->count * scores->stages, stage_ms, scores->stages * sizeof *stage_ms);
    scores->count++;
    return BF_OK;
}

bf_status bf_scores_add_sample(bf_scores *scores, bf_score_sample sample, const char *id, bf_error *err)
{
    size_t size = strlen(id) + 1;
    if (scores->count > scores->sample_capacity) {
        bf_score_sample *grown = bf_realloc(scores->sample, scores->capacity * sizeof *grown);
        if (!grown)
            return bf_fail_memory(err);
        scores->sample = grown;
        scores->sample_capacity = scores->capacity;
    }
    if (scores->sample_text_size + size > scores->sample_text_capacity) {
        size_t capacity = (scores->sample_text_size + size) * 3 / 2 + 4096;
        char *grown = bf_realloc(scores->sample_text, capacity);
        if (!grown)
            return bf_fail_memory(err);
        scores->sample_text = grown;
        scores->sample_text_capacity = capacity;
    }
    sample.text = scores->sample_text_size;
    bf_hash_text(id, size - 1, sample.id);
    memcpy(scores->sample_text + sample.text, id, size);
    scores->sample_text_size += size;
    scores->sample[scores->count - 1] = sample;
    return BF_OK;
}

const char *bf_scores_sample_id(const bf_scores *scores, size_t row)
{
    return scores->sample_text + scores->sample[row].text;
}

static void free_numbers(uint32_t **numbers)
{
    bf_free(*numbers);
}

static bf_status settle_persons(bf_scores *scores, const bf_ids *persons, bf_error *err)
{
    BF_CLEANUP(free_numbers) uint32_t *rank = NULL;
    bf_status status = bf_ids_ranks(persons, &rank, err);
    if (status != BF_OK)
        return status;
    for (size_t i = 0; i < scores->count; i++)
        scores->row[i].person = rank[scores->row[i].person];
    scores->persons = persons->count;
    return BF_OK;
}

bf_status bf_scores_settle(bf_scores *scores, const bf_ids *persons, bf_error *err)
{
    uint32_t number[BF_NAMES_MAX + 1];
    bf_status status = settle_persons(scores, persons, err);
    if (status == BF_OK)
        status = bf_names_sort(&scores->species, number, err);
    for (size_t i = 0; status == BF_OK && i < scores->count; i++) {
        if (scores->row[i].kind > 0)
            scores->row[i].kind = (uint16_t)(1 + number[scores->row[i].kind - 1]);
    }
    for (int s = 0; status == BF_OK && s < BF_SEGMENTS; s++) {
        status = bf_names_sort(&scores->segment[s], number, err);
        for (size_t i = 0; status == BF_OK && i < scores->count; i++)
            scores->row[i].segment[s] = (uint16_t)number[scores->row[i].segment[s]];
    }
    return status;
}

void bf_scores_done(bf_scores *scores)
{
    bf_free(scores->row);
    bf_free(scores->stage_ms);
    bf_free(scores->sample);
    bf_free(scores->sample_text);
    bf_names_done(&scores->species);
    for (int s = 0; s < BF_SEGMENTS; s++)
        bf_names_done(&scores->segment[s]);
    for (size_t i = 0; i < scores->stages; i++)
        bf_free(scores->stage[i]);
    *scores = (bf_scores){0};
}

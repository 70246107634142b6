#include "record/record.h"

#include <string.h>

#include "base/words.h"

const char *bf_record_label(const bf_record *record)
{
    if (record->status != BF_OK)
        return NULL;
    switch (record->policy.band) {
    case BF_BAND_PASS:
        return "live";
    case BF_BAND_UNCERTAIN:
        return "uncertain";
    case BF_BAND_FAIL:
        return "spoof";
    case BF_BAND_NOT_JUDGED:
        break;
    }
    return NULL;
}

bf_status bf_record_outcome(const bf_record *record)
{
    /* A record without an error and without a verdict must not look like a verdict. */
    if (record->status == BF_OK && !bf_record_label(record))
        return BF_NO_LIVENESS_EVIDENCE;
    return record->status;
}

const char *bf_record_status_name(const bf_record *record)
{
    bf_status status = bf_record_outcome(record);
    if (status == BF_OK)
        return "ok";
    return strcmp(bf_status_family(status), "quality") == 0 ? "could_not_judge" : "error";
}

const char *bf_record_media_kind(const bf_record *record)
{
    if (!record->capture.sequence)
        return "still";
    return record->capture.clip.container == BF_CONTAINER_BURST ? "burst" : "video";
}

const char *bf_stage_name(bf_stage stage)
{
    static const char *const names[BF_STAGE_COUNT] = {"decode",   "faces",     "geometry", "quality", "sequence",
                                                      "liveness", "reference", "match",    "policy"};
    return stage >= 0 && stage < BF_STAGE_COUNT ? names[stage] : "unknown";
}

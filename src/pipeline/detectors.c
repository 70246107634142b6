#include "pipeline/detectors.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "liveness/context/context.h"
#include "liveness/texture/spectrum.h"
#include "match/consistency.h"

static void run_texture(const bf_own_models *models, const bf_subject *subject, bf_evidence *ret)
{
    bf_texture_detect(&models->texture, subject, ret);
}

static void run_spectrum(const bf_own_models *models, const bf_subject *subject, bf_evidence *ret)
{
    (void)models;
    bf_spectrum_detect(subject, ret);
}

static void run_context(const bf_own_models *models, const bf_subject *subject, bf_evidence *ret)
{
    (void)models;
    bf_context_detect(subject, ret);
}

static const bf_own_detector DETECTORS[] = {
    {BF_TEXTURE_NAME, NULL, BF_REASON_EVIDENCE_TEXTURE, run_texture},
    {BF_SPECTRUM_NAME, BF_SPECTRUM_VERSION, BF_REASON_EVIDENCE_MOIRE, run_spectrum},
    {BF_CONTEXT_NAME, BF_CONTEXT_VERSION, BF_REASON_EVIDENCE_BORDER, run_context},
};

/* Each of them is also asked for in the fusion file. */
static const bf_sequence_detector *const CLIP_DETECTORS[] = {
    &bf_motion_detector, &bf_stream_detector, &bf_challenge_detector, &bf_flash_detector, &bf_consistency_detector,
};

int bf_clip_detector_count(void)
{
    return (int)(sizeof CLIP_DETECTORS / sizeof *CLIP_DETECTORS);
}

const bf_sequence_detector *bf_clip_detector_at(int index)
{
    return CLIP_DETECTORS[index];
}

const bf_sequence_detector *bf_clip_detector_find(const char *name)
{
    for (int i = 0; i < bf_clip_detector_count(); i++) {
        if (strcmp(CLIP_DETECTORS[i]->name, name) == 0)
            return CLIP_DETECTORS[i];
    }
    return NULL;
}

int bf_own_detector_count(void)
{
    return (int)(sizeof DETECTORS / sizeof *DETECTORS);
}

const bf_own_detector *bf_own_detector_at(int index)
{
    return &DETECTORS[index];
}

const bf_own_detector *bf_own_detector_find(const char *name)
{
    for (int i = 0; i < bf_own_detector_count(); i++) {
        if (strcmp(DETECTORS[i].name, name) == 0)
            return &DETECTORS[i];
    }
    return NULL;
}

const char *bf_own_detector_version(const bf_own_detector *detector, const bf_own_models *models)
{
    return detector->version ? detector->version : models->texture.version;
}

bf_status bf_own_models_read(const char *data_dir, bf_own_models *ret, bf_error *err)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/models/" BF_TEXTURE_NAME "/model.yaml", data_dir);
    if (length < 0 || (size_t)length >= sizeof path)
        return bf_fail(err, BF_INVALID_ARGUMENT, "The name of the data folder is too long.");
    BF_CLEANUP(bf_bytes_done) bf_bytes bytes = {0};
    bf_status status = bf_bytes_read_file(&bytes, path, BF_YAML_BYTES_MAX, err);
    if (status == BF_OK)
        status = bf_texture_model_parse(bytes.data, bytes.size, path, &ret->texture, err);
    return status;
}

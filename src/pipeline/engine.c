#include "pipeline/engine.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/words.h"
#include "pipeline/load.h"

#define DEFAULT_FUSION "default"

double bf_engine_now(const bf_engine *engine)
{
    return engine->clock_ms ? engine->clock_ms(engine->clock_data) : 0;
}

const bf_policy *bf_engine_policy(const bf_engine *engine, const char *flow)
{
    for (int i = 0; i < engine->policy_count; i++) {
        if (strcmp(bf_policy_flow(engine->policy[i]), flow) == 0)
            return engine->policy[i];
    }
    return NULL;
}

void bf_engine_free(bf_engine **engine)
{
    if (!engine || !*engine)
        return;
    for (int i = 0; i < BF_ROLE_COUNT; i++)
        bf_net_free(&(*engine)->role[i]);
    for (int i = 0; i < (*engine)->detector_count; i++)
        bf_net_free(&(*engine)->detector[i].net);
    bf_policies_free((*engine)->policy, (*engine)->policy_count);
    bf_fusion_free(&(*engine)->fusion);
    bf_free(*engine);
    *engine = NULL;
}

static void fill_versions(bf_engine *engine)
{
    bf_record_versions *v = &engine->versions;
    (void)snprintf(v->code, sizeof v->code, "%s", bf_version());
    (void)snprintf(v->build, sizeof v->build, "%s", bf_version_build());
    (void)snprintf(v->runtime, sizeof v->runtime, "onnxruntime %s", bf_net_runtime_version());
    (void)snprintf(v->fusion, sizeof v->fusion, "%s", bf_fusion_id(engine->fusion));
    for (int i = 0; i < engine->detector_count; i++) {
        if (engine->detector[i].calibrated)
            (void)snprintf(v->calibration[v->calibration_count++], sizeof *v->calibration, "%s",
                           engine->detector[i].calibration.id);
    }
    if (engine->match_calibrated)
        (void)snprintf(v->calibration[v->calibration_count++], sizeof *v->calibration, "%s",
                       engine->match_calibration.id);
}

bf_status bf_engine_new(const bf_engine_options *options, bf_engine **ret_engine, bf_error *err)
{
    if (!options || !ret_engine || options->struct_size != sizeof *options || !options->data_dir ||
        !options->weights_dir)
        return bf_fail(err, BF_INVALID_ARGUMENT, "An engine needs options with struct_size, data_dir and weights_dir.");
    if (options->limits.pixels_max > BF_IMAGE_PIXELS_CEILING)
        return bf_fail(err, BF_INVALID_ARGUMENT, "limits.pixels_max is larger than %u.", BF_IMAGE_PIXELS_CEILING);
    if (sodium_init() < 0)
        return bf_fail(err, BF_INTERNAL, "The cryptographic library cannot start.");
    BF_CLEANUP(bf_engine_free) bf_engine *engine = bf_calloc(1, sizeof *engine);
    if (!engine)
        return bf_fail_memory(err);
    engine->mirror = options->mirror;
    engine->limits = (bf_decode_limits){
        .input_bytes_max = options->limits.input_bytes_max,
        .pixels_max = options->limits.pixels_max,
        .side_min_px = options->limits.side_min_px,
        .decoder_bytes_max = options->limits.decoder_bytes_max,
        .jpeg_scans_max = options->limits.jpeg_scans_max,
    };
    engine->clock_ms = options->clock_ms;
    engine->clock_data = options->clock_data;
    bf_status status = bf_load_stack(engine, options->data_dir, options->weights_dir, err);
    if (status == BF_OK)
        status = bf_load_evidence(engine, options->data_dir, options->weights_dir,
                                  options->fusion ? options->fusion : DEFAULT_FUSION, err);
    if (status == BF_OK)
        status = bf_policies_read(options->data_dir, engine->policy, &engine->policy_count, err);
    if (status != BF_OK)
        return status;
    fill_versions(engine);
    *ret_engine = engine;
    engine = NULL;
    return BF_OK;
}

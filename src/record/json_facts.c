#include <string.h>

#include "record/json.h"

/* A short fingerprint of the quantisation tables: cameras and programs are known by theirs. */
static json_t *build_table_fingerprint(const bf_media_facts *media)
{
    uint8_t bytes[4 * (1 + 2 * 64)];
    size_t size = 0;
    for (int t = 0; t < 4; t++) {
        if (!media->jpeg_tables_present[t])
            continue;
        bytes[size++] = (uint8_t)t;
        for (int i = 0; i < 64; i++) {
            bytes[size++] = (uint8_t)(media->jpeg_tables[t][i] >> 8);
            bytes[size++] = (uint8_t)(media->jpeg_tables[t][i] & 0xff);
        }
    }
    if (size == 0)
        return json_null();
    char hex[BF_SHA256_HEX_SIZE];
    bf_sha256_hex(bytes, size, hex);
    hex[16] = '\0';
    return json_string(hex);
}

static json_t *build_jpeg(bf_build *build, const bf_media_facts *media)
{
    if (media->container != BF_CONTAINER_JPEG)
        return json_null();
    json_t *object = json_object();
    bf_build_put(build, object, "progressive", json_boolean(media->progressive));
    bf_build_put(build, object, "scans", json_integer(media->jpeg_scans));
    bf_build_put(build, object, "subsampling", bf_build_text_or_null(media->subsampling));
    bf_build_put(build, object, "quality", media->jpeg_quality > 0 ? json_integer(media->jpeg_quality) : json_null());
    bf_build_put(build, object, "standard_tables", json_boolean(media->jpeg_tables_standard));
    bf_build_put(build, object, "tables", build_table_fingerprint(media));
    return object;
}

static json_t *build_exif(bf_build *build, const bf_media_facts *media)
{
    if (!media->exif_present)
        return json_null();
    json_t *object = json_object();
    bf_build_put(build, object, "make", bf_build_text_or_null(media->exif_make));
    bf_build_put(build, object, "model", bf_build_text_or_null(media->exif_model));
    bf_build_put(build, object, "software", bf_build_text_or_null(media->exif_software));
    bf_build_put(build, object, "time", bf_build_text_or_null(media->exif_time));
    return object;
}

json_t *bf_record_build_integrity(bf_build *build, const bf_media_facts *media)
{
    json_t *object = json_object();
    bf_build_put(build, object, "container", json_string(bf_container_name(media->container)));
    bf_build_put(build, object, "coded_width", json_integer(media->coded_width));
    bf_build_put(build, object, "coded_height", json_integer(media->coded_height));
    bf_build_put(build, object, "orientation", json_integer(media->orientation > 0 ? media->orientation : 1));
    bf_build_put(build, object, "bit_depth", json_integer(media->bit_depth));
    bf_build_put(build, object, "alpha", json_boolean(media->has_alpha));
    bf_build_put(build, object, "icc_profile", json_boolean(media->has_icc_profile));
    bf_build_put(build, object, "palette", json_boolean(media->palette));
    bf_build_put(build, object, "grey", json_boolean(media->grey));
    bf_build_put(build, object, "cmyk", json_boolean(media->cmyk));
    bf_build_put(build, object, "jpeg", build_jpeg(build, media));
    bf_build_put(build, object, "exif", build_exif(build, media));
    return object;
}

json_t *bf_record_build_versions(bf_build *build, const bf_record_versions *versions)
{
    json_t *models = json_object();
    for (int i = 0; i < versions->model_count && i < BF_MODELS_MAX; i++) {
        const bf_record_model *model = &versions->model[i];
        json_t *object = json_object();
        bf_build_put(build, object, "version", bf_build_text(model->version));
        bf_build_put(build, object, "sha256", bf_build_text_or_null(model->sha256));
        bf_build_put(build, object, "optimised", json_boolean(model->optimised));
        bf_build_put(build, models, model->name, object);
    }
    json_t *calibrations = json_array();
    for (int i = 0; i < versions->calibration_count && i <= BF_DETECTORS_MAX; i++)
        bf_build_add(build, calibrations, bf_build_text(versions->calibration[i]));
    json_t *object = json_object();
    bf_build_put(build, object, "record", json_string(BF_RECORD_FORMAT));
    bf_build_put(build, object, "code", bf_build_text_or_null(versions->code));
    bf_build_put(build, object, "build", bf_build_text_or_null(versions->build));
    bf_build_put(build, object, "runtime", bf_build_text_or_null(versions->runtime));
    bf_build_put(build, object, "models", models);
    bf_build_put(build, object, "calibration", calibrations);
    bf_build_put(build, object, "fusion", bf_build_text_or_null(versions->fusion));
    bf_build_put(build, object, "fusion_configuration", bf_build_text_or_null(versions->fusion_configuration));
    bf_build_put(build, object, "policy", bf_build_text_or_null(versions->policy));
    return object;
}

json_t *bf_record_build_input(bf_build *build, const bf_record_input *input, const char *kind, bf_container container)
{
    json_t *object = json_object();
    bf_build_put(build, object, "type", json_string(kind));
    bf_build_put(build, object, "sha256", bf_build_text_or_null(input->sha256));
    bf_build_put(build, object, "bytes", json_integer((json_int_t)input->bytes));
    bf_build_put(build, object, "width", input->width > 0 ? json_integer(input->width) : json_null());
    bf_build_put(build, object, "height", input->height > 0 ? json_integer(input->height) : json_null());
    bf_build_put(build, object, "format", json_string(bf_container_name(container)));
    return object;
}

json_t *bf_record_build_request(bf_build *build, const bf_record_request *request)
{
    const bf_risk_context *risk = &request->risk;
    json_t *signals = json_array();
    for (int i = 0; i < risk->device_signal_count && i < BF_DEVICE_SIGNALS_MAX; i++)
        bf_build_add(build, signals, bf_build_text(risk->device_signals[i]));
    json_t *context = json_object();
    bf_build_put(build, context, "risk_tier", json_string(bf_risk_tier_name(risk->risk_tier)));
    bf_build_put(build, context, "device_signals", signals);
    bf_build_put(build, context, "document_confidence",
                 risk->document_confidence >= 0.0 ? bf_build_digits(risk->document_confidence, 9) : json_null());
    bf_build_put(build, context, "retry_count", json_integer(risk->retry_count));
    bf_build_put(build, context, "uncertain_count", json_integer(risk->uncertain_count));
    bf_build_put(build, context, "previous_failures", json_integer(risk->previous_failures));

    json_t *object = json_object();
    bf_build_put(build, object, "flow", bf_build_text(request->flow));
    bf_build_put(build, object, "channel",
                 request->channel == BF_CHANNEL_UNSPECIFIED ? json_null()
                                                            : json_string(bf_channel_name(request->channel)));
    bf_build_put(build, object, "context", context);
    bf_build_put(build, object, "full_evidence", json_boolean(request->full_evidence));
    bf_build_put(build, object, "mirror", json_boolean(request->mirror));
    bf_build_put(build, object, "match_order",
                 json_string(request->match_order == BF_MATCH_ALWAYS ? "always" : "after_liveness"));
    bf_build_put(build, object, "kill_switch", json_boolean(request->kill_switch));
    bf_build_put(build, object, "plan", bf_record_build_plan(build, request));
    return object;
}

static json_t *build_pose(bf_build *build, const bf_face *face)
{
    json_t *object = json_object();
    bf_build_put(build, object, "yaw", bf_build_decimals((double)face->yaw_deg, 2));
    bf_build_put(build, object, "pitch", bf_build_decimals((double)face->pitch_deg, 2));
    bf_build_put(build, object, "roll", bf_build_decimals((double)face->roll_deg, 2));
    return object;
}

static json_t *build_points(bf_build *build, const bf_point *points, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        bf_build_add(build, list, bf_build_point(build, points[i]));
    return list;
}

static void put_geometry(bf_build *build, json_t *object, const bf_record *record)
{
    json_t *boxes = json_array();
    for (int i = 0; i < record->faces.count && i < BF_FACES_MAX; i++)
        bf_build_add(build, boxes, bf_build_rect(build, record->faces.face[i].box));
    bf_build_put(build, object, "faces", boxes);

    const bf_face *primary = &record->faces.face[0];
    bool located = record->faces.count > 0 && primary->has_geometry;
    bf_build_put(build, object, "landmarks", build_points(build, primary->landmarks, located ? BF_LANDMARKS : 0));

    json_t *crops = json_array();
    for (int i = 0; i < record->crop_count && i < BF_RECORD_CROPS_MAX; i++) {
        json_t *crop = json_object();
        bf_build_put(build, crop, "model", bf_build_text(record->crop[i].model));
        bf_build_put(build, crop, "corners", build_points(build, record->crop[i].corner, 4));
        bf_build_add(build, crops, crop);
    }
    bf_build_put(build, object, "crops", crops);
    int corners = record->outline_count < BF_FACE_OUTLINE_MAX ? record->outline_count : BF_FACE_OUTLINE_MAX;
    bf_build_put(build, object, "outline", build_points(build, record->outline, corners));
}

json_t *bf_record_build_diagnostics(bf_build *build, const bf_record *record, unsigned flags)
{
    const bf_face *primary = &record->faces.face[0];
    bool found = record->faces.count > 0;
    bool located = found && primary->has_geometry;
    json_t *object = json_object();
    bf_build_put(build, object, "rule", bf_build_text_or_null(record->policy.rule));
    bf_build_put(build, object, "live_llr",
                 record->liveness_present ? bf_build_decimals(record->live_llr, 4) : json_null());
    bf_build_put(build, object, "fusion_bias",
                 record->liveness_present ? bf_build_decimals(record->fusion_bias, 4) : json_null());
    bf_build_put(build, object, "faces_found", json_integer(record->faces.count_all));
    bf_build_put(build, object, "primary_box", found ? bf_build_rect(build, primary->box) : json_null());
    bf_build_put(build, object, "inter_eye_px",
                 located ? bf_build_decimals((double)primary->inter_eye_px, 1) : json_null());
    bf_build_put(build, object, "pose", located ? build_pose(build, primary) : json_null());
    bf_build_put(build, object, "detail", bf_build_text_or_null(record->error.detail));
    if ((flags & BF_JSON_GEOMETRY) != 0)
        put_geometry(build, object, record);
    return object;
}

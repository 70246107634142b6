#include <stdio.h>

#include "liveness/challenge/challenge.h"
#include "record/json.h"

static json_t *build_frames(bf_build *build, const bf_record_capture *capture)
{
    json_t *object = json_object();
    bf_build_put(build, object, "coded", json_integer(capture->clip.frames_coded));
    bf_build_put(build, object, "analysed", json_integer(capture->analysed));
    return object;
}

static json_t *build_chosen(bf_build *build, const bf_record_capture *capture)
{
    json_t *list = json_array();
    for (int i = 0; i < capture->chosen_count && i < BF_RECORD_CHOSEN_MAX; i++) {
        json_t *object = json_object();
        bf_build_put(build, object, "index", json_integer(capture->chosen[i].index));
        bf_build_put(build, object, "ms", bf_build_decimals(capture->chosen[i].ms, 1));
        bf_build_put(build, object, "best", json_boolean(i == capture->best));
        bf_build_add(build, list, object);
    }
    return list;
}

static json_t *build_track(bf_build *build, const bf_track *track)
{
    json_t *object = json_object();
    bf_build_put(build, object, "found", json_integer(track->found));
    bf_build_put(build, object, "breaks", json_integer(track->breaks));
    bf_build_put(build, object, "break_ms", track->breaks > 0 ? bf_build_decimals(track->break_ms, 1) : json_null());
    bf_build_put(build, object, "longest_loss_ms", bf_build_decimals(track->lost_ms, 1));
    bf_build_put(build, object, "second_face_frames", json_integer(track->others));
    bf_build_put(build, object, "second_face_ms", bf_build_decimals(track->other_ms, 1));
    return object;
}

static json_t *build_findings(bf_build *build, const bf_sequence_evidence *of)
{
    json_t *list = json_array();
    for (int i = 0; i < of->finding_count && i < BF_FINDINGS_MAX; i++) {
        const bf_finding *finding = &of->finding[i];
        json_t *object = json_object();
        bf_build_put(build, object, "code", json_string(finding->code));
        bf_build_put(build, object, "ms", finding->ms >= 0 ? bf_build_decimals(finding->ms, 1) : json_null());
        bf_build_put(build, object, "value", bf_build_digits(finding->value, 6));
        bf_build_add(build, list, object);
    }
    return list;
}

static json_t *build_sequence(bf_build *build, const bf_record_capture *capture)
{
    json_t *list = json_array();
    for (int i = 0; i < capture->detail_count && i < BF_RECORD_SEQUENCE_MAX; i++) {
        const bf_sequence_evidence *of = &capture->detail[i];
        json_t *figures = json_object();
        for (int k = 0; k < of->figure_count && k < BF_FIGURES_MAX; k++)
            bf_build_put(build, figures, of->figure[k].name, bf_build_digits(of->figure[k].value, 6));
        json_t *object = json_object();
        bf_build_put(build, object, "detector", bf_build_text(of->evidence.detector));
        bf_build_put(build, object, "findings", build_findings(build, of));
        bf_build_put(build, object, "figures", figures);
        bf_build_add(build, list, object);
    }
    return list;
}

static json_t *build_signals(bf_build *build, const bf_signals *signals)
{
    json_t *list = json_array();
    for (int i = 0; i < signals->count && i < BF_SIGNALS_MAX; i++) {
        const bf_signal *signal = &signals->signal[i];
        json_t *object = json_object();
        bf_build_put(build, object, "name", json_string(signal->name));
        bf_build_put(build, object, "severity", json_string(bf_signal_severity_name(signal->severity)));
        bf_build_put(build, object, "source", json_string(bf_signal_source_name(signal->source)));
        bf_build_put(build, object, "detail", bf_build_text_or_null(signal->detail));
        bf_build_add(build, list, object);
    }
    return list;
}

static json_t *build_clip(bf_build *build, const bf_record_capture *capture)
{
    const bf_clip_facts *clip = &capture->clip;
    if (!capture->sequence)
        return json_null();
    json_t *object = json_object();
    bf_build_put(build, object, "container", json_string(bf_container_name(clip->container)));
    bf_build_put(build, object, "codec", bf_build_text_or_null(clip->codec));
    bf_build_put(build, object, "encoder", bf_build_text_or_null(clip->encoder));
    bf_build_put(build, object, "rotation", json_integer(clip->rotation_deg));
    bf_build_put(build, object, "audio", json_boolean(clip->has_audio));
    bf_build_put(build, object, "size_changes", json_integer(clip->size_changes));
    bf_build_put(build, object, "stated_ms",
                 clip->duration_ms > 0 ? bf_build_decimals(clip->duration_ms, 1) : json_null());
    return object;
}

/* Sixteen hex digits a frame. */
static json_t *build_fingerprint(bf_build *build, const bf_clip_fingerprint *clip)
{
    if (clip->count == 0)
        return json_null();
    json_t *list = json_array();
    for (int i = 0; i < clip->count && i < BF_CLIP_FRAMES; i++) {
        char text[17];
        (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)clip->frame[i]);
        bf_build_add(build, list, json_string(text));
    }
    return list;
}

json_t *bf_record_build_capture(bf_build *build, const bf_record *record)
{
    const bf_record_capture *capture = &record->capture;
    json_t *object = json_object();
    bf_build_put(build, object, "kind", json_string(bf_record_media_kind(record)));
    bf_build_put(build, object, "challenge", json_string(bf_challenge_outcome_name(record->challenge)));
    bf_build_put(build, object, "light", json_string(bf_light_name(record->policy.light)));
    bf_build_put(build, object, "signals", build_signals(build, &record->signals));
    bf_build_put(build, object, "frames", capture->sequence ? build_frames(build, capture) : json_null());
    bf_build_put(build, object, "duration_ms",
                 capture->sequence ? bf_build_decimals(capture->end_ms - capture->begin_ms, 1) : json_null());
    bf_build_put(build, object, "chosen", build_chosen(build, capture));
    bf_build_put(build, object, "track", capture->sequence ? build_track(build, &capture->track) : json_null());
    bf_build_put(build, object, "sequence", build_sequence(build, capture));
    bf_build_put(build, object, "clip", build_clip(build, capture));
    bf_build_put(build, object, "fingerprint", build_fingerprint(build, &capture->fingerprint));
    return object;
}

json_t *bf_record_build_plan(bf_build *build, const bf_record_request *request)
{
    if (!request->planned)
        return json_null();
    char text[BF_PLAN_TEXT_MAX];
    json_t *plan = json_loadb(text, bf_plan_write(&request->plan, text), 0, NULL);
    if (!plan)
        build->failed = true;
    return plan;
}

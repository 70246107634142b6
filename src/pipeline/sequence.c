#include "pipeline/sequence.h"

#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "decode/sniff.h"
#include "image/shrink.h"
#include "pipeline/judge.h"
#include "pipeline/worth.h"

#define SIDE_MAX_PX 640 /* of the frames that are analysed */
#define DETECT_EACH_MS 100.0
#define GREY_SIDE_MAX_PX 320 /* of their luma */

bool bf_judge_is_sequence(const bf_request *request)
{
    return !request->media_error && bf_frames_are(request->media, request->media_size);
}

void bf_sequence_work_done(bf_sequence_work *work)
{
    bf_frames_free(&work->frames);
    bf_picks_done(&work->picks);
    bf_image_done(&work->small);
    bf_image_done(&work->grey);
    explicit_bzero(work, sizeof *work);
}

/* Makes `copy` a picture of the size that fits `side_max`, with so many channels; what it held before is gone. */
static bf_status fit(const bf_image *image, int side_max, int channels, bf_image *copy, bf_error *err)
{
    int width, height;
    bf_image_fit(image, side_max, &width, &height);
    if (copy->width == width && copy->height == height)
        return BF_OK;
    bf_image_done(copy);
    return bf_image_alloc(copy, width, height, channels, err);
}

/* The frame as it is analysed. The view borrows from the frame and from `work`. */
static bf_status prepare(bf_sequence_work *work, const bf_frame *frame, bf_view *ret, bf_error *err)
{
    const bf_image *rgb = frame->rgb;
    bf_status status = BF_OK;
    if (rgb->width > SIDE_MAX_PX || rgb->height > SIDE_MAX_PX) {
        status = fit(frame->rgb, SIDE_MAX_PX, 3, &work->small, err);
        if (status == BF_OK)
            status = bf_image_shrink(frame->rgb, &work->small, err);
        rgb = &work->small;
    }
    if (status == BF_OK)
        status = fit(rgb, GREY_SIDE_MAX_PX, 1, &work->grey, err);
    if (status == BF_OK)
        status = bf_image_shrink_luma(rgb, &work->grey, err);
    if (status != BF_OK)
        return status;
    *ret = (bf_view){.rgb = rgb,
                     .grey = &work->grey,
                     .grey_scale = (float)work->grey.width / (float)rgb->width,
                     .ms = frame->ms,
                     .index = frame->index,
                     .coded_bytes = frame->coded_bytes,
                     .key = frame->key};
    return BF_OK;
}

/* Looks for faces, and puts the followed one first. */
static bf_status detect(bf_judge *judge, bf_record *record, const bf_view *view, bf_error *err)
{
    bf_sequence_work *work = &judge->sequence;
    double began_ms = bf_engine_now(judge->engine);
    bf_status status = bf_faces_find(&judge->face, view->rgb, &work->faces, err);
    bf_judge_end_stage(judge, record, BF_STAGE_FACES, began_ms);
    if (status != BF_OK)
        return status;
    work->detected_ms = view->ms;
    int at = bf_track_follow(&record->capture.track, &work->faces, view->ms);
    work->following = at >= 0;
    if (at > 0) {
        bf_face followed = work->faces.face[at];
        work->faces.face[at] = work->faces.face[0];
        work->faces.face[0] = followed;
    }
    return BF_OK;
}

/* Finds and measures the followed face. A face that was there a moment ago is where it was: a head does not move out of
 * its box in that time, and what is measured in the box of before differs less from what is measured in a new one than
 * from frame to frame. */
static bf_status find_face(bf_judge *judge, bf_record *record, bf_view *view, bf_error *err)
{
    bf_sequence_work *work = &judge->sequence;
    bf_status status = BF_OK;
    if (!work->following || view->ms - work->detected_ms >= DETECT_EACH_MS)
        status = detect(judge, record, view, err);
    else
        (void)bf_track_follow(&record->capture.track, &work->faces, view->ms);
    view->face_count = work->faces.count_all;
    if (status != BF_OK || !work->following)
        return status;
    double began_ms = bf_engine_now(judge->engine);
    status = bf_face_measure(&judge->face, view->rgb, &work->faces.face[0], err);
    bf_judge_end_stage(judge, record, BF_STAGE_GEOMETRY, began_ms);
    if (status == BF_OK)
        view->face = &work->faces.face[0];
    return status;
}

/* Keeps the frame when it is the best of its part of the clip. */
static bf_status offer(bf_judge *judge, const bf_policy *policy, const bf_record *record, const bf_frame *frame,
                       const bf_view *view, bf_error *err)
{
    float scale = (float)frame->rgb->width / (float)view->rgb->width;
    bf_faces original = judge->sequence.faces;
    for (int i = 0; i < original.count; i++)
        bf_face_scale(&original.face[i], scale);
    bf_media_facts media = {.container = record->capture.clip.container,
                            .coded_width = frame->rgb->width,
                            .coded_height = frame->rgb->height,
                            .orientation = 1,
                            .bit_depth = 8};
    if (frame->still)
        media = *frame->still;
    const bf_quality_input input = {frame->rgb, &original, &media};
    bf_worth worth = bf_frame_worth(policy, record->request.channel, &input);
    bf_pick *pick = bf_picks_offer(&judge->sequence.picks, frame->ms, worth.passes, worth.value);
    if (!pick)
        return BF_OK;
    bf_status status = bf_image_copy(frame->rgb, &pick->rgb, err);
    if (status != BF_OK)
        return status;
    pick->faces = original;
    pick->media = media;
    pick->passes = worth.passes;
    pick->worth = worth.value;
    pick->index = frame->index;
    pick->ms = frame->ms;
    pick->used = true;
    return BF_OK;
}

static void show(bf_judge *judge, const bf_view *view)
{
    for (int i = 0; i < judge->engine->detector_count; i++) {
        if (judge->detector_state[i])
            judge->engine->detector[i].clip->see(judge->detector_state[i], view);
    }
}

/* What the file says of its first frame is evidence about the capture path, whichever frame is the best. */
static void note_first(bf_judge *judge, const bf_frame *frame, bf_record *record)
{
    record->capture.begin_ms = frame->ms;
    judge->sequence.has_first = frame->still != NULL;
    if (frame->still)
        judge->sequence.first = *frame->still;
}

static bf_status analyse(bf_judge *judge, const bf_policy *policy, const bf_frame *frame, bf_record *record,
                         bf_error *err)
{
    bf_record_capture *capture = &record->capture;
    bf_view view;
    double began_ms = bf_engine_now(judge->engine);
    bf_status status = prepare(&judge->sequence, frame, &view, err);
    view.number = capture->analysed;
    bf_judge_end_stage(judge, record, BF_STAGE_SEQUENCE, began_ms);
    if (status == BF_OK)
        status = find_face(judge, record, &view, err);
    if (status != BF_OK)
        return status;
    began_ms = bf_engine_now(judge->engine);
    if (view.face)
        status = offer(judge, policy, record, frame, &view, err);
    show(judge, &view);
    if (capture->analysed == 0)
        note_first(judge, frame, record);
    capture->end_ms = frame->ms;
    capture->analysed++;
    bf_judge_end_stage(judge, record, BF_STAGE_SEQUENCE, began_ms);
    return status;
}

static bf_status read_frames(bf_judge *judge, const bf_policy *policy, bf_record *record, bf_error *err)
{
    bf_sequence_work *work = &judge->sequence;
    double from_ms = 0;
    while (record->capture.analysed < BF_SEQUENCE_FRAMES_MAX) {
        bf_frame frame;
        bool more = false;
        double began_ms = bf_engine_now(judge->engine);
        bf_status status = bf_frames_next(work->frames, from_ms, &frame, &more, err);
        bf_judge_end_stage(judge, record, BF_STAGE_DECODE, began_ms);
        if (status != BF_OK || !more)
            return status;
        status = analyse(judge, policy, &frame, record, err);
        if (status != BF_OK)
            return status;
        from_ms = bf_pace_next(&work->pace, frame.ms, record->capture.analysed);
    }
    return BF_OK;
}

static bf_status open_clip(bf_judge *judge, const bf_request *request, bf_record *record, bf_error *err)
{
    bf_sequence_work *work = &judge->sequence;
    double began_ms = bf_engine_now(judge->engine);
    const bf_frames_limits limits = {.still = judge->engine->limits};
    bf_judge_fill_input(&record->input, request->media, request->media_size);
    const char *looks_like;
    record->capture.clip.container = bf_sniff(request->media, request->media_size, &looks_like);
    bf_status status = bf_frames_open(request->media, request->media_size, &limits, &work->frames, err);
    bf_judge_end_stage(judge, record, BF_STAGE_DECODE, began_ms);
    if (status != BF_OK)
        return status;
    double stated_ms = bf_frames_facts(work->frames)->duration_ms;
    work->pace = bf_pace_start(stated_ms);
    bf_picks_start(&work->picks, stated_ms);
    work->sequence = (bf_sequence){.plan = record->request.planned ? &record->request.plan : NULL,
                                   .file = bf_frames_file(work->frames),
                                   .facts = bf_frames_facts(work->frames)};
    for (int i = 0; i < judge->engine->detector_count; i++) {
        if (judge->detector_state[i])
            judge->engine->detector[i].clip->begin(judge->detector_state[i], &work->sequence);
    }
    return BF_OK;
}

/* Makes the best frame the picture under judgement. */
static void take_best(bf_judge *judge, bf_record *record)
{
    bf_record_capture *capture = &record->capture;
    bf_picks *picks = &judge->sequence.picks;
    const bf_pick *best = bf_picks_best(picks);
    if (!best)
        return;
    judge->sequence.best = (int)(best - picks->pick);
    for (int i = 0; i < BF_RECORD_CHOSEN_MAX; i++) {
        const bf_pick *pick = &picks->pick[i];
        if (!bf_picks_is_chosen(picks, i))
            continue;
        if (pick == best)
            capture->best = capture->chosen_count;
        capture->chosen[capture->chosen_count++] = (bf_record_frame){pick->index, pick->ms};
    }
    bf_image_done(&judge->image);
    judge->image = best->rgb;
    picks->pick[judge->sequence.best].rgb = (bf_image){0};
    record->input.media = best->media;
    record->input.width = judge->image.width;
    record->input.height = judge->image.height;
    record->faces = best->faces;
}

void bf_stage_sequence(bf_judge *judge, const bf_request *request, const bf_policy *policy, bf_record *record)
{
    bf_record_capture *capture = &record->capture;
    bf_error err = {0};
    bf_sequence_work_done(&judge->sequence);
    judge->sequence.best = -1;
    bf_image_done(&judge->image);
    capture->sequence = true;
    bf_status status = open_clip(judge, request, record, &err);
    if (status == BF_OK) {
        capture->clip = *bf_frames_facts(judge->sequence.frames);
        status = read_frames(judge, policy, record, &err);
        capture->clip = *bf_frames_facts(judge->sequence.frames);
    }
    if (status == BF_OK) {
        bf_stage_sequence_end(judge, record);
        take_best(judge, record);
    }
    if (status != BF_OK)
        bf_judge_fail(record, &err);
    else if (capture->analysed == 0)
        bf_judge_fail_status(record, BF_EMPTY_INPUT, "Record again.");
    else if (judge->sequence.best < 0)
        bf_judge_fail_status(record, BF_NO_FACE, "Record again with the whole face in the picture.");
}

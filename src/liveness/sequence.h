/* What every detector over a sequence of frames takes and returns. Such a detector sees each analysed frame once, in
 * the order of time, keeps what it needs in its own state of fixed size, and says at the end what it makes of it. It
 * never keeps pixels of more than the frame before. Not enough to judge by is a normal outcome (NOT_APPLICABLE). */
#ifndef BF_LIVENESS_SEQUENCE_H
#define BF_LIVENESS_SEQUENCE_H

#include "capture/frames.h"
#include "capture/plan.h"
#include "liveness/detector.h"

#define BF_SEQUENCE_FRAMES_MAX 240 /* frames analysed of one capture, however long it is */
#define BF_FINDINGS_MAX 16
#define BF_FIGURES_MAX 12

/* What is known before the first frame. Borrowed for the whole sequence. */
typedef struct bf_sequence {
    const bf_plan *plan;         /* what was asked; NULL when nothing was */
    const bf_capture_file *file; /* what the client says it showed; NULL for a video */
    const bf_clip_facts *facts;
} bf_sequence;

/* One analysed frame. Borrowed for the call. */
typedef struct bf_view {
    const bf_image *rgb;  /* upright; all frames of a sequence are scaled to at most 640 px on the longer side */
    const bf_image *grey; /* the same as luma, 1 channel, at most 320 px on the longer side */
    float grey_scale;     /* grey pixel = rgb pixel x grey_scale */
    double ms;
    int index;           /* among the coded frames */
    int number;          /* among the analysed frames, from 0 */
    const bf_face *face; /* the followed face with geometry, px of `rgb`; NULL when it was not found in this frame */
    int face_count;      /* faces found in the frame */
    size_t coded_bytes;
    bool key;
} bf_view;

/* Something noticed, in a word of docs/reference/evidence.md ("answered_early"), and when. */
typedef struct bf_finding {
    const char *code; /* static text */
    double ms;        /* -1: not at one moment */
    double value;     /* NAN: none */
} bf_finding;

typedef struct bf_figure {
    const char *name; /* static text, "planar_residual" */
    double value;
} bf_figure;

typedef struct bf_sequence_evidence {
    bf_evidence evidence;
    bf_finding finding[BF_FINDINGS_MAX];
    int finding_count;
    bf_figure figure[BF_FIGURES_MAX]; /* what it was judged by, for operators and for fitting */
    int figure_count;
} bf_sequence_evidence;

/* Adds one; what is beyond the maximum is left out. */
void bf_finding_add(bf_sequence_evidence *evidence, const char *code, double ms, double value);
void bf_figure_add(bf_sequence_evidence *evidence, const char *name, double value);

/* A detector. `state` is `state_size` bytes, zeroed before begin; allocated once for each judge. */
typedef struct bf_sequence_detector {
    const char *name; /* "sequence.motion" */
    const char *version;
    bf_reason against; /* an EVIDENCE_ code: what a decision calls its evidence against */
    size_t state_size;
    void (*begin)(void *state, const bf_sequence *sequence);
    void (*see)(void *state, const bf_view *view);
    void (*end)(void *state,
                bf_sequence_evidence *ret); /* always fills evidence.status; name and version are the caller's */
} bf_sequence_detector;

extern const bf_sequence_detector
    bf_motion_detector; /* liveness/motion/: parallax of a head against motion of a plane */
extern const bf_sequence_detector bf_stream_detector; /* liveness/stream/: duplicate, frozen, looped, spliced frames */
extern const bf_sequence_detector
    bf_challenge_detector;                           /* liveness/challenge/: the asked steps, in order and in time */
extern const bf_sequence_detector bf_flash_detector; /* liveness/flash/: the screen's light on the face */

/* What came of the asked steps, for the policy. Filled by the challenge detector's end; see
 * liveness/challenge/challenge.h. */
typedef enum bf_challenge_outcome {
    BF_CHALLENGE_NOT_ASKED, /* there was no plan, or it asked for nothing */
    BF_CHALLENGE_FOLLOWED,  /* every asked step was seen, in order and in time */
    BF_CHALLENGE_UNCLEAR,   /* too little could be seen to say */
    BF_CHALLENGE_NOT_FOLLOWED
} bf_challenge_outcome;

/* What came of the screen's light, likewise. */
typedef enum bf_light_outcome {
    BF_LIGHT_NOT_ASKED,
    BF_LIGHT_ANSWERED,   /* the flash detector said so */
    BF_LIGHT_UNANSWERED, /* it was silent, or spoke against a face */
    BF_LIGHT_EXCUSED     /* there was none, though the policy wants it with steps: only the policy says this */
} bf_light_outcome;

/* Of the flash detector's evidence, where light was asked for. */
bf_light_outcome bf_light_outcome_of(const bf_evidence *flash);

#endif

/* Is the capture path trustworthy: typed signals from what the client reports and from what arrived. A signal is named,
 * has a severity and says where it comes from; what it leads to stands in the policy, which knows the names
 * (`device_risk:`), together with the signals that the caller's back end gives. Pure. */
#ifndef BF_INTEGRITY_INTEGRITY_H
#define BF_INTEGRITY_INTEGRITY_H

#include <stdbool.h>

#include "base/limits.h"
#include "capture/frames.h"
#include "capture/plan.h"

#define BF_SIGNALS_MAX 24
#define BF_SIGNAL_DETAIL_SIZE 96

typedef enum bf_signal_severity {
    BF_SIGNAL_NOTE,
    BF_SIGNAL_WEAK,
    BF_SIGNAL_STRONG,
    BF_SIGNAL_SEVERE
} bf_signal_severity;

/* CLAIMED: the client says so of itself (an honest client that is attacked; a lie costs nothing, so only what speaks
 * against it counts). MEASURED: seen in what arrived. */
typedef enum bf_signal_source { BF_SIGNAL_CLAIMED, BF_SIGNAL_MEASURED } bf_signal_source;

typedef struct bf_signal {
    const char *name; /* static text, "virtual_camera"; the list is in docs/reference/integrity.md */
    bf_signal_severity severity;
    bf_signal_source source;
    char detail[BF_SIGNAL_DETAIL_SIZE]; /* for the operator, printable ASCII; may be "" */
} bf_signal;

typedef struct bf_signals {
    bf_signal signal[BF_SIGNALS_MAX];
    int count;
} bf_signals;

/* What is looked at. Everything but `media` and `facts` may be NULL. */
typedef struct bf_integrity_input {
    const bf_plan *plan;         /* what this attempt was asked */
    const bf_capture_file *file; /* a burst, with the client's report */
    const bf_clip_facts *facts;  /* of a burst or video; NULL for a still */
    const bf_media_facts *media; /* of the still, or of the first frame of a burst */
} bf_integrity_input;

/* Fills the signals, gravest first. Total; any thread. */
void bf_integrity_look(const bf_integrity_input *input, bf_signals *ret);

/* A signal that can be given, and what it says of itself. */
typedef struct bf_signal_kind {
    const char *name;
    bf_signal_severity severity;
    bf_signal_source source;
} bf_signal_kind;

/* Every kind there is, *ret_count of them, also those that are found elsewhere in this program: the service compares
 * captures with earlier ones ("seen_before", "seen_similar"). Static. */
const bf_signal_kind *bf_signal_kinds(int *ret_count);

const char *bf_signal_severity_name(bf_signal_severity severity); /* "note", "weak", "strong", "severe" */
const char *bf_signal_source_name(bf_signal_source source);       /* "client_claimed", "server_measured" */

#endif

/* Finding faces and measuring the primary one with four networks, each known only by its manifest. */
#ifndef BF_FACE_FIND_H
#define BF_FACE_FIND_H

#include "face/face.h"
#include "infer/net.h"

/* One thread's runs of the face networks. Borrowed; never shared between threads. `eye_state` may be NULL: eyes are
 * then not judged by a network. */
typedef struct bf_face_runs {
    bf_net_run *detection;
    bf_net_run *landmarks;
    bf_net_run *pose;
    bf_net_run *eye_state;
    const bf_manifest *detection_manifest;
    const bf_manifest *landmarks_manifest;
    const bf_manifest *pose_manifest;
    const bf_manifest *eye_state_manifest;
} bf_face_runs;

/* Finds all faces, largest first. None found is BF_OK with count 0. INFERENCE_FAILED when the network fails. */
bf_status bf_faces_find(const bf_face_runs *runs, const bf_image *image, bf_faces *ret, bf_error *err);

/* Fills landmarks, pose, eye opening and inter-eye distance of `face` (its box is the input) and sets has_geometry.
 * Angles in degrees: yaw > 0 turns the nose to the picture's left, pitch > 0 lifts it, roll > 0 tilts the head towards
 * the picture's right. INFERENCE_FAILED when a network fails; `face` is then unchanged. */
bf_status bf_face_measure(const bf_face_runs *runs, const bf_image *image, bf_face *face, bf_error *err);

#endif

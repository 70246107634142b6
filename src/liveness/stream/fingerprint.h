/* What a frame and a capture look like, in a few bytes that survive compression and change of size: for finding the
 * same capture again, not for recognising anyone. Pure; any thread. */
#ifndef BF_LIVENESS_STREAM_FINGERPRINT_H
#define BF_LIVENESS_STREAM_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"

#define BF_CLIP_FRAMES 16 /* frames of a capture's fingerprint */
/* Whether each of 8 x 8 parts of the picture is darker than the part to its right: 64 bits, the same for any brightness
 * and contrast. 0 for an empty picture or one that is not grey. */
uint64_t bf_fingerprint(const bf_image *grey);
/* The same with 16 x 16 parts: 256 bits, for telling moments of one clip apart. */
void bf_fingerprint_fine(const bf_image *grey, uint64_t ret[4]);
/* How many bits differ, 0..64. */
int bf_fingerprint_distance(uint64_t a, uint64_t b);
/* How many bits of two fine ones differ, 0..256. */
int bf_fingerprint_fine_distance(const uint64_t a[4], const uint64_t b[4]);

/* Fingerprints of frames at equal distances in time, from the first to the last. */
typedef struct bf_clip_fingerprint {
    uint64_t frame[BF_CLIP_FRAMES];
    int count; /* BF_CLIP_FRAMES, or 0: there was no capture to make it of */
} bf_clip_fingerprint;

/* Takes the fingerprint from the frames' own: `hash` and `ms` of `count` frames, the times never falling. */
void bf_clip_fingerprint_take(const uint64_t *hash, const double *ms, int count, bf_clip_fingerprint *ret);

/* Mean number of bits by which the frames of one differ from those of the other, 0..64; each is compared with its
 * neighbours in time as well, so that a capture cut a little shorter is still known. 64 when either is empty. */
double bf_clip_fingerprint_distance(const bf_clip_fingerprint *a, const bf_clip_fingerprint *b);
/* Mean number of bits by which neighbouring frames differ. */
double bf_clip_fingerprint_motion(const bf_clip_fingerprint *clip);
/* Whether both are one recording, though compressed, scaled or cut anew. Two captures of one person in one place look
 * alike, so this asks for much less difference between the two than there is within each; captures in which nearly
 * nothing moves are never the same. docs/reference/evidence.md says what was measured. */
bool bf_clip_fingerprint_same(const bf_clip_fingerprint *a, const bf_clip_fingerprint *b);

#endif

/* Frequency evidence: the pixel lattice of a screen, its moire with the sensor, or the dots of a halftone print make
 * narrow peaks in the spectrum of the face at native resolution; skin and hair do not.
 *
 * Two patches of 128x128 original pixels (picture-left and picture-right cheek; never resized, resizing destroys the
 * lattice) are windowed (Hann) and transformed; the logarithms of their power are averaged, and each frequency is
 * compared with the mean of its 13x13 neighbourhood. Frequencies are left out where cameras and codecs have peaks of
 * their own: below 0.12 cycles per pixel, beside the axes (but for 0.3 to 0.47), and the harmonics of the 8-pixel JPEG
 * grid. Evidence of an attack only: most attacks show no lattice, so its absence says almost nothing. */
#ifndef BF_LIVENESS_TEXTURE_SPECTRUM_H
#define BF_LIVENESS_TEXTURE_SPECTRUM_H

#include "liveness/detector.h"

#define BF_SPECTRUM_NAME "passive.spectrum"
#define BF_SPECTRUM_VERSION "1.0.0"

typedef struct bf_spectrum_features {
    float peak;      /* highest excess of log power (natural) over its neighbourhood; 2.7 is seldom passed by chance */
    float frequency; /* of the peak, cycles per pixel, 0..0.5 */
    float direction_deg; /* of its wave, 0 = along the rows, -90..90 */
    float texture;       /* mean log power between 0.2 and 0.45 cycles per pixel over that of rounding to 8 bits */
} bf_spectrum_features;

/* PRESENT and *ret filled; NOT_APPLICABLE when the face is too small for the patches, or so soft that no lattice could
 * have survived; FAILED when there is no memory (about 400 KiB while it runs). *ret_why says which, else it is left
 * alone. Pure; any thread. */
bf_evidence_status bf_spectrum_measure(const bf_subject *subject, bf_spectrum_features *ret, const char **ret_why);

/* raw = minus the part of `peak` above what chance gives; 0 when there is none. Always fills *ret. Pure; any thread. */
void bf_spectrum_detect(const bf_subject *subject, bf_evidence *ret);

#endif

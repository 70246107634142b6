/* The few facts we want from an EXIF block (libexif). Location is never read. Internal to decode/. */
#ifndef BF_DECODE_EXIF_H
#define BF_DECODE_EXIF_H

#include "decode/job.h"

/* Reads orientation, make, model, software and time from `data`, which begins with the TIFF header ("II" or "MM") or
 * with "Exif\0\0" and then the TIFF header, into the job's facts, and sets exif_present. A block that cannot be
 * understood leaves the other facts as they are: cameras and editors write many broken ones, and a photo is still
 * a photo. Errors: OUT_OF_MEMORY, and DECODER_LIMIT when the block unfolds to more than BF_EXIF_BYTES_MAX. */
bf_status bf_exif_read(const bf_decode_job *job, const uint8_t *data, size_t size);

#endif

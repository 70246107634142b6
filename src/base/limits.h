/* Every ceiling of the library, in one place. The decode limits are defaults that a caller may lower or raise
 * through bf_decode_limits; the others are fixed. */
#ifndef BF_BASE_LIMITS_H
#define BF_BASE_LIMITS_H

#define BF_INPUT_BYTES_MAX (20u << 20)           /* one still image file */
#define BF_IMAGE_PIXELS_MAX 40000000u            /* width x height of a still */
#define BF_IMAGE_PIXELS_CEILING 500000000u       /* what a caller may raise it to: byte indices fit an int */
#define BF_IMAGE_SIDE_MIN_PX 100                 /* least width and least height */
#define BF_IMAGE_SIDE_MAX_PX 30000               /* either side */
#define BF_DECODER_BYTES_MAX (256u << 20)        /* memory one decoder may take besides the pixels */
#define BF_JPEG_SCANS_MAX 100                    /* scans of a progressive JPEG */
#define BF_JPEG_PADDING_BYTES_MAX 16             /* stray bytes a JPEG encoder may leave before the end marker */
#define BF_PNG_CHUNK_BYTES_MAX (4u << 20)        /* one ancillary PNG chunk, unpacked */
#define BF_HEIC_ITEMS_MAX 1024                   /* items (tiles, thumbnails, metadata) of a HEIC file */
#define BF_EXIF_BYTES_MAX (1u << 20)             /* an EXIF block, as coded and as unfolded in memory */
#define BF_CLIP_BYTES_MAX (64u << 20)            /* one burst or video */
#define BF_CLIP_DURATION_MS_MAX 60000            /* from its first frame to its last */
#define BF_CLIP_FRAMES_MAX 4000                  /* coded frames, read or skipped */
#define BF_CLIP_DECODED_BYTES_MAX (8ull << 30)   /* R,G,B of all frames that are decoded */
#define BF_CLIP_PIXELS_MAX 9437184u              /* of a frame of a video: 4096 x 2304 */
#define BF_CLIP_STREAMS_MAX 16                   /* tracks of a video file */
#define BF_CLIP_ALLOCATION_BYTES_MAX (64u << 20) /* one piece of memory that FFmpeg asks for */
#define BF_FACES_MAX 32                          /* faces reported in one image; more are counted, not kept */
#define BF_YAML_BYTES_MAX (1u << 20)
#define BF_YAML_NODES_MAX 20000
#define BF_YAML_DEPTH_MAX 16
#define BF_JSON_BYTES_MAX (1u << 20) /* context and record documents */
#define BF_JSON_DEPTH_MAX 32
#define BF_MODEL_BYTES_MAX (256u << 20) /* one weights file */
#define BF_ONNX_NODES_MAX 20000         /* of a network that is to be rewritten */
#define BF_ONNX_VALUES_MAX 100000       /* its values, and its connections */
#define BF_ONNX_DEPTH_MAX 24            /* messages nested in one another in its file */
#define BF_MODELS_MAX 32                /* models in one set */
#define BF_TENSOR_SIDE_MAX 1024         /* px, either side of an input tensor */
#define BF_TENSOR_FLOATS_MAX (4u << 20) /* one input or output tensor */
#define BF_DETECTORS_MAX 16
#define BF_POLICY_RULES_MAX 64
#define BF_NAME_MAX 64 /* model, policy, detector names, with the NUL */

/* Indices into pixels are products of ints. */
_Static_assert(BF_IMAGE_PIXELS_CEILING * 4ull <= 0x7fffffff, "an index into the largest image must fit an int");

#endif

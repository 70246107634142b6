/* What a model is: its manifest (models/NAME/manifest.yaml). Nothing about a particular model is known outside its
 * manifest; code knows only tasks and decoding families. */
#ifndef BF_MODELS_MANIFEST_H
#define BF_MODELS_MANIFEST_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/limits.h"
#include "bonafide/codes.h"
#include "image/tensor.h"

/* What the model is for. */
typedef enum bf_task {
    BF_TASK_FACE_DETECTION,
    BF_TASK_LANDMARKS,
    BF_TASK_POSE,
    BF_TASK_EYE_STATE,
    BF_TASK_LIVENESS,
    BF_TASK_EMBEDDING,
    BF_TASK_COUNT
} bf_task;

/* How its outputs are read. */
typedef enum bf_decoding {
    BF_DECODING_SSD_BOXES,     /* scores [1,N,C] (background first) and corner boxes [1,N,4] in 0..1 */
    BF_DECODING_POINTS,        /* [1,2K] x,y in 0..1 of the crop */
    BF_DECODING_BINNED_ANGLES, /* one logit vector per angle; degrees = sum(p_i * i) * bin_deg + offset_deg */
    BF_DECODING_CLASS_LOGITS,  /* [1,K] logits, softmax */
    BF_DECODING_EMBEDDING      /* [1,D], L2-normalised by us, compared by cosine */
} bf_decoding;

/* Which part of the picture the tensor shows. */
typedef enum bf_crop_rule {
    BF_CROP_WHOLE,         /* the whole image, stretched */
    BF_CROP_WHOLE_FIT,     /* the whole image in its own shape, in the middle; its edges repeat around it */
    BF_CROP_SQUARE,        /* square around the face box's centre, side = factor x box height */
    BF_CROP_BOX,           /* the face box grown to factor x its width and height about its centre, aspect kept;
                              when it leaves the image: reduced to the largest factor that fits, then shifted inside */
    BF_CROP_SQUARE_INSIDE, /* as BOX, of the square around the box's centre with the side of its height */
    BF_CROP_ALIGNED_5,     /* similarity of eye centres, nose tip and mouth corners to `template_points` */
    BF_CROP_EYE            /* square around each eye's centre, side = factor x eye width; run once per eye */
} bf_crop_rule;

#define BF_MODEL_OUTPUTS_MAX 4
#define BF_MODEL_CLASSES_MAX 8
#define BF_MODEL_POINTS 68           /* landmarks: the only point set that is understood */
#define BF_MODEL_BINS_MAX 128        /* logits per angle */
#define BF_MODEL_DIMENSIONS_MAX 2048 /* of an embedding */

typedef struct bf_manifest {
    char name[BF_NAME_MAX];
    char version[BF_NAME_MAX];
    bf_task task;
    bf_decoding decoding;
    bool approved;
    char licence[BF_NAME_MAX];
    char source[256];
    char sha256[BF_SHA256_HEX_SIZE];           /* of the published file; "" = checked by golden vectors at import */
    char optimised_sha256[BF_SHA256_HEX_SIZE]; /* of the rewritten file; "" when there is none */
    char golden[BF_NAME_MAX];                  /* file of golden vectors beside the manifest; "" when there is none */
    char file[BF_NAME_MAX];                    /* file name of the weights in the weights folder */
    char input_name[BF_NAME_MAX];              /* "" = the model's only input */
    bf_tensor_spec input;
    bf_crop_rule crop;
    float crop_factor;
    bf_point template_points[5];                     /* BF_CROP_ALIGNED_5, in tensor pixels */
    char outputs[BF_MODEL_OUTPUTS_MAX][BF_NAME_MAX]; /* in the family's order (scores, boxes; yaw, pitch, roll);
                                                        "" = the model's only output */
    int output_count;
    char classes[BF_MODEL_CLASSES_MAX][BF_NAME_MAX];
    int class_count;
    int positive_class;                   /* index of "live", "open" or "face" */
    float score_threshold, iou_threshold; /* SSD_BOXES */
    int point_count;                      /* POINTS */
    int bin_count;                        /* BINNED_ANGLES: logits per angle */
    float bin_deg, offset_deg;            /* BINNED_ANGLES */
    float angle_signs[3];                 /* BINNED_ANGLES: 1 or -1 for yaw, pitch, roll, so that yaw > 0 turns
                                             the nose to the picture's left, pitch > 0 lifts it and roll > 0
                                             tilts the head towards the picture's right */
    int dimensions;                       /* EMBEDDING */
    bf_reason against;                    /* LIVENESS: what a decision calls its evidence against */
    bool mirror_average;                  /* LIVENESS: average the logits of the crop and its mirror image */
} bf_manifest;

/* Parses a manifest (its keys: docs/reference/manifest.md). `name` is the file's name for messages. CONFIG_INVALID
 * with file and line on any fault: unknown or missing keys, values out of range, and contents that contradict each
 * other. *ret is written only on success. Any thread. */
bf_status bf_manifest_parse(const void *yaml, size_t size, const char *name, bf_manifest *ret, bf_error *err);

/* "face-detection", "landmarks", "pose", "eye-state", "liveness", "embedding". Static text. */
const char *bf_task_name(bf_task task);

#endif

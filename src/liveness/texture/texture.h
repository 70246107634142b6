/* Chroma and texture evidence: a printed or displayed face has other contrasts, colour mixtures and colour texture than
 * skin under light. 31 statistics of the face, resampled to 64x64 cells, go through a small logistic model whose
 * weights are a file, fitted by train/texture/fit.py.
 *
 * Mean colour and brightness are left out on purpose: they would tell skin tones, lamps and cameras apart before they
 * tell a person from a picture. Patterns of the luma are left out because on a camera not seen in fitting they made
 * the model worse (docs/results/passive.md). After Boulkenafet, Komulainen, Hadid, "Face anti-spoofing based on color
 * texture analysis" (2015) and Ojala, Pietikainen, Maenpaa, "Multiresolution gray-scale and rotation invariant texture
 * classification with local binary patterns" (2002). */
#ifndef BF_LIVENESS_TEXTURE_TEXTURE_H
#define BF_LIVENESS_TEXTURE_TEXTURE_H

#include "liveness/detector.h"

#define BF_TEXTURE_NAME "passive.texture"

#define BF_TEXTURE_FEATURES 31
/* Order of the features: histograms of rotation-invariant uniform local binary patterns of 8 neighbours (bins 0..8:
 * number of neighbours not darker, in a uniform pattern; 9: all other patterns; shares that sum to 1) of Cb, then of
 * Cr; then standard deviation and skewness of Y, Cb, Cr and HSV saturation (0..255 each); then the correlations Y-Cb,
 * Y-Cr, Cb-Cr. */
#define BF_TEXTURE_LBP_BINS 10
#define BF_TEXTURE_MOMENTS 20      /* first of the eight moments */
#define BF_TEXTURE_CORRELATIONS 28 /* first of the three correlations */

/* A logistic model over the features: raw = bias + sum of weight x (feature - mean) / scale. A plain value, read-only
 * after parsing. */
typedef struct bf_texture_model {
    char version[BF_NAME_MAX]; /* the detector's version in evidence: "VERSION+<first 12 hex of the file's sha256>" */
    double bias;
    double mean[BF_TEXTURE_FEATURES], scale[BF_TEXTURE_FEATURES], weight[BF_TEXTURE_FEATURES];
} bf_texture_model;

/* Parses a model file (models/passive.texture/model.yaml):
 *
 *   format: 1
 *   name: passive.texture
 *   version: 1.0.0
 *   bias: 0.1
 *   features:                     # exactly these, in the order above
 *     - {name: cb-pattern-0, mean: 0.02, scale: 0.01, weight: -0.3}   # scale > 0
 *
 * CONFIG_INVALID with file and line on any fault, OUT_OF_MEMORY; *ret is written only on success. */
bf_status bf_texture_model_parse(const void *yaml, size_t size, const char *name, bf_texture_model *ret, bf_error *err);

/* The name of a feature in the model file ("cb-pattern-0", "y-deviation", "cb-cr-correlation"); static text. */
const char *bf_texture_feature_name(int index);

/* False when the face is too small (*ret_why). Uses about 70 KiB of stack and no heap. Pure; any thread. */
bool bf_texture_measure(const bf_subject *subject, float ret[BF_TEXTURE_FEATURES], const char **ret_why);

/* raw = the model's log-odds of bona fide. Always fills *ret. Pure; any thread. */
void bf_texture_detect(const bf_texture_model *model, const bf_subject *subject, bf_evidence *ret);

#endif

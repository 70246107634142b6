/* The two forms that reviewers of errors fill in, with what is known already. */
#ifndef BF_REVIEW_FORM_H
#define BF_REVIEW_FORM_H

#include "review/review.h"

#define BF_FORM_FIELDS 12 /* of both forms */
#define BF_FORM_VALUE_SIZE 1000

typedef enum bf_form_field {
    /* about an attack that was accepted */
    BF_FORM_ATTACK_STYLE,
    BF_FORM_DEVICE,
    BF_FORM_MODEL_SCORES,
    BF_FORM_SIGNALS,
    BF_FORM_KNOWN_OR_NEW,
    BF_FORM_POLICY,
    /* about a bona fide that was not */
    BF_FORM_LIGHTING,
    BF_FORM_BLUR,
    BF_FORM_FACE_SIZE,
    BF_FORM_GATE,
    BF_FORM_RETRIES,
    BF_FORM_GUIDANCE
} bf_form_field;

/* "attack_style" for tables, "Attack style" for pages, as HTML. */
const char *bf_form_word(bf_form_field field);
const char *bf_form_label(bf_form_field field);
/* Whether the form for this kind of error has the field. */
bool bf_form_has(bf_slip_kind kind, bf_form_field field);

/* What is known of it; "" when nothing is. */
void bf_form_fill(const bf_slip *slip, const bf_review_report *report, bf_form_field field,
                  char ret[BF_FORM_VALUE_SIZE]);

#endif

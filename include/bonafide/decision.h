/** @file decision.h
 *  The words of a decision. */
#ifndef BONAFIDE_DECISION_H
#define BONAFIDE_DECISION_H

/** What to do next. Review is zero, so that a field nobody filled never reads as an approval. */
typedef enum bf_decision {
    BF_DECISION_REVIEW,    /**< let a person look */
    BF_DECISION_RETRY,     /**< ask for another capture, with guidance */
    BF_DECISION_CHALLENGE, /**< ask for a stronger, active capture */
    BF_DECISION_REJECT,    /**< refuse */
    BF_DECISION_APPROVE    /**< accept */
} bf_decision;

/** Liveness after the policy's bands. Not judged is its own thing: neither pass nor fail. */
typedef enum bf_band {
    BF_BAND_NOT_JUDGED, /**< no judgement was possible */
    BF_BAND_PASS,       /**< live */
    BF_BAND_UNCERTAIN,  /**< the evidence does not suffice */
    BF_BAND_FAIL        /**< spoof */
} bf_band;

/** Comparison with the reference portrait. */
typedef enum bf_match_outcome {
    BF_MATCH_NOT_REQUESTED, /**< no reference was given */
    BF_MATCH_STRONG,        /**< the same person */
    BF_MATCH_WEAK,          /**< a resemblance that does not suffice */
    BF_MATCH_NONE,          /**< another person */
    BF_MATCH_NOT_JUDGED     /**< requested, but one of the two faces could not be used */
} bf_match_outcome;

/** Where the capture came from, as the caller says. */
typedef enum bf_channel {
    BF_CHANNEL_UNSPECIFIED, /**< not said */
    BF_CHANNEL_ANDROID_APP, /**< "android_app" */
    BF_CHANNEL_IOS_APP,     /**< "ios_app" */
    BF_CHANNEL_MOBILE_WEB,  /**< "mobile_web" */
    BF_CHANNEL_DESKTOP_WEB, /**< "desktop_web" */
    BF_CHANNEL_KIOSK        /**< "kiosk" */
} bf_channel;

#endif

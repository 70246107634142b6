/* The end of errors.html: the rules, and what the words mean. */
#include "review/write.h"

static const struct {
    const char *key, *term, *text;
} TERMS[] = {
    {"threshold", "Threshold",
     "The score from which on a presentation is accepted: score &ge; threshold. Scores run from 0 to 100, higher for "
     "bona fide."},
    {"false_accept", "Attacks accepted at the threshold", "Attack presentations whose score reaches the threshold."},
    {"approved_attack", "Attacks that only the policy approved",
     "Attack presentations that do not reach the threshold, or have no score, and whose decision is approve."},
    {"false_reject", "Bona fide rejected at the threshold", "Bona fide presentations whose score is under it."},
    {"rejected_bona_fide", "Bona fide that only the policy rejected",
     "Bona fide presentations that reach the threshold and whose decision is reject, for example because the face did "
     "not match."},
    {"no_response", "Bona fide without a response",
     "Bona fide presentations that were not judged: no face, too poor a picture, or a failure."},
    {"llr", "llr",
     "The calibrated log-likelihood ratio of a detector: over 0 it speaks for a bona fide, under 0 for an attack; 1 "
     "means "
     "that the evidence is e &asymp; 2.7 times as likely for the one as for the other."},
    {"weighed", "Evidence that weighed against",
     "The reasons that begin with EVIDENCE_: where liveness did not pass clearly, up to three kinds of evidence that "
     "lowered the fused ratio most, each by 0.25 or more. Of the journey that was scored."},
    {"near", "Closest",
     "By evidence: the distance is the root of the mean squared difference of the detectors&rsquo; llr, each divided "
     "by "
     "its standard deviation over the table (sd). By picture: bits in which the perceptual prints of the two pictures "
     "differ, of 256; up to 15 is nearly the same picture, over 80 is not shown."},
    {"infrastructure", "Infrastructure", "Judging failed, or a detector did, or it took very long."},
    {"data", "Data",
     "The label is not confirmed or contradicted, or the table has few or no samples of this species or device."},
    {"capture_ux", "Capture UX", "The picture is hard to judge: small, blurred, dark, or it did not pass the gate."},
    {"security", "Security",
     "An attack of a kind that the detectors do not know, made by a program, or injected behind the camera."},
    {"threshold-cause", "Threshold or policy",
     "The score is close to the threshold, or the policy decided against the score."},
    {"model", "Model", "Detectors speak for the wrong side; named with how strongly."},
    {"unclear", "Unclear", "No rule found anything."},
};

void bf_review_html_end(bf_page *page, const bf_review_report *report)
{
    bf_page_put(
        page,
        "<section id=\"method\"><h2>Rules</h2><ul>"
        "<li>Evidence goes before hints. Among equals the order is infrastructure, data, capture UX, security, "
        "threshold, model: first what makes the observation itself doubtful, last what remains.</li>"
        "<li>Close to the threshold: within 2 points; a hint within 5. A detector errs clearly from an llr of 1 on the "
        "wrong side. Few samples are under 10.</li>"
        "<li>A quality measure is a hint when it is under 70 of 100 and under what 95&nbsp;%% of the accepted bona "
        "fide have, and evidence when it is under 30 besides; with fewer than 20 of those to compare with, it is a "
        "hint "
        "under 30. The eyes should be at least 60 px apart. For an attack all of this is a hint.</li>"
        "<li>No detector knows a species when each of them speaks against less than half of its samples, of at least "
        "three.</li>"
        "<li>Slow is five times the median or more.</li>"
        "<li>Compared with: all %zu rows of the table that their review does not exclude. %zu bona fide are accepted "
        "at the threshold.</li></ul></section><section id=\"glossary\"><h2>Definitions</h2><dl class=\"glossary\">",
        report->table->count, report->background.accepted_live);
    for (size_t i = 0; i < sizeof TERMS / sizeof *TERMS; i++)
        bf_page_put(page, "<dt id=\"d-%s\">%s</dt><dd>%s</dd>", TERMS[i].key, TERMS[i].term, TERMS[i].text);
    bf_page_put(page, "</dl></section><footer>All of this is also in errors.csv and errors.json.</footer></main></body>"
                      "</html>\n");
}

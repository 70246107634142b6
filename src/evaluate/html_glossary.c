#include <string.h>

#include "evaluate/html.h"

static const bf_html_definition TERMS[] = {
    {"apcer", "APCER",
     "Attack presentation classification error rate: the share of the attack presentations of one species "
     "that were accepted, of those that got a response (ISO/IEC 30107-3). The headline is the highest over "
     "all species."},
    {"bpcer", "BPCER",
     "Bona fide presentation classification error rate: the share of the bona fide presentations that were "
     "rejected, of those that got a response (ISO/IEC 30107-3). Always read it beside the APCER at the same "
     "threshold."},
    {"species", "Species",
     "A kind of attack instrument, such as a printed photo or a replay on a phone: what attackers "
     "can make again in the same way. The column attack_type."},
    {"apnrr", "APNRR",
     "Attack presentation non-response rate: the share of the attack presentations of one species that were "
     "not judged, because no face was found, the picture was too poor, or something failed."},
    {"bpnrr", "BPNRR", "Bona fide presentation non-response rate: the same for bona fide presentations."},
    {"threshold", "Threshold",
     "The score from which on a presentation is accepted: score &ge; threshold. Equal scores are "
     "accepted together. There is no other convention in this report."},
    {"clopper-pearson", "95 % interval (Clopper-Pearson)",
     "The exact interval of a share. If presentations were independent, intervals made this way would hold the true "
     "rate at "
     "least 95 times in 100. With no error in n presentations the true rate may still be about 3/n: the rule of "
     "three."},
    {"by-person", "95 % by person (bootstrap)",
     "Photos of one person resemble each other, so they say less than as many photos of different people. Here whole "
     "persons "
     "are drawn again and again, with everything they presented, and the middle 95 % of the results is shown. "
     "It needs errors to draw from, and with fewer than 20 persons it is itself a guess."},
    {"bpcer-at", "BPCER10, BPCER20, BPCER100",
     "BPCER at the lowest threshold at which the highest APCER is at most 10 %, 5 % and 1 %. BPCER100 is "
     "NIST&rsquo;s &ldquo;security&rdquo; figure."},
    {"apcer-at", "APCER at BPCER 1 %",
     "The highest APCER at the highest threshold at which at most 1 % of the bona fide presentations are rejected: "
     "NIST&rsquo;s &ldquo;convenience&rdquo; figure."},
    {"eer", "EER",
     "Equal error rate: where the share of accepted attacks and of rejected bona fide presentations are the same, "
     "on a straight line between the two nearest thresholds. All species are pooled. Not an ISO metric."},
    {"auc", "AUC",
     "The area under the ROC curve: the chance that a random bona fide presentation scores above a random attack, "
     "equal scores counting half. 0.5 is guessing. All species are pooled. Not an ISO metric."},
    {"acer", "ACER",
     "The mean of the highest APCER and of BPCER. Common in papers, but not an ISO metric: it lets an accepted "
     "attack be paid for by a convenience."},
    {"det", "DET plot",
     "Detection error trade-off: one error rate over the other for all thresholds, on normal-deviate axes, "
     "which spread small rates out."},
    {"iapar", "IAPAR",
     "Impostor attack presentation accept rate (formerly IAPMR): the share of the attacks of one species that "
     "the full system accepted, liveness and face match together. Only it describes the whole product."},
    {"frr", "FRR",
     "False rejection rate of the full system: the share of the bona fide presentations with a reference that were "
     "not accepted, for whichever reason."},
    {"riapar", "RIAPAR",
     "Relative impostor attack presentation accept rate: 1 + (IAPAR - (1 - FRR)), which is IAPAR + FRR. It "
     "keeps a system from looking good by accepting nobody."},
    {"segment", "Segments",
     "Presentations with the same value in one column. They are ordered by the lower bound of the 95 % "
     "interval of the worse of their two rates, so that a segment comes first when it is surely bad, "
     "and not when it is only small."},
    {"coverage", "Coverage", "How many presentations there are of each species and each device class or channel."},
    {"journey", "Retries",
     "For each person the shares of approve, review, challenge, reject and retry among their own "
     "presentations are taken as the chances of one attempt. Attempts go on while they end in retry; "
     "persons count alike. Whoever has one presentation only always gets the same answer."},
    {"reliability", "Reliability diagram",
     "Presentations are sorted into ten bins by their stated probability; each point "
     "shows how many of a bin were in fact bona fide."},
    {"brier", "Brier score",
     "The mean squared difference between the stated probability and what was true, 0 or 1. 0 is perfect; "
     "always saying 50 % gives 0.25."},
    {"log-loss", "Log loss",
     "The mean of -ln of the probability given to what was true; a confident mistake costs "
     "much. Always saying 50 % gives 0.6931. With classes alike and a prior of 0.5 it is Cllr "
     "times ln 2."},
    {"ece", "ECE",
     "Expected calibration error: the mean distance between stated probability and true share over ten bins, "
     "weighted by how many are in each."},
    {"present", "Present",
     "The share of the presentations with a response of which the detector said something. Its figures are over these "
     "alone, so those of two detectors with different shares are not about the same presentations."},
    {"alone", "Where BPCER is at most 5 %",
     "At the highest threshold of the detector at which it rejects at most 5 % of the bona fide presentations: the "
     "APCER "
     "of each species. It shows what a detector is blind to."},
    {"cllr", "Cllr",
     "What a log-likelihood ratio costs whoever relies on it: the mean of log2(1 + e^-LLR) over the bona fide and of "
     "log2(1 + e^LLR) over the attacks, both classes alike. 0 is perfect, and 1 is what saying nothing costs. More "
     "than 1 "
     "misleads."},
    {"percentile", "p50, p90, p95, p99",
     "So many percent of the times are at most this long, by nearest rank. p50 is the "
     "median."},
};

static bool is_among(const char *key, const char *const keys[])
{
    while (*keys && strcmp(*keys, key) != 0)
        keys++;
    return *keys != NULL;
}

static void define(bf_page *page, const bf_html_definition *d)
{
    bf_page_put(page, "<dt id=\"d-%s\">%s</dt><dd>%s</dd>", d->key, d->term, d->text);
}

void bf_html_glossary(bf_page *page, const char *const keys[], const bf_html_definition *more, size_t count)
{
    bf_page_put(page, "<section id=\"glossary\"><h2>Definitions</h2><dl class=\"glossary\">");
    for (size_t i = 0; i < sizeof TERMS / sizeof *TERMS; i++) {
        if (!keys || is_among(TERMS[i].key, keys))
            define(page, &TERMS[i]);
    }
    for (size_t i = 0; i < count; i++)
        define(page, &more[i]);
    bf_page_put(page, "</dl></section>");
}

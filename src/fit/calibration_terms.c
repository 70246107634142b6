#include "evaluate/html.h"
#include "fit/calibration_html.h"

static const bf_html_definition TERMS[] = {
    {"raw", "Raw value", "A detector&rsquo;s own output, on its own scale. Larger speaks for bona fide."},
    {"llr", "Log-likelihood ratio",
     "How much more often a value like this comes from bona fide presentations than from attacks, as a natural "
     "logarithm: 0 says nothing, 2.3 ten times more often, -2.3 ten times less often."},
    {"held-out", "Held out",
     "Persons are dealt into folds. Each fold is judged by a curve that was fitted to the others, so that no figure is "
     "about people the fit has seen. The file itself is fitted to all."},
    {"by-source", "Sources held out",
     "The same with whole sources instead of persons: how the curve does for captures that were made elsewhere. Often "
     "much worse, and nearer to what a new place will see."},
    {"log-loss", "Log loss",
     "The mean of -ln of the probability given to what was true, both classes weighing alike; a confident mistake "
     "costs "
     "much. Always saying 50 % gives 0.693."},
    {"cllr", "Cllr", "Log loss over ln 2: 1 is what a coin gives, 0 is perfect."},
    {"brier", "Brier score",
     "The mean squared difference between the stated probability and what was true, 0 or 1, both classes weighing "
     "alike. "
     "Always saying 50 % gives 0.25."},
    {"ece", "ECE",
     "Expected calibration error: the mean distance between stated probability and true share over ten bins, both "
     "classes "
     "weighing alike. It can be small for a curve that says nothing, so read it beside the log loss."},
    {"by-person", "95 % by person (bootstrap)",
     "Whole persons are drawn again and again, with everything they presented; the middle 95 % of the results is "
     "shown. "
     "An interval that has 0 in it is a difference that may be chance."},
    {"platt", "platt",
     "A straight line, by logistic regression on the raw value (Platt 1999). Two numbers: the simplest there is, and "
     "hard "
     "to fool with few people."},
    {"bands", "bands",
     "The values are cut into at most ten bands of equal weight; each band gets the ratio of its two shares, with one "
     "more counted on either side. Bands that would fall are pooled."},
    {"isotonic", "isotonic",
     "The best curve that never falls (pool adjacent violators), its steps made of at least ten presentations and a "
     "thirtieth of all, joined by straight lines."},
    {"min-max", "min-max",
     "The place between the least and the largest value, taken as if it were a probability. Common and not calibrated: "
     "shown to compare with."},
    {"z-score", "z-score",
     "The distance from the mean in standard deviations, taken as if it were log-odds. Likewise to compare with."},
    {"chosen", "How the method is chosen",
     "Of platt, bands and isotonic, in this order, the first whose log loss is not significantly above that of the "
     "best: "
     "the interval of the difference by person begins at 0 or below."},
    {"clamp", "What may be claimed",
     "Had none of n attacks a value this high, the share of attacks that do is still about 1 in n + 2. So no ratio "
     "goes beyond ln(n + 2), with the attacks for the upper end and the bona fide presentations for the lower."},
    {"share", "Share of its own fit",
     "A channel with n people of each class is fitted for itself with weight n / (n + 20) and follows the curve for "
     "all "
     "with the rest: few people shift little."},
};

void bf_calibration_html_definitions(bf_page *page)
{
    static const char *const shared[] = {"reliability", NULL};
    bf_html_glossary(page, shared, TERMS, sizeof TERMS / sizeof *TERMS);
}

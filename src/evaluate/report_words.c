/* Words that both reports use. */
#include "evaluate/report.h"

const char BF_LEVELS_CAUTION[] =
    "These levels are commonly cited; sources disagree on some of their counts. They belong to test methods that an "
    "accredited laboratory carries out on a complete product with attacks of its own making. Keeping to a number here "
    "is "
    "not conformance, and this report claims none.";

const char *bf_level_word(bf_level_result result)
{
    static const char *const words[] = {"not_measured", "no_mark", "beyond", "figure_only", "within"};
    return words[result];
}

const char *bf_level_phrase(bf_level_result result)
{
    static const char *const phrases[] = {"not measured", "no pass mark", "beyond the number", "too little to tell",
                                          "within the number"};
    return phrases[result];
}

const char *bf_gravity_word(bf_gravity gravity)
{
    static const char *const words[] = {"note", "caution", "serious"};
    return words[gravity];
}

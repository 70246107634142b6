#include "liveness/sequence.h"

void bf_finding_add(bf_sequence_evidence *evidence, const char *code, double ms, double value)
{
    if (evidence->finding_count < BF_FINDINGS_MAX)
        evidence->finding[evidence->finding_count++] = (bf_finding){code, ms, value};
}

void bf_figure_add(bf_sequence_evidence *evidence, const char *name, double value)
{
    if (evidence->figure_count < BF_FIGURES_MAX)
        evidence->figure[evidence->figure_count++] = (bf_figure){name, value};
}

bf_light_outcome bf_light_outcome_of(const bf_evidence *flash)
{
    return flash->status == BF_EVIDENCE_PRESENT && flash->raw > 0 ? BF_LIGHT_ANSWERED : BF_LIGHT_UNANSWERED;
}

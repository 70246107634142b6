/* Parts of threshold.html. */
#ifndef BF_FIT_PROPOSAL_PAGE_H
#define BF_FIT_PROPOSAL_PAGE_H

#include "evaluate/page.h"
#include "fit/proposal.h"

/* The highest APCER, its bound and BPCER over the threshold, with the bands. */
void bf_proposal_html_curve(bf_page *page, const bf_proposal *proposal);
/* What becomes of persons with retries, today and as proposed. */
void bf_proposal_html_cost(bf_page *page, const bf_proposal *proposal);

#endif

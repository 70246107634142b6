/* Parts of calibration.html. */
#ifndef BF_FIT_CALIBRATION_HTML_H
#define BF_FIT_CALIBRATION_HTML_H

#include "evaluate/page.h"
#include "fit/calibration.h"

void bf_calibration_html_curve(bf_page *page, const bf_calibrated *calibrated);
void bf_calibration_html_definitions(bf_page *page);

#endif

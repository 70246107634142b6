#include <math.h>
#include <stdio.h>

#include "evaluate/html.h"

#define BAR_WIDTH 150.0

void bf_html_term(bf_page *page, const char *key, const char *label)
{
    bf_page_put(page, "<a class=\"t\" href=\"#d-%s\">%s</a>", key, label);
}

/* Digits after the point of a percentage. */
static int digits_of(double value)
{
    return value > 0 && value < 0.0995 ? 2 : 1;
}

void bf_html_percent(bf_page *page, double value)
{
    if (isnan(value))
        bf_page_put(page, "&ndash;");
    else
        bf_page_put(page, "%.*f&nbsp;%%", digits_of(value), 100 * value);
}

void bf_html_interval(bf_page *page, double low, double high)
{
    if (isnan(low) || isnan(high)) {
        bf_page_put(page, "&ndash;");
        return;
    }
    bf_page_put(page, "%.*f to %.*f&nbsp;%%", digits_of(low), 100 * low, digits_of(high), 100 * high);
}

void bf_html_rate_cells(bf_page *page, const bf_rate *rate)
{
    bf_page_put(page, "<td class=\"n\">");
    if (rate->total == 0) {
        bf_page_put(page, "&ndash;</td><td class=\"n\">&ndash;</td>");
        return;
    }
    bf_page_put(page, "<b>");
    bf_html_percent(page, rate->value);
    bf_page_put(page, "</b> <span class=\"of\">%llu of %llu</span></td><td class=\"n\">",
                (unsigned long long)rate->count, (unsigned long long)rate->total);
    bf_html_interval(page, rate->low, rate->high);
    bf_page_put(page, "</td>");
}

void bf_html_bar_cell(bf_page *page, const bf_rate *rate, double top)
{
    if (rate->total == 0) {
        bf_page_put(page, "<td></td>");
        return;
    }
    double low = BAR_WIDTH * fmin(1, rate->low / top), high = BAR_WIDTH * fmin(1, rate->high / top);
    double at = BAR_WIDTH * fmin(1, rate->value / top);
    bf_page_put(
        page,
        "<td class=\"bar\"><svg viewBox=\"-4 0 %g 14\" width=\"%g\" height=\"14\" aria-hidden=\"true\">"
        "<path class=\"base\" d=\"M0 7H%g\"/><rect class=\"span\" x=\"%.1f\" y=\"4\" width=\"%.1f\" height=\"6\" "
        "rx=\"2\"/><circle class=\"dot\" cx=\"%.1f\" cy=\"7\" r=\"3.5\"/></svg></td>",
        BAR_WIDTH + 8, BAR_WIDTH + 8, BAR_WIDTH, low, fmax(1, high - low), at);
}

double bf_html_axis_top(double highest)
{
    static const double tops[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5};
    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++) {
        if (highest <= tops[i])
            return tops[i];
    }
    return 1;
}

int bf_html_series(size_t kind)
{
    return kind == 0 ? 0 : (int)(1 + (kind - 1) % 6);
}

void bf_html_fact(bf_page *page, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    bf_page_put(page, "<div><dt>%s</dt><dd>", name);
    bf_page_escape(page, value);
    bf_page_put(page, "</dd></div>");
}

void bf_html_number_fact(bf_page *page, const char *name, size_t value)
{
    bf_page_put(page, "<div><dt>%s</dt><dd>%zu</dd></div>", name, value);
}

/* Figures and intervals on the page of a comparison. */
#include <math.h>

#include "compare/report.h"
#include "evaluate/html.h"

static const char *sign_of(double value, bool is_signed)
{
    return value < 0 ? "&minus;" : is_signed && value > 0 ? "+" : "";
}

static int digits_of(bf_metric_unit unit, double value)
{
    double size = fabs(value);
    if (unit == BF_UNIT_NUMBER)
        return 4;
    if (unit == BF_UNIT_MS)
        return size < 10 ? 2 : size < 100 ? 1 : 0;
    return size > 0 && size < 0.0995 ? 2 : 1;
}

static void put_value(bf_page *page, bf_metric_unit unit, double value, bool is_signed)
{
    bf_page_put(page, "%s%.*f", sign_of(value, is_signed), digits_of(unit, value),
                fabs(unit == BF_UNIT_SHARE ? 100 * value : value));
}

void bf_compare_html_figure(bf_page *page, bf_metric_unit unit, double value, bool is_signed)
{
    if (isnan(value)) {
        bf_page_put(page, "&ndash;");
        return;
    }
    put_value(page, unit, value, is_signed);
    if (unit == BF_UNIT_SHARE)
        bf_page_put(page, is_signed ? "" : "&nbsp;%%");
    else
        bf_page_put(page, unit == BF_UNIT_MS ? "&nbsp;ms" : "");
}

void bf_compare_html_span(bf_page *page, bf_metric_unit unit, bf_span span)
{
    if (isnan(span.low)) {
        bf_page_put(page, "&ndash;");
        return;
    }
    put_value(page, unit, span.low, true);
    bf_page_put(page, " to ");
    put_value(page, unit, span.high, true);
}

static const char *label_of(bf_metric_kind kind)
{
    static const char *const labels[BF_METRIC_KINDS] = {
        [BF_METRIC_MAX_APCER] = "Highest APCER",
        [BF_METRIC_APCER] = "APCER",
        [BF_METRIC_BPCER] = "BPCER",
        [BF_METRIC_BPCER10] = "BPCER10",
        [BF_METRIC_BPCER20] = "BPCER20",
        [BF_METRIC_BPCER100] = "BPCER100",
        [BF_METRIC_APCER_AT] = "APCER at BPCER 1&nbsp;%",
        [BF_METRIC_EER] = "EER",
        [BF_METRIC_AUC] = "AUC",
        [BF_METRIC_APNRR] = "Highest APNRR",
        [BF_METRIC_BPNRR] = "BPNRR",
        [BF_METRIC_CLLR] = "Cllr",
        [BF_METRIC_BRIER] = "Brier score",
        [BF_METRIC_LATENCY_P50] = "Latency p50",
        [BF_METRIC_LATENCY_P95] = "Latency p95",
        [BF_METRIC_LATENCY_P99] = "Latency p99",
    };
    return labels[kind];
}

void bf_compare_html_metric(bf_page *page, const bf_metric *metric)
{
    bf_html_term(page, bf_metric_term(metric->kind), label_of(metric->kind));
    if (metric->of[0]) {
        bf_page_put(page, " of ");
        bf_page_escape(page, metric->of);
    }
}

#define BAR_WIDTH 170.0

static double bar_place(double value, double reach)
{
    return BAR_WIDTH * (0.5 + fmax(-1, fmin(1, value / reach)) / 2);
}

void bf_compare_html_bar_cell(bf_page *page, double value, bf_span span, double reach, double mark)
{
    if (isnan(value) || !(reach > 0)) {
        bf_page_put(page, "<td></td>");
        return;
    }
    bf_page_put(page,
                "<td class=\"bar\"><svg viewBox=\"-4 0 %g 16\" width=\"%g\" height=\"16\" aria-hidden=\"true\">"
                "<path class=\"base\" d=\"M0 8H%g\"/><path class=\"axis\" d=\"M%.1f 2V14\"/>",
                BAR_WIDTH + 8, BAR_WIDTH + 8, BAR_WIDTH, bar_place(0, reach));
    if (!isnan(mark))
        bf_page_put(page, "<path class=\"limit\" d=\"M%.1f 0V16\"/>", bar_place(mark, reach));
    if (!isnan(span.low)) {
        double low = bar_place(span.low, reach), high = bar_place(span.high, reach);
        bf_page_put(page, "<rect class=\"span\" x=\"%.1f\" y=\"5\" width=\"%.1f\" height=\"6\" rx=\"2\"/>", low,
                    fmax(1, high - low));
    }
    bf_page_put(page, "<circle class=\"dot\" cx=\"%.1f\" cy=\"8\" r=\"3.5\"/></svg></td>", bar_place(value, reach));
}

/* The pictures, drawn as SVG. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "evaluate/html.h"

#define DET_SIDE 400.0
#define DET_LEAST 0.001 /* rates below are drawn on the edge */
#define DET_MOST 0.95
#define HISTOGRAM_WIDTH 460.0
#define HISTOGRAM_HEIGHT 64.0
#define SQUARE_SIDE 300.0
#define NAME_CHARACTERS 24

static double det_place(double rate)
{
    double clamped = fmin(DET_MOST, fmax(DET_LEAST, rate));
    double low = bf_normal_quantile(DET_LEAST), high = bf_normal_quantile(DET_MOST);
    return DET_SIDE * (bf_normal_quantile(clamped) - low) / (high - low);
}

static void det_axes(bf_page *page)
{
    static const double ticks[] = {0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9};
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        double at = det_place(ticks[i]);
        bf_page_put(page,
                    "<path class=\"grid\" d=\"M%.1f 0V%g M0 %.1fH%g\"/><text x=\"%.1f\" y=\"%g\" "
                    "text-anchor=\"middle\">%g</text><text x=\"-6\" y=\"%.1f\" text-anchor=\"end\">%g</text>",
                    at, DET_SIDE, DET_SIDE - at, DET_SIDE, at, DET_SIDE + 16, 100 * ticks[i], DET_SIDE - at + 4,
                    100 * ticks[i]);
    }
    bf_page_put(page,
                "<path class=\"axis\" d=\"M0 0V%gH%g\"/><text class=\"title\" x=\"%g\" y=\"%g\" "
                "text-anchor=\"middle\">APCER, %% (attacks accepted)</text><text class=\"title\" "
                "transform=\"translate(-40 %g) rotate(-90)\" text-anchor=\"middle\">BPCER, %% (bona fide "
                "rejected)</text>",
                DET_SIDE, DET_SIDE, DET_SIDE / 2, DET_SIDE + 36, DET_SIDE / 2);
}

/* A name of any length where a plot has room for NAME_CHARACTERS. */
static void short_name(bf_page *page, const char *name)
{
    char text[4 * NAME_CHARACTERS + 1];
    size_t used = 0;
    for (int i = 0; i < NAME_CHARACTERS && name[used]; i++)
        used += bf_utf8_size((const unsigned char *)name + used);
    memcpy(text, name, used);
    text[used] = '\0';
    bf_page_escape(page, text);
    bf_page_put(page, "%s", name[used] ? "&hellip;" : "");
}

/* Points stand so close that straight lines between them are the curve. */
static void det_line(bf_page *page, const bf_evaluation *e, size_t kind)
{
    bf_curve_point points[BF_POINTS_MAX];
    size_t count = bf_curve_points(&e->curve, (uint16_t)kind, points);
    if (count == 0)
        return;
    bf_page_put(page, "<path class=\"l%d\" d=\"", bf_html_series(kind));
    for (size_t i = 0; i < count; i++)
        bf_page_put(page, "%s%.1f %.1f", i == 0 ? "M" : "L", det_place(points[i].apcer),
                    DET_SIDE - det_place(points[i].bpcer));
    bf_page_put(page, "\"/>");
}

static void det_legend(bf_page *page, const bf_evaluation *e)
{
    double y = 10;
    for (size_t k = 0; k < e->kinds; k++) {
        if (k > 0 && (!bf_kind_counts(e, k) || e->kind[k].responses == 0))
            continue;
        bf_page_put(page, "<path class=\"l%d\" d=\"M%g %gh28\"/><text x=\"%g\" y=\"%g\">", bf_html_series(k),
                    DET_SIDE + 16, y, DET_SIDE + 50, y + 4);
        short_name(page, k == 0 ? "maximum over species" : bf_kind_name(e, k));
        bf_page_put(page, "</text>");
        y += 20;
    }
    bf_page_put(page,
                "<circle class=\"dot\" cx=\"%g\" cy=\"%g\" r=\"4.5\"/><text x=\"%g\" y=\"%g\">at threshold %g</text>",
                DET_SIDE + 30, y, DET_SIDE + 50, y + 4, e->options.threshold);
}

void bf_html_det(bf_page *page, const bf_evaluation *e)
{
    bf_page_put(page,
                "<figure><svg viewBox=\"-56 -8 %g %g\" width=\"%g\" role=\"img\" aria-label=\"DET plot: BPCER over "
                "APCER, for each species and their maximum\">",
                DET_SIDE + 230, DET_SIDE + 56, (DET_SIDE + 230) * 0.82);
    det_axes(page);
    for (size_t k = e->kinds; k-- > 0;) {
        if (k == 0 || bf_kind_counts(e, k))
            det_line(page, e, k);
    }
    bf_page_put(page, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>", det_place(e->figures.max_apcer),
                DET_SIDE - det_place(e->figures.bpcer));
    det_legend(page, e);
    bf_page_put(page, "</svg><figcaption>");
    bf_html_term(page, "det", "DET plot");
    bf_page_put(
        page,
        ". Lower and further left is better. Both axes are normal deviates; what lies below %g&nbsp;%%, such as "
        "zero, or above %g&nbsp;%% is drawn on the edge. The headline is read on the thick line."
        "</figcaption></figure>",
        100 * DET_LEAST, 100 * DET_MOST);
}

static void draw_histogram(bf_page *page, const bf_evaluation *e, size_t kind, double y)
{
    const bf_kind_figures *k = &e->kind[kind];
    uint32_t highest = 1;
    double width = HISTOGRAM_WIDTH / BF_HISTOGRAM_BINS;
    for (int b = 0; b < BF_HISTOGRAM_BINS; b++)
        highest = k->histogram[b] > highest ? k->histogram[b] : highest;
    bf_page_put(page, "<text class=\"title\" x=\"-10\" y=\"%g\" text-anchor=\"end\">", y + HISTOGRAM_HEIGHT - 16);
    short_name(page, bf_kind_name(e, kind));
    bf_page_put(page,
                "</text><text x=\"-10\" y=\"%g\" text-anchor=\"end\">%llu scores</text><path class=\"axis\" d=\"M0 "
                "%gH%g\"/>",
                y + HISTOGRAM_HEIGHT, (unsigned long long)k->responses, y + HISTOGRAM_HEIGHT, HISTOGRAM_WIDTH);
    for (int b = 0; b < BF_HISTOGRAM_BINS; b++) {
        double height = (HISTOGRAM_HEIGHT - 6) * (double)k->histogram[b] / (double)highest;
        if (k->histogram[b] > 0)
            bf_page_put(page, "<rect class=\"f%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                        bf_html_series(kind), b * width + 0.5, y + HISTOGRAM_HEIGHT - fmax(1, height), width - 1,
                        fmax(1, height));
    }
}

void bf_html_distributions(bf_page *page, const bf_evaluation *e)
{
    size_t rows = 0;
    for (size_t k = 0; k < e->kinds; k++)
        rows += e->kind[k].responses > 0;
    double height = (double)rows * (HISTOGRAM_HEIGHT + 8), at = HISTOGRAM_WIDTH * e->options.threshold / BF_SCORE_TOP;
    bf_page_put(page,
                "<figure><svg viewBox=\"-190 -20 %g %g\" width=\"%g\" role=\"img\" aria-label=\"Histograms of the "
                "scores of bona fide presentations and of each species\">",
                HISTOGRAM_WIDTH + 205, height + 60, HISTOGRAM_WIDTH + 205);
    double y = 0;
    for (size_t k = 0; k < e->kinds; k++) {
        if (e->kind[k].responses == 0)
            continue;
        draw_histogram(page, e, k, y);
        y += HISTOGRAM_HEIGHT + 8;
    }
    for (int tick = 0; tick <= 100; tick += 20)
        bf_page_put(page, "<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">%d</text>", HISTOGRAM_WIDTH * tick / 100.0,
                    y + 10, tick);
    bf_page_put(page,
                "<text class=\"title\" x=\"%g\" y=\"%g\" text-anchor=\"middle\">score</text><path class=\"mark\" "
                "d=\"M%.1f -4V%g\"/><text x=\"%.1f\" y=\"-8\" text-anchor=\"%s\">accepted from %g</text></svg>",
                HISTOGRAM_WIDTH / 2, y + 30, at, y - 8, at, at > HISTOGRAM_WIDTH - 60 ? "end" : "middle",
                e->options.threshold);
    bf_page_put(page,
                "<figcaption>How the scores are distributed. Each row has a height of its own: compare shapes, not "
                "heights. Bona fide left of the dashed line were rejected, attacks right of it "
                "accepted.</figcaption></figure>");
}

static void draw_bin(bf_page *page, const bf_reliability_bin *bin)
{
    double x = SQUARE_SIDE * bin->mean;
    bf_page_put(
        page, "<path class=\"err\" d=\"M%.1f %.1fV%.1f\"/><circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", x,
        SQUARE_SIDE * (1 - bin->live.low), SQUARE_SIDE * (1 - bin->live.high), x, SQUARE_SIDE * (1 - bin->live.value));
}

void bf_html_reliability(bf_page *page, const bf_reliability *r, const char *caption)
{
    bf_page_put(page,
                "<figure><svg viewBox=\"-56 -8 %g %g\" width=\"%g\" role=\"img\" aria-label=\"Reliability diagram\">",
                SQUARE_SIDE + 76, SQUARE_SIDE + 56, SQUARE_SIDE + 76);
    for (int i = 0; i <= 5; i++) {
        double at = SQUARE_SIDE * i / 5;
        bf_page_put(page,
                    "<path class=\"grid\" d=\"M%g 0V%g M0 %gH%g\"/><text x=\"%g\" y=\"%g\" "
                    "text-anchor=\"middle\">%d</text><text x=\"-6\" y=\"%g\" text-anchor=\"end\">%d</text>",
                    at, SQUARE_SIDE, at, SQUARE_SIDE, at, SQUARE_SIDE + 16, 20 * i, SQUARE_SIDE - at + 4, 20 * i);
    }
    bf_page_put(page,
                "<path class=\"mark\" d=\"M0 %gL%g 0\"/><path class=\"axis\" d=\"M0 0V%gH%g\"/><text class=\"title\" "
                "x=\"%g\" y=\"%g\" text-anchor=\"middle\">stated probability of bona fide, %%</text><text "
                "class=\"title\" transform=\"translate(-38 %g) rotate(-90)\" text-anchor=\"middle\">were bona fide, "
                "%%</text>",
                SQUARE_SIDE, SQUARE_SIDE, SQUARE_SIDE, SQUARE_SIDE, SQUARE_SIDE / 2, SQUARE_SIDE + 36, SQUARE_SIDE / 2);
    for (int b = 0; b < BF_RELIABILITY_BINS; b++) {
        if (r->bin[b].live.total > 0)
            draw_bin(page, &r->bin[b]);
    }
    bf_page_put(page, "</svg><figcaption>");
    bf_html_term(page, "reliability", "Reliability diagram");
    bf_page_put(page,
                "%s. A probability that means what it says lies on the dashed line; bars are 95&nbsp;%% "
                "intervals.</figcaption></figure>",
                caption);
}

void bf_html_journey(bf_page *page, const bf_journey *j, const char *who)
{
    static const char *const words[] = {"approved", "in review", "asked for a challenge", "rejected",
                                        "out of attempts"};
    const double width = 360, row = 26;
    bf_page_put(page,
                "<figure><svg viewBox=\"-80 -26 %g %g\" width=\"%g\" role=\"img\" aria-label=\"Outcome by number of "
                "attempts, %s\"><text class=\"title\" x=\"0\" y=\"-12\">%s</text>",
                width + 90, BF_ATTEMPTS_MAX * row + 80, width + 90, who, who);
    for (int a = 0; a < BF_ATTEMPTS_MAX; a++) {
        const bf_journey_state *s = &j->after[a];
        const double shares[] = {s->approved, s->reviewed, s->challenged, s->rejected, s->waiting};
        double x = 0;
        bf_page_put(page, "<text x=\"-8\" y=\"%g\" text-anchor=\"end\">%d attempt%s</text>", a * row + 14, a + 1,
                    a == 0 ? "" : "s");
        for (int i = 0; i < 5; i++) {
            bf_page_put(page, "<rect class=\"j%d\" x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"18\"/>", i, x, a * row,
                        width * shares[i]);
            x += width * shares[i];
        }
    }
    for (int i = 0; i < 5; i++) {
        double x = i % 3 * 125.0 - 60, y = BF_ATTEMPTS_MAX * row + (i < 3 ? 8 : 28);
        bf_page_put(page,
                    "<rect class=\"j%d\" x=\"%g\" y=\"%g\" width=\"12\" height=\"12\"/><text x=\"%g\" y=\"%g\">%s"
                    "</text>",
                    i, x, y, x + 17, y + 10, words[i]);
    }
    bf_page_put(page, "</svg></figure>");
}

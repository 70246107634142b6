/* The curve from raw to ratio, drawn as SVG. */
#include <math.h>

#include "evaluate/html.h"
#include "fit/calibration_html.h"

#define WIDTH 520.0
#define HEIGHT 240.0
#define STEPS 208
#define BAR_TOP (HEIGHT + 34)
#define BAR_STEP 26.0

/* What is drawn where. */
typedef struct frame {
    double raw_min, raw_max, llr_max; /* ratios from -llr_max */
} frame;

static double place_x(const frame *f, double raw)
{
    return WIDTH * fmin(1, fmax(0, (raw - f->raw_min) / (f->raw_max - f->raw_min)));
}

static double place_y(const frame *f, double llr)
{
    return HEIGHT / 2 * (1 - llr / f->llr_max);
}

/* The largest ratio, of either sign, at the edges: no curve falls in between. */
static double highest(const bf_calibrated *c, double raw_min, double raw_max)
{
    double most = 0;
    for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++) {
        most = fmax(most, fabs(bf_calibration_llr(&c->fit, (bf_channel)channel, raw_min)));
        most = fmax(most, fabs(bf_calibration_llr(&c->fit, (bf_channel)channel, raw_max)));
    }
    return most;
}

static frame frame_of(const bf_calibrated *c)
{
    double least = fmin(c->quantile[0][0], c->quantile[1][0]), most = fmax(c->quantile[0][4], c->quantile[1][4]);
    double pad = most > least ? (most - least) * 0.15 : 1, raw_min = least - pad, raw_max = most + pad;
    return (frame){raw_min, raw_max, fmax(1, ceil(highest(c, raw_min, raw_max)))};
}

/* A round step, so that five to ten of them fill the width. */
static double step_of(double width)
{
    double step = pow(10, floor(log10(width / 5)));
    return width / step > 25 ? step * 5 : width / step > 10 ? step * 2 : step;
}

static void axes(bf_page *page, const frame *f)
{
    double step = step_of(f->raw_max - f->raw_min);
    for (double raw = ceil(f->raw_min / step) * step; raw <= f->raw_max; raw += step) {
        double x = place_x(f, raw);
        bf_page_put(page,
                    "<path class=\"grid\" d=\"M%.1f 0V%g\"/><text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%g</text>",
                    x, HEIGHT, x, HEIGHT + 16, fabs(raw) < step / 2 ? 0 : raw);
    }
    int last = (int)f->llr_max, apart = last > 6 ? 2 : 1;
    for (int llr = -(last / apart) * apart; llr <= last; llr += apart) {
        double y = place_y(f, llr);
        bf_page_put(page,
                    "<path class=\"%s\" d=\"M0 %.1fH%g\"/><text x=\"-6\" y=\"%.1f\" text-anchor=\"end\">%d</text>",
                    llr == 0 ? "axis" : "grid", y, WIDTH, y + 4, llr);
    }
    bf_page_put(
        page,
        "<text class=\"title\" transform=\"translate(-34 %g) rotate(-90)\" text-anchor=\"middle\">log-likelihood "
        "ratio</text>",
        HEIGHT / 2);
}

static void curve(bf_page *page, const frame *f, const bf_calibration *fit, bf_channel channel, int series)
{
    bf_page_put(page, "<path class=\"l%d\" d=\"", series);
    for (int i = 0; i <= STEPS; i++) {
        double raw = f->raw_min + (f->raw_max - f->raw_min) * i / STEPS;
        bf_page_put(page, "%s%.1f %.1f", i == 0 ? "M" : "L", place_x(f, raw),
                    place_y(f, bf_calibration_llr(fit, channel, raw)));
    }
    bf_page_put(page, "\"/>");
}

/* Where most values of one class lie: a line from 5 to 95 %, a box from 25 to 75 %, a dot at the median. */
static void quantiles(bf_page *page, const frame *f, const double q[5], double y, int series, const char *name)
{
    double box = place_x(f, q[1]), width = fmax(1, place_x(f, q[3]) - box);
    bf_page_put(page,
                "<text x=\"%g\" y=\"%g\">%s</text><path class=\"axis\" d=\"M%.1f %gH%.1f\"/><rect class=\"f%d\" "
                "x=\"%.1f\" y=\"%g\" width=\"%.1f\" height=\"10\" rx=\"2\"/><circle cx=\"%.1f\" cy=\"%g\" r=\"4\" "
                "style=\"fill:var(--paper);stroke:var(--ink)\"/>",
                WIDTH + 16, y + 4, name, place_x(f, q[0]), y, place_x(f, q[4]), series, box, y - 5, width,
                place_x(f, q[2]), y);
}

static void legend(bf_page *page, const bf_calibrated *c)
{
    double y = 10;
    bf_page_put(page, "<path class=\"l0\" d=\"M%g %gh28\"/><text x=\"%g\" y=\"%g\">all channels</text>", WIDTH + 16, y,
                WIDTH + 50, y + 4);
    for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++) {
        if (!c->fit.has_channel[channel])
            continue;
        y += 20;
        bf_page_put(page, "<path class=\"l%d\" d=\"M%g %gh28\"/><text x=\"%g\" y=\"%g\">%s</text>", channel, WIDTH + 16,
                    y, WIDTH + 50, y + 4, bf_channel_name((bf_channel)channel));
    }
}

void bf_calibration_html_curve(bf_page *page, const bf_calibrated *c)
{
    const frame f = frame_of(c);
    bf_page_put(
        page,
        "<figure><svg viewBox=\"-50 -8 %g %g\" width=\"%g\" role=\"img\" aria-label=\"Log-likelihood ratio over "
        "the raw value, and where the values of both classes lie\">",
        WIDTH + 190, BAR_TOP + 2 * BAR_STEP + 24, WIDTH + 190);
    axes(page, &f);
    curve(page, &f, &c->fit, BF_CHANNEL_UNSPECIFIED, 0);
    for (int channel = 0; channel < BF_CHANNEL_COUNT; channel++) {
        if (c->fit.has_channel[channel])
            curve(page, &f, &c->fit, (bf_channel)channel, channel);
    }
    if (c->channels.llr)
        legend(page, c);
    quantiles(page, &f, c->quantile[0], BAR_TOP, 0, "bona fide");
    quantiles(page, &f, c->quantile[1], BAR_TOP + BAR_STEP, 1, "attacks");
    bf_page_put(page,
                "<text class=\"title\" x=\"%g\" y=\"%g\" text-anchor=\"middle\">raw value of the detector</text></svg>"
                "<figcaption>What the file makes of a raw value. Above 0 it speaks for bona fide, below for an attack. "
                "The ",
                WIDTH / 2, BAR_TOP + 2 * BAR_STEP + 12);
    bf_html_term(page, "clamp", "flat ends");
    bf_page_put(page, " are what the counts support at most. Under it, where the values of both classes lie: the line "
                      "holds 90&nbsp;%%, the box half of them, the dot is the median.</figcaption></figure>");
}

/* The sections of threshold.html with pictures: the trade-off, and the cost. */
#include <math.h>

#include "evaluate/html.h"
#include "fit/proposal_page.h"

#define WIDTH 620.0
#define HEIGHT 340.0
#define RATE_LEAST 0.001 /* rates below are drawn on the edge */
#define RATE_MOST 0.95
#define SCORE_LEAST 0.0005 /* of the axis of thresholds, as a share of 100 */

/* Both axes are normal deviates: thresholds crowd at both ends, and small rates are what matters. */
static double place(double value, double least, double most, double side)
{
    double low = bf_normal_quantile(least), high = bf_normal_quantile(most);
    return side * (bf_normal_quantile(fmin(most, fmax(least, value))) - low) / (high - low);
}

static double x_of(double threshold)
{
    return place(threshold / BF_SCORE_TOP, SCORE_LEAST, 1 - SCORE_LEAST, WIDTH);
}

static double y_of(double rate)
{
    return HEIGHT - place(rate, RATE_LEAST, RATE_MOST, HEIGHT);
}

static void axes(bf_page *page)
{
    static const double scores[] = {0.1, 1, 5, 20, 50, 80, 95, 99, 99.9};
    static const double rates[] = {0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9};
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
        bf_page_put(page,
                    "<path class=\"grid\" d=\"M%.1f 0V%g\"/><text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%g</text>",
                    x_of(scores[i]), HEIGHT, x_of(scores[i]), HEIGHT + 16, scores[i]);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        bf_page_put(page,
                    "<path class=\"grid\" d=\"M0 %.1fH%g\"/><text x=\"-6\" y=\"%.1f\" text-anchor=\"end\">%g</text>",
                    y_of(rates[i]), WIDTH, y_of(rates[i]) + 4, 100 * rates[i]);
    bf_page_put(page,
                "<path class=\"axis\" d=\"M0 0V%gH%g\"/><text class=\"title\" x=\"%g\" y=\"%g\" "
                "text-anchor=\"middle\">threshold (score)</text><text class=\"title\" transform=\"translate(-40 %g) "
                "rotate(-90)\" text-anchor=\"middle\">error rate, %%</text>",
                HEIGHT, WIDTH, WIDTH / 2, HEIGHT + 36, HEIGHT / 2);
}

static void line(bf_page *page, const bf_proposal *p, const char *style, size_t offset)
{
    bf_page_put(page, "<path class=\"%s\" d=\"", style);
    for (size_t i = 0; i < BF_TRADES; i++) {
        const bf_trade *t = &p->trade[i];
        double rate = offset == 0 ? t->apcer : offset == 1 ? t->bound : t->bpcer;
        bf_page_put(page, "%s%.1f %.1f", i == 0 ? "M" : "L", x_of(t->threshold), y_of(rate));
    }
    bf_page_put(page, "\"/>");
}

static void mark(bf_page *page, double threshold, const char *name, int row)
{
    double x = x_of(threshold);
    bf_page_put(page,
                "<path class=\"mark\" d=\"M%.1f %dV%g\"/><text class=\"title\" x=\"%.1f\" y=\"%d\" "
                "text-anchor=\"middle\">%s %.6g</text>",
                x, -4 - 15 * row, HEIGHT, x, -8 - 15 * row, name, threshold);
}

static void target(bf_page *page, double rate, const char *name, int series)
{
    if (isnan(rate))
        return;
    bf_page_put(
        page,
        "<path class=\"l%d\" style=\"stroke-width:1\" d=\"M0 %.1fH%g\"/><text x=\"%g\" y=\"%.1f\">%s target</text>",
        series, y_of(rate), WIDTH, WIDTH + 6, y_of(rate) + 4, name);
}

static void legend(bf_page *page)
{
    static const char *const names[] = {"highest APCER", "its upper bound", "BPCER"};
    static const char *const styles[] = {"l1", "l4", "l2"};
    for (int i = 0; i < 3; i++)
        bf_page_put(page, "<path class=\"%s\" d=\"M%d %gh28\"/><text x=\"%d\" y=\"%g\">%s</text>", styles[i],
                    30 + 180 * i, HEIGHT + 58, 64 + 180 * i, HEIGHT + 62, names[i]);
}

void bf_proposal_html_curve(bf_page *page, const bf_proposal *p)
{
    const bf_scope *journey = &p->scope[0];
    const bf_targets *t = &p->options.targets;
    bf_page_put(
        page,
        "<section id=\"curve\"><h2>The trade-off</h2><figure><svg viewBox=\"-56 -56 %g %g\" width=\"%g\" "
        "role=\"img\" aria-label=\"Highest APCER, its upper bound and BPCER over the threshold, with the bands\">",
        WIDTH + 160, HEIGHT + 130, WIDTH + 160);
    axes(page);
    target(page, t->apcer, "APCER", 1);
    target(page, t->bpcer, "BPCER", 2);
    line(page, p, "l1", 0);
    line(page, p, "l4", 1);
    line(page, p, "l2", 2);
    mark(page, journey->proposed.uncertain, "uncertain", 0);
    mark(page, journey->today.pass, "today", 2);
    mark(page, journey->proposed.pass, "pass", 1);
    legend(page);
    bf_page_put(page, "</svg><figcaption>Attacks at or above the ");
    bf_html_term(page, "threshold", "threshold");
    bf_page_put(page,
                " pass, bona fide below it do not. Both axes are normal deviates, which spread their ends out; rates "
                "below %g&nbsp;%% or above %g&nbsp;%% are drawn on the edge. The ",
                100 * RATE_LEAST, 100 * RATE_MOST);
    bf_html_term(page, "bound", "bound");
    bf_page_put(page, " is the highest of the species&rsquo; bounds, so a small species can hold it up everywhere."
                      "</figcaption></figure></section>");
}

static void share_cells(bf_page *page, double today, double proposed)
{
    bf_page_put(page, "<td class=\"n\">");
    bf_html_percent(page, today);
    bf_page_put(page, "</td><td class=\"n\"><b>");
    bf_html_percent(page, proposed);
    bf_page_put(page, "</b></td>");
}

static void cost_row(bf_page *page, const bf_proposal *p, size_t k)
{
    const bf_retries *before = &p->before[k], *after = &p->after[k];
    if (before->persons == 0)
        return;
    const bf_journey_state *today = &before->after[BF_ATTEMPTS_MAX - 1], *now = &after->after[BF_ATTEMPTS_MAX - 1];
    bf_page_put(page, "<tr><td>");
    bf_page_escape(page, bf_proposal_kind(p, k));
    bf_page_put(page, "</td><td class=\"n\">%llu</td>", (unsigned long long)before->persons);
    share_cells(page, today->approved, now->approved);
    share_cells(page, today->reviewed, now->reviewed);
    share_cells(page, today->challenged, now->challenged);
    share_cells(page, today->rejected, now->rejected);
    bf_page_put(page, "<td class=\"n\">%.2f</td><td class=\"n\"><b>%.2f</b></td></tr>", before->captures,
                after->captures);
}

static void journey_of(bf_page *page, const bf_retries *retries, const char *who)
{
    bf_journey journey = {.persons = retries->persons};
    for (int a = 0; a < BF_ATTEMPTS_MAX; a++)
        journey.after[a] = retries->after[a];
    bf_html_journey(page, &journey, who);
}

void bf_proposal_html_cost(bf_page *page, const bf_proposal *p)
{
    uint64_t assumed = 0;
    bf_page_put(page, "<section id=\"cost\"><h2>What it costs</h2><p>Every presentation, ");
    bf_html_term(page, "cost", "decided again");
    bf_page_put(page,
                " by today&rsquo;s policy and by the new one, with retries: where persons stand after at most %d "
                "attempts, today and <b>as proposed</b>.</p><div class=\"wide\"><table><thead><tr><th>Class</th><th "
                "class=\"n\">persons</th><th class=\"n\" colspan=\"2\">approved</th><th class=\"n\" "
                "colspan=\"2\">reviewed</th><th class=\"n\" colspan=\"2\">challenged</th><th class=\"n\" "
                "colspan=\"2\">rejected</th><th class=\"n\" colspan=\"2\">captures each</th></tr></thead><tbody>",
                BF_ATTEMPTS_MAX);
    for (size_t k = 0; k < p->kinds; k++) {
        cost_row(page, p, k);
        assumed += p->after[k].assumed;
    }
    bf_page_put(page, "</tbody></table></div>");
    if (assumed > 0)
        bf_page_put(page,
                    "<p class=\"soft\">%llu presentations were compared with no portrait, though the journey requires "
                    "it. They are taken for matched strongly, as if the attacker held the victim&rsquo;s portrait, so "
                    "that the figures show what liveness does.</p>",
                    (unsigned long long)assumed);
    bf_page_put(page, "<div class=\"pair\">");
    journey_of(page, &p->before[0], "Bona fide persons, today");
    journey_of(page, &p->after[0], "Bona fide persons, as proposed");
    bf_page_put(page, "</div></section>");
}

"""The section "Calibrated and fused" of the model cards, from the figures of tools/pad_figures.py."""
from pad_figures import BAND, Scores, auc, cllr, eer, threshold_llr

HEADING = "## Calibrated and fused"
# Whose card shows which configurations, in which words.
CARDS = {
    "passive-fr": (("passive-fr", "alone"), ("default", "default: with texture"),
                   ("dual-passive", "dual-passive: with silentface-v2 and texture")),
    "silentface-v2": (("silentface-v2", "alone"), ("dual-networks", "dual-networks: with passive-fr"),
                      ("dual-passive", "dual-passive: with passive-fr and texture")),
    "passive.texture": (("passive.texture", "alone"), ("default", "default: with passive-fr"),
                        ("network-only", "passive-fr without it"), ("dual-passive", "dual-passive: with both networks"),
                        ("dual-networks", "both networks without it")),
}
TEXT = """{heading}

Calibration `calibration/{name}.yaml`, fusion `fusion/default.yaml`, both fitted by `tools/fit_evidence.py` on the
development corpus; every photo is judged by a fit that has not seen the person or (in brackets) has not seen the source
at all. APCER and BPCER in percent at the pass band (score {band}); the APCER is the higher one of print and replay.

{all_photos}

The same for the photos that pass the quality gate of account_opening:

{gated}

Generated faces pass in nearly every configuration and are not in these numbers. Intervals, species, what the gate lets
through: [passive-tables.md](../../docs/results/passive-tables.md); how far to believe it:
[passive.md](../../docs/results/passive.md).
"""


def figures(scores):
    t = threshold_llr(BAND)
    worst = max(float((attack >= t).mean()) for attack in scores.fitted.values())
    missed = float((scores.live < t).mean())
    return (f"{auc(scores.live, scores.attack):.3f}"[1:], f"{100 * eer(scores.live, scores.attack):.1f}",
            f"{cllr(scores.live, scores.attack):.3f}", f"{100 * worst:.1f}", f"{100 * missed:.1f}")


def card_table(samples, person, source, shown, judged_only):
    lines = ["| configuration | AUC | EER % | Cllr | APCER % | BPCER % |", "|---|---|---|---|---|---|"]
    for name, words in shown:
        folds = [Scores(samples, llrs, name, judged_only) for llrs in (person, source)]
        if all(scores.usable() for scores in folds):
            pairs = zip(*map(figures, folds))
            lines.append(f"| {words} | " + " | ".join(f"{a} ({b})" for a, b in pairs) + " |")
    return "\n".join(lines)


def replace_section(card, section):
    """The card with its section of that heading replaced, or put before the known limits when it had none."""
    if HEADING in card:
        before, rest = card.split(HEADING, 1)
        _, mark, after = rest.partition("\n## ")
        return before + section + mark + after
    before, mark, after = card.partition("\n## Known limits")
    return before + "\n" + section + mark + after


def write_cards(data, samples, person, source):
    for name, shown in CARDS.items():
        path = data / "models" / name / "card.md"
        if not path.is_file():
            continue
        section = TEXT.format(heading=HEADING, name=name, band=BAND,
                              all_photos=card_table(samples, person, source, shown, False),
                              gated=card_table(samples, person, source, shown, True))
        path.write_text(replace_section(path.read_text(encoding="utf-8"), section), encoding="utf-8")

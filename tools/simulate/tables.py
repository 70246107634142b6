#!/usr/bin/python3
"""Tables of what the detectors said of simulated captures.

usage: tools/simulate/tables.py LINES ... [--markdown FILE] [--json FILE] [--figures] [--findings] [--limits FILE]

LINES are files of what `sweep` printed. A detector takes a capture for an attack when its log-likelihood ratio is -0.5
or less, for bona fide when it is 0.5 or more, and is silent in between and when it has no evidence. Then, in the words
of ISO/IEC 30107-3, APCER is the share of attacks it takes for bona fide, BPCER the share of bona fide captures it takes
for attacks; silence is counted
apart. --figures prints quartiles of what each detector measured and --findings how often it noticed what, for those who
tune it. --limits FILE (JSON) makes the program fail when a share is above or below what the file says.
"""
import argparse
import collections
import json
import pathlib
import sys

SIDE = 0.5  # the log-likelihood ratio from which on a detector takes a side
OUTCOMES = ("followed", "unclear", "not_followed")


# Kinds of presentation, for numbers that are large enough to say something.
KINDS = {
    "print": ("print_still", "print", "print_moved", "print_bent"),
    "display, still": ("screen", "screen_moved"),
    "display, video": ("screen_video",),
    "display, follows the plan": ("screen_puppet",),
    "capture of another session": ("replay", "uploaded"),
    "wrong order, too early": ("reordered", "early"),
    "another person": ("swap",),
    "looped, frozen, faded": ("loop", "frozen", "interpolated"),
    "injected, follows the plan": ("puppet_unlit",),
    "injected, follows plan and flash": ("puppet_tinted",),
}


def kind_of(case):
    what, _, nuisance = case.partition("+")
    if what == "live":
        return "bona fide, with a nuisance" if nuisance else "bona fide"
    return next((kind for kind, whats in KINDS.items() if what in whats), what)


def read_lines(paths):
    lines = [json.loads(text) for path in paths for text in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]
    return sorted(lines, key=lambda line: (line["case"], line["seed"]))


def is_live(case):
    return case.split("+")[0] == "live"


def verdict(line, detector):
    """"attack", "live" or "silent"."""
    evidence = line["evidence"].get(detector)
    if not evidence or evidence["status"] != "present" or evidence["llr"] is None:
        return "silent"
    return "attack" if evidence["llr"] <= -SIDE else "live" if evidence["llr"] >= SIDE else "silent"


def detectors_of(lines):
    return sorted({name for line in lines for name in line["evidence"] if name.startswith("sequence.")})


def noticed(line, detectors):
    """Whether anything over the sequence speaks against the capture."""
    return line["challenge"] == "not_followed" or any(verdict(line, name) == "attack" for name in detectors)


def summarise(lines):
    """{case: {"n": ..., "detectors": {name: {verdict: count}}, "challenge": {...}, "noticed": ..., ...}}"""
    detectors = detectors_of(lines)
    cases = collections.defaultdict(list)
    for line in lines:
        cases[line["case"]].append(line)
    table = {}
    for case, of_case in cases.items():
        table[case] = {
            "n": len(of_case),
            "detectors": {name: dict(collections.Counter(verdict(line, name) for line in of_case))
                          for name in detectors},
            "challenge": dict(collections.Counter(line["challenge"] for line in of_case)),
            "noticed": sum(noticed(line, detectors) for line in of_case),
            "band": dict(collections.Counter((line["result"] or {}).get("band", "not_judged") for line in of_case)),
            "decision": dict(collections.Counter(line["decision"] for line in of_case)),
        }
    return {"detectors": detectors, "cases": table}


def percent(count, total):
    return f"{100 * count / total:.0f}" if total else "-"


def interval(count, total, z=1.96):
    """Wilson's interval, percent."""
    if not total:
        return "-"
    share, squared = count / total, z * z / total
    middle = (share + squared / 2) / (1 + squared)
    half = z * (share * (1 - share) / total + squared / (4 * total)) ** 0.5 / (1 + squared)
    return f"{100 * max(0, middle - half):.0f} to {100 * min(1, middle + half):.0f}"


def short(name):
    return name.split(".", 1)[1]


def table_of(summary, live):
    """Markdown: for each case the share wrong and the share silent of each detector."""
    names = summary["detectors"]
    wrong, word = ("attack", "BPCER") if live else ("live", "APCER")
    head = ["presentation", "n"] + [f"{short(name)} {word} (silent)" for name in names]
    head += ["followed / unclear / not", "noticed", "95 %"]
    rows = []
    for case, of in summary["cases"].items():
        if is_live(case) != live:
            continue
        cells = [f"`{case}`", str(of["n"])]
        for name in names:
            counts = of["detectors"][name]
            cells.append(f"{percent(counts.get(wrong, 0), of['n'])} ({percent(counts.get('silent', 0), of['n'])})")
        cells.append(" / ".join(percent(of["challenge"].get(outcome, 0), of["n"]) for outcome in OUTCOMES))
        cells += [percent(of["noticed"], of["n"]), interval(of["noticed"], of["n"])]
        rows.append(cells)
    lines = ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head)] + rows]
    return "\n".join(lines) + "\n"


def table_of_kinds(summary):
    names = summary["detectors"]
    kinds = collections.defaultdict(collections.Counter)
    for case, of in summary["cases"].items():
        counts = kinds[kind_of(case)]
        counts.update({"n": of["n"], "noticed": of["noticed"],
                       "challenge": of["challenge"].get("not_followed", 0)})
        counts.update({name: of["detectors"][name].get("attack", 0) for name in names})
    head = ["kind", "n", "noticed", "95 %", "challenge not followed"] + [short(name) for name in names]
    order = ["bona fide", "bona fide, with a nuisance", *KINDS]
    rows = [[kind, str(of["n"]), percent(of["noticed"], of["n"]), interval(of["noticed"], of["n"]),
             percent(of["challenge"], of["n"]), *(percent(of[name], of["n"]) for name in names)]
            for kind, of in sorted(kinds.items(), key=lambda item: (order + [item[0]]).index(item[0]))]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in [head, ["---"] * len(head)] + rows)


def markdown(summary):
    total = sum(of["n"] for of in summary["cases"].values())
    return (f"{total} captures. All numbers but n are percent.\n\n"
            "By kind; the columns on the right tell who noticed. For bona fide captures each is an error.\n\n"
            f"{table_of_kinds(summary)}\n"
            "Bona fide. *Noticed*: a detector over the sequence or the challenge speaks against the capture; here\n"
            f"each is an error.\n\n{table_of(summary, True)}\n"
            "Attacks. *Noticed* is what should be high; a detector's APCER is high by nature where the attack is not\n"
            f"of its kind.\n\n{table_of(summary, False)}")


def quartiles(values):
    values = sorted(values)
    return [values[min(len(values) - 1, int(share * len(values)))] for share in (0.05, 0.25, 0.5, 0.75, 0.95)]


def print_figures(lines):
    values = collections.defaultdict(list)
    for line in lines:
        for sequence in line["sequence"]:
            for name, value in sequence["figures"].items():
                if value is not None:
                    values[sequence["detector"], name, line["case"]].append(value)
        for name, evidence in line["evidence"].items():
            if evidence["llr"] is not None:
                values[name, "llr", line["case"]].append(evidence["llr"])
    print("detector figure case n: 5 25 50 75 95 percent")
    for key, numbers in sorted(values.items()):
        print(*key, len(numbers), *(f"{number:.4g}" for number in quartiles(numbers)))


def print_findings(lines):
    counts, totals = collections.Counter(), collections.Counter(line["case"] for line in lines)
    for line in lines:
        for sequence in line["sequence"]:
            counts.update({(sequence["detector"], finding["code"], line["case"]) for finding in sequence["findings"]})
    for (detector, code, case), count in sorted(counts.items()):
        print(detector, code, case, f"{count}/{totals[case]}")


def share_of(summary, case, what):
    """The share that a limit speaks of: "noticed", "challenge.followed", "sequence.motion.attack"."""
    of = summary["cases"][case]
    group, _, last = what.rpartition(".")
    if what == "noticed":
        count = of["noticed"]
    elif group == "challenge":
        count = of["challenge"].get(last, 0)
    else:
        count = of["detectors"].get(group, {}).get(last, 0)
    return count / of["n"]


def broken_limits(summary, limits):
    """`limits` is {"case": {"what": [least, most]}}, shares from 0 to 1."""
    broken = []
    for case, wanted in limits.items():
        if case not in summary["cases"]:
            broken.append(f"{case}: there is no such presentation in the lines")
            continue
        for what, (least, most) in wanted.items():
            share = share_of(summary, case, what)
            if not least <= share <= most:
                broken.append(f"{case}: {what} is {share:.2f}, not {least:.2f} to {most:.2f}")
    return broken


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("lines", nargs="+")
    parser.add_argument("--markdown")
    parser.add_argument("--json")
    parser.add_argument("--limits")
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--findings", action="store_true")
    arguments = parser.parse_args()
    lines = read_lines(arguments.lines)
    summary = summarise(lines)
    text = markdown(summary)
    if arguments.markdown:
        pathlib.Path(arguments.markdown).write_text(text, encoding="utf-8")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if arguments.figures:
        print_figures(lines)
    if arguments.findings:
        print_findings(lines)
    if not (arguments.markdown or arguments.json or arguments.figures or arguments.findings or arguments.limits):
        print(text)
    broken = broken_limits(summary, json.loads(pathlib.Path(arguments.limits).read_text(encoding="utf-8"))) \
        if arguments.limits else []
    print("\n".join(broken), end="\n" if broken else "")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

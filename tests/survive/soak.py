"""Mixed load for a long time: what grows?

usage: soak.py [SECONDS]    (else $SOAK_SECONDS, else 3600; at most 24 hours)    SOAK_STORE=postgres for the other store

Clients of all kinds, broken connections, a reload now and then and a killed worker now and then. Memory, descriptors
and threads of server, nursery and workers are watched; in the second half of the time they must not rise.
"""
import os
import pathlib
import random
import signal
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import mixed_load  # noqa: E402
import processes  # noqa: E402
import rig  # noqa: E402

SECONDS_MAX = 24 * 3600
CLIENTS = 8
KEEP = 2000
SAMPLES = 240          # in the whole time
DISTURBANCES = 12      # reloads and killed workers, in turn, in the whole time
MIB = 1024 * 1024
# What they may rise by in the second half.
RISE_MAX = {"server MiB": 6, "nursery MiB": 4, "workers MiB": 12, "descriptors": 8, "threads": 4}
STORE_BYTES_MAX = 24 * 1024   # per answer; a record with its place in the audit log is about a third of that
QUIET = {"OVERLOADED", "ATTEMPT_IN_PROGRESS", "WORKER_LOST", *mixed_load.OVER}


def look(server):
    """One sample: figures by name."""
    everyone = processes.tree(server.pid)
    workers = [pid for pid in everyone if pid in processes.workers(server.pid)]
    middle = [pid for pid in everyone[1:] if pid not in workers]
    return {
        "server MiB": processes.memory(server.pid) / MIB,
        "nursery MiB": sum(map(processes.memory, middle)) / MIB,
        "workers MiB": sum(map(processes.memory, workers)) / MIB,
        "descriptors": processes.descriptors(server.pid),
        "threads": processes.threads(server.pid),
    }


def store_bytes(server):
    return sum(path.stat().st_size for path in (server.folder / "state").glob("bonafide.db*"))


def rise(values):
    """How much the values rise from beginning to end, if they rise evenly: medians of both halves are compared, so that
    a sample in the middle of a reload, when there are two nurseries, counts for nothing."""
    middle = len(values) // 2
    return 2 * (statistics.median(values[middle:]) - statistics.median(values[:middle]))


def disturb(server, number, chance):
    if number % 2:
        server.reload()
        return
    workers = processes.workers(server.pid)
    if workers:
        os.kill(chance.choice(workers), signal.SIGKILL)


def watch(server, load, seconds):
    """Samples with their times, while the load runs."""
    began, samples, disturbed, chance = time.monotonic(), [], 0, random.Random(1)
    while (at := time.monotonic() - began) < seconds and server.running():
        samples.append((at, look(server)))
        if at > (disturbed + 0.5) * seconds / DISTURBANCES:
            disturb(server, disturbed, chance)
            disturbed += 1
        if len(samples) % 40 == 1:
            shown = ", ".join(f"{value:.0f} {name}" for name, value in samples[-1][1].items())
            print(f"soak: {at:6.0f} s, {load.ledger.counts['answered']} answers: {shown}", flush=True)
        time.sleep(max(0.5, seconds / SAMPLES))
    return samples


def verdict(text, figure, limit, good):
    print(f"soak: {text:34} {figure:10.2f}   limit {limit:8.2f}   {'ok' if good else 'OVER'}", flush=True)
    return good


def judge(server, load, samples, stored):
    good = True
    half = [figures for _, figures in samples[len(samples) // 2:]]
    for name, limit in RISE_MAX.items():
        risen = rise([figures[name] for figures in half])
        good &= verdict(f"rise of {name} in the second half", risen, limit, risen <= limit)
    ledger = load.ledger
    if stored:
        each = stored / max(1, ledger.counts["answered"])
        good &= verdict("store, bytes for each answer", each, STORE_BYTES_MAX, each <= STORE_BYTES_MAX)
    killed = (DISTURBANCES + 1) // 2
    good &= verdict("judgements lost with killed workers", ledger.counts["WORKER_LOST"], killed,
                    ledger.counts["WORKER_LOST"] <= killed)
    ask = server.client()
    problems = [found for pair in ledger.decisions() if (found := mixed_load.decision_problem(ask, *pair))]
    problems += filter(None, [server.audit_problem()])
    problems += [f"{target} {name}: {answer!r}" for target, name, answer in ledger.strange]
    problems += ["the server ended by itself"] * (not server.running())
    for problem in problems[:20]:
        print("soak: " + problem)
    good &= verdict("answers lost", ledger.counts["lost"], 0, ledger.counts["lost"] == 0)
    good &= verdict("things that are wrong", len(problems), 0, not problems)
    print(f"soak: {dict(ledger.counts)}")
    return good


def main():
    seconds = float(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SOAK_SECONDS") or 3600)
    if not 10 <= seconds <= SECONDS_MAX:
        sys.exit(__doc__)
    url = None
    if os.environ.get("SOAK_STORE") == "postgres":
        url = rig.cluster().create_database("soak")
    server = rig.Rig(store=url, workers={"job_ms": 20000}).start()
    load = mixed_load.Load(server.client(), rig.photos("person-1.jpg", "person-2.jpg", "person-4.jpg"), "soak", QUIET,
                           keep=KEEP)
    load.hang_up = 0.02
    before = store_bytes(server)
    load.start(CLIENTS)
    samples = watch(server, load, seconds)
    load.stop()
    good = judge(server, load, samples, 0 if url else store_bytes(server) - before)
    code = server.stop()
    good &= verdict("exit code after SIGTERM", code, 0, code == 0)
    print("soak: " + ("passed" if good else "FAILED"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

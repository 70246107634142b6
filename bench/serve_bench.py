"""The server: how fast it judges beside `bonafide check`, what overload does to it, what a request without judging
costs, how soon it is ready.

usage: serve_bench.py SERVE_LOAD BONAFIDE    (and the environment of the tests)

The client runs on the same machine and takes its share of the processors. So what requests without judging cost is told
by the server's own processor time (/proc/PID/stat): requests for each second of it are requests per second and core.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

SOURCE = pathlib.Path(os.environ["BONAFIDE_SOURCE_DIR"])
sys.path += [str(SOURCE / "tests" / "survive"), str(SOURCE / "tests" / "lib")]
import processes  # noqa: E402
import program  # noqa: E402
import rig  # noqa: E402

COPIES = 40         # of each photo in one round, so that starting up does not count
ROUNDS = 3
UNLOADED = 60       # requests, one after the other
OVERLOAD_S = 8
LIGHT_S = 4
LIGHT_CLIENTS = 64
STARTS = 5


def line(text, ratio, limit, at_most, note):
    good = ratio <= limit if at_most else ratio >= limit
    print(f"ratio {text:42} {ratio:.3f}   limit {limit:.2f}  {'ok' if good else 'OVER'}   ({note})", flush=True)


def figure(text, value, unit, limit, at_most, note):
    good = value <= limit if at_most else value >= limit
    print(f"{text}: {value:.0f} {unit}   limit {limit:.0f} {unit}  {'ok' if good else 'OVER'}   ({note})", flush=True)


def load(server, operation, seconds, threads, rate=0, requests=0, files=()):
    done = subprocess.run([sys.argv[1], f"127.0.0.1:{server.port}", operation, str(seconds), str(threads),
                           f"{rate:.3f}", str(requests), *files], check=True, stdout=subprocess.PIPE,
                          env={**os.environ, "BONAFIDE_KEY": server.key()})
    told = json.loads(done.stdout)
    if told["failed"]["count"]:
        sys.exit(f"serve_bench: {operation}: {told['failed']['count']} requests failed, such as {told['example']}")
    return told


def check_per_second(photos):
    began = time.perf_counter()
    subprocess.run([program.PROGRAM, "check", "--data", program.SOURCE, "--weights", program.WEIGHTS, "--jobs", "2"] +
                   photos, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return len(photos) / (time.perf_counter() - began)


def saturated(server, photos):
    """Judgements per second when there is always one more to be done than there are workers for."""
    alone, served = [], []
    for _ in range(ROUNDS):
        alone.append(check_per_second(photos * COPIES))
        told = load(server, "liveness", 600, 4, requests=len(photos) * COPIES, files=photos)
        served.append(told["accepted"]["per_second"])
    m = statistics.median
    line("served / check --jobs 2, judgements", m(served) / m(alone), 0.9, False,
         f"{m(served):.1f} / {m(alone):.1f} per second, {len(photos) * COPIES} photos")
    return m(served)


def overload(server, photos, rate):
    one = load(server, "liveness", 600, 1, requests=UNLOADED, files=photos)["accepted"]
    told = load(server, "liveness", OVERLOAD_S, 96, rate=2 * rate, files=photos)
    taken, refused = told["accepted"], told["refused"]
    line("p99 at twice the load / p50 without load", taken["p99_ms"] / one["p50_ms"], 4.0, True,
         f"{taken['p99_ms']:.0f} / {one['p50_ms']:.0f} ms; {taken['per_second']:.1f} per second taken, "
         f"{refused['per_second']:.1f} refused, sent {told['late_ms']:.0f} ms late at most")
    figure("time to refuse at twice the load, p99", refused["p99_ms"], "ms", 10, True,
           f"p50 {refused['p50_ms']:.1f} ms, {refused['count']} refusals")


def light(server, operation, text):
    before = processes.cpu_s(server.pid)
    told = load(server, operation, LIGHT_S, LIGHT_CLIENTS)
    used = processes.cpu_s(server.pid) - before
    accepted = told["accepted"]
    figure(f"{text}, per second and core", accepted["count"] / used, "requests", 5000, False,
           f"{accepted['per_second']:.0f} per second with {used / told['seconds']:.2f} cores for the server and the "
           f"client on the others; p50 {accepted['p50_ms']:.1f} ms, p99 {accepted['p99_ms']:.1f} ms")


def start(server):
    took = []
    for _ in range(STARTS):
        server.stop()
        took.append(server.start().started_ms)
    figure("start to ready", statistics.median(took), "ms", 1000, True, f"median of {STARTS}")


def main():
    photos = sorted(str(path) for path in program.SAMPLES.glob("person-?.jpg"))
    if not photos:
        sys.exit("serve_bench: there are no sample photos")
    # The queue is the shipped one; limits of single callers are out of the way.
    server = rig.Rig(workers={"count": 2, "queue": 0, "job_ms": 10000}).start()
    rate = saturated(server, photos)
    overload(server, photos, rate)
    light(server, "session_create", "sessions opened")
    light(server, "session_get", "sessions looked at")
    start(server)
    server.stop()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()

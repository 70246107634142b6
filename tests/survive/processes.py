"""What the kernel says about a server and its worker processes."""
import os
import pathlib
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def _stat(pid):
    """(parent, state, utime + stime in ticks, threads, resident pages) of a process; None when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), fields[0], int(fields[11]) + int(fields[12]), int(fields[17]), int(fields[21])


def _all():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def alive(pid):
    facts = _stat(pid)
    return facts is not None and facts[1] not in "ZX"


def tree(pid):
    """The process and everything that descends from it, the process first."""
    parents = {}
    for one in _all():
        facts = _stat(one)
        if facts and facts[1] not in "ZX":
            parents[one] = facts[0]
    found = [pid] if pid in parents else []
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def nursery(pid):
    """The process that the workers are born in: the server's child."""
    own = [child for child in tree(pid) if (_stat(child) or (0,))[0] == pid]
    return own[0] if own else None


def workers(pid):
    """The processes that judge: those born of the server's children."""
    born = {child for child in tree(pid) if (_stat(child) or (0,))[0] == pid}
    return [one for one in tree(pid) if (_stat(one) or (0,))[0] in born]


def cpu_s(pid):
    """Processor time that the process itself has used, its threads included, its children not."""
    facts = _stat(pid)
    return facts[2] / TICKS if facts else 0.0


def run_ms(pid):
    """Processor time of a process with one thread, finer than cpu_s tells it."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    except OSError:
        return 0.0


def memory(pid):
    """Private bytes of a process (shared weights would be counted once for each worker otherwise)."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def threads(pid):
    facts = _stat(pid)
    return facts[3] if facts else 0


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def wait_gone(pids, seconds):
    """Those of the processes that are still there after so many seconds; returns as soon as none is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(map(alive, pids)):
            return []
        time.sleep(0.02)
    return [pid for pid in pids if alive(pid)]

"""A server for tests that are not kind to it: it is killed, drained, started again on the same state and the same port,
and asked for its processes."""
import atexit
import copy
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import postgres  # noqa: E402
import processes  # noqa: E402
import program  # noqa: E402
import service  # noqa: E402
from http_client import Client, Lost  # noqa: E402

START_S = 30
NO_LIMIT = {"per_second": 0, "burst": 1}
SETTINGS = {
    "store": {"wait_ms": 3000},
    "workers": {"count": 2, "queue": 64, "job_ms": 5000},
    "limits": {"connections": 512, "connections_per_address": 512},
    "rates": {"per_key": NO_LIMIT, "per_address": NO_LIMIT, "per_subject": NO_LIMIT},
    # The same few photos go round and round.
    "sessions": {"token_s": 120, "session_s": 600, "seen_days": 0},
}


def merged(base, more):
    out = dict(base)
    for key, value in more.items():
        out[key] = merged(out.get(key, {}), value) if isinstance(value, dict) else value
    return out


class Rig(service.Server):
    """`settings` are keys of the configuration, over SETTINGS. start() starts the server, again and again."""

    def __init__(self, store=None, environment=None, tls=None, **settings):
        self.tls = tls
        self.started_ms = 0.0
        changes = copy.deepcopy(merged(SETTINGS, settings))
        changes["listen"] = [f"127.0.0.1:{postgres.free_port()}"]
        if store:
            changes["store"]["url"] = store
        super().__init__(changes, environment, start=False)
        atexit.register(self.kill)

    @property
    def port(self):
        return int(self.config["listen"][0].rpartition(":")[2])

    @property
    def pid(self):
        return self.process.pid

    @property
    def state(self):
        return self.folder / "state"

    def start(self):
        began = time.monotonic()
        super().start()
        self.wait_ready(began + START_S)
        self.started_ms = 1e3 * (time.monotonic() - began)
        return self

    def wait_ready(self, until):
        """Until /readyz says yes, which is later than the first answer."""
        asker = self.client(None, timeout=5)
        answer = None
        while time.monotonic() < until:
            try:
                answer = asker.ask("GET", "/readyz")
                if answer.status == 200:
                    asker.close()
                    return
            except Lost:
                pass
            time.sleep(0.005)
        raise AssertionError(f"the server is not ready: {answer!r}\n{self.tail()}")

    def refuses_to_start(self, seconds=START_S):
        """Starts a server that must end by itself with an error; what it said."""
        done = subprocess.run([str(program.PROGRAM), "serve", "--config", str(self.path)], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=seconds, check=False)
        if done.returncode == 0:
            raise AssertionError(f"the server ended with 0: {done.stdout}")
        return done.stdout

    def client(self, role="integrator", **options):
        return Client("127.0.0.1", self.port, self.key(role) if role else None, tls=self.tls, **options)

    def tail(self, lines=15):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9 of the server alone; returns the processes that it had. Does nothing when there is no server."""
        if not self.running():
            return []
        all_of_them = processes.tree(self.pid)
        self.stop(signal.SIGKILL)
        return all_of_them

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def audit_problem(self):
        """None when the exported audit log verifies."""
        exported = self.folder / "audit.export"
        exported.write_text(self.run("audit", "export").stdout)
        done = program.run("audit", "verify", exported)
        return None if done.returncode == 0 else f"audit verify: {done.returncode}: {done.stdout}{done.stderr}"


def cluster(case=None):
    """A throw-away PostgreSQL; `case` is skipped where there is none."""
    if case and not postgres.available():
        case.skipTest("PostgreSQL is not installed")
    return postgres.Cluster()


def photos(*names):
    """Sample photos as bytes, those that are there."""
    return [(program.SAMPLES / name).read_bytes() for name in names if (program.SAMPLES / name).exists()]


def enlarged(photo, doublings=3):
    """A photo with so many more pixels that judging it takes a while; the same bytes each time."""
    for _ in range(doublings):
        pixels = subprocess.run(["djpeg", "-scale", "16/8"], input=photo, stdout=subprocess.PIPE, check=True).stdout
        photo = subprocess.run(["cjpeg", "-quality", "90"], input=pixels, stdout=subprocess.PIPE, check=True).stdout
    return photo

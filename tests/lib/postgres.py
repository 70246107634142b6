"""A throw-away PostgreSQL cluster in a temporary folder.

    with postgres.Cluster() as cluster:
        url = cluster.create_database("one")     # for `store:` and for libpq
        cluster.kill()                           # as kill -9 of everything at once
        cluster.start()                          # again, on the same data

It listens on a socket in its folder and, with listen=True, on a free port of 127.0.0.1 (cluster.port). The servers end
with the thread that started them, however that ends.
"""
import atexit
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_S = 60
USER = "postgres"
SETTINGS = {
    "shared_buffers": "16MB", "max_connections": "200", "fsync": "on", "log_min_messages": "fatal",
    "dynamic_shared_memory_type": "mmap", "logging_collector": "off", "autovacuum_naptime": "10s",
}


def binaries():
    """The folder of initdb and postgres, newest version first; None where PostgreSQL is not installed."""
    found = [path.parent for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found.sort(key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    return found[0] if found else pathlib.Path(on_path).parent if on_path else None


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _user():
    """PostgreSQL refuses to run as root; its own user runs it then."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        return pwd.getpwnam("nobody")


def available():
    return binaries() is not None and shutil.which("setpriv") is not None


class Cluster:
    def __init__(self, listen=False, settings=None):
        self.bin = binaries()
        self.user = _user()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bonafide-pg-", dir="/tmp"))
        self.port = free_port() if listen else 5432
        self.listen = listen
        self.settings = {**SETTINGS, **(settings or {})}
        self.process = None
        atexit.register(self.remove)
        os.chmod(self.folder, 0o755)
        self.data = self.folder / "data"
        self.data.mkdir(mode=0o700)
        if self.user:
            for path in (self.folder, self.data):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        self._run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def _command(self, name, *arguments):
        """The command line that runs a program of PostgreSQL as the user who may, and that ends with this process."""
        as_user = ["--reuid", str(self.user.pw_uid), "--regid", str(self.user.pw_gid), "--clear-groups"] \
            if self.user else []
        return ["setpriv", *as_user, "--pdeathsig", "INT", "--", str(self.bin / name), *map(str, arguments)]

    def _run(self, name, *arguments):
        done = subprocess.run(self._command(name, *arguments), cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              timeout=START_S)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stdout}")
        return done.stdout

    def url(self, database):
        host = f"127.0.0.1:{self.port}" if self.listen else ""
        socket_folder = "" if self.listen else f"?host={self.folder}"
        return f"postgresql://{USER}@{host}/{database}{socket_folder}"

    def create_database(self, name):
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def sql(self, text, database="postgres"):
        """Runs SQL past everything; the rows as text, columns parted by "|"."""
        return self._run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", self.port,
                         "-U", USER, "-d", database, "-c", text).rstrip("\n")

    def start(self):
        """Starts the cluster and waits until it answers, also after `stop` or `kill`."""
        settings = {**self.settings, "port": self.port, "unix_socket_directories": self.folder,
                    "listen_addresses": "127.0.0.1" if self.listen else ""}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        until = time.monotonic() + START_S
        with open(self.folder / "log", "ab") as log:
            while True:
                # Servers of a killed cluster take a moment to see that it is gone; until then no new one starts.
                if self.process is None or self.process.poll() is not None:
                    self.process = subprocess.Popen(self._command("postgres", "-D", self.data, *arguments),
                                                    cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                                    stderr=subprocess.STDOUT)
                if self.answers():
                    return
                if time.monotonic() > until:
                    raise RuntimeError("PostgreSQL did not start: " + (self.folder / "log").read_text()[-2000:])
                time.sleep(0.05)

    def answers(self):
        return subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)],
                              check=False).returncode == 0

    def processes(self):
        """The main process and all that it started."""
        main = self.process.pid
        children = pathlib.Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [main, *map(int, children)]

    def _signal(self, number):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self):
        """An orderly end that does not wait for its clients."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(START_S)

    def kill(self):
        """Everything at once, without a chance to write anything."""
        self._signal(signal.SIGKILL)
        self.process.wait(START_S)

    def pause(self):
        """The connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def remove(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.resume()
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(START_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

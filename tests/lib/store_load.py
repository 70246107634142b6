"""Runs tests/support/store_load and keeps what it tells."""
import contextlib
import pathlib
import sqlite3
import subprocess
import threading
import time

import program

LOAD = program.BUILD / "tests/support/store_load"


class Load:
    """Threads of one process that write to a store, until `finish` or `kill`."""

    def __init__(self, url, threads=8, wait_ms=1000):
        self.lines = []
        self.wait_ms = wait_ms
        self.process = subprocess.Popen([str(LOAD), url, str(threads), str(wait_ms)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self._end()

    def _collect(self):
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.lines.append((time.monotonic(), *line.split()))

    def _end(self):
        self.process.wait(60)
        self._thread.join(60)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def kill(self):
        self.process.kill()
        self._end()

    def finish(self):
        """Ends it in order; its exit code."""
        self.process.stdin.close()
        self._end()
        return self.process.returncode

    def told(self, kind, since=0.0):
        return [line for line in list(self.lines) if line[1] == kind and line[0] >= since]

    def acknowledged(self, since=0.0):
        return {line[2] for line in self.told("write", since) if line[3] == "OK"}

    def refused(self, since=0.0):
        return {line[2] for line in self.told("write", since) if line[3] != "OK"}

    def slowest_ms(self, kind="write", since=0.0):
        return max((int(line[-1]) for line in self.told(kind, since)), default=0)

    def wait_for(self, what, seconds=30.0):
        """Waits until `what(self)` is true; says whether it became so."""
        until = time.monotonic() + seconds
        while not what(self):
            if time.monotonic() > until or (self.process.poll() is not None and not what(self)):
                return False
            time.sleep(0.01)
        return True

    def wait_for_acknowledged(self, count=20, since=None):
        start = time.monotonic() if since is None else since
        return self.wait_for(lambda load: len(load.acknowledged(start)) >= count)


def rows_of_sqlite(path):
    """(names that are there, the counter that each of them has raised by one)"""
    with contextlib.closing(sqlite3.connect(f"file:{pathlib.Path(path)}?mode=rw", uri=True, timeout=30)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = {row[0] for row in database.execute("SELECT name FROM setting")}
        counter = database.execute("SELECT COALESCE(SUM(losses), 0) FROM quarantine").fetchone()[0]
    return names, counter


def rows_of_postgres(cluster, database):
    names = set(cluster.sql("SELECT name FROM setting", database).splitlines())
    return names, int(cluster.sql("SELECT COALESCE(SUM(losses), 0) FROM quarantine", database))

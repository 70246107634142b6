"""Databases that are locked, stopped, killed, hung, full or gone: a write says so in time, nothing acknowledged is
lost, and it works again by itself."""
import contextlib
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import postgres  # noqa: E402
import postgres_proxy  # noqa: E402
import program  # noqa: E402
import store_load  # noqa: E402
import tap  # noqa: E402

WAIT_MS = 800
# "About that time": a write that runs when things stop has the time of its transaction besides, and machines are busy.
SLOWEST_MS = WAIT_MS * 2 + 1500


class Failing(unittest.TestCase):
    def start(self, url, threads=8):
        load = self.enterContext(store_load.Load(url, threads, WAIT_MS))
        self.assertTrue(load.wait_for_acknowledged(), "writes succeed at first")
        return load

    def assert_refuses(self, load, since):
        self.assertTrue(load.wait_for(lambda it: len(it.refused(since)) >= 8), "writes are refused meanwhile")
        self.assertTrue(load.wait_for(lambda it: any(line[2] == "0" for line in it.told("look", since))),
                        "looking says so")

    def assert_recovers(self, load):
        self.assertTrue(load.wait_for_acknowledged(), "writes succeed again")
        now = time.monotonic()
        self.assertTrue(load.wait_for(lambda it: any(line[2] == "1" for line in it.told("look", now))))
        self.assertTrue(load.wait_for(lambda it: any(line[2] == "OK" for line in it.told("read", now))))

    def assert_kept(self, load, rows):
        self.assertEqual(load.finish(), 0)
        self.assertTrue(load.told("end"))
        self.assertLess(load.slowest_ms("write"), SLOWEST_MS)
        self.assertLess(load.slowest_ms("read"), SLOWEST_MS)
        names, counter = rows()
        self.assertEqual(load.acknowledged() - names, set())
        self.assertEqual(len(names), counter)


class Sqlite(Failing):
    def setUp(self):
        self.folder = program.scratch()
        self.path = self.folder / "store.db"
        self.url = f"sqlite:{self.path}"

    def rows(self):
        return store_load.rows_of_sqlite(self.path)

    def test_locked_by_another_connection(self):
        load = self.start(self.url)
        with contextlib.closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            locked = time.monotonic()
            time.sleep(0.05)
            self.assert_refuses(load, locked)
            # Readers do not mind a writer.
            self.assertTrue(load.wait_for(lambda it: any(line[2] == "OK" for line in it.told("read", locked))))
            self.assertEqual(load.acknowledged(locked + 0.05), set())
            other.execute("ROLLBACK")
        self.assert_recovers(load)
        self.assert_kept(load, self.rows)

    def test_file_moved_away_and_back(self):
        load = self.start(self.url)
        away = self.folder / "away.db"
        os.rename(self.path, away)
        moved = time.monotonic() + 0.1
        self.assert_refuses(load, moved)
        self.assertEqual(load.acknowledged(moved), set())
        os.rename(away, self.path)
        self.assert_recovers(load)
        self.assert_kept(load, self.rows)

    def test_file_removed(self):
        """What is written into a file that has no name any more is lost: nothing of it is acknowledged."""
        load = self.start(self.url)
        shutil.rmtree(self.folder)
        removed = time.monotonic() + 0.1
        self.assert_refuses(load, removed)
        self.assertEqual(load.acknowledged(removed), set())
        self.assertFalse(self.path.exists(), "an empty store is not made instead")
        self.assertEqual(load.finish(), 0)
        self.assertLess(load.slowest_ms(), SLOWEST_MS)

    def test_log_removed(self):
        load = self.start(self.url)
        os.unlink(f"{self.path}-wal")
        removed = time.monotonic() + 0.1
        self.assertTrue(load.wait_for(lambda it: it.refused(removed)), "a write is refused")
        self.assertEqual(load.finish(), 0)

    def test_disk_full(self):
        place = self.folder / "small"
        place.mkdir()
        mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=48m", "bonafide-test", place], check=False,
            stderr=subprocess.DEVNULL).returncode == 0
        if not mounted:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", place], check=False)
        self.path = place / "store.db"
        load = self.start(f"sqlite:{self.path}")
        ballast = place / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)
        full = time.monotonic()
        self.assertTrue(load.wait_for(lambda it: len(it.refused(full)) >= 8), "writes are refused when it is full")
        time.sleep(0.5)
        ballast.unlink()
        self.assert_recovers(load)
        self.assert_kept(load, self.rows)


@unittest.skipUnless(postgres.available(), "PostgreSQL is not installed")
class Postgresql(Failing):
    @classmethod
    def setUpClass(cls):
        cls.cluster = postgres.Cluster()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.remove()

    def setUp(self):
        self.database = "t" + str(time.monotonic_ns())
        self.url = self.cluster.create_database(self.database)

    def rows(self):
        return store_load.rows_of_postgres(self.cluster, self.database)

    def test_stopped_and_started(self):
        load = self.start(self.url)
        self.cluster.stop()
        stopped = time.monotonic()
        self.assert_refuses(load, stopped)
        self.assertEqual(load.acknowledged(stopped + 0.1), set())
        self.cluster.start()
        self.assert_recovers(load)
        self.assert_kept(load, self.rows)

    def test_killed_and_started(self):
        load = self.start(self.url)
        for _ in range(3):
            self.cluster.kill()
            killed = time.monotonic()
            self.assert_refuses(load, killed)
            self.cluster.start()
            self.assert_recovers(load)
        self.assert_kept(load, self.rows)

    def test_hung(self):
        """The worst case for a client: connections stay open and nobody answers."""
        load = self.start(self.url)
        self.cluster.pause()
        hung = time.monotonic()
        self.assert_refuses(load, hung)
        self.cluster.resume()
        self.assert_recovers(load)
        self.assert_kept(load, self.rows)

    def test_connections_cut(self):
        """A server that ends single connections costs the writes that it was committing, at most."""
        load = self.start(self.url)
        for _ in range(20):
            self.cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                             f" WHERE datname = '{self.database}' AND application_name = 'bonafide'")
            self.assertTrue(load.wait_for_acknowledged(8), "it goes on")
        self.assertLess(len(load.refused()), 20 * 8)
        self.assert_kept(load, self.rows)

    def test_answer_to_a_commit_lost(self):
        """Nobody can know then whether it was committed. The writes are refused, and not made a second time."""
        with postgres_proxy.Proxy(self.cluster) as proxy:
            load = self.start(proxy.url(self.database))
            for cuts in range(1, 11):
                proxy.cut_commits = 1
                self.assertTrue(load.wait_for(lambda _: proxy.cuts == cuts), "a commit is cut")
                self.assertTrue(load.wait_for_acknowledged(), "it goes on")
            self.assert_kept(load, self.rows)
        names, _ = self.rows()
        self.assertGreater(len(load.refused() & names), 0, "some that were refused had been committed")

    def test_another_replica_holds_the_lock(self):
        load = self.start(self.url)
        holder = subprocess.Popen([*self.cluster._command(
            "psql", "-X", "-q", "-h", self.cluster.folder, "-U", "postgres", "-d", self.database)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        holder.stdin.write("BEGIN; SELECT one FROM audit_head FOR UPDATE;\n")
        holder.stdin.flush()
        locked = time.monotonic()
        self.assert_refuses(load, locked)
        holder.communicate("ROLLBACK;\n", timeout=30)
        self.assert_recovers(load)
        self.assert_kept(load, self.rows)


tap.main()

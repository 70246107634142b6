"""kill -9 of a process that writes, at random moments: what was acknowledged is there afterwards."""
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import postgres  # noqa: E402
import program  # noqa: E402
import store_load  # noqa: E402
import tap  # noqa: E402

KILLS = 50
SEED = 20261125


class Killed(unittest.TestCase):
    def survive(self, url, rows):
        """Kills the same store's writer again and again."""
        chance = random.Random(SEED)
        acknowledged, kills_under_load = set(), 0
        for _ in range(KILLS):
            with store_load.Load(url, threads=8, wait_ms=20000) as load:
                self.assertTrue(load.wait_for(lambda it: it.told("open")), "the store opens again")
                time.sleep(chance.uniform(0, 0.15))
                load.kill()
            kills_under_load += bool(load.acknowledged())
            acknowledged |= load.acknowledged()
            self.assertEqual(load.refused(), set())
        names, counter = rows()
        self.assertEqual(acknowledged - names, set())
        self.assertEqual(len(names), counter, "a write is there as a whole or not at all, and once")
        self.assertGreater(kills_under_load, KILLS // 2)
        self.assertGreater(len(acknowledged), 100)

    def test_sqlite(self):
        path = program.scratch() / "store.db"
        self.survive(f"sqlite:{path}", lambda: store_load.rows_of_sqlite(path))

    @unittest.skipUnless(postgres.available(), "PostgreSQL is not installed")
    def test_postgresql(self):
        with postgres.Cluster() as cluster:
            self.survive(cluster.create_database("killed"), lambda: store_load.rows_of_postgres(cluster, "killed"))


tap.main()

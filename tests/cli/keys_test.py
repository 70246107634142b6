"""bonafide keys and bonafide killswitch: what they print, keep and write to the audit log."""
import json
import os
import pathlib
import re
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import program  # noqa: E402
import tap  # noqa: E402

KEY = re.compile(r"\bbf_([0-9a-f]{16})_[0-9a-f]{64}\b")
SIGNING = re.compile(r"\bbfs_[0-9a-f]{64}\b")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class WithState(unittest.TestCase):
    """A folder with the configuration and keys of a server that never ran."""

    def setUp(self):
        self.folder = program.server_state()
        self.config = self.folder / "bonafide.yaml"

    def call(self, *arguments, expected=0):
        done = program.run(*arguments, "--config", self.config)
        self.assertEqual(done.returncode, expected, done.stderr)
        return done.stdout if expected == 0 else done.stderr

    def json(self, *arguments):
        return json.loads(self.call(*arguments, "--json"))

    def leaves(self, kind):
        with sqlite3.connect(self.folder / "bonafide.db") as store:
            return [json.loads(data) for data, in store.execute(
                "SELECT data FROM audit_leaf WHERE kind = ? ORDER BY idx", (kind,))]

    def create(self, *more):
        return self.json("keys", "create", "--role", "integrator", "--client", "a_bank", *more)


class Keys(WithState):
    def test_create_for_people(self):
        text = self.call("keys", "create", "-r", "integrator", "--client", "a_bank", "--expires", "30", "--signed")
        key = KEY.search(text)
        self.assertRegex(text, rf"^id              {key.group(1)}\nclient          a_bank\nrole            integrator\n"
                               rf"expires         {TIME}\nkey             {key.group(0)}\n"
                               r"signing secret  bfs_[0-9a-f]{64}\nRequests with this key have to be signed .*\n$")

    def test_create_warns_on_a_terminal(self):
        code, text = program.run_on_terminal("keys", "create", "-r", "auditor", "--client", "a_bank", "--config",
                                             self.config)
        self.assertEqual(code, 0)
        self.assertIn("they are shown this once", text)
        self.assertIn("expires         never", text)

    def test_create_as_json(self):
        key = self.create("--label", "máy chủ")
        self.assertRegex(key["key"], KEY)
        self.assertRegex(key["signing_secret"], SIGNING)
        self.assertEqual((key["client"], key["role"], key["label"], key["must_sign"], key["expires"]),
                         ("a_bank", "integrator", "máy chủ", False, None))

    def test_list_shows_states_and_no_secret(self):
        valid, rotated, revoked = self.create("--signed"), self.create("-l", "old\u202eone"), self.create()
        self.call("keys", "rotate", rotated["id"])
        self.call("keys", "revoke", revoked["id"])
        listed = {key["id"]: key for key in self.json("keys", "list")}
        self.assertEqual(len(listed), 4)
        self.assertEqual([listed[key["id"]]["state"] for key in (valid, rotated, revoked)],
                         ["valid", "rotated", "revoked"])
        successor = listed[listed[rotated["id"]]["rotated_to"]]
        self.assertEqual((successor["state"], successor["label"]), ("valid", "old\u202eone"))
        self.assertEqual([listed[key["id"]]["must_sign"] for key in (valid, rotated)], [True, False])
        text = self.call("keys", "list")
        for secret in (key[kind] for key in (valid, rotated, revoked) for kind in ("key", "signing_secret")):
            self.assertNotIn(secret[-64:], text + json.dumps(listed))
        self.assertEqual(len(text.splitlines()), 5)
        self.assertRegex(text.splitlines()[0], r"^ID +CLIENT +ROLE +STATE +ENDS +SIGNED +LABEL$")

    def test_list_of_none(self):
        self.create()
        with sqlite3.connect(self.folder / "bonafide.db") as store:
            store.execute("DELETE FROM api_key")
        self.assertEqual(self.json("keys", "list"), [])

    def test_rotate_lets_the_old_key_live_for_a_while(self):
        old = self.create("--expires", "10")
        new = self.json("keys", "rotate", old["id"], "--overlap", "48")
        self.assertEqual(new["replaces"]["id"], old["id"])
        self.assertLess(new["replaces"]["ends"], old["expires"])
        self.assertGreaterEqual(new["expires"], old["expires"])
        self.assertNotEqual(new["key"], old["key"])
        again = self.call("keys", "rotate", old["id"], expected=64)
        self.assertIn(f"its successor is {new['id']}", again)
        text = self.call("keys", "rotate", new["id"], "--overlap", "0")
        self.assertRegex(text, rf"\nKey {new['id']} ends at {TIME}\.\n$")

    def test_ends_that_are_there_already(self):
        key = self.create()
        self.assertEqual(self.call("keys", "revoke", key["id"]), f"Key {key['id']} is revoked.\n")
        self.assertEqual(self.call("keys", "revoke", key["id"]), f"Key {key['id']} is revoked.\n")
        self.assertIn("There is no key", self.call("keys", "rotate", key["id"], expected=64))
        self.assertIn("There is no key 0000", self.call("keys", "revoke", "0000", expected=64))

    def test_every_change_is_logged_with_its_author(self):
        old = self.create("--label", "somebody's laptop")
        new = self.json("keys", "rotate", old["id"])
        self.call("keys", "revoke", new["id"])
        leaves = self.leaves("key_changed")
        self.assertEqual([(leaf["change"], leaf["key"], leaf["actor"]) for leaf in leaves],
                         [("created", old["id"], f"uid:{os.getuid()}"), ("rotated", old["id"], f"uid:{os.getuid()}"),
                          ("revoked", new["id"], f"uid:{os.getuid()}")])
        self.assertNotIn("laptop", json.dumps(leaves))

    def test_bad_names_and_labels(self):
        for arguments in (["--client", "A Bank"], ["--client", "x" * 64], ["--client", "a", "--label", "a\nb"],
                          ["--client", "a", "--label", "x" * 128]):
            self.call("keys", "create", "--role", "integrator", *arguments, expected=64)
        self.assertEqual(self.json("keys", "list"), [])

    def test_without_master_key_nothing_is_made(self):
        (self.folder / "master.key").unlink()
        text = self.call("keys", "create", "--role", "integrator", "--client", "a", expected=64)
        self.assertIn("master key", text)
        self.assertFalse((self.folder / "master.key").exists())

    def test_the_master_key_may_be_in_the_environment(self):
        line = (self.folder / "master.key").read_text(encoding="utf-8")
        (self.folder / "master.key").unlink()
        done = program.run("keys", "create", "--role", "operator", "--client", "a", "--config", self.config,
                           env={"BONAFIDE_MASTER_KEY": line})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_key_file_that_others_can_read_is_refused(self):
        (self.folder / "master.key").chmod(0o644)
        text = self.call("keys", "create", "--role", "integrator", "--client", "a", expected=64)
        self.assertIn("chmod 600", text)


class KillSwitch(WithState):
    def test_on_off_status(self):
        self.create()
        self.assertEqual(self.call("killswitch", "status"), "The kill switch is off.\n")
        self.assertEqual(self.call("killswitch", "on"), "The kill switch is on.\n")
        self.assertEqual(self.call("killswitch", "status"), "The kill switch is on.\n")
        self.assertEqual(self.call("killswitch", "off"), "The kill switch is off.\n")
        self.assertEqual(self.call("killswitch", "status"), "The kill switch is off.\n")
        self.assertEqual([(leaf["on"], leaf["actor"]) for leaf in self.leaves("kill_switch")],
                         [(True, f"uid:{os.getuid()}"), (False, f"uid:{os.getuid()}")])

    def test_without_a_store_there_is_no_answer(self):
        text = self.call("killswitch", "status", expected=70)
        self.assertTrue(text.startswith("bonafide killswitch status: "), text)


tap.main()

"""Running the program as its users do, and the pictures that its tests share."""
import atexit
import base64
import json
import os
import pathlib
import pty
import select
import shutil
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("BONAFIDE_BUILD_DIR") or pathlib.Path.cwd())
SOURCE = pathlib.Path(os.environ["BONAFIDE_SOURCE_DIR"])
CACHE = pathlib.Path(os.environ["BONAFIDE_CACHE_DIR"])
PROGRAM = BUILD / "bonafide"
WEIGHTS = CACHE / "weights"
SAMPLES = CACHE / "samples"
# Neither the caller's folders nor colours may change what a test sees.
ENVIRONMENT = {key: value for key, value in os.environ.items()
               if key not in ("BONAFIDE_HOME", "NO_COLOR", "TERM", "BONAFIDE_CACHE_DIR")}
ENVIRONMENT["BONAFIDE_CACHE_DIR"] = str(CACHE)
TIMEOUT_S = 120


def has_weights():
    return any(WEIGHTS.glob("fr_*.onnx"))


def scratch():
    """A folder that is removed at the end."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bonafide-cli-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def put_key(path, text):
    """Writes a key file, which others may not read."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def server_state():
    """A folder with the configuration (bonafide.yaml) and the keys of a server that never ran."""
    folder = scratch()
    (folder / "bonafide.yaml").write_text("format: 1\nstate_dir: .\n", encoding="utf-8")
    secret = base64.b64encode(bytes(range(32))).decode()
    put_key(folder / "master.key", f"bonafide-master-key-v1 {secret}\n")
    put_key(folder / "audit.key", f"bonafide-log-key-v1 test {secret}\n")
    return folder


def run(*arguments, env=None, cwd=None, stdin=None, stdout=subprocess.PIPE):
    """Runs the program; the answer has returncode, stdout and stderr as text."""
    return subprocess.run([str(PROGRAM), *map(str, arguments)], env={**ENVIRONMENT, **(env or {})}, cwd=cwd,
                          input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False,
                          **({} if isinstance(stdin, bytes) else {"text": True}))


def run_on_terminal(*arguments, env=None, cwd=None, columns=80):
    """Runs the program with a terminal as standard output and error; (exit code, what the terminal got)."""
    leader, follower = pty.openpty()
    import fcntl
    import struct
    import termios
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([str(PROGRAM), *map(str, arguments)], cwd=cwd, stdin=subprocess.DEVNULL,
                               stdout=follower, stderr=follower,
                               env={**ENVIRONMENT, "TERM": "xterm", **(env or {})})
    os.close(follower)
    got = b""
    while True:
        ready, _, _ = select.select([leader], [], [], TIMEOUT_S)
        try:
            piece = os.read(leader, 65536) if ready else b""
        except OSError:
            piece = b""
        if not piece:
            break
        got += piece
    os.close(leader)
    if process.poll() is None:
        process.wait(TIMEOUT_S)
    return process.returncode, got.decode("utf-8", "replace").replace("\r\n", "\n")


_hostile = None


def hostile():
    """(folder, {file name: the error the decoder must give, "OK" for none}) of the bad-input set."""
    global _hostile
    if _hostile is None:
        folder = scratch()
        done = subprocess.run([str(BUILD / "tests/support/hostile_files"), str(folder)], stdout=subprocess.PIPE,
                              text=True, check=True)
        _hostile = folder, dict(line.split("\t") for line in done.stdout.splitlines())
    return _hostile


class WithModels(unittest.TestCase):
    """Cases that judge: skipped where the networks have not been fetched."""

    def setUp(self):
        if not has_weights():
            self.skipTest("the networks are not in the cache")

    def sample(self, name):
        if not (SAMPLES / name).exists():
            self.skipTest(f"no sample photo {name}")
        return SAMPLES / name

    def records(self, *arguments, **options):
        """The records that `check --jsonl` prints, and its exit code."""
        done = run("check", "--jsonl", "--no-timing", *arguments, **options)
        return [json.loads(line) for line in done.stdout.splitlines()], done.returncode

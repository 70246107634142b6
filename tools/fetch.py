#!/usr/bin/env python3
"""Fetches what models/packages.lock.json pins into the cache: ONNX Runtime, the networks, sample photos, web tools.

A file counts as present only when its sha256 is the pinned one, so a half-written or altered file is fetched again
and a complete cache needs no network. An archive is read only after its sha512 was found right, the files wanted are
taken out of it and the archive is thrown away. The cache is .cache, or BONAFIDE_CACHE_DIR where that is set.

usage: tools/fetch.py [JOB]            fetch what is missing; with a job (build, test, ...) only what it needs
       tools/fetch.py --check [JOB]    say what is missing, fetch nothing; exit code 1 when something is
"""
import base64
import fcntl
import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOCK = ROOT / "models" / "packages.lock.json"
CACHE = pathlib.Path(os.environ.get("BONAFIDE_CACHE_DIR") or ROOT / ".cache").absolute()
HERE = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
JOBS = ("run", "build", "test", "bench", "fuzz", "lint", "format", "docs")
# What `unless` of a package may say, and the pkg-config name that answers it.
SYSTEM_LIBRARIES = {"system-onnxruntime": "libonnxruntime"}


class SetupError(Exception):
    """A sentence for the person at the terminal."""


def say(text):
    print(f"set-up: {text}", flush=True)


def digest(path, algorithm):
    hasher = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher


def inside_cache(name):
    path = pathlib.PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise SetupError(f"{LOCK.name} names {name}, which is outside the cache.")
    return CACHE / path


def is_folder(entry):
    return entry["from"].endswith("/")


def folder_digest(folder):
    """SHA-256 over the hash and the name of every file in a folder, in the order of the names."""
    hasher = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        hasher.update(f"{digest(path, 'sha256').hexdigest()}  {path.relative_to(folder).as_posix()}\n".encode())
    return hasher.hexdigest()


def is_present(entry):
    path = inside_cache(entry["to"])
    if is_folder(entry):
        return path.is_dir() and folder_digest(path) == entry["sha256"]
    if not path.is_file() or digest(path, "sha256").hexdigest() != entry["sha256"]:
        return False
    return all(inside_cache(link).exists() for link in entry.get("links", []))


def system_has(library):
    try:
        return subprocess.run(["pkg-config", "--exists", library], check=False).returncode == 0
    except FileNotFoundError:
        return False


def is_for_here(thing):
    return HERE in thing.get("arch", [HERE])


def packages_to_fetch(lock, job=None):
    """Pairs of a package and its files that this machine needs (for a job) and the cache does not have."""
    wanted = []
    for package in lock["packages"]:
        if job and job not in package.get("jobs", [job]):
            continue
        if not is_for_here(package) or ("unless" in package and system_has(SYSTEM_LIBRARIES[package["unless"]])):
            continue
        files = [entry for entry in package["files"] if is_for_here(entry) and not is_present(entry)]
        if files:
            wanted.append((package, files))
    return wanted


def check_machine(lock):
    """The library of ONNX Runtime exists for some machines only; better said now than by the linker."""
    known = {arch for package in lock["packages"] for arch in package.get("arch", [])}
    if HERE not in known and not system_has("libonnxruntime"):
        raise SetupError(f"there is no ONNX Runtime for {HERE} among the pinned packages; install the library and "
                         "its pkg-config file libonnxruntime.pc, then try again.")


def download(package, folder):
    name = f"{package['name']}@{package['version']}"
    command = ["npm", "pack", "--ignore-scripts", "--silent", "--cache", str(folder / "npm"),
               "--pack-destination", str(folder), name]
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise SetupError("there is no npm on the PATH; install npm, then try again.") from None
    archives = list(folder.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        detail = done.stderr.strip().splitlines()[-3:]
        raise SetupError(f"npm could not fetch {name}; is the network there? " + " / ".join(detail))
    algorithm, expected = package["integrity"].split("-", 1)
    if base64.b64encode(digest(archives[0], algorithm).digest()).decode() != expected:
        raise SetupError(f"{name} is not the pinned archive (its {algorithm} differs); nothing of it was kept.")
    return archives[0]


def put(source, entry):
    """Writes one file beside its place and moves it there when it is whole and has the pinned hash."""
    target = inside_cache(entry["to"])
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with open(part, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())
    if digest(part, "sha256").hexdigest() != entry["sha256"]:
        part.unlink()
        raise SetupError(f"{entry['from']} does not have the pinned sha256; it was not kept.")
    part.chmod(0o755 if entry.get("executable") else 0o644)
    os.replace(part, target)
    for name in entry.get("links", []):
        link = inside_cache(name)
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))


def put_folder(tar, entry):
    """The same for a whole folder of the archive. Which of its files are programs is as in the archive."""
    target = inside_cache(entry["to"])
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    for member in tar.getmembers():
        name = member.name.removeprefix(entry["from"])
        if not member.isfile() or name == member.name or ".." in pathlib.PurePosixPath(name).parts:
            continue
        path = part / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            shutil.copyfileobj(tar.extractfile(member), file, 1 << 20)
        path.chmod(0o755 if member.mode & 0o100 else 0o644)
    if not part.is_dir() or folder_digest(part) != entry["sha256"]:
        shutil.rmtree(part, ignore_errors=True)
        raise SetupError(f"{entry['from']} does not have the pinned sha256; it was not kept.")
    shutil.rmtree(target, ignore_errors=True)
    os.replace(part, target)


def extract(archive, files):
    folders = [entry for entry in files if is_folder(entry)]
    wanted = {entry["from"]: entry for entry in files if not is_folder(entry)}
    with tarfile.open(archive, "r:gz") as tar:
        for entry in folders:
            put_folder(tar, entry)
    if not wanted:
        return
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if member.name in wanted and member.isfile():
                put(tar.extractfile(member), wanted.pop(member.name))
                if not wanted:
                    return
    raise SetupError(f"the archive has no {next(iter(wanted))}.")


def fetch(package, files):
    size = f"{package['archive_bytes'] / 1e6:.0f} MB"
    say(f"fetching {package['name']} {package['version']} by npm ({size}): {package['use']}")
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=CACHE) as folder:
        extract(download(package, pathlib.Path(folder)), files)


def remove_leftovers():
    """What an interrupted run left: it was never in its place, so nothing refers to it."""
    for folder in CACHE.glob("fetch-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for part in list(CACHE.glob("*/**/*.part")):
        shutil.rmtree(part) if part.is_dir() else part.unlink()


def main(arguments):
    lock = json.loads(LOCK.read_text())
    check = arguments[:1] == ["--check"]
    jobs = arguments[1:] if check else arguments
    if len(jobs) > 1 or any(job not in JOBS for job in jobs):
        print(__doc__, file=sys.stderr)
        return 64
    job = jobs[0] if jobs else None
    missing = packages_to_fetch(lock, job)
    if check:
        for package, files in missing:
            say(f"{package['name']} {package['version']}: {len(files)} files are not in the cache")
        return 1 if missing else 0
    if not missing:
        return 0
    check_machine(lock)
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / ".lock", "w", encoding="ascii") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        remove_leftovers()
        # Asked again under the lock: another run may have fetched them meanwhile.
        for package, files in packages_to_fetch(lock, job):
            fetch(package, files)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nset-up: interrupted; the next run goes on from here.", file=sys.stderr)
        sys.exit(130)

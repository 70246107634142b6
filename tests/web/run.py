#!/usr/bin/env python3
"""Runs one of the web tests with what it needs: clips for the browser's camera, the built page, and for a test of the
whole journey a server.

usage: run.py NAME_test.mjs
"""
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import fake_camera  # noqa: E402
import program  # noqa: E402
import service  # noqa: E402

PHOTO = "person-2.jpg"
CLIPS = {"live": {}, "dark": {"light": 0.12}, "far": {"size": 0.2}, "noisy": {"noise": 70.0}, "sides": {"sides": 0.3}}
SKIP = 77


def make_clips(folder):
    """Kept from one run to the next; made anew when what makes them has changed."""
    folder.mkdir(exist_ok=True)
    made = max(pathlib.Path(file).stat().st_mtime for file in (__file__, fake_camera.__file__))
    for name, how in CLIPS.items():
        clip = folder / f"{name}.y4m"
        if not clip.exists() or clip.stat().st_mtime < made:
            part = folder / f"{name}.{os.getpid()}"
            fake_camera.write(part, program.SAMPLES / PHOTO, **how)
            part.rename(clip)


def missing():
    if not shutil.which("node"):
        return "there is no node"
    if not shutil.which(os.environ.get("BONAFIDE_CHROMIUM", "chromium")):
        return "there is no chromium"
    if not (program.SAMPLES / PHOTO).exists() or not program.has_weights():
        return "there are no sample photos or no networks"
    return None


def run(name, environment):
    scratch = program.scratch()
    clips = program.BUILD / "web-clips"
    make_clips(clips)
    environment = {**program.ENVIRONMENT, "BONAFIDE_CLIPS": str(clips),
                   "BONAFIDE_WEB": str(program.BUILD / "web"), "BONAFIDE_SHOTS": str(program.BUILD / "web-shots"),
                   "BONAFIDE_SOURCE_DIR": str(program.SOURCE), "TMPDIR": str(scratch), **environment}
    return subprocess.run(["node", str(HERE / name)], env=environment, check=False).returncode


def main(name):
    if reason := missing():
        print(f"1..0 # SKIP {reason}")
        return SKIP
    if name != "journey_test.mjs":
        return run(name, {})
    with service.Server({"workers": {"count": 1, "queue": 16}}) as server:
        return run(name, {"BONAFIDE_URL": server.url, "BONAFIDE_KEY": server.key("integrator")})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

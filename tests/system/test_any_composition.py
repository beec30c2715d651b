"""Templates, options, stills, posters, artifacts and reuse on Remotion's real function, with a project of a user's."""

import json
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from renders.models import Render, Template
from renders.remotion import storage
from renders.remotion.target import LambdaTarget
from renders.sandbox.aws import Sandbox
from renders.sandbox.project import open_project
from renders.sandbox.site import Site
from renders.sandbox.toolchain import Toolchain
from renders.services.dispatch import dispatch_next
from renders.services.reconcile import reconcile
from renders.services.templates.sync import sync_templates

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]
RENDERS = "/api/renders/"
PROBED = "stream=codec_type,codec_name,pix_fmt,width,height,nb_read_frames"


@pytest.fixture(scope="module")
def site(toolchain: Toolchain, project_folder: Path, running_sandbox: Sandbox) -> str:
    """The URL of the project's site in the sandbox."""
    bundle = Site("project", toolchain.folder / "bundles" / "test-project")
    log = toolchain.logs / "test-project.log"
    open_project(project_folder).bundle(bundle.folder, public_path=bundle.public_path, log=log)
    bundle.upload(running_sandbox.s3())
    return f"{running_sandbox.s3_url}{bundle.public_path}index.html"


@pytest.fixture(autouse=True)
def templates(site: str, sandbox: Sandbox) -> None:
    sync_templates(site=site)


def create(expected: int = 201, **body: Any) -> Any:
    response = APIClient().post(RENDERS, body, format="json")
    assert response.status_code == expected, response.json()
    return response.json()


def finished(render: Any, *, within: float = 120) -> Any:
    """The render when it has ended well, as a client that polls sees it."""
    deadline = time.monotonic() + within
    while render["status"] in ("queued", "submitting", "rendering"):
        assert time.monotonic() < deadline, render
        dispatch_next()
        time.sleep(0.3)
        render = APIClient().post(f"{RENDERS}{render['id']}/refresh/").json()
    assert render["status"] == "succeeded", render["error"]
    return render


def fetch(url: str) -> tuple[bytes, str]:
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        return answer.read(), answer.headers["Content-Type"]


def probe(toolchain: Toolchain, tmp_path: Path, render: Any) -> dict[str, Any]:
    """What ffprobe finds in the output: its streams by type."""
    path = tmp_path / "output"
    path.write_bytes(fetch(render["outputUrl"])[0])
    compositor = toolchain.node_modules / "@remotion" / "compositor-linux-x64-gnu"
    output = subprocess.run(
        [compositor / "ffprobe", "-v", "error", "-count_frames", "-show_entries", PROBED, "-of", "json", path],
        env={"LD_LIBRARY_PATH": str(compositor)},
        capture_output=True,
        check=True,
    ).stdout
    return {stream["codec_type"]: stream for stream in json.loads(output)["streams"]}


class TestVideos:
    @pytest.mark.parametrize(
        ("template", "props", "frames"),
        [
            ("title", {"title": "Hello"}, 60),
            ("slides", {"slides": ["One", "Two"], "secondsPerSlide": 0.5}, 30),
            ("clip", {}, 45),
        ],
    )
    def test_compositions_of_a_project(
        self, toolchain: Toolchain, tmp_path: Path, template: str, props: dict[str, Any], frames: int
    ) -> None:
        render = finished(create(template=template, inputProps=props))
        video = probe(toolchain, tmp_path, render)["video"]
        assert (video["codec_name"], video["nb_read_frames"]) == ("h264", str(frames))
        assert (render["durationInFrames"], render["fps"], render["width"], render["height"]) == (frames, 30, 640, 360)

    @pytest.mark.parametrize(
        ("template", "options", "codec", "file", "streams"),
        [
            ("title", {"codec": "gif", "everyNthFrame": 3}, "gif", ".gif", {"video": "gif"}),
            ("title", {"codec": "prores", "proResProfile": "light"}, "prores", ".mov", {"video": "prores"}),
            ("clip", {"codec": "mp3"}, "mp3", ".mp3", {"audio": "mp3"}),
            (
                "overlay",
                {"codec": "vp8", "imageFormat": "png", "pixelFormat": "yuva420p"},
                "vp8",
                ".webm",
                {"video": "vp8"},
            ),
            ("title", {"frameRange": [10, 19], "scale": 0.5}, "h264", ".mp4", {"video": "h264"}),
        ],
    )
    def test_codecs_and_options(
        self,
        toolchain: Toolchain,
        tmp_path: Path,
        template: str,
        options: dict[str, Any],
        codec: str,
        file: str,
        streams: dict[str, str],
    ) -> None:
        render = finished(create(template=template, options=options))
        assert (render["codec"], render["outputKey"].endswith(file)) == (codec, True)
        found = probe(toolchain, tmp_path, render)
        assert {kind: found[kind]["codec_name"] for kind in streams} == streams
        if "frameRange" in options:
            assert (found["video"]["width"], found["video"]["nb_read_frames"]) == (320, "10")
            assert (render["width"], render["durationInFrames"]) == (320, 10)
        if "everyNthFrame" in options:
            assert (found["video"]["nb_read_frames"], render["durationInFrames"]) == ("20", 20)

    def test_fifteen_thousand_frames_by_concurrency(self) -> None:
        render = create(template="long", options={"everyNthFrame": 250, "concurrency": 4})
        assert (render["concurrency"], render["framesPerLambda"]) == (4, None)
        assert Render.objects.get(pk=render["id"]).slots_needed == 5
        assert finished(render)["durationInFrames"] == 60

    def test_an_artifact(self) -> None:
        (artifact,) = finished(create(template="report"))["artifacts"]
        assert artifact["name"] == "report.txt"
        body, _ = fetch(artifact["url"])
        assert (body, artifact["size"]) == (b"Rendered from frame 0", len(body))
        assert "attachment%3B%20filename%3D%22report.txt" in artifact["url"]


class TestStills:
    @pytest.mark.parametrize(
        ("image_format", "magic", "content_type"),
        [
            ("png", b"\x89PNG", "image/png"),
            ("jpeg", b"\xff\xd8", "image/jpeg"),
            ("webp", b"RIFF", "image/webp"),
            ("pdf", b"%PDF", "application/pdf"),
        ],
    )
    def test_each_format(self, image_format: str, magic: bytes, content_type: str) -> None:
        render = create(template="title", kind="still", frame=30, options={"imageFormat": image_format})
        assert (render["status"], render["error"]) == ("succeeded", "")
        body, found = fetch(render["outputUrl"])
        assert (body.startswith(magic), found, len(body)) == (True, content_type, render["outputSize"])
        assert render["cost"] > 0

    def test_code_that_throws(self) -> None:
        code = {"code": "export default () => { throw new Error('boom') };", "durationInFrames": 2, "fps": 30}
        render = create(inputProps=code, kind="still")
        assert (render["status"], render["failureReason"]) == ("failed", "render_error")
        assert "boom" in render["error"]

    def test_one_whose_answer_was_lost_is_found_by_its_mark(self) -> None:
        done = create(template="title", kind="still")
        unknown = {"status": "submitting", "render_id": "", "bucket_name": "", "error": "AWS did not answer."}
        ended = {"finished_at": None, "output_key": "", "output_bucket": "", "output_size": None, "progress": 0}
        Render.objects.filter(pk=done["id"]).update(**unknown, **ended)
        assert reconcile().found == 1
        again = APIClient().post(f"{RENDERS}{done['id']}/refresh/").json()
        fields = ("status", "renderId", "outputKey", "outputSize")
        assert {name: again[name] for name in fields} == {name: done[name] for name in fields}

    def test_a_poster(self) -> None:
        video = finished(create(template="title", poster={"seconds": 1}))
        poster = dispatch_next()
        assert poster
        assert (poster.status, poster.frame, str(poster.poster_of_id)) == ("succeeded", 30, video["id"])
        url = APIClient().get(f"{RENDERS}{video['id']}/").json()["posterUrl"]
        assert fetch(url)[0].startswith(b"\xff\xd8")


class TestReuse:
    def test_the_file_is_what_decides(self) -> None:
        asked: Any = {"template": "title", "inputProps": {"title": "Twice"}, "options": {"frameRange": [0, 9]}}
        first = finished(create(**asked))
        again = create(200, **asked, reuse=True)
        assert (again["id"], again["reused"]) == (first["id"], True)
        storage.delete_render_files(
            LambdaTarget.from_settings(), bucket_name=first["bucketName"], render_id=first["renderId"]
        )
        assert create(**asked, reuse=True)["id"] != first["id"]


class TestBadOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {"codec": "h264", "crf": 90},
            {"crf": 18, "videoBitrate": "1M"},
            {"codec": "gif", "audioCodec": "aac"},
            {"codec": "h264", "pixelFormat": "yuva420p"},
            {"frameRange": [10, 5]},
            {"frameRange": [0, 60]},
            {"framesPerLambda": 60, "concurrency": 4},
            {"imageFormat": "pdf"},
            {"outName": "mine.mp4"},
        ],
    )
    def test_they_are_refused_before_a_row_exists(self, options: dict[str, Any]) -> None:
        Template.objects.filter(name="title").update(length=Template.Length.FIXED)
        create(400, template="title", options=options)
        assert not Render.objects.exists()

"""The whole way on Remotion's real function: a request in, a video out, a row that is true."""

import contextlib
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from django.core.management import CommandError, call_command
from pytest_django.live_server_helper import LiveServer
from remotion_lambda import RemotionClient
from rest_framework.test import APIClient

from renders.models import Render, WebhookDelivery
from renders.remotion import aws, storage
from renders.remotion.start import prepare, start
from renders.remotion.target import LambdaTarget
from renders.sandbox.aws import KEY, REGION, Sandbox
from renders.sandbox.browser import Browser
from renders.sandbox.demo import EXAMPLE
from renders.sandbox.toolchain import Toolchain
from renders.services.answers import mark_started
from renders.services.refresh.apply import change_render
from tests.factories import make_render

pytestmark = [pytest.mark.django_db, pytest.mark.system]
Status, Reason = Render.Status, Render.FailureReason
PATIENCE = 60


def create(code: str, frames: int = 30, fps: float = 30) -> dict[str, Any]:
    props = {"code": code, "durationInFrames": frames, "fps": fps}
    response = APIClient().post("/api/lambda/render", {"inputProps": props}, format="json")
    assert response.status_code == 200, response.json()
    answer: dict[str, Any] = response.json()
    return answer


def wait_for(look: Callable[[], Any]) -> Any:
    """What ``look`` finds as soon as it finds something; looks as often as a client would poll."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError("That took too long.")


def poll(started: dict[str, Any]) -> dict[str, Any] | None:
    """The last answer of the progress endpoint, None while there is progress."""
    asked = {"id": started["renderId"], "bucketName": started["bucketName"]}
    response = APIClient().post("/api/lambda/progress", asked, format="json")
    if response.status_code == 503:
        return None  # moto's S3 fails now and then while a file is overwritten
    answer: dict[str, Any] = response.json()
    return None if answer["type"] == "progress" else answer


def finish(started: dict[str, Any]) -> tuple[dict[str, Any], Render]:
    return wait_for(lambda: poll(started)), Render.objects.get(pk=started["id"])


def distinct_frames(toolchain: Toolchain, video: Path) -> int:
    """How many different pictures the video has, seen small."""
    compositor = toolchain.node_modules / "@remotion" / "compositor-linux-x64-gnu"
    subprocess.run(
        [compositor / "ffmpeg", "-v", "error", "-i", video, "-s", "160x90", video.parent / "frame-%d.png"],
        env={"LD_LIBRARY_PATH": str(compositor)},
        check=True,
    )
    return len({frame.read_bytes() for frame in video.parent.glob("frame-*.png")})


class TestSucceeding:
    def test_the_seeds_example_becomes_the_video_that_was_asked_for(self, sandbox: Sandbox, tmp_path: Path) -> None:
        with tempfile.NamedTemporaryFile() as bystander:
            started = APIClient().post("/api/lambda/render", EXAMPLE, format="json").json()
            answer, row = finish(started)
            assert Path(bystander.name).exists(), "the function must not empty the machine's temporary folder"
        assert answer["type"] == "done"

        video = tmp_path / "video.mp4"
        with urllib.request.urlopen(answer["url"]) as response:  # noqa: S310
            assert response.headers["Content-Disposition"] == 'attachment; filename="video.mp4"'
            video.write_bytes(response.read())
        probed = sandbox.toolchain.probe_video(video)
        assert (probed["codec_name"], probed["nb_read_frames"], probed["avg_frame_rate"]) == ("h264", "150", "30/1")
        assert distinct_frames(sandbox.toolchain, video) > 100, "it moves"

        assert (row.status, row.progress, row.frames_rendered) == (Status.SUCCEEDED, 1.0, 150)
        assert row.output_size == answer["size"] == video.stat().st_size
        assert row.output_key == f"renders/{row.render_id}/{row.id}.mp4"
        assert row.cost
        assert row.cost > 0

        official = RemotionClient(
            region=REGION,
            serve_url=sandbox.serve_url,
            function_name=sandbox.function_name,
            session=boto3.Session(aws_access_key_id=KEY, aws_secret_access_key=KEY, region_name=REGION),
            config=Config(retries={"total_max_attempts": 1}),
        )
        official._create_lambda_client = lambda: aws.lambda_client(LambdaTarget.from_settings(), time_limit=60)
        said = official.get_render_progress(render_id=row.render_id, bucket_name=row.bucket_name)
        assert said is not None
        assert (said.done, said.outputSizeInBytes, said.outKey) == (True, row.output_size, row.output_key)
        assert said.costs["accruedSoFar"] == row.cost

    def test_words_can_be_read(self, sandbox: Sandbox, tmp_path: Path) -> None:
        """Two titles of one length differ in nothing but their letters."""
        frames = []
        for words in ("Hello", "World"):
            answer, _ = finish(create(words, frames=4))
            video = tmp_path / words / "video.mp4"
            video.parent.mkdir()
            urllib.request.urlretrieve(answer["url"], video)  # noqa: S310
            distinct_frames(sandbox.toolchain, video)
            frames.append([frame.read_bytes() for frame in sorted(video.parent.glob("frame-*.png"))])
        assert all(hello != world for hello, world in zip(*frames, strict=True))

    def test_an_unbalanced_brace_in_a_string_refreshes_by_command(self, sandbox: Sandbox) -> None:
        started = create("return '{' + useCurrentFrame()", fps=29.97)

        def refresh() -> Render | None:
            # S3's passing failures, which moto has while a file is overwritten, are told and pass.
            with contextlib.suppress(CommandError):
                call_command("refresh_renders")
            row = Render.objects.get(pk=started["id"])
            return row if row.is_terminal else None

        row = wait_for(refresh)
        assert (row.status, row.error, row.output_size > 0) == (Status.SUCCEEDED, "", True)

    def test_source_in_the_templates_manner_is_shown(self, sandbox: Sandbox, tmp_path: Path) -> None:
        source = """
            import { AbsoluteFill, interpolate, spring, useCurrentFrame, useVideoConfig } from "remotion";
            import React, { useMemo } from "react";
            const COLOURS: string[] = ["red", "green"];
            export const MyAnimation: React.FC<{ title?: string }> = ({ title = "{ Hello" }) => {
              const frame = useCurrentFrame();
              const { fps } = useVideoConfig();
              const scale = spring({ frame, fps });
              const colour = useMemo(() => COLOURS[frame % 2], [frame]);
              return (
                <AbsoluteFill style={{ background: colour, opacity: interpolate(frame, [0, 10], [0.2, 1]) }}>
                  <h1 style={{ transform: `scale(${scale})` }}>{title}</h1>
                </AbsoluteFill>
              );
            };
        """
        answer, row = finish(create(source, frames=10))
        assert (answer["type"], row.error) == ("done", "")
        video = tmp_path / "video.mp4"
        urllib.request.urlretrieve(answer["url"], video)  # noqa: S310
        assert distinct_frames(sandbox.toolchain, video) == 10

    def test_further_props_reach_the_component(self, sandbox: Sandbox) -> None:
        code = "export default React.memo((props) => { throw new Error(JSON.stringify(props)) })"
        props = {"code": code, "durationInFrames": 2, "fps": 30, "theme": {"dark": True}}
        started = APIClient().post("/api/lambda/render", {"inputProps": props}, format="json").json()
        assert '"theme":{"dark":true}' in finish(started)[0]["message"]

    def test_large_props_stay_until_their_own_render_ends(self, sandbox: Sandbox) -> None:
        """Remotion deletes the props of a render when it ends; another may have equal ones."""
        target = LambdaTarget.from_settings()
        props = {"code": "Twice", "durationInFrames": 2, "fps": 30, "filler": "x" * 200_000}
        rows = [make_render(Status.SUBMITTING, input_props=props) for _ in range(2)]
        payloads = [
            prepare(
                target,
                serve_url=sandbox.serve_url,
                composition=row.composition,
                input_props=props,
                options={},
                frames_per_lambda=60,
                concurrency=None,
                props_name=str(row.id),
                out_name=row.out_name,
            )
            for row in rows
        ]
        for row, payload in zip(rows, payloads, strict=True):
            started = start(target, payload)
            change_render(row.pk, partial(mark_started, started=started))
            answer, _ = finish({"id": row.id, "renderId": started.render_id, "bucketName": started.bucket_name})
            assert answer["type"] == "done", answer
            names = json.loads(payload)["inputProps"]
            wait_for(partial(self.is_deleted, names["bucketName"], f"input-props/{names['hash']}.json"))

    def is_deleted(self, bucket_name: str, key: str) -> bool:
        return storage.find_output(LambdaTarget.from_settings(), bucket_name=bucket_name, key=key).size is None


@pytest.mark.django_db(transaction=True)
class TestWebhook:
    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("Told at once", Status.SUCCEEDED),
            ("export default () => { throw new Error('boom') };", Status.FAILED),
        ],
    )
    def test_a_row_ends_without_any_poll(
        self, sandbox: Sandbox, live_server: LiveServer, settings: Any, code: str, status: str
    ) -> None:
        settings.ALLOWED_HOSTS = ["testserver", "localhost"]
        settings.REMOTION_WEBHOOK_URL = f"{live_server.url}/api/lambda/webhook"
        settings.REMOTION_WEBHOOK_SECRET = "new,old"
        started = create(code)
        delivery = wait_for(WebhookDelivery.objects.exclude(processed_at=None).first)
        assert (delivery.is_processed, delivery.error) == (True, "")
        row = Render.objects.get(pk=started["id"])
        assert row.status == status
        assert row.finished_at
        assert row.finished_at - delivery.received_at < timedelta(seconds=1)


class TestCancelling:
    def test_a_running_render_is_cancelled_when_remotion_has_stopped(self, sandbox: Sandbox) -> None:
        started = create("Never finished", frames=600)
        wait_for(lambda: Render.objects.get(pk=started["id"]).frames_rendered or poll(started))
        response = APIClient().post(f"/api/renders/{started['id']}/cancel/")
        assert (response.status_code, response.json()["status"]) == (202, "rendering")
        answer, row = finish(started)
        assert answer == {"type": "error", "message": "The render was cancelled."}
        assert (row.status, row.error) == (Status.CANCELLED, "")
        assert row.progress < 1


class TestFailing:
    @pytest.mark.parametrize(
        ("code", "message"),
        [
            (
                "export const A = () => { const f = useCurrentFrame();"
                " if (f === 20) throw new Error('boom at 20'); return <AbsoluteFill>{f}</AbsoluteFill> }",
                "boom at 20",
            ),
            ("export const A = () => { return <div> ; }", "SyntaxError: /code.tsx: Unexpected token"),
            ("import x from 'lodash'; export default () => null;", 'This site has no module "lodash"'),
            ("const lower = () => null;", "The code has no component"),
        ],
        ids=["throws", "does not compile", "unknown module", "no component"],
    )
    def test_the_row_has_the_message(self, sandbox: Sandbox, code: str, message: str) -> None:
        answer, row = finish(create(code))
        assert answer["type"] == "error"
        assert message in answer["message"]
        assert (row.status, row.failure_reason, row.error) == (Status.FAILED, Reason.RENDER_ERROR, answer["message"])

    def test_a_function_that_is_not_there_is_named(self, sandbox: Sandbox, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "remotion-render-elsewhere"
        response = APIClient().post("/api/lambda/render", EXAMPLE, format="json")
        assert response.status_code == 500
        assert "There is no function remotion-render-elsewhere in us-east-1." in response.json()["error"]
        assert Render.objects.get().failure_reason == Reason.REJECTED


class TestBrowserThatCannotStart:
    """A quota of one function, a time limit of three seconds, and a browser that does not work."""

    @pytest.mark.parametrize("browser", ["exec sleep 4321", "exit 1"], ids=["hangs", "exits"])
    def test_ends_at_its_deadline_and_is_not_stuck(
        self, toolchain: Toolchain, tmp_path: Path, settings: Any, browser: str
    ) -> None:
        executable = tmp_path / "chromium"
        executable.write_text(f"#!/bin/sh\n{browser}\n")
        executable.chmod(0o755)
        with Sandbox(toolchain, concurrency=1, function_timeout=3, browser=Browser(executable)) as sandbox:
            for name, value in sandbox.settings().items():
                setattr(settings, name, value)
            settings.API_ALLOW_ANONYMOUS = True
            settings.REMOTION_CONCURRENCY = 200  # so that it is AWS that refuses
            started = create("Never shown")
            if "sleep" in browser:
                # The one function that the account may run is waiting for its browser.
                assert wait_for(self.refusal)["error"].startswith("AWS Lambda has no capacity")
            answer, row = finish(started)
        assert answer["type"] == "error"
        assert "time limit of 3 seconds" in answer["message"]
        assert (row.status, row.failure_reason) == (Status.FAILED, Reason.TIMED_OUT)
        assert not any("4321" in (process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))

    def refusal(self) -> Any:
        response = APIClient().post("/api/lambda/render", EXAMPLE, format="json")
        return response.json() if response.status_code == 429 else None

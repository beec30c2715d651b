"""A still whose answer was lost: its progress.json never changes, so its output tells whether it is done."""

import time

import pytest

from renders.models import RefreshState, Render
from renders.remotion.errors import Unavailable
from renders.services.refresh.engine import refresh_render
from tests.factories import BUCKET, load_recording, make_due, make_render
from tests.s3 import progress_path
from tests.servers import Answer, ScriptedServer, reply, s3_error
from tests.services.refresh.due import refresh_due

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason


@pytest.fixture
def still(aws: ScriptedServer) -> Render:
    """A still that was started just now, with the file that Remotion writes first and never changes."""
    render = make_render(kind="still", frame=0, codec="", extension="png", progress=0)
    store(aws, render, started_ago=5)
    return render


def store(aws: ScriptedServer, render: Render, *, started_ago: float) -> None:
    """Put the recorded file on S3, as if the still had been started so many seconds ago."""
    progress = load_recording("still-progress")["4.0.527"]
    metadata = {**progress["renderMetadata"], "startedDate": (time.time() - started_ago) * 1000}
    file = reply({**progress, "renderMetadata": metadata})
    aws.answers[progress_path(render)] = Answer(file.body, headers={"ETag": '"1"'})


def output_path(render: Render) -> str:
    return f"/{BUCKET}/renders/{render.render_id}/{render.out_name}"


def refreshed(render: Render) -> Render:
    RefreshState.objects.update(asked_at=None)  # or it would be asked once a second
    return refresh_render(render)


class TestStill:
    def test_it_goes_on_while_there_is_no_output(self, aws: ScriptedServer, still: Render) -> None:
        assert refreshed(still).status == Status.RENDERING
        assert aws.count(output_path(still)) == 1

    def test_it_is_looked_for_each_time_though_the_file_is_the_same(self, aws: ScriptedServer, still: Render) -> None:
        refreshed(still)
        refreshed(still)
        assert aws.count(output_path(still)) == 2

    def test_it_has_succeeded_when_its_output_exists(self, aws: ScriptedServer, still: Render) -> None:
        aws.answers[output_path(still)] = Answer(b"picture")
        render = refreshed(still)
        assert (render.status, render.output_size, render.progress) == (Status.SUCCEEDED, 7, 1.0)
        assert render.output_key == f"renders/{still.render_id}/{still.out_name}"
        assert (render.width, render.height, render.duration_in_frames) == (1280, 720, None)

    def test_it_has_timed_out_when_the_functions_time_is_over(self, aws: ScriptedServer, still: Render) -> None:
        store(aws, still, started_ago=400)
        render = refreshed(still)
        assert (render.status, render.failure_reason) == (Status.FAILED, Reason.TIMED_OUT)

    def test_s3_that_refuses_says_nothing_of_it(self, aws: ScriptedServer, still: Render) -> None:
        aws.answers[output_path(still)] = s3_error(503, "SlowDown")
        with pytest.raises(Unavailable, match="S3"):
            refreshed(still)
        assert Render.objects.get().status == Status.RENDERING

    def test_an_output_that_comes_late_is_found(self, aws: ScriptedServer, still: Render) -> None:
        store(aws, still, started_ago=400)
        refreshed(still)
        aws.answers[output_path(still)] = Answer(b"picture")
        make_due()
        (result,) = refresh_due()
        assert result.render.status == Status.SUCCEEDED


def test_a_video_is_asked_for_no_output(aws: ScriptedServer) -> None:
    render = make_render()
    refresh_render(render)
    assert aws.count(output_path(render)) == 0

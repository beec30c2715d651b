from typing import Any

import pytest
from django.db import IntegrityError, connection

from renders.models import Render
from renders.services.dispatch import dispatch_next
from renders.services.posters import queue_posters
from renders.services.refresh.engine import refresh_render, refresh_renders
from renders.services.retry import retry_render
from tests.factories import make_render
from tests.s3 import last_progress, progress_path
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
Status, Kind = Render.Status, Render.Kind


def video(**fields: Any) -> Render:
    return make_render(**{"poster_request": {"frame": 30}, **fields})


def poster_of(render: Render) -> Render:
    return Render.objects.get(poster_of=render)


def finish(aws: ScriptedServer, render: Render) -> None:
    aws.answers[progress_path(render)] = last_progress()
    assert refresh_render(render).status == Status.SUCCEEDED


class TestQueuePosters:
    def test_a_video_that_succeeds_gets_its_poster(self, aws: ScriptedServer) -> None:
        render = video(priority=5)
        finish(aws, render)
        poster = poster_of(render)
        assert (poster.status, poster.kind, poster.frame) == (Status.QUEUED, Kind.STILL, 30)
        assert (poster.input_props, poster.composition) == (render.input_props, render.composition)
        assert (poster.extension, poster.slots_needed, poster.priority) == ("jpeg", 1, 5)

    def test_so_does_one_in_a_batch(self, aws: ScriptedServer) -> None:
        renders = [video(), video(), make_render()]
        for render in renders:
            aws.answers[progress_path(render)] = last_progress()
        assert [result.render.status for result in refresh_renders(renders)] == [Status.SUCCEEDED] * 3
        assert set(Render.objects.exclude(poster_of=None).values_list("poster_of", flat=True)) == {
            render.pk for render in renders[:2]
        }

    def test_without_a_wish_there_is_none(self, aws: ScriptedServer) -> None:
        finish(aws, make_render())
        assert Render.objects.count() == 1

    def test_one_that_fails_has_none(self, aws: ScriptedServer) -> None:
        render = video()
        aws.answers[progress_path(render)] = last_progress("throws-in-chunk")
        assert refresh_render(render).status == Status.FAILED
        assert Render.objects.count() == 1

    def test_it_is_queued_once(self) -> None:
        render = video(status=Status.SUCCEEDED)
        queue_posters([render])
        queue_posters([render])
        assert poster_of(render).status == Status.QUEUED

    def test_the_database_refuses_a_second(self) -> None:
        render = video(status=Status.SUCCEEDED)
        queue_posters([render])
        with pytest.raises(IntegrityError):
            make_render(Status.QUEUED, kind=Kind.STILL, frame=0, poster_of=render)

    def test_options_that_a_still_takes_are_kept(self) -> None:
        options = {"scale": 0.5, "crf": 20, "codec": "vp8", "imageFormat": "png", "deleteAfter": "1-day"}
        render = video(status=Status.SUCCEEDED, options=options)
        queue_posters([render])
        assert poster_of(render).options == {"scale": 0.5, "deleteAfter": "1-day", "imageFormat": "jpeg"}

    @pytest.mark.parametrize(
        ("request_", "frame"),
        [({"seconds": 1}, 30), ({"seconds": 0.5}, 15), ({"seconds": 60}, 149), ({"frame": -1}, -1), ({"frame": 0}, 0)],
    )
    def test_seconds_become_a_frame(self, request_: dict[str, float], frame: int) -> None:
        render = video(status=Status.SUCCEEDED, poster_request=request_)
        queue_posters([render])
        assert poster_of(render).frame == frame

    @pytest.mark.parametrize(
        ("options", "length", "seconds", "frame"),
        [
            ({"frameRange": [300, 399]}, 100, 1, 330),
            ({"frameRange": [300, 399]}, 100, 60, 399),
            ({"frameRange": [300, None], "everyNthFrame": 2}, 50, 60, 398),
            ({"frameRange": 7}, 1, 60, 7),
            ({"everyNthFrame": 2}, 50, 60, 98),  # of 99
        ],
    )
    def test_seconds_count_from_the_first_frame_of_the_video(
        self, options: dict[str, Any], length: int, seconds: float, frame: int
    ) -> None:
        request = {"seconds": seconds}
        render = video(status=Status.SUCCEEDED, poster_request=request, options=options, duration_in_frames=length)
        queue_posters([render])
        assert poster_of(render).frame == frame

    def test_a_poster_goes_with_its_video(self) -> None:
        render = video(status=Status.SUCCEEDED)
        queue_posters([render])
        render.delete()
        assert not Render.objects.exists()

    def test_a_batch_without_an_end_asks_nothing_more(self, django_assert_num_queries: Any) -> None:
        assert connection
        render = video()
        with django_assert_num_queries(0):
            queue_posters([render])


class TestRetry:
    def test_that_of_a_poster_is_the_videos_poster(self, aws: ScriptedServer) -> None:
        render = video(status=Status.SUCCEEDED)
        queue_posters([render])
        failed = poster_of(render)
        Render.objects.filter(pk=failed.pk).update(
            status=Status.FAILED, failure_reason="render_error", finished_at=failed.created_at
        )
        again = retry_render(poster_of(render), start_now=False).render
        assert poster_of(render) == again
        assert (again.retry_of, again.frame, again.status) == (failed, failed.frame, Status.QUEUED)


class TestDispatch:
    def test_a_queued_poster_is_started_as_a_still(self, aws: ScriptedServer, still_answer: None) -> None:
        render = video(status=Status.SUCCEEDED)
        queue_posters([render])
        started = dispatch_next()
        assert started
        assert (started.status, started.poster_of) == (Status.SUCCEEDED, render)
        assert b'"type": "still"' in aws.requests[0][2]

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from renders.models import RefreshState, Render
from renders.remotion.progress import EXPLANATIONS, TOO_MANY_FUNCTIONS
from renders.services.explain import (
    CURE_OF_ANY_ERROR,
    CURE_OF_NO_FUNCTIONS,
    CURES,
    Explanation,
    explain,
    lacked_functions,
)
from tests.factories import make_render, make_unconfirmed

pytestmark = pytest.mark.django_db
Status = Render.Status
Reason = Render.FailureReason


def failed(reason: str = Reason.RENDER_ERROR, **fields: Any) -> Explanation:
    return explain(make_render(Status.FAILED, failure_reason=reason, **fields))


class TestEveryRender:
    @pytest.mark.parametrize("status", Status)
    def test_a_sentence_says_how_it_is(self, status: str) -> None:
        assert explain(make_render(status)).what.endswith(".")

    @pytest.mark.parametrize("reason", Reason)
    def test_why_it_failed_and_what_to_do_is_said(self, reason: str) -> None:
        told = failed(reason, error="boom at 100")
        assert told.what.startswith("It failed")
        assert told.why == "boom at 100"
        assert told.cure.endswith(".")


class TestWaiting:
    def test_a_start_that_was_put_off_says_why(self) -> None:
        told = explain(make_render(Status.QUEUED, throttled_count=2, error="AWS has no capacity."))
        assert "2 times" in told.what
        assert told.why == "AWS has no capacity."

    def test_an_unconfirmed_one_must_not_be_started_again(self) -> None:
        told = explain(make_unconfirmed())
        assert "unconfirmed" in told.what
        assert "Do not start it again" in told.cure

    def test_a_start_without_an_answer_is_unconfirmed_when_its_time_is_up(self) -> None:
        now = timezone.now()
        assert "being asked" in explain(make_render(Status.SUBMITTING, submitted_at=now)).what
        assert "unconfirmed" in explain(make_render(Status.SUBMITTING, submitted_at=now - timedelta(hours=1))).what

    def test_a_stalled_one_says_since_when_and_until_when(self) -> None:
        now = timezone.now()
        moved_at, deadline_at = now - timedelta(minutes=7, seconds=5), now + timedelta(minutes=3, seconds=5)
        told = explain(make_render(progressed_at=moved_at, refreshed_at=now, deadline_at=deadline_at))
        assert "7\N{NO-BREAK SPACE}minutes" in told.what
        assert "3\N{NO-BREAK SPACE}minutes" in told.cure

    def test_one_that_is_being_cancelled_says_so(self) -> None:
        assert "being cancelled" in explain(make_render(cancel_requested_at=timezone.now())).what


class TestFailures:
    @pytest.mark.parametrize("explanation", [explanation for _, explanation in EXPLANATIONS])
    def test_what_remotions_errors_mean_is_the_cure(self, explanation: str) -> None:
        told = failed(error=f"Target closed. ({explanation})")
        cure = CURE_OF_NO_FUNCTIONS if explanation == TOO_MANY_FUNCTIONS else explanation
        assert (told.why, told.cure) == ("Target closed.", cure)

    @pytest.mark.parametrize("explanation", ["", f" ({TOO_MANY_FUNCTIONS})"])
    def test_a_limit_of_aws_is_not_the_compositions_fault(self, explanation: str) -> None:
        said = "AWS Concurrency limit reached (Original Error: Rate Exceeded.). See https://www.remotion.dev/docs"
        render = make_render(Status.FAILED, failure_reason=Reason.RENDER_ERROR, error=said + explanation)
        assert lacked_functions(render)
        assert (explain(render).why, explain(render).cure) == (said, CURE_OF_NO_FUNCTIONS)
        assert not lacked_functions(make_render(Status.FAILED, failure_reason=Reason.RENDER_ERROR, error="boom"))

    @pytest.mark.parametrize(
        ("error", "number"),
        [
            ('A delayRender() "Loading font" was called but not cleared after 28000ms.', 0),
            ("Received a status code of 404 while downloading file https://x.example/a.png", 1),
            ("Error loading image with src: https://x.example/a.png", 1),
            ("Could not find composition with ID Intro.", 2),
            ("SyntaxError: Unexpected token '}'", 3),
            ("ReferenceError: cube is not defined", 3),
            ("AccessDenied: not authorized to perform s3:PutObject", 4),
        ],
    )
    def test_errors_that_are_often_met_have_cures(self, error: str, number: int) -> None:
        assert failed(error=error).cure == CURES[number][1]

    def test_the_output_of_one_that_timed_out_is_looked_for_while_it_has_a_refresh_state(self) -> None:
        render = make_render(Status.FAILED, failure_reason=Reason.TIMED_OUT)
        RefreshState.objects.create(render=render, next_refresh_at=timezone.now())
        assert "looked for again" in explain(Render.objects.get()).cure
        RefreshState.objects.all().delete()
        assert explain(Render.objects.get()).cure.startswith("Repeat it with changes")

    def test_any_other_error_is_the_compositions(self) -> None:
        assert failed(error="boom at 100").cure == CURE_OF_ANY_ERROR

    def test_the_frame_at_which_it_failed_is_told(self) -> None:
        errors = [{"isFatal": True, "willRetry": True, "frame": 3}, {"isFatal": True, "willRetry": False, "frame": 101}]
        assert failed(errors=errors).what == "It failed at frame 101."
        assert failed(progress=0.43).what == "It failed at 43%."


class TestEnded:
    def test_expired_files_are_told(self) -> None:
        old = timezone.now() - timedelta(days=2)
        told = explain(make_render(Status.SUCCEEDED, options={"deleteAfter": "1-day"}, submitted_at=old))
        assert "deleted" in told.what

    def test_who_cancelled_it_and_when_is_told(self) -> None:
        render = make_render(Status.CANCELLED, cancel_requested_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
        assert explain(render, cancelled_by="grace").why == "grace cancelled it at 2026-03-04 05:06:07 UTC."
        assert explain(render).why == "Somebody cancelled it at 2026-03-04 05:06:07 UTC."

    def test_one_cancelled_in_the_queue_never_began(self) -> None:
        assert explain(make_render(Status.CANCELLED, submitted_at=None)).what == "It was cancelled before it began."

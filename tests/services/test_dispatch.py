from collections.abc import Callable
from datetime import timedelta
from threading import Timer
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render, transitions
from renders.services import dispatch
from renders.services.cancel import cancel_render
from renders.services.dispatch import dispatch_next
from renders.services.errors import StartFailed
from tests.factories import BODY, BUCKET, INPUT_PROPS, create, make_render
from tests.operations.processes import wait_until
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply, s3_error

pytestmark = pytest.mark.django_db
Status = Render.Status
STARTED = reply({"type": "success", "renderId": "abc123", "bucketName": BUCKET})


class TestThrottling:
    def test_it_is_no_failure_but_a_wait_that_grows(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        render = create()
        assert (render.status, render.throttled_count, render.failure_reason) == (Status.QUEUED, 1, "")
        assert render.dispatch_after is not None
        waits = []
        for _ in range(8):
            Render.objects.update(dispatch_after=None)
            again = dispatch_next()
            assert again is not None
            assert again.dispatch_after is not None
            waits.append((again.dispatch_after - timezone.now()).total_seconds())
        assert waits[-1] > waits[0]
        assert max(waits) <= 120
        assert aws.count(INVOKE) == 9

    def test_until_then_it_is_left_alone(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        create()
        assert dispatch_next() is None
        assert aws.count(INVOKE) == 1

    def test_the_lambda_endpoint_answers_429(self, api: APIClient, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        assert api.post("/api/lambda/render", BODY, format="json").status_code == 429
        assert not Render.objects.exists()

    def test_nobody_is_tried_while_the_first_in_line_waits_for_capacity(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        create(priority=50)
        assert create(priority=-50).status == Status.QUEUED
        assert dispatch_next() is None
        assert aws.count(INVOKE) == 1

    def test_a_cancelled_one_does_not_wait_again(self, aws: ScriptedServer) -> None:
        render = make_render(Status.SUBMITTING)
        cancel_render(render)
        render.refresh_from_db()
        transitions.mark_queued_again(render, error="no capacity", dispatch_after=timezone.now())
        render.save_changes()
        assert Render.objects.get().status == Status.CANCELLED


class TestWhatIsNotTheRendersFault:
    @pytest.mark.parametrize(
        "answer", [lambda_error(403, "ExpiredTokenException"), lambda_error(404, "ResourceNotFoundException")]
    )
    def test_keeps_it_waiting(self, aws: ScriptedServer, answer: Answer) -> None:
        aws.answers[INVOKE] = answer
        make_render(Status.QUEUED)
        make_render(Status.QUEUED)
        assert dispatch_next() is not None
        assert dispatch_next() is None
        assert Render.objects.queued().count() == 2
        assert aws.count(INVOKE) == 1

    def test_but_props_that_cannot_be_stored_hold_up_nobody_for_long(self, numbered: ScriptedServer) -> None:
        props = {**INPUT_PROPS, "code": "x" * 199_999}
        large = make_render(Status.QUEUED, input_props=props)
        make_render(Status.QUEUED)
        numbered.answers[f"/{BUCKET}/input-props/"] = s3_error(403, "AccessDenied")
        for _ in range(7):
            dispatch_next()
            Render.objects.update(dispatch_after=None)
        large.refresh_from_db()
        assert (large.status, large.failure_reason) == (Status.FAILED, "rejected")
        assert "cannot be stored" in large.error
        assert Render.objects.filter(status=Status.RENDERING).count() == 1

    def test_a_call_that_comes_too_late_is_not_made(
        self, numbered: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_render(Status.QUEUED)
        monkeypatch.setattr(dispatch, "MAX_PREPARATION", timedelta())
        render = dispatch_next()
        assert render is not None
        assert (render.status, numbered.count(INVOKE)) == (Status.QUEUED, 0)

    def test_but_a_rejection_ends_it(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = reply({"type": "error", "message": "You have multiple buckets."})
        make_render(Status.QUEUED)
        render = dispatch_next()
        assert render is not None
        assert (render.status, render.failure_reason) == (Status.FAILED, "rejected")

    def test_it_is_started_with_the_settings_of_that_moment(self, numbered: ScriptedServer, settings: Any) -> None:
        make_render(Status.QUEUED, function_timeout=240)
        settings.REMOTION_TIMEOUT = 900
        render = dispatch_next()
        assert render is not None
        assert render.function_timeout == 900
        assert render.function_name in numbered.requests[0][1]


class TestOrder:
    def test_priority_then_age_and_a_minute_is_worth_a_point(self, numbered: ScriptedServer) -> None:
        now = timezone.now()

        def wait(minutes: int, priority: int) -> Render:
            created = now - timedelta(minutes=minutes)
            rank = created - timedelta(minutes=priority)
            return make_render(Status.QUEUED, created_at=created, priority=priority, queue_rank=rank)

        low_old, high_young, plain, young = wait(30, -10), wait(1, 25), wait(10, 0), wait(0, 0)
        started = [dispatch_next() for _ in range(4)]
        assert started == [high_young, low_old, plain, young]
        assert dispatch_next() is None

    def test_the_rank_of_a_new_row_follows_its_priority(self, numbered: ScriptedServer) -> None:
        render = create(priority=-50)
        assert render.queue_rank - render.created_at == timedelta(minutes=50)

    def test_the_first_in_line_is_not_passed_by_smaller_ones(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 10
        make_render(slots_needed=4)
        make_render(Status.QUEUED, slots_needed=8)
        make_render(Status.QUEUED, slots_needed=2)
        assert dispatch_next() is None


class TestLargePropsThatCannotBeUploaded:
    PROPS = {**INPUT_PROPS, "code": "x" * 200_000}

    def attempt(self) -> Render:
        Render.objects.update(dispatch_after=None)
        render = dispatch_next()
        assert render
        return render

    def test_they_count_their_own_attempts_and_not_how_often_aws_throttled(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/input-props/"] = s3_error(403, "AccessDenied")
        make_render(Status.QUEUED, input_props=self.PROPS, throttled_count=20)
        statuses = [self.attempt().status for _ in range(6)]
        assert statuses == [Status.QUEUED] * 5 + [Status.FAILED]
        assert "cannot be stored" in Render.objects.get().error


ALLOW_CONNECTIONS = "UPDATE pg_database SET datallowconn = %s WHERE datname = %s"
TERMINATE_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()
"""


def test_a_queued_render_whose_bucket_does_not_exist_fails_at_once(aws: ScriptedServer) -> None:
    aws.answers[INVOKE] = reply({"type": "error", "message": "The specified bucket does not exist"})
    make_render(Status.QUEUED)
    render = dispatch_next()
    assert render
    assert (render.status, render.failure_reason) == (Status.FAILED, "rejected")
    assert "Set REMOTION_BUCKET_NAME" in render.error


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connection that could break.")
class TestTheDatabaseBreaksWhenAwsHasAnswered:
    """A renderId that AWS has answered is stored all the same."""

    @pytest.fixture
    def break_connections(self, aws: ScriptedServer) -> Callable[..., None]:
        """At the next start, end all connections, and let no new one in for so many seconds."""

        def arrange(seconds: float, answered: Answer = STARTED) -> None:
            database, other = connection.settings_dict["NAME"], connection.copy()

            def allow(is_allowed: bool) -> None:
                with other._nodb_cursor() as cursor:
                    cursor.execute(ALLOW_CONNECTIONS, [is_allowed, database])
                    cursor.execute(TERMINATE_OTHERS, [database])

            def answer() -> Answer:
                allow(not seconds)
                if seconds:
                    Timer(seconds, allow, args=[True]).start()
                return answered

            aws.answers[INVOKE] = answer

        return arrange

    def is_stored(self) -> bool:
        try:
            return Render.objects.filter(render_id="abc123").exists()
        except OperationalError:
            connection.close()
            return False

    @pytest.mark.parametrize("seconds", [0, 2])
    def test_by_the_request_itself(self, break_connections: Callable[..., None], seconds: float) -> None:
        break_connections(seconds)
        render = create()
        assert (render.status, render.render_id) == (Status.RENDERING, "abc123")
        assert Render.objects.get().render_id == "abc123"

    def test_so_is_a_refusal(self, break_connections: Callable[..., None]) -> None:
        break_connections(2, lambda_error(404, "ResourceNotFoundException"))
        with pytest.raises(StartFailed, match="There is no function"):
            create()
        assert Render.objects.get().failure_reason == Render.FailureReason.REJECTED

    def test_and_that_aws_has_no_capacity(self, break_connections: Callable[..., None]) -> None:
        break_connections(2, lambda_error(429, "TooManyRequestsException"))
        assert create().status == Status.QUEUED
        assert Render.objects.get().status == Status.QUEUED

    def test_by_the_request_itself_when_a_read_only_server_takes_over(self, aws: ScriptedServer) -> None:
        other = connection.copy()

        def make_read_only(value: bool) -> None:
            with other._nodb_cursor() as cursor:
                name = connection.ops.quote_name(connection.settings_dict["NAME"])
                cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
                cursor.execute(TERMINATE_OTHERS, [connection.settings_dict["NAME"]])

        def answer() -> Answer:
            make_read_only(True)
            Timer(2, make_read_only, args=[False]).start()
            return reply({"type": "success", "renderId": "abc123", "bucketName": BUCKET})

        aws.answers[INVOKE] = answer
        assert create().render_id == "abc123"

    def test_by_a_thread_that_goes_on_when_the_request_has_been_answered(
        self, break_connections: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dispatch, "MAX_STORE_SECONDS", 0.1)
        break_connections(2)
        with pytest.raises(StartFailed, match="the database does not take its renderId abc123"):
            create()
        wait_until(self.is_stored)

    def test_the_client_gets_the_id_of_the_row_if_that_takes_long(
        self, break_connections: Callable[..., None], monkeypatch: pytest.MonkeyPatch, api: APIClient
    ) -> None:
        monkeypatch.setattr(dispatch, "MAX_STORE_SECONDS", 0.1)
        break_connections(2)
        response = api.post("/api/lambda/render", BODY, format="json")
        assert (response.status_code, response.json()["code"]) == (504, "outcome_unknown")
        wait_until(self.is_stored)
        assert response.json()["id"] == str(Render.objects.get().id)

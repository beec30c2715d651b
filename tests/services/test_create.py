from typing import Any

import pytest
from django.db import connection

from renders.models import Render
from renders.remotion import start as remotion_start
from renders.remotion.errors import FunctionMissing, OutcomeUnknown, Rejected, SetupError, Throttled
from renders.remotion.start import StartedRender
from renders.services.create import create_render
from renders.services.dispatch import dispatch_next
from renders.services.errors import StartFailed
from renders.services.render_request import RenderRequest
from tests.factories import BUCKET, INPUT_PROPS
from tests.s3 import listing
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason


class TestCreateRender:
    def test_row_takes_what_remotion_answered(self, aws: ScriptedServer) -> None:
        render = create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True).render
        row = Render.objects.get()
        assert render == row
        assert (row.status, row.render_id, row.bucket_name) == (Status.RENDERING, "abc123", BUCKET)
        assert "abc123" in row.cloudwatch_logs
        assert row.folder_in_s3_console.endswith("prefix=renders/abc123/")
        assert (row.frames_per_lambda, row.codec, row.remotion_version) == (60, "h264", "4.0.527")
        assert f'"outName": "{row.id}.mp4"' in aws.requests[0][2].decode()

    def test_without_start_now_the_row_is_queued_though_slots_are_free(self, aws: ScriptedServer) -> None:
        render = create_render(
            owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True, start_now=False
        ).render
        assert (render.status, render.submitted_at) == (Status.QUEUED, None)
        assert aws.requests == []
        started = dispatch_next()
        assert started == render
        assert started.status == Status.RENDERING

    @pytest.mark.django_db(transaction=True)
    def test_row_is_committed_as_submitting_before_the_call(self, aws: ScriptedServer, monkeypatch: Any) -> None:
        seen = []

        def start(*_: Any, **__: Any) -> StartedRender:
            seen.append((Render.objects.get().status, connection.in_atomic_block))
            return StartedRender("abc123", BUCKET)

        monkeypatch.setattr(remotion_start, "start", start)
        create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True)
        assert seen == [(Status.SUBMITTING, False)]

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (reply({"type": "error", "message": "You have multiple buckets."}), Rejected),
            (lambda_error(404, "ResourceNotFoundException"), FunctionMissing),
        ],
    )
    def test_a_refusal_is_kept_on_the_row(self, aws: ScriptedServer, answer: Answer, kind: type[Exception]) -> None:
        aws.answers[INVOKE] = answer
        with pytest.raises(StartFailed) as raised:
            create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True)
        row = Render.objects.get()
        assert isinstance(raised.value.__cause__, kind)
        assert raised.value.render == row
        assert (row.status, row.failure_reason, row.error) == (Status.FAILED, Reason.REJECTED, str(raised.value))

    def test_an_unknown_outcome_leaves_the_row_submitting(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = Answer(reset=True)
        with pytest.raises(StartFailed) as raised:
            create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True)
        row = Render.objects.get()
        assert isinstance(raised.value.__cause__, OutcomeUnknown)
        assert (row.status, row.error) == (Status.SUBMITTING, str(raised.value))

    @pytest.mark.parametrize(
        "name", ["REMOTION_AWS_ACCESS_KEY_ID", "REMOTION_AWS_SECRET_ACCESS_KEY", "REMOTION_SITE_NAME"]
    )
    def test_without_setup_there_is_no_row_and_no_call(self, aws: ScriptedServer, settings: Any, name: str) -> None:
        setattr(settings, name, "")
        with pytest.raises(SetupError):
            create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True)
        assert not Render.objects.exists()
        assert not aws.requests


@pytest.mark.parametrize(("length", "deletes"), [(200_000, 1), (100, 0)])
def test_large_props_of_a_start_that_is_forgotten_are_deleted(aws: ScriptedServer, length: int, deletes: int) -> None:
    aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
    aws.answers[f"/{BUCKET}/input-props/"] = Answer()
    aws.answers[f"/{BUCKET}?list-type"] = listing("input-props/this.json")
    aws.answers[f"/{BUCKET}?delete"] = Answer(b"<DeleteResult/>")
    with pytest.raises(Throttled):
        create_render(
            owner=None, request=RenderRequest(input_props={**INPUT_PROPS, "code": "x" * length}), may_wait=False
        )
    assert not Render.objects.exists()
    assert aws.count(f"/{BUCKET}?delete") == deletes

import json

import pytest

from renders.admin.renders.errors import errors_of
from renders.models import Render
from renders.remotion.progress import interpret
from renders.remotion.progress_file import parse_progress
from tests.factories import BUCKET, load_recording, make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestErrors:
    def test_a_recorded_failure(self) -> None:
        body = json.dumps(load_recording("throws-in-chunk")[-1]["progress.json"]).encode()
        told = interpret(parse_progress(body), bucket_name=BUCKET, now_in_ms=0, function_timeout=240).errors
        first = errors_of(make_render(Status.FAILED, errors=told))[0]
        assert (first.message, first.level, first.where) == ("boom at 100", "Error", "Chunk 1, attempt 1 of 2")
        assert first.stack.startswith("Error: boom at 100\n    at eval")

    def test_what_ended_it_comes_first(self) -> None:
        again = {"message": "Target closed.", "isFatal": False, "willRetry": True}
        fatal = {"message": "boom", "isFatal": True, "willRetry": False}
        told = errors_of(make_render(Status.FAILED, errors=[again, fatal]))
        assert [(error.message, error.level) for error in told] == [
            ("boom", "Error"),
            ("Target closed.", "Rendered again"),
        ]

    def test_functions_that_were_stopped_by_another_one_are_one_line(self) -> None:
        stopped = {"message": "renderMedia() got cancelled", "isFatal": True, "willRetry": False}
        errors = [{**stopped, "chunk": 4}, {"message": "boom", "isFatal": True}, {**stopped, "chunk": 2}]
        told = errors_of(make_render(Status.FAILED, errors=errors))
        assert [(error.message, error.where) for error in told] == [
            ("boom", ""),
            ("2 functions were stopped because of it.", "Chunks 2, 4"),
        ]

    def test_they_are_shown_as_they_are_where_nothing_says_why(self) -> None:
        stopped = {"message": "renderMedia() got cancelled", "isFatal": True}
        told = errors_of(make_render(Status.CANCELLED, errors=[stopped, stopped]))
        assert [error.level for error in told] == ["Error", "Error"]

    def test_an_error_without_anything_is_shown_too(self) -> None:
        (warning,) = errors_of(make_render(Status.SUCCEEDED, errors=[{}]))
        assert (warning.message, warning.level, warning.where) == ("Remotion gave no message.", "Warning", "")

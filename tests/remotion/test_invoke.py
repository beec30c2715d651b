"""The one call of the function: each way in which Lambda can answer, or not."""

import socket
from typing import Any

import pytest

from renders.remotion.errors import (
    AccessDenied,
    FunctionMissing,
    Rejected,
    RemotionError,
    SetupError,
    Throttled,
    Unavailable,
)
from renders.remotion.invoke import BrokeOff, Unanswered, invoke, plain
from renders.remotion.target import LambdaTarget
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply


def invoke_once() -> bytes:
    return invoke(LambdaTarget.from_settings(), "{}", time_limit=1)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestInvoke:
    def test_returns_the_functions_answer(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = Answer(b"what it said")
        assert invoke_once() == b"what it said"
        ((method, path, body),) = aws.requests
        assert (method, path.split("/")[3]) == ("POST", "remotion-render-4-0-527-mem3009mb-disk10240mb-240sec")
        assert body == b"{}"

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            (lambda_error(429, "TooManyRequestsException"), Throttled, "no capacity"),
            (lambda_error(404, "ResourceNotFoundException"), FunctionMissing, "functions deploy --region=us-east-1"),
            (lambda_error(403, "AccessDeniedException"), AccessDenied, "permissions"),
            (lambda_error(403, "ExpiredTokenException"), AccessDenied, "ExpiredTokenException"),
            (lambda_error(413, "RequestTooLargeException", "Too large."), Rejected, "Too large."),
            (lambda_error(500, "ServiceException"), Unanswered, "AWS Lambda (failed|did not answer)"),
            (lambda_error(502, "EC2UnexpectedException"), Unanswered, "AWS Lambda (failed|did not answer)"),
            (Answer(b'{"type":"success"', missing_bytes=40), Unanswered, "AWS Lambda (failed|did not answer)"),
            (Answer(reset=True), Unanswered, "AWS Lambda (failed|did not answer)"),
            (
                reply({"errorMessage": "Task timed out"}, headers={"X-Amz-Function-Error": "Unhandled"}),
                BrokeOff,
                r"broke off \(Task timed out\)",
            ),
        ],
    )
    def test_each_other_answer_is_an_error_and_never_a_second_start(
        self, aws: ScriptedServer, answer: Answer, kind: type[RemotionError | Unanswered], words: str
    ) -> None:
        aws.answers[INVOKE] = answer
        with pytest.raises(kind, match=words) as raised:
            invoke_once()
        assert type(raised.value) is kind
        assert aws.count(INVOKE) == 1

    def test_no_answer_in_time_is_none(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(Unanswered, match="ReadTimeoutError"):
            invoke_once()
        assert aws.count(INVOKE) == 1

    def test_a_refused_connection_started_nothing(self, settings: Any) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = f"http://127.0.0.1:{unused_port()}"
        with pytest.raises(Unavailable, match="Nothing was started"):
            invoke_once()

    def test_an_endpoint_that_is_none_is_a_matter_of_setup(self, settings: Any) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = "no url"
        with pytest.raises(SetupError, match="no url"):
            invoke_once()


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Version mismatch: no", "Version mismatch: no"),
        ("Error: Version mismatch: no\n    at check (file.js:1:2)\n    at b", "Version mismatch: no"),
        ("NoSuchBucket: The bucket\n    at AwsRestXmlProtocol", "The bucket"),
        ("TypeError: Error: two lines\nof it", "two lines\nof it"),
        ("Note: not a name", "Note: not a name"),
    ],
)
def test_an_error_is_told_without_its_name_and_stack(message: str, said: str) -> None:
    assert plain(message) == said

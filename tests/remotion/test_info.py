from typing import Any

import pytest

from renders.remotion.errors import FunctionMissing, SetupError, Unavailable
from renders.remotion.info import forget_version, function_version, known_version
from renders.remotion.target import LambdaTarget
from tests.recorded import recorded_answer, recorded_versions
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply


@pytest.fixture
def target(aws: ScriptedServer, settings: Any) -> LambdaTarget:
    settings.REMOTION_FUNCTION_NAME = "our-function"
    return LambdaTarget.from_settings()


class TestFunctionVersion:
    def test_a_name_that_tells_it_needs_no_call(self, aws: ScriptedServer) -> None:
        assert function_version(LambdaTarget.from_settings()) == "4.0.527"
        assert aws.count(INVOKE) == 0

    @pytest.mark.parametrize("version", recorded_versions("info"))
    def test_another_function_is_asked_once(self, aws: ScriptedServer, target: LambdaTarget, version: str) -> None:
        aws.answers[INVOKE] = recorded_answer("info", version=version)
        assert known_version(target) == ""
        assert function_version(target) == function_version(target) == known_version(target) == version
        assert aws.count(f"{INVOKE}our-function/invocations") == 1

    def test_a_name_that_no_longer_holds_is_not_believed(self, aws: ScriptedServer) -> None:
        target = LambdaTarget.from_settings()
        forget_version(target)
        assert known_version(target) == ""
        aws.answers[INVOKE] = recorded_answer("info", version="4.0.499")
        assert function_version(target) == known_version(target) == "4.0.499"

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            (lambda_error(404, "ResourceNotFoundException"), FunctionMissing, "no function our-function"),
            (Answer(reset=True), Unavailable, "version of Remotion is not known"),
            (recorded_answer("nonsense"), Unavailable, "Command not found"),
            (reply({"hello": "world"}), SetupError, "check REMOTION_FUNCTION_NAME"),
            (reply("hello"), SetupError, "check REMOTION_FUNCTION_NAME"),
            (Answer(b"hello"), SetupError, "check REMOTION_FUNCTION_NAME"),
        ],
    )
    def test_a_function_that_does_not_say_it_is_asked_again(
        self, aws: ScriptedServer, target: LambdaTarget, answer: Answer, kind: type[Exception], words: str
    ) -> None:
        aws.answers[INVOKE] = answer
        with pytest.raises(kind, match=words):
            function_version(target)
        aws.answers[INVOKE] = recorded_answer("info")
        assert function_version(target) == "4.0.527"

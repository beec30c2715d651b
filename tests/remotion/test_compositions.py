from typing import Any

import pytest

from renders.remotion import info
from renders.remotion.compositions import Composition, list_compositions
from renders.remotion.errors import (
    AccessDenied,
    RemotionError,
    SiteUnusable,
    Throttled,
    Unavailable,
    VersionMismatch,
)
from renders.remotion.info import known_version
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET
from tests.recorded import recorded_answer, recorded_versions
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply, sent

DEFAULT_PROPS = {"code": "Hello from Remotion", "durationInFrames": 150, "fps": 30}


def listed(**input_props: Any) -> list[Composition]:
    return list_compositions(LambdaTarget.from_settings(), serve_url="promo", input_props=input_props)


class TestListCompositions:
    @pytest.mark.parametrize("version", recorded_versions("compositions"))
    def test_each_with_its_size_length_and_default_props(self, aws: ScriptedServer, version: str) -> None:
        aws.answers[INVOKE] = recorded_answer("compositions", version=version)
        (composition,) = listed()
        assert composition == Composition(
            id="DynamicComp",
            width=1280,
            height=720,
            fps=30,
            duration_in_frames=150,
            default_props=DEFAULT_PROPS,
            props=DEFAULT_PROPS,
        )

    def test_the_function_is_told_site_bucket_props_and_its_version(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "remotion-render-4-0-403-mem2048mb-disk2048mb-120sec"
        aws.answers[INVOKE] = recorded_answer("compositions")
        listed(title="Sale")
        payload = sent(aws)
        assert (payload["type"], payload["version"], payload["serveUrl"]) == ("compositions", "4.0.403", "promo")
        assert payload["bucketName"] == BUCKET
        assert payload["inputProps"] == {"type": "payload", "payload": '{"title": "Sale"}'}

    @pytest.mark.parametrize(
        ("name", "kind", "words"),
        [
            ("compositions-no-site", SiteUnusable, "There is no Remotion site at promo"),
            (
                "compositions-refused-site",
                SiteUnusable,
                r"cannot open the site promo: net::ERR_UNSAFE_PORT\.$",
            ),
            ("compositions-throws", SiteUnusable, r"promo failed .*: /code\.tsx: Unexpected token \(1:12\)"),
            ("compositions-version", VersionMismatch, "now has another version"),
            ("compositions-forbidden", SiteUnusable, r"promo failed .*: No\.$"),
        ],
    )
    def test_what_functions_of_all_versions_answered(
        self, aws: ScriptedServer, name: str, kind: type[RemotionError], words: str
    ) -> None:
        for version in recorded_versions(name):
            info._asked.clear()
            aws.answers[INVOKE] = recorded_answer(name, version=version)
            with pytest.raises(kind, match=words):
                listed()

    def test_after_a_mismatch_the_function_is_asked_for_its_version(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = recorded_answer("compositions-version")
        with pytest.raises(VersionMismatch):
            listed()
        assert known_version(LambdaTarget.from_settings()) == ""

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            (lambda_error(403, "AccessDeniedException"), AccessDenied, "does not let these credentials"),
            (lambda_error(429, "TooManyRequestsException"), Throttled, "no capacity"),
            (Answer(reset=True), Unavailable, "compositions of promo are not known"),
            (Answer(b""), Unavailable, "cannot be understood"),
            (reply({"type": "success", "compositions": [{"id": "A"}]}), Unavailable, "cannot be understood"),
        ],
    )
    def test_each_other_answer_is_an_error(
        self, aws: ScriptedServer, answer: Answer, kind: type[RemotionError], words: str
    ) -> None:
        aws.answers[INVOKE] = answer
        with pytest.raises(kind, match=words) as raised:
            listed()
        assert type(raised.value) is kind

    def test_the_function_has_its_whole_time_limit(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_START_TIMEOUT = 1
        recorded = recorded_answer("compositions")
        aws.answers[INVOKE] = Answer(recorded.body, delay=1.2)
        assert len(listed()) == 1

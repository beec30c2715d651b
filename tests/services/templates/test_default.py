from typing import Any

import pytest

from renders.services.errors import InvalidInputProps
from renders.services.json_schema.allowed import check_schema
from renders.services.templates.default import TOO_LONG, default_input_schema, validate_default_input_props
from tests.factories import INPUT_PROPS


class TestDefaultTemplate:
    def test_its_schema_is_one_that_a_template_may_have(self) -> None:
        check_schema(default_input_schema())

    def test_further_props_are_passed_on_and_a_whole_length_is_an_integer(self) -> None:
        checked = validate_default_input_props({**INPUT_PROPS, "durationInFrames": 150.0, "more": None})
        assert checked == {**INPUT_PROPS, "more": None}
        assert isinstance(checked["durationInFrames"], int)

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"code": " \n"}, "inputProps.code"),
            ({"code": 1}, "inputProps.code"),
            ({"code": "x" * 201}, "inputProps.code"),
            ({"durationInFrames": 0}, "inputProps.durationInFrames"),
            ({"durationInFrames": 12_001}, "inputProps.durationInFrames"),
            ({"durationInFrames": 1.5}, "inputProps.durationInFrames"),
            ({"fps": 0}, "inputProps.fps"),
            ({"fps": 241}, "inputProps.fps"),
        ],
    )
    def test_a_value_that_the_api_refuses_is_refused(self, changes: Any, path: str, settings: Any, api: Any) -> None:
        settings.REMOTION_MAX_CODE_LENGTH = 200
        input_props = {**INPUT_PROPS, **changes}
        with pytest.raises(InvalidInputProps) as caught:
            validate_default_input_props(input_props)
        assert list(caught.value.errors) == [path]
        answer = api.post("/api/renders/", {"inputProps": input_props, "dryRun": True}, format="json")
        assert list(answer.json()["errors"]["inputProps"]) == [path.removeprefix("inputProps.")]

    def test_a_video_of_more_than_a_day_is_refused(self) -> None:
        with pytest.raises(InvalidInputProps) as caught:
            validate_default_input_props({**INPUT_PROPS, "durationInFrames": 10_000, "fps": 0.1})
        assert caught.value.errors == {"inputProps.fps": TOO_LONG}

    def test_what_is_missing_is_told(self) -> None:
        with pytest.raises(InvalidInputProps) as caught:
            validate_default_input_props({})
        assert list(caught.value.errors) == ["inputProps.code", "inputProps.durationInFrames", "inputProps.fps"]

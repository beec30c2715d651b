from typing import Any

import pytest

from renders.models import Render, Template
from renders.remotion.errors import InvalidOptions, SetupError
from renders.services.errors import InvalidRequest
from renders.services.render_request import RenderRequest
from tests.factories import INPUT_PROPS

Kind, Length = Render.Kind, Template.Length


def template(**fields: Any) -> Template:
    return Template(**{"name": "promo", "composition": "Promo", "fps": 25, "version": 3, **fields})


def row_fields(**fields: Any) -> dict[str, Any]:
    return RenderRequest(**{"input_props": INPUT_PROPS, **fields}).row_fields()


class TestTheDefaultTemplate:
    def test_it_is_what_the_settings_say(self) -> None:
        row = row_fields()
        assert (row["template"], row["serve_url"], row["composition"]) == (None, "renderhub", "DynamicComp")
        assert (row["codec"], row["extension"], row["kind"]) == ("h264", "mp4", Kind.VIDEO)

    def test_each_function_renders_60_frames(self) -> None:
        row = row_fields()
        assert (row["frames_per_lambda"], row["concurrency"], row["slots_needed"]) == (60, None, 4)
        assert (row["duration_in_frames"], row["fps"]) == (150, 30)

    def test_without_a_site_nothing_can_be_rendered(self, settings: Any) -> None:
        settings.REMOTION_SITE_NAME = ""
        with pytest.raises(SetupError, match="REMOTION_SERVE_URL"):
            row_fields()


class TestTemplates:
    def test_the_row_keeps_what_it_was_started_with(self) -> None:
        promo = template(site="https://example.com/site")
        row = row_fields(template=promo, input_props={"title": "Hello"})
        assert (row["template"], row["template_version"]) == (promo, 3)
        assert (row["serve_url"], row["composition"], row["fps"]) == ("https://example.com/site", "Promo", 25)

    def test_without_a_site_of_its_own_it_is_the_configured_one(self) -> None:
        assert row_fields(template=template())["serve_url"] == "renderhub"

    @pytest.mark.parametrize(
        ("length", "known", "renderers"),
        [
            ({"length": Length.FIXED, "duration_in_frames": 600}, 600, 10),
            ({"length": Length.INPUT_PROPS}, 150, 3),
            ({"length": Length.UNKNOWN, "duration_in_frames": 300}, None, 5),
            ({"length": Length.UNKNOWN}, None, 10),
        ],
    )
    def test_remotion_is_given_the_number_of_renderers(
        self, length: dict[str, Any], known: int | None, renderers: int
    ) -> None:
        row = row_fields(template=template(**length))
        assert (row["duration_in_frames"], row["frames_per_lambda"]) == (known, None)
        assert (row["concurrency"], row["slots_needed"]) == (renderers, renderers + 1)

    def test_a_prop_that_is_no_length_leaves_it_unknown(self) -> None:
        for value in ("150", 0, 1.5, True, None):
            props = {"durationInFrames": value}
            row = row_fields(template=template(length=Length.INPUT_PROPS), input_props=props)
            assert row["duration_in_frames"] is None

    @pytest.mark.parametrize("value", [1e30, 10**30, 3_000_000_000])
    def test_a_length_that_no_database_can_store_is_refused(self, value: float) -> None:
        with pytest.raises(InvalidRequest) as caught:
            row_fields(template=template(length=Length.INPUT_PROPS), input_props={"durationInFrames": value})
        assert list(caught.value.errors) == ["inputProps.durationInFrames"]

    def test_renderers_never_need_more_than_the_limit(self, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 8
        row = row_fields(template=template(length=Length.FIXED, duration_in_frames=15_000))
        assert (row["concurrency"], row["slots_needed"]) == (7, 8)


class TestOptions:
    def test_the_length_is_that_of_what_is_rendered(self) -> None:
        row = row_fields(options={"forceDurationInFrames": 1000, "frameRange": [100, 199], "everyNthFrame": 2})
        assert row["duration_in_frames"] == 50

    def test_concurrency_is_the_number_of_renderers(self) -> None:
        row = row_fields(options={"concurrency": 2})
        assert (row["frames_per_lambda"], row["concurrency"], row["slots_needed"]) == (None, 2, 3)

    def test_frames_per_lambda_take_a_known_length(self) -> None:
        assert row_fields(options={"framesPerLambda": 20})["slots_needed"] == 9
        with pytest.raises(InvalidOptions, match="send concurrency"):
            row_fields(template=template(), options={"framesPerLambda": 20})

    def test_more_functions_than_remotion_takes_are_refused(self) -> None:
        promo = template(length=Length.FIXED, duration_in_frames=15_000)
        with pytest.raises(InvalidOptions, match="send 75 or more"):
            row_fields(template=promo, options={"framesPerLambda": 60})

    def test_the_file_follows_the_codec(self) -> None:
        assert row_fields(options={"codec": "vp8"})["extension"] == "webm"


class TestStills:
    def test_one_function_renders_one_frame(self) -> None:
        row = row_fields(kind=Kind.STILL, frame=30)
        assert (row["frame"], row["slots_needed"], row["codec"]) == (30, 1, "")
        assert (row["frames_per_lambda"], row["concurrency"], row["duration_in_frames"]) == (None, None, None)

    @pytest.mark.parametrize("frame", [150, -151])
    def test_a_frame_that_there_is_not_is_refused(self, frame: int) -> None:
        with pytest.raises(InvalidRequest, match=r"150 frames: send 0 to 149"):
            row_fields(kind=Kind.STILL, frame=frame)

    def test_so_is_that_of_a_poster(self) -> None:
        with pytest.raises(InvalidRequest) as caught:
            row_fields(poster={"frame": 150})
        assert list(caught.value.errors) == ["poster"]
        assert row_fields(poster={"seconds": 1})["poster_request"] == {"seconds": 1}

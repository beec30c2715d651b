from typing import Any

import pytest

from renders.remotion.errors import InvalidOptions
from renders.services.templates import merge_options
from tests.factories import make_template

pytestmark = pytest.mark.django_db


class TestMergeOptions:
    def test_the_request_overrides_the_defaults(self) -> None:
        template = make_template(default_options={"codec": "gif", "scale": 0.5})
        assert merge_options(template, {"scale": 2}, kind="video") == {"codec": "gif", "scale": 2}
        assert merge_options(template, {"scale": None}, kind="video") == {"codec": "gif"}

    def test_a_still_leaves_out_what_only_videos_take(self) -> None:
        template = make_template(default_options={"codec": "gif", "scale": 0.5, "imageFormat": "none"})
        assert merge_options(template, {}, kind="still") == {"scale": 0.5}

    @pytest.mark.parametrize(
        ("allowed", "words"),
        [(["codec", "scale"], "a request may set codec and scale."), ([], "a request may set none.")],
    )
    def test_what_the_template_does_not_allow_is_refused(self, allowed: list[str], words: str) -> None:
        template = make_template(allowed_options=allowed, default_options={"crf": 18})
        assert merge_options(template, {}, kind="video") == {"crf": 18}
        with pytest.raises(InvalidOptions) as caught:
            merge_options(template, {"crf": 1, "nonsense": 1}, kind="video")
        assert set(caught.value.errors) == {"crf", "nonsense"}
        assert caught.value.errors["crf"] == f"The template promo does not let a request set it: {words}"

    @pytest.mark.parametrize("options", [{"codec": "avi"}, {"crf": 5, "videoBitrate": "1M"}, {"outName": "x"}])
    def test_what_remotion_refuses_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(InvalidOptions):
            merge_options(make_template(), options, kind="video")

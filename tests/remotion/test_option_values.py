"""Each option by itself: what is taken, what is refused, and the one sentence that says what to send."""

from typing import Any

import pytest

from renders.remotion.errors import InvalidOptions
from renders.remotion.option import STILL, VIDEO
from renders.remotion.option_table import CHROMIUM_OPTIONS, OPTIONS
from renders.remotion.option_values import NOT_TRUSTED, RESERVED, option_of
from renders.remotion.options import validate_options


def refused(options: dict[str, Any], *, kind: str = VIDEO, trusted: bool = False) -> dict[str, str]:
    with pytest.raises(InvalidOptions) as caught:
        validate_options(options, kind=kind, trusted=trusted)
    return caught.value.errors


TAKEN: dict[str, list[Any]] = {
    "codec": ["h264", "gif", "wav"],
    "imageFormat": ["jpeg", "png"],
    "jpegQuality": [0, 100],
    "scale": [0.05, 1, 16],
    "forceWidth": [16, 1081, 16_384],
    "forceHeight": [16, 16_384],
    "forceFps": [1, 29.97, 240],
    "forceDurationInFrames": [1, 20_736_000],
    "frameRange": [0, 30, [0, 0], [0, 89], [30, None]],
    "everyNthFrame": [1, 1000],
    "crf": [1, 51],
    "videoBitrate": ["1K", "512k", "999999K", "8M", "1.5M", "999M"],
    "encodingBufferSize": ["10M"],
    "pixelFormat": ["yuv420p", "yuv444p10le"],
    "x264Preset": ["ultrafast", "placebo"],
    "gopSize": [1, 100_000],
    "colorSpace": ["default", "bt709", "bt2020-ncl"],
    "audioCodec": ["aac", "pcm-16"],
    "preferLossless": [True, False],
    "audioBitrate": ["128k"],
    "sampleRate": [8000, 44_100, 96_000],
    "muted": [True, False],
    "framesPerLambda": [5, 600],
    "concurrency": [1, 200],
    "maxRetries": [0, 10],
    "timeoutInMilliseconds": [7000, 900_000],
    "chromiumOptions": [{}, {"gl": "swangle", "darkMode": True, "userAgent": "renderhub (test)"}],
    "logLevel": ["trace", "error"],
    "privacy": ["public", "private", "no-acl"],
    "downloadBehavior": ["download", "play-in-browser"],
    "fileName": ["Frühling 2026 (1).mp4", "a" * 200],
    "deleteAfter": ["1-day", "30-days"],
    "storageClass": ["STANDARD", "GLACIER_IR"],
    "metadata": [{}, {"title": 'Sale = "50 %"', "artist-x": ""}],
}
REFUSED: dict[str, list[Any]] = {
    "codec": ["h264-mkv", "av1", "H264", 1],
    "imageFormat": ["webp", "pdf", ""],
    "jpegQuality": [-1, 101, 80.5, "80", True],
    "scale": [0, 0.04, 16.1, "1", True],
    "forceWidth": [0, 15, 16_385, 100.5, "1920"],
    "forceHeight": [15, -2],
    "forceFps": [0, 240.1, "30"],
    "forceDurationInFrames": [0, 1.5, 20_736_001],
    "frameRange": [-1, "0-10", [0], [], [0, 1, 2], [None, 3], [0.5, 2], [[0, 2], [4, 5]], [True, 5], True, {"a": 1}],
    "everyNthFrame": [0, 1001, 1.5],
    "crf": [-1, 64, 18.5, "18", True],
    "videoBitrate": [
        5,
        8_000_000,
        "8000",
        "1000M",
        "1000000K",
        "0.5K",
        "8m",
        "M",
        "0M",
        "1.M",
        "1M\n",
        "1M ",
        "\u0661M",
        "1e3K",
    ],
    "encodingBufferSize": ["10"],
    "pixelFormat": ["rgb24"],
    "x264Preset": ["fastest"],
    "gopSize": [0, 1.5],
    "colorSpace": ["rec709", "bt2020-cl"],
    "audioCodec": ["flac", "pcm"],
    "preferLossless": ["yes", 1],
    "audioBitrate": [320],
    "sampleRate": [0, 7999, "48000"],
    "muted": [0, "false"],
    "framesPerLambda": [0, 4, 5.5],
    "concurrency": [0, 201, 1.5],
    "maxRetries": [-1, 11],
    "timeoutInMilliseconds": [6999, 900_001],
    "chromiumOptions": [
        [],
        "gl",
        {"gl": "angle-egl"},
        {"darkMode": 1},
        {"userAgent": "a\nb"},
        {"userAgent": ""},
        {"x": 1},
    ],
    "logLevel": ["debug"],
    "privacy": ["secret"],
    "downloadBehavior": ["inline", {"type": "inline"}, {"fileName": "a"}, {"type": "download", "as": "a"}],
    "fileName": ["", "a/b", "a\\b", 'a"b', "a\n", "a\x00", "a" * 201, 5],
    "deleteAfter": ["2-days", 1],
    "storageClass": ["GLACIER", "DEEP_ARCHIVE", "standard"],
    "metadata": [
        [],
        {"title": 1},
        {"title": "a\n"},
        {"a=b": "c"},
        {"a\n": "c"},
        {"": "c"},
        {str(i): "" for i in range(51)},
    ],
}


def cases(values: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(name, value) for name in values for value in values[name]]


class TestValues:
    def test_each_option_is_tried(self) -> None:
        names = {option.name for option in OPTIONS if VIDEO in option.kinds}
        assert names - set(TAKEN) == {"numberOfGifLoops", "encodingMaxRate", "proResProfile"}  # test_option_rules
        assert set(TAKEN) == set(REFUSED)

    @pytest.mark.parametrize(("name", "value"), cases(TAKEN))
    def test_what_remotion_takes_is_stored(self, name: str, value: Any) -> None:
        assert validate_options({name: value}, kind=VIDEO) == {name: value}

    @pytest.mark.parametrize(("name", "value"), cases(REFUSED))
    def test_anything_else_is_refused_in_one_sentence(self, name: str, value: Any) -> None:
        sentence = refused({name: value})[name]
        assert sentence[0].isalpha()
        assert sentence.endswith(".")
        assert "\n" not in sentence

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"crf": "low"}, "Send a whole number from 0 to 63."),
            ({"scale": 0}, "Send a number from 0.05 to 16."),
            ({"forceDurationInFrames": 0}, "Send a whole number from 1 to 20,736,000."),
            ({"muted": "no"}, "Send true or false."),
            ({"privacy": "secret"}, "Send private, public or no-acl."),
            ({"videoBitrate": 8}, 'Send a number with K or M, up to 999M, such as "512K" or "8M".'),
            ({"frameRange": "0-10"}, "Send a frame such as 30, or the first and the last such as [0, 89]."),
            ({"chromiumOptions": {"userAgent": ""}}, "userAgent: Send a line of 1 to 500 printable ASCII characters."),
            (
                {"chromiumOptions": {"gl": "vulkan"}},
                "gl: A function has no graphics card and draws with swangle: send that, or leave gl out.",
            ),
        ],
    )
    def test_the_sentence_says_what_to_send(self, options: dict[str, Any], sentence: str) -> None:
        assert list(refused(options).values()) == [sentence]

    def test_each_wrong_value_has_its_sentence(self) -> None:
        assert set(refused({"crf": "18", "scale": 0, "codec": "av1", "muted": True})) == {"crf", "scale", "codec"}

    def test_a_whole_number_is_stored_as_javascript_has_it(self) -> None:
        stored = validate_options({"crf": 18.0, "frameRange": [0.0, 5.0], "scale": 0.5}, kind=VIDEO)
        assert repr(stored) == "{'crf': 18, 'frameRange': [0, 5], 'scale': 0.5}"

    def test_null_is_as_if_it_was_not_sent(self) -> None:
        assert validate_options({"crf": None, "codec": "vp9"}, kind=VIDEO) == {"codec": "vp9"}


class TestNames:
    @pytest.mark.parametrize(
        ("name", "hint"),
        [("cdec", "Did you mean codec?"), ("framePerLambda", "Did you mean framesPerLambda?"), ("zzz", "GET")],
    )
    def test_an_unknown_one_is_refused_with_the_nearest(self, name: str, hint: str) -> None:
        sentence = refused({name: 1})[name]
        assert sentence.startswith("Unknown option.")
        assert hint in sentence

    @pytest.mark.parametrize("name", RESERVED)
    @pytest.mark.parametrize("kind", [VIDEO, STILL])
    def test_one_that_the_service_sets_is_refused_with_the_reason(self, name: str, kind: str) -> None:
        assert refused({name: "x"}, kind=kind) == {name: f"It cannot be sent as an option. {RESERVED[name]}"}

    def test_no_option_is_reserved(self) -> None:
        assert not set(RESERVED) & {option.name for option in OPTIONS}

    def test_long_and_many_ones_make_a_short_answer(self) -> None:
        errors = refused({f"{number}{'x' * 500}": 1 for number in range(1000)})
        assert len(errors) == 20
        assert all(len(name) == 100 for name in errors)

    def test_a_still_refuses_what_only_videos_have(self) -> None:
        assert refused({"codec": "h264"}, kind=STILL) == {"codec": "A still does not take it."}


class TestStills:
    @pytest.mark.parametrize("image_format", ["png", "jpeg", "webp", "pdf"])
    def test_take_four_formats(self, image_format: str) -> None:
        assert validate_options({"imageFormat": image_format}, kind=STILL) == {"imageFormat": image_format}

    def test_refuse_others(self) -> None:
        assert refused({"imageFormat": "none"}, kind=STILL) == {"imageFormat": "Send png, jpeg, webp or pdf."}

    @pytest.mark.parametrize("name", sorted(o.name for o in OPTIONS if STILL in o.kinds and o.name in TAKEN))
    def test_take_the_options_that_videos_have_too(self, name: str) -> None:
        value = {"imageFormat": "jpeg"}.get(name, TAKEN[name][0])
        sent = {"imageFormat": "jpeg", name: value}
        if name in ("forceWidth", "forceHeight", "scale"):
            sent |= {"forceWidth": 1000, "forceHeight": 1000}
        assert validate_options(sent, kind=STILL) == sent


class TestTheBrowser:
    @pytest.mark.parametrize("name", ["disableWebSecurity", "ignoreCertificateErrors"])
    def test_a_request_cannot_take_its_protection_away(self, name: str) -> None:
        assert refused({"chromiumOptions": {name: True}}) == {"chromiumOptions": f"{name}: {NOT_TRUSTED}"}
        assert validate_options({"chromiumOptions": {name: False}}, kind=VIDEO)

    @pytest.mark.parametrize("name", ["disableWebSecurity", "ignoreCertificateErrors"])
    @pytest.mark.parametrize("kind", [VIDEO, STILL])
    def test_staff_can(self, name: str, kind: str) -> None:
        options = {"chromiumOptions": {name: True}}
        assert validate_options(options, kind=kind, trusted=True) == options

    @pytest.mark.parametrize("name", ["headless", "enableMultiProcessOnLinux"])
    def test_what_a_function_does_not_heed_is_refused(self, name: str) -> None:
        sentence = refused({"chromiumOptions": {name: True}}, trusted=True)["chromiumOptions"]
        assert sentence.startswith(f"{name}: ")
        assert sentence.endswith("Leave it out.")

    def test_an_unknown_name_is_refused_with_all_that_are_known(self) -> None:
        sentence = refused({"chromiumOptions": {"slowMo": 5}})["chromiumOptions"]
        assert sentence == f"slowMo is not one of {', '.join(CHROMIUM_OPTIONS)}."


class TestDownloadBehavior:
    def test_remotions_object_is_taken(self) -> None:
        sent = {"downloadBehavior": {"type": "download", "fileName": "sale.mp4"}}
        assert validate_options(sent, kind=VIDEO) == {"downloadBehavior": "download", "fileName": "sale.mp4"}

    @pytest.mark.parametrize(
        "behavior", [{"type": "download"}, {"type": "download", "fileName": None}, {"type": "play-in-browser"}]
    )
    def test_its_file_name_may_be_missing(self, behavior: dict[str, Any]) -> None:
        assert validate_options({"downloadBehavior": behavior}, kind=VIDEO) == {"downloadBehavior": behavior["type"]}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: f"{option.name}-{option.kinds[0]}")
def test_each_default_is_a_value_that_is_taken(option: Any) -> None:
    if option.default is not None:
        kind = option.kinds[0]
        codec = {"codec": option.codecs[0]} if kind == VIDEO and option.name != "codec" else {}
        image_format = {"imageFormat": "jpeg"} if option.name == "jpegQuality" else {}
        sent = {**codec, **image_format, option.name: option.default}
        assert validate_options(sent, kind=kind) == sent
        assert option_of(option.name, kind=kind) is option

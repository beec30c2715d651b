"""What goes together: combinations that Remotion, or the real function, refuses are refused with the reason."""

from typing import Any

import pytest

from renders.remotion.codecs import CODECS
from renders.remotion.errors import InvalidOptions
from renders.remotion.option import STILL, VIDEO
from renders.remotion.option_table import OPTIONS, PIXEL_FORMATS
from renders.remotion.options import check_composition, validate_options

WEBM_WITH_ALPHA = {"codec": "vp8", "pixelFormat": "yuva420p", "imageFormat": "png"}
PRORES_WITH_ALPHA = {"codec": "prores", "proResProfile": "4444", "pixelFormat": "yuva444p10le", "imageFormat": "png"}


def errors(options: dict[str, Any], *, kind: str = VIDEO) -> dict[str, str]:
    try:
        validate_options(options, kind=kind)
    except InvalidOptions as err:
        return err.errors
    return {}


def unfit(options: dict[str, Any], **composition: Any) -> dict[str, str]:
    try:
        check_composition(options, **composition)
    except InvalidOptions as err:
        return err.errors
    return {}


class TestCodecs:
    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("option", [o for o in OPTIONS if VIDEO in o.kinds], ids=lambda option: option.name)
    def test_an_option_that_a_codec_does_not_take_is_refused(self, codec: str, option: Any) -> None:
        values = {"crf": 20, "proResProfile": "hq", "fileName": "a", "metadata": {}, "frameRange": 3, "muted": True}
        values |= {"videoBitrate": "1M", "encodingBufferSize": "1M", "audioBitrate": "64k", "preferLossless": True}
        value = values.get(option.name, option.default if option.default is not None else _example(option.schema))
        sent = {"codec": codec, option.name: value}
        if option.name in ("codec", "audioCodec", "imageFormat", "encodingMaxRate", "encodingBufferSize"):
            return  # tests below
        expected = f"The codec {codec} does not take it. It goes with {', '.join(option.codecs)}."
        assert errors(sent) == ({} if codec in option.codecs else {option.name: expected})

    @pytest.mark.parametrize("codec", CODECS)
    def test_a_switch_that_is_off_is_taken_by_all(self, codec: str) -> None:
        assert errors({"codec": codec, "muted": False, "preferLossless": False}) == {}

    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("crf", [0, 1, 3, 4, 51, 52, 63])
    def test_crf_has_the_range_of_its_codec(self, codec: str, crf: int) -> None:
        allowed = CODECS[codec].crf
        assert (errors({"codec": codec, "crf": crf}) == {}) is bool(allowed and allowed[0] <= crf <= allowed[1])

    def test_the_range_is_told(self) -> None:
        assert errors({"crf": 0}) == {"crf": "Send a whole number from 1 to 51 with the codec h264."}

    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("audio", ["aac", "mp3", "opus", "pcm-16"])
    def test_audio_codecs_are_those_of_the_codec(self, codec: str, audio: str) -> None:
        assert (errors({"codec": codec, "audioCodec": audio, "concurrency": 1}) == {}) is (audio in CODECS[codec].audio)

    def test_the_audio_codecs_are_told(self) -> None:
        sentence = "The codec vp8 takes the audio codecs opus, pcm-16."
        assert errors({"codec": "vp8", "audioCodec": "aac"}) == {"audioCodec": sentence}

    @pytest.mark.parametrize(("codec", "audio"), [("h264", "mp3"), ("prores", "aac")])
    @pytest.mark.parametrize("split", [{}, {"concurrency": 2}, {"framesPerLambda": 60}])
    def test_sound_that_remotion_cannot_join_needs_one_function(
        self, codec: str, audio: str, split: dict[str, int]
    ) -> None:
        sentence = f"With {codec}, Remotion makes {audio} in one function only: send concurrency 1 as well."
        assert errors({"codec": codec, "audioCodec": audio, **split}) == {"audioCodec": sentence}


def _example(schema: Any) -> Any:
    return schema["enum"][0] if "enum" in schema else schema.get("minimum", {})


class TestPairs:
    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({"crf": 20, "videoBitrate": "1M"}, "crf"),
            ({"framesPerLambda": 20, "concurrency": 5}, "framesPerLambda"),
            ({"audioCodec": "aac", "preferLossless": True}, "audioCodec"),
        ],
    )
    def test_one_of_each_can_be_set(self, options: dict[str, Any], name: str) -> None:
        assert errors(options) == {name: f"Send {' or '.join(options)}, not both."}
        for one, value in options.items():
            assert errors({one: value}) == {}

    def test_an_audio_codec_goes_with_a_preference_that_is_off(self) -> None:
        assert errors({"audioCodec": "aac", "preferLossless": False}) == {}

    def test_a_maximum_rate_needs_a_buffer_size(self) -> None:
        sentence = "It cannot be set without encodingBufferSize: send both."
        assert errors({"encodingMaxRate": "5M"}) == {"encodingMaxRate": sentence}
        assert errors({"encodingMaxRate": "5M", "encodingBufferSize": "10M"}) == {}

    @pytest.mark.parametrize(("codec", "fits"), [("h264", True), ("h265", True), ("vp8", False), ("vp9", False)])
    def test_webm_needs_a_bitrate_for_a_buffer_size(self, codec: str, fits: bool) -> None:
        options = {"codec": codec, "encodingBufferSize": "10M"}
        assert list(errors(options)) == ([] if fits else ["encodingBufferSize"])
        assert errors({**options, "videoBitrate": "5M", "encodingMaxRate": "8M"}) == {}

    @pytest.mark.parametrize(("bitrate", "fits"), [("64k", True), ("512K", True), ("513K", False), ("1M", False)])
    def test_opus_has_at_most_512k(self, bitrate: str, fits: bool) -> None:
        refused = {"audioBitrate": "The audio codec opus has at most 512K."}
        assert errors({"codec": "vp8", "audioBitrate": bitrate}) == ({} if fits else refused)
        assert errors({"codec": "h264", "audioBitrate": bitrate}) == {}

    def test_a_file_name_needs_a_download(self) -> None:
        for kind in (VIDEO, STILL):
            assert set(errors({"fileName": "a", "downloadBehavior": "play-in-browser"}, kind=kind)) == {"fileName"}
            assert errors({"fileName": "a", "downloadBehavior": "download"}, kind=kind) == {}


class TestPictures:
    @pytest.mark.parametrize("options", [WEBM_WITH_ALPHA, {**WEBM_WITH_ALPHA, "codec": "vp9"}, PRORES_WITH_ALPHA])
    def test_a_transparent_video_is_possible(self, options: dict[str, Any]) -> None:
        assert errors(options) == {}

    @pytest.mark.parametrize("options", [WEBM_WITH_ALPHA, PRORES_WITH_ALPHA])
    @pytest.mark.parametrize("image_format", ["jpeg", None])
    def test_its_frames_must_be_png(self, options: dict[str, Any], image_format: str | None) -> None:
        assert list(errors({**options, "imageFormat": image_format})) == ["imageFormat"]

    @pytest.mark.parametrize("codec", ["h264", "h265", "prores", "gif"])
    def test_webms_format_is_for_webm(self, codec: str) -> None:
        assert list(errors({**WEBM_WITH_ALPHA, "codec": codec})) == ["pixelFormat"]

    @pytest.mark.parametrize(
        "change",
        [{"proResProfile": "hq"}, {"proResProfile": None}]
        + [{"codec": codec, "proResProfile": None} for codec in ("h264", "h265", "vp8", "vp9", "gif")],
    )
    def test_proress_format_is_for_prores_4444(self, change: dict[str, Any]) -> None:
        assert list(errors({**PRORES_WITH_ALPHA, **change})) == ["pixelFormat"]

    @pytest.mark.parametrize("codec", [name for name, codec in CODECS.items() if codec.has_picture])
    @pytest.mark.parametrize("pixel_format", [name for name in PIXEL_FORMATS if not name.startswith("yuva")])
    def test_the_other_formats_go_with_each_codec(self, codec: str, pixel_format: str) -> None:
        assert errors({"codec": codec, "pixelFormat": pixel_format}) == {}

    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("image_format", ["jpeg", "png", "none"])
    def test_frames_are_captured_if_there_is_a_picture(self, codec: str, image_format: str) -> None:
        fits = CODECS[codec].has_picture is (image_format != "none")
        assert list(errors({"codec": codec, "imageFormat": image_format})) == ([] if fits else ["imageFormat"])

    @pytest.mark.parametrize(
        ("kind", "options", "fits"),
        [
            (VIDEO, {}, True),
            (VIDEO, {"imageFormat": "jpeg"}, True),
            (VIDEO, {"imageFormat": "png"}, False),
            (STILL, {}, False),
            (STILL, {"imageFormat": "webp"}, False),
            (STILL, {"imageFormat": "jpeg"}, True),
        ],
    )
    def test_jpeg_quality_needs_jpeg(self, kind: str, options: dict[str, Any], fits: bool) -> None:
        refused = {"jpegQuality": "It can only be set if imageFormat is jpeg."}
        assert errors({**options, "jpegQuality": 50}, kind=kind) == ({} if fits else refused)

    @pytest.mark.parametrize("kind", [VIDEO, STILL])
    def test_the_output_must_have_pixels(self, kind: str) -> None:
        sentence = "The output's width would be 10 pixels: 16 to 16,384 are possible."
        assert errors({"forceWidth": 100, "scale": 0.1}, kind=kind) == {"forceWidth": sentence}
        assert list(errors({"forceHeight": 2000, "scale": 16}, kind=kind)) == ["forceHeight"]
        assert errors({"forceWidth": 160, "forceHeight": 1024, "scale": 0.1}, kind=kind) == {}


class TestFrames:
    @pytest.mark.parametrize("frame_range", [0, [0, 0], [3, 5], [5, None]])
    def test_a_range_goes_forward(self, frame_range: Any) -> None:
        assert errors({"frameRange": frame_range}) == {}
        assert errors({"frameRange": [5, 4]}) == {"frameRange": "The last frame is before the first one."}

    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({"forceFps": 60}, "forceFps"),
            ({"forceFps": 50}, ""),
            ({"forceFps": 60, "everyNthFrame": 2}, ""),
            ({"forceFps": 120, "everyNthFrame": 2}, "forceFps"),
        ],
    )
    def test_a_gif_has_at_most_50_a_second(self, options: dict[str, Any], name: str) -> None:
        assert list(errors({"codec": "gif", **options})) == ([name] if name else [])
        assert errors(options) == {}


class TestTheComposition:
    @pytest.mark.parametrize("frame_range", [300, [0, 300], [300, None], [100, 400]])
    def test_has_the_frames_of_the_range(self, frame_range: Any) -> None:
        sentence = "The composition has 300 frames: the last one is 299."
        assert unfit({"frameRange": frame_range}, duration_in_frames=300) == {"frameRange": sentence}
        assert unfit({"frameRange": frame_range, "forceDurationInFrames": 401}, duration_in_frames=300) == {}
        assert unfit({"frameRange": frame_range}) == {}

    @pytest.mark.parametrize("frame_range", [299, [0, 299], [299, None], [0, 0]])
    def test_may_be_rendered_up_to_its_end(self, frame_range: Any) -> None:
        assert unfit({"frameRange": frame_range}, duration_in_frames=300) == {}

    def test_is_divided_over_200_functions_at_most(self) -> None:
        sentence = "1,001 frames would need 201 functions, and Remotion takes at most 200: send 6 or more."
        options: dict[str, Any] = {"framesPerLambda": 5}
        assert unfit(options, duration_in_frames=1000) == {}
        assert unfit(options, duration_in_frames=1001) == {"framesPerLambda": sentence}
        assert unfit({**options, "everyNthFrame": 2}, duration_in_frames=1001) == {}
        assert unfit({**options, "frameRange": [0, 9]}, duration_in_frames=5000) == {}
        assert unfit({**options, "forceDurationInFrames": 1001}, duration_in_frames=10) == {"framesPerLambda": sentence}

    def test_of_a_gif_has_at_most_50_frames_a_second(self) -> None:
        assert list(unfit({"codec": "gif"}, fps=60)) == ["everyNthFrame"]
        assert unfit({"codec": "gif", "everyNthFrame": 2}, fps=60) == {}
        assert unfit({"codec": "gif", "forceFps": 25}, fps=60) == {}
        assert unfit({"codec": "vp8"}, fps=60) == {}

    def test_must_have_pixels_after_scaling(self) -> None:
        sentence = "The output's height would be 9 pixels: 16 to 16,384 are possible."
        assert unfit({"scale": 0.05}, width=1000, height=180) == {"scale": sentence}
        assert unfit({"scale": 0.05, "forceHeight": 360}, width=1000, height=180) == {}
        assert unfit({"scale": 16}, width=1920, height=1080) != {}

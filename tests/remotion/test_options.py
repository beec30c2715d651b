"""Options in use: a template's and a request's together, the payload, the output's file, the slots."""

import json
from typing import Any

import pytest
from remotion_lambda import RenderMediaParams, RenderStillParams

from renders.remotion.errors import InvalidOptions
from renders.remotion.option import STILL, VIDEO
from renders.remotion.options import (
    FRAMES_PER_LAMBDA,
    codec_of,
    combine_options,
    content_type,
    download_name,
    extension,
    frames_to_render,
    lambda_payload,
    media_type,
    slots_needed,
    validate_options,
)
from renders.remotion.start import prepare
from renders.remotion.target import LambdaTarget
from tests.servers import ScriptedServer


class TestCombine:
    @pytest.mark.parametrize(
        ("defaults", "requested", "combined"),
        [
            ({"crf": 20, "scale": 0.5}, {"crf": 30}, {"crf": 30, "scale": 0.5}),
            ({"crf": 20}, {"crf": None}, {}),
            ({"crf": 20}, {"videoBitrate": "1M"}, {"videoBitrate": "1M"}),
            ({"videoBitrate": "1M"}, {"crf": 20}, {"crf": 20}),
            ({"framesPerLambda": 20}, {"concurrency": 5}, {"concurrency": 5}),
            ({"concurrency": 5}, {"framesPerLambda": 20}, {"framesPerLambda": 20}),
            ({"audioCodec": "aac"}, {"preferLossless": True}, {"preferLossless": True}),
            ({"audioCodec": "aac"}, {"preferLossless": False}, {"audioCodec": "aac", "preferLossless": False}),
            ({"codec": "prores", "proResProfile": "4444"}, {"codec": "h264"}, {"codec": "h264"}),
            ({"crf": 2}, {"codec": "vp8"}, {"codec": "vp8"}),
            ({"imageFormat": "png"}, {"codec": "mp3"}, {"codec": "mp3"}),
            ({"jpegQuality": 50}, {"imageFormat": "png"}, {"imageFormat": "png"}),
            (
                {"codec": "h264", "concurrency": 1, "audioCodec": "mp3"},
                {"framesPerLambda": 60},
                {"codec": "h264", "framesPerLambda": 60},
            ),
            (
                {"chromiumOptions": {"gl": "swangle", "darkMode": True}},
                {"chromiumOptions": {"darkMode": False}},
                {"chromiumOptions": {"gl": "swangle", "darkMode": False}},
            ),
            ({"chromiumOptions": {"darkMode": True}}, {"chromiumOptions": None}, {}),
            ({"downloadBehavior": {"type": "download", "fileName": "a"}}, {"fileName": "b"}, None),
            ({"fileName": "a"}, {"downloadBehavior": "play-in-browser"}, {"downloadBehavior": "play-in-browser"}),
        ],
    )
    def test_a_request_overrides_its_template(
        self, defaults: dict[str, Any], requested: dict[str, Any], combined: dict[str, Any] | None
    ) -> None:
        expected = {"downloadBehavior": "download", "fileName": "b"} if combined is None else combined
        assert combine_options(defaults, requested, kind=VIDEO) == expected

    def test_a_still_leaves_out_what_its_templates_videos_have(self) -> None:
        defaults = {"codec": "vp8", "imageFormat": "none", "crf": 20, "scale": 0.5, "deleteAfter": "1-day"}
        assert combine_options(defaults, {}, kind=STILL) == {"scale": 0.5, "deleteAfter": "1-day"}

    def test_what_a_template_sets_for_the_browser_stays_in_force(self) -> None:
        defaults = {"chromiumOptions": {"disableWebSecurity": True}}
        assert combine_options(defaults, {}, kind=VIDEO) == defaults
        combined = combine_options(defaults, {"chromiumOptions": {"darkMode": True}}, kind=VIDEO)
        assert combined == {"chromiumOptions": {"disableWebSecurity": True, "darkMode": True}}

    @pytest.mark.parametrize(
        ("defaults", "requested", "name"),
        [
            ({}, {"chromiumOptions": {"disableWebSecurity": True}}, "chromiumOptions"),
            ({"chromiumOptions": {"disableWebSecurity": True}}, {"chromiumOptions": {"gl": "egl"}}, "chromiumOptions"),
            ({}, {"crf": 0}, "crf"),
            ({}, {"outName": "x"}, "outName"),
            ({"codec": "gif"}, {"crf": 20}, "crf"),
            ({}, {"codec": "vp8", "pixelFormat": "yuva420p"}, "imageFormat"),
            (
                {"codec": "vp8", "pixelFormat": "yuva420p", "imageFormat": "png"},
                {"pixelFormat": "yuva420p", "imageFormat": "jpeg"},
                "imageFormat",
            ),
        ],
    )
    def test_what_a_request_asks_for_is_refused_if_it_cannot_be(
        self, defaults: dict[str, Any], requested: dict[str, Any], name: str
    ) -> None:
        with pytest.raises(InvalidOptions) as refused:
            combine_options(defaults, requested, kind=VIDEO)
        assert list(refused.value.errors) == [name]

    def test_the_error_is_one_text_too(self) -> None:
        with pytest.raises(InvalidOptions, match=r"^crf: Send a whole number from 0 to 63\. scale: Send a number"):
            validate_options({"crf": "x", "scale": "x"}, kind=VIDEO)


class TestOutput:
    @pytest.mark.parametrize(
        ("options", "suffix", "mime", "media"),
        [
            ({}, "mp4", "video/mp4", "video"),
            ({"audioCodec": "pcm-16"}, "mkv", "video/x-matroska", "video"),
            ({"preferLossless": True}, "mkv", "video/x-matroska", "video"),
            ({"codec": "h265"}, "mp4", "video/mp4", "video"),
            ({"codec": "vp8"}, "webm", "video/webm", "video"),
            ({"codec": "vp9", "preferLossless": True}, "mkv", "video/x-matroska", "video"),
            ({"codec": "prores"}, "mov", "video/quicktime", "video"),
            ({"codec": "gif"}, "gif", "image/gif", "image"),
            ({"codec": "mp3"}, "mp3", "audio/mpeg", "audio"),
            ({"codec": "mp3", "audioCodec": "pcm-16"}, "wav", "audio/wave", "audio"),
            ({"codec": "aac"}, "aac", "audio/x-aac", "audio"),
            ({"codec": "wav"}, "wav", "audio/wave", "audio"),
        ],
    )
    def test_of_a_video_follows_its_codecs(self, options: dict[str, Any], suffix: str, mime: str, media: str) -> None:
        assert extension(options, kind=VIDEO) == suffix
        assert (content_type(suffix), media_type(suffix)) == (mime, media)
        assert codec_of(options, kind=VIDEO) == options.get("codec", "h264")
        assert download_name(options, kind=VIDEO) == f"{media}.{suffix}"

    @pytest.mark.parametrize(
        ("options", "suffix", "mime", "name"),
        [
            ({}, "png", "image/png", "image.png"),
            ({"imageFormat": "jpeg"}, "jpeg", "image/jpeg", "image.jpeg"),
            ({"imageFormat": "webp"}, "webp", "image/webp", "image.webp"),
            ({"imageFormat": "pdf"}, "pdf", "application/pdf", "document.pdf"),
        ],
    )
    def test_of_a_still_follows_its_image_format(
        self, options: dict[str, Any], suffix: str, mime: str, name: str
    ) -> None:
        assert extension(options, kind=STILL) == suffix
        assert content_type(suffix) == mime
        assert codec_of(options, kind=STILL) == ""
        assert download_name(options, kind=STILL) == name

    @pytest.mark.parametrize("kind", [VIDEO, STILL])
    def test_may_have_a_name_of_its_own(self, kind: str) -> None:
        assert download_name({"fileName": "Frühling"}, kind=kind) == "Frühling"


class TestPayload:
    def test_of_no_options_is_todays(self, aws: ScriptedServer) -> None:
        payload = prepare(
            LambdaTarget.from_settings(),
            serve_url="renderhub",
            composition="DynamicComp",
            input_props={},
            options={},
            frames_per_lambda=FRAMES_PER_LAMBDA,
            concurrency=None,
            props_name="p",
            out_name="o.mp4",
        )
        today = json.loads(payload)
        ours = lambda_payload({}, kind=VIDEO)
        assert json.dumps(today | ours) == json.dumps(today)
        assert (today["framesPerLambda"], today["privacy"], ours["codec"]) == (60, "private", "h264")

    @pytest.mark.parametrize("kind", [VIDEO, STILL])
    def test_has_only_keys_that_remotion_knows(self, kind: str) -> None:
        known = {VIDEO: RenderMediaParams(), STILL: RenderStillParams(composition="c")}[kind].serialize_params()
        options = {"scale": 0.5, "chromiumOptions": {"darkMode": True}, "deleteAfter": "1-day"}
        options |= {"storageClass": "STANDARD_IA", "timeoutInMilliseconds": 8000, "maxRetries": 0, "logLevel": "warn"}
        options |= {"forceWidth": 100, "privacy": "public", "imageFormat": "jpeg", "jpegQuality": 30}
        if kind == VIDEO:
            options |= {"frameRange": [3, None], "everyNthFrame": 2, "crf": 20, "pixelFormat": "yuv444p", "muted": True}
            options |= {"framesPerLambda": 20, "metadata": {"title": "T"}, "x264Preset": "slow", "colorSpace": "bt709"}
            options |= {"gopSize": 30, "encodingMaxRate": "5M", "encodingBufferSize": "9M", "sampleRate": 44_100}
        stored = validate_options(options, kind=kind)
        payload = lambda_payload(stored, kind=kind)
        assert set(payload) <= set(known)
        assert payload["downloadBehavior"]["type"] == "download"
        unchanged = {name: value for name, value in stored.items() if name != "fileName"}
        assert {name: payload[name] for name in unchanged} == unchanged

    @pytest.mark.parametrize("options", [{"preferLossless": True}, {"audioCodec": "pcm-16"}])
    def test_of_lossless_sound_has_both_of_remotions_keys(self, options: dict[str, Any]) -> None:
        payload = lambda_payload(options, kind=VIDEO)
        assert (payload["audioCodec"], payload["preferLossless"]) == ("pcm-16", True)
        assert payload["downloadBehavior"]["fileName"] == "video.mkv"

    def test_of_other_sound_has_what_was_sent(self) -> None:
        payload = lambda_payload({"audioCodec": "aac", "preferLossless": False}, kind=VIDEO)
        assert (payload["audioCodec"], payload["preferLossless"]) == ("aac", False)

    def test_of_a_still_has_its_format(self) -> None:
        assert lambda_payload({}, kind=STILL) == {
            "imageFormat": "png",
            "downloadBehavior": {"type": "download", "fileName": "image.png"},
        }

    def test_of_a_named_download_has_remotions_object(self) -> None:
        payload = lambda_payload({"fileName": "sale.mp4", "downloadBehavior": "download"}, kind=VIDEO)
        assert payload == {"codec": "h264", "downloadBehavior": {"type": "download", "fileName": "sale.mp4"}}

    def test_of_an_output_that_is_played_has_no_file_name(self) -> None:
        payload = lambda_payload({"downloadBehavior": "play-in-browser"}, kind=VIDEO)
        assert payload["downloadBehavior"] == {"type": "play-in-browser"}


class TestFrames:
    @pytest.mark.parametrize(
        ("options", "frames"),
        [
            ({}, 300),
            ({"frameRange": 30}, 1),
            ({"frameRange": [0, 89]}, 90),
            ({"frameRange": [290, None]}, 10),
            ({"everyNthFrame": 2}, 150),
            ({"everyNthFrame": 7}, 43),
            ({"frameRange": [1, 10], "everyNthFrame": 3}, 4),
            ({"forceDurationInFrames": 12}, 12),
            ({"forceDurationInFrames": 12, "frameRange": [10, None]}, 2),
        ],
    )
    def test_are_those_that_remotion_renders(self, options: dict[str, Any], frames: int) -> None:
        assert frames_to_render(options, duration_in_frames=300) == frames


class TestSlots:
    @pytest.mark.parametrize(
        ("frames", "split", "slots"),
        [
            (1, {}, 2),
            (60, {}, 2),
            (61, {}, 3),
            (12_000, {}, 201),
            (100, {"frames_per_lambda": 5}, 21),
            (100, {"frames_per_lambda": 500}, 2),
            (None, {"frames_per_lambda": 20}, 201),
            (None, {"concurrency": 20}, 21),
            (15_000, {"concurrency": 20}, 21),
        ],
    )
    def test_of_a_video_are_its_renderers_and_the_main_function(
        self, frames: int | None, split: dict[str, Any], slots: int
    ) -> None:
        assert slots_needed(frames, **split) == slots

    def test_of_a_still_is_one(self) -> None:
        assert slots_needed(None, kind=STILL) == 1

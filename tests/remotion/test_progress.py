import json
from typing import Any

import pytest

from renders.remotion.progress import RenderProgress, interpret
from renders.remotion.progress_file import parse_progress
from tests.factories import load_recording

RECORDED = [
    (name, step)
    for name in (
        "succeeds",
        "throws-in-chunk",
        "bad-metadata",
        "cancelled",
        "audio",
        "gif",
        "artifact",
        "range",
        "direct",
    )
    for step in load_recording(name)
]
BUCKET = "remotionlambda-useast1-local00000"


def read(step: dict[str, Any], *, now: float | None = None, timeout: int = 240) -> RenderProgress:
    moment = step["status"]["currentTime"] if now is None else now
    file = parse_progress(json.dumps(step["progress.json"]).encode())
    return interpret(file, bucket_name=BUCKET, now_in_ms=moment, function_timeout=timeout)


def as_status_saw_it(step: dict[str, Any]) -> dict[str, Any]:
    """Seven of the 56 files were overwritten between the recorder's reading and that of ``status``.

    Only ``framesRendered`` had moved on in them.
    """
    if step["status"]["done"]:
        return step
    seen = {**step["progress.json"], "framesRendered": step["status"]["framesRendered"]}
    return {**step, "progress.json": seen}


def test_recorder_and_status_read_the_same_file_but_for_seven_times() -> None:
    assert len(RECORDED) == 56
    assert sum(as_status_saw_it(step) != step for _, step in RECORDED) == 7


def as_stored(error: dict[str, Any]) -> dict[str, Any]:
    """What ``status`` says of an error, less the two fields that hold nothing, with its stack cut."""
    assert (error["tmpDir"], error["s3Location"]) == (None, "")
    kept = {key: value for key, value in error.items() if key not in ("tmpDir", "s3Location")}
    return {**kept, "stack": error["stack"][:4000]}


def last(name: str) -> dict[str, Any]:
    return load_recording(name)[-1]


@pytest.mark.parametrize(("name", "step"), RECORDED)
class TestRecordedAnswers:
    def test_everything_but_the_clock_equals_what_status_answered(self, name: str, step: dict[str, Any]) -> None:
        progress, status = read(as_status_saw_it(step)), step["status"]
        assert {
            "overallProgress": progress.overall_progress,
            "framesRendered": progress.frames_rendered,
            "chunks": progress.chunks,
            "lambdasInvoked": progress.lambdas_invoked,
            "done": progress.done,
            "fatalErrorEncountered": progress.fatal_error is not None,
            "errors": progress.errors,
            "outBucket": progress.out_bucket,
            "outKey": progress.out_key,
            "outputSizeInBytes": progress.output_size,
            "timeToFinish": progress.time_to_finish,
            "currency": progress.currency,
        } == {
            **{key: status[key] for key in ("overallProgress", "framesRendered", "chunks", "lambdasInvoked", "done")},
            **{key: status[key] for key in ("fatalErrorEncountered", "outBucket", "outKey")},
            "errors": [as_stored(error) for error in status["errors"]],
            "outputSizeInBytes": status["outputSizeInBytes"],
            "timeToFinish": status["timeToFinish"],
            "currency": status["costs"]["currency"],
        }

    def test_cost_and_billing_equal_what_status_answered_at_that_moment(self, name: str, step: dict[str, Any]) -> None:
        progress, status = read(step), step["status"]
        # `status` looks at its clock for the price and again for currentTime, some ms later.
        assert progress.cost == pytest.approx(status["costs"]["accruedSoFar"], abs=0.00001)
        billed = status["estimatedBillingDurationInMilliseconds"]
        assert progress.billing_duration == (billed if billed is None else pytest.approx(billed, abs=200))

    def test_artifacts_are_those_that_status_answered(self, name: str, step: dict[str, Any]) -> None:
        named = [
            {key: artifact[key] for key in ("filename", "sizeInBytes", "s3Key")}
            for artifact in step["status"]["artifacts"]
        ]
        assert read(step).artifacts == named


class TestFailedRenders:
    def test_cost_stands_still_after_the_fatal_error(self) -> None:
        step = last("throws-in-chunk")
        a_day_later = step["status"]["currentTime"] + 86_400_000
        assert read(step, now=a_day_later).cost == step["status"]["costs"]["accruedSoFar"]

    def test_message_is_the_first_fatal_error_without_its_stack(self) -> None:
        assert read(last("throws-in-chunk")).error_message == "boom at 100"
        assert "must be positive, but got -5." in read(last("bad-metadata")).error_message
        assert "\n" not in read(last("bad-metadata")).error_message

    def test_an_endless_message_is_cut(self) -> None:
        step = last("bad-metadata")
        step["progress.json"]["errors"][0]["message"] = "x" * 5_000_000
        assert read(step).error_message == "x" * 2000

    def test_an_error_says_when_its_chunk_was_rendered_again(self) -> None:
        step = last("throws-in-chunk")
        step["progress.json"]["retries"] = [{"chunk": 1, "attempt": 2, "time": 1_795_418_000_000}]
        assert [error.get("retriedAt") for error in read(step).errors] == [1_795_418_000_000, None]

    def test_an_error_that_is_tried_again_is_not_fatal(self) -> None:
        step = last("bad-metadata")
        for error in step["progress.json"]["errors"]:
            error["willRetry"] = True
        assert read(step).fatal_error is None
        assert read(step).error_message == ""

    @pytest.mark.parametrize(
        ("stack", "words"),
        [
            ("Error: ENOSPC: no space left", "disk"),
            ("net::ERR_INSUFFICIENT_RESOURCES", "memory"),
            ("Error: Target closed.", "crashed"),
            ("TooManyRequestsException: Rate Exceeded", "limit of concurrent functions"),
            ("AWS Concurrency limit reached (Original Error: Rate Exceeded.)", "limit of concurrent functions"),
        ],
    )
    def test_known_errors_are_explained(self, stack: str, words: str) -> None:
        step = last("bad-metadata")
        step["progress.json"]["errors"][0]["stack"] = stack
        assert words in read(step).error_message


class TestDeadline:
    def test_before_metadata_it_is_the_time_limit_and_twenty_seconds(self) -> None:
        step = load_recording("succeeds")[0]
        limit = step["progress.json"]["timeoutTimestamp"]
        assert not read(step, now=limit + 19_000).is_past_deadline
        assert read(step, now=limit + 21_000).is_past_deadline

    def test_with_chunks_missing_it_is_the_same(self) -> None:
        step = load_recording("succeeds")[5]
        limit = step["progress.json"]["timeoutTimestamp"]
        assert not read(step, now=limit + 19_000).is_past_deadline
        assert read(step, now=limit + 21_000).is_past_deadline

    def test_with_all_chunks_there_combining_them_may_take_a_second_time_limit(self) -> None:
        step = last("succeeds")
        step["progress.json"]["postRenderData"] = None
        limit = step["progress.json"]["timeoutTimestamp"]
        assert not read(step, now=limit + 240_000 + 19_000).is_past_deadline
        assert read(step, now=limit + 240_000 + 21_000).is_past_deadline

    def test_a_finished_render_has_none(self) -> None:
        assert not read(last("succeeds"), now=9e15).is_past_deadline


def test_the_first_chunk_is_the_one_that_was_ready_first() -> None:
    timings = last("succeeds")["progress.json"]["timings"]
    assert read(last("succeeds")).first_chunk_in_ms == min(timing["rendered"] for timing in timings)


def test_output_key_follows_the_name_that_was_asked_for() -> None:
    step = last("succeeds")
    step["progress.json"]["renderMetadata"]["outName"] = "ours.mp4"
    assert read(step).out_key == "renders/62jq0llxxv/ours.mp4"


def test_cost_is_unknown_in_a_region_without_prices() -> None:
    step = last("throws-in-chunk")
    step["progress.json"]["renderMetadata"]["region"] = "mars-north-1"
    assert read(step).cost is None


class TestOutput:
    """What the file says of the output, as ffprobe found it in each."""

    @pytest.mark.parametrize(
        ("name", "frames", "size"),
        [
            ("succeeds", 150, (1280, 720)),
            ("gif", 15, (320, 180)),
            ("artifact", 30, (320, 180)),
            ("range", 15, (320, 180)),
            ("audio", 45, (None, None)),
        ],
    )
    def test_its_length_and_size(self, name: str, frames: int, size: tuple[int | None, int | None]) -> None:
        progress = read(last(name))
        assert (progress.duration_in_frames, (progress.width, progress.height)) == (frames, size)

    def test_they_are_known_as_soon_as_the_composition_is(self) -> None:
        progress = read(load_recording("range")[0])
        assert (progress.done, progress.duration_in_frames, progress.width) == (False, 15, 320)
        before = read(load_recording("succeeds")[0])
        assert (before.duration_in_frames, before.width, before.height, before.artifacts) == (None, None, None, [])

    @pytest.mark.parametrize(
        ("codec", "size"), [("h264", (268, 150)), ("h265", (268, 150)), ("gif", (268, 150)), ("vp8", (269, 151))]
    )
    def test_some_codecs_take_even_numbers_only(self, codec: str, size: tuple[int, int]) -> None:
        step = last("range")
        step["progress.json"]["renderMetadata"] |= {
            "codec": codec,
            "scale": 0.21,
            "dimensions": {"width": 1280 * 0.21, "height": 720 * 0.21},
        }
        assert (read(step).width, read(step).height) == size

    def test_artifacts_are_named_with_their_keys(self) -> None:
        first, second = read(last("artifact")).artifacts
        key = "renders/yia582kf3p/artifacts"
        assert first == {"filename": "subtitles.srt", "sizeInBytes": 1, "s3Key": f"{key}/subtitles.srt"}
        assert second == {"filename": "thumb/nail.txt", "sizeInBytes": 14, "s3Key": f"{key}/thumb/nail.txt"}


@pytest.mark.parametrize("version", load_recording("still-progress"))
class TestStill:
    """Its file is written once, before it is rendered."""

    def read(self, version: str, now: float) -> RenderProgress:
        file = parse_progress(json.dumps(load_recording("still-progress")[version]).encode())
        return interpret(file, bucket_name=BUCKET, now_in_ms=now, function_timeout=240)

    def test_it_is_never_done_by_its_file(self, version: str) -> None:
        progress = self.read(version, 0)
        assert (progress.done, progress.fatal_error, progress.out_key, progress.output_size) == (False,) + (None,) * 3
        assert (progress.duration_in_frames, progress.width, progress.height) == (None, 1280, 720)

    def test_its_deadline_is_the_time_limit_after_it_began(self, version: str) -> None:
        began = load_recording("still-progress")[version]["renderMetadata"]["startedDate"]
        assert self.read(version, began).deadline_in_ms == began + 240_000 + 20_000
        assert not self.read(version, began + 259_000).is_past_deadline
        assert self.read(version, began + 261_000).is_past_deadline


class TestFilesOfOtherRenders:
    def test_an_older_function_writes_no_time_of_the_fatal_error(self) -> None:
        step = last("throws-in-chunk")
        del step["progress.json"]["fatalErrorTimestamp"], step["progress.json"]["cancellationEnabled"]
        assert read(step).error_message == "boom at 100"

    def test_sound_is_combined_in_fractions_of_a_frame(self) -> None:
        step = last("succeeds")
        step["progress.json"] |= {"postRenderData": None, "framesEncoded": 149.7, "combinedFrames": 37.5}
        assert read(step).overall_progress == pytest.approx(0.1 + 0.0998 + 0.1 + 0.6 + 0.025)

    def test_an_output_may_be_in_another_bucket(self) -> None:
        step = last("succeeds")
        step["progress.json"]["renderMetadata"]["outName"] = {"bucketName": "videos", "key": "ours/1.mp4"}
        assert (read(step).out_bucket, read(step).out_key) == ("videos", "ours/1.mp4")

    def test_a_still_has_no_frame_range(self) -> None:
        file = last("succeeds")["progress.json"]
        for name in ("frameRange", "everyNthFrame"):
            del file["renderMetadata"][name]
        parsed = parse_progress(json.dumps(file).encode())
        assert parsed.render_metadata
        assert parsed.render_metadata.render_id == "62jq0llxxv"

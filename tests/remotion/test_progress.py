import json
from typing import Any

import pytest

from renders.remotion.progress import RenderProgress, interpret
from renders.remotion.progress_file import parse_progress
from tests.factories import load_recording

RECORDED = [
    (name, step)
    for name in ("succeeds", "throws-in-chunk", "bad-metadata", "cancelled")
    for step in load_recording(name)
]
BUCKET = "remotionlambda-useast1-local00000"


def read(step: dict[str, Any], *, now: float | None = None, timeout: int = 240) -> RenderProgress:
    moment = step["status"]["currentTime"] if now is None else now
    file = parse_progress(json.dumps(step["progress.json"]).encode())
    return interpret(file, bucket_name=BUCKET, now_in_ms=moment, function_timeout=timeout)


def as_status_saw_it(step: dict[str, Any]) -> dict[str, Any]:
    """Six of the 43 files were overwritten between the recorder's reading and that of ``status``.

    Only ``framesRendered`` had moved on in them.
    """
    if step["status"]["done"]:
        return step
    seen = {**step["progress.json"], "framesRendered": step["status"]["framesRendered"]}
    return {**step, "progress.json": seen}


def test_recorder_and_status_read_the_same_file_but_for_six_times() -> None:
    assert len(RECORDED) == 43
    assert sum(as_status_saw_it(step) != step for _, step in RECORDED) == 6


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


def test_output_key_follows_the_name_that_was_asked_for() -> None:
    step = last("succeeds")
    step["progress.json"]["renderMetadata"]["outName"] = "ours.mp4"
    assert read(step).out_key == "renders/62jq0llxxv/ours.mp4"


def test_cost_is_unknown_in_a_region_without_prices() -> None:
    step = last("throws-in-chunk")
    step["progress.json"]["renderMetadata"]["region"] = "mars-north-1"
    assert read(step).cost is None


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

"""Reading progress.json: each way in which S3 can answer, or not."""

import json
from datetime import timedelta
from typing import Any

import obstore
import pytest

from renders.remotion import reader
from renders.remotion.errors import AccessDenied, RemotionError, SetupError, Unavailable, UnusableResponse
from renders.remotion.progress import interpret
from renders.remotion.progress_file import ProgressFile, parse_progress
from renders.remotion.reader import Fetched, FetchFailed, FetchResult, Missing, ProgressRequest, Unchanged
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET, load_recording
from tests.servers import Answer, ScriptedServer, s3_error

PROGRESS = f"/{BUCKET}/renders/abc123/progress.json"
RECORDED: dict[str, Any] = load_recording("succeeds")[10]["progress.json"]


def recorded(**fields: Any) -> bytes:
    return json.dumps({**RECORDED, **fields}).encode()


def fetch_progress() -> Fetched | Missing:
    return reader.fetch_progress(LambdaTarget.from_settings(), bucket_name=BUCKET, render_id="abc123")


def fetch_many(*wanted: ProgressRequest, **options: Any) -> list[FetchResult]:
    return reader.fetch_many(LambdaTarget.from_settings(), bucket_name=BUCKET, requests=wanted, **options)


class TestReading:
    def test_progress_comes_with_its_etag(self, aws: ScriptedServer) -> None:
        aws.answers[PROGRESS] = Answer(recorded(), headers={"ETag": '"abc"'})
        assert fetch_progress() == Fetched(parse_progress(recorded()), '"abc"')

    def test_a_file_that_is_as_it_was_is_not_sent_again(self, bucket: Any) -> None:
        bucket.put_object(Bucket=BUCKET, Key="renders/abc123/progress.json", Body=recorded())
        first = fetch_progress()
        assert isinstance(first, Fetched)
        etag = first.etag
        assert etag
        assert fetch_many(ProgressRequest("abc123", etag)) == [Unchanged()]
        bucket.put_object(Bucket=BUCKET, Key="renders/abc123/progress.json", Body=recorded(framesRendered=93))
        (reading,) = fetch_many(ProgressRequest("abc123", etag))
        assert isinstance(reading, Fetched)
        assert reading.file.frames_rendered == 93

    def test_braces_in_strings_do_not_matter(self, aws: ScriptedServer) -> None:
        metadata = {**RECORDED["renderMetadata"], "inputProps": "return '{' + frame"}
        aws.answers[PROGRESS] = Answer(recorded(renderMetadata=metadata))
        assert isinstance(fetch_progress(), Fetched)

    @pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchBucket"])
    def test_a_missing_file_is_none(self, aws: ScriptedServer, code: str) -> None:
        aws.answers[PROGRESS] = s3_error(404, code)
        assert fetch_progress() == Missing()

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (s3_error(500, "InternalError"), Unavailable),
            (s3_error(503, "SlowDown"), Unavailable),
            (s3_error(403, "AccessDenied"), AccessDenied),
            (s3_error(400, "ExpiredToken"), SetupError),
            (Answer(b'{"chunks": ['), UnusableResponse),
            (Answer(b"[]"), UnusableResponse),
            (Answer(b'{"cost": NaN}'), UnusableResponse),
            (Answer(recorded(timeoutTimestamp="soon")), UnusableResponse),
            (Answer(recorded().replace(b"1795418041842", b"1e400")), UnusableResponse),
            (Answer(recorded(chunks="\ud800")), UnusableResponse),
            (Answer(b"[" * 100_000), UnusableResponse),
            (Answer(b'{"chunks": []', missing_bytes=9), Unavailable),
            (Answer(reset=True), Unavailable),
        ],
    )
    def test_each_other_answer_says_nothing_of_the_render(
        self, aws: ScriptedServer, answer: Answer, kind: type[RemotionError]
    ) -> None:
        aws.answers[PROGRESS] = answer
        with pytest.raises(kind) as raised:
            fetch_progress()
        assert type(raised.value) is kind

    def test_text_that_no_database_can_store_is_replaced(self, aws: ScriptedServer) -> None:
        errors = [{"message": "a\0b\ud800c \\u0000", "isFatal": True}]
        aws.answers[PROGRESS] = Answer(recorded(errors=errors))
        reading = fetch_progress()
        assert isinstance(reading, Fetched)
        progress = interpret(reading.file, bucket_name=BUCKET, now_in_ms=0, function_timeout=240)
        assert progress.errors[0]["message"] == progress.error_message == "a\ufffdb?c \\u0000"

    def test_a_file_that_is_too_large_is_not_read(self, aws: ScriptedServer) -> None:
        aws.answers[PROGRESS] = Answer(recorded(padding="x" * 9_000_000))
        with pytest.raises(UnusableResponse, match=r"progress\.json of 9\.0 MB; at most 8 MB are read"):
            fetch_progress()

    def test_no_answer_in_time_is_no_answer(
        self, aws: ScriptedServer, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "READ_TIMEOUT_SECONDS", 0.2)
        settings.REMOTION_AWS_ACCESS_KEY_ID = "a key of its own, for a client of its own"
        aws.answers[PROGRESS] = Answer(delay=0.5)
        with pytest.raises(Unavailable, match="did not answer in time"):
            fetch_progress()

    def test_nothing_of_s3s_answer_is_told_but_its_code(self, aws: ScriptedServer) -> None:
        body = b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIATEST</AWSAccessKeyId></Error>"
        aws.answers[PROGRESS] = Answer(body, status=403)
        with pytest.raises(AccessDenied, match="SignatureDoesNotMatch") as raised:
            fetch_progress()
        assert "AKIATEST" not in str(raised.value)

    def test_credentials_are_needed(self, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        with pytest.raises(SetupError):
            fetch_progress()


class TestReadMany:
    def test_each_has_its_own_answer_in_order(self, aws: ScriptedServer) -> None:
        names = [f"r{number}" for number in range(200)]
        for number, name in enumerate(names):
            aws.answers[f"/{BUCKET}/renders/{name}/"] = Answer(recorded(framesRendered=number))
        aws.answers[f"/{BUCKET}/renders/r7/"] = s3_error(500, "InternalError")
        results = fetch_many(*(ProgressRequest(name) for name in names))
        assert isinstance(results[7], FetchFailed)
        frames = [result.file.frames_rendered for result in results if isinstance(result, Fetched)]
        assert frames == [number for number in range(200) if number != 7]

    def test_a_bucket_that_does_not_answer_is_not_asked_for_all(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/renders/"] = s3_error(403, "AccessDenied")
        results = fetch_many(*(ProgressRequest(f"r{number}") for number in range(1000)))
        assert len(aws.requests) < 100
        assert all(isinstance(result, FetchFailed) for result in results)

    def test_nor_is_it_once_the_worker_is_to_stop(self, aws: ScriptedServer) -> None:
        results = fetch_many(ProgressRequest("r1"), ProgressRequest("r2"), is_stopped=lambda: True)
        assert results == [reader.OUT_OF_TIME, reader.OUT_OF_TIME]
        assert not aws.requests

    def test_of_a_slow_bucket_only_so_much_is_asked(self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "TIME_LIMIT_SECONDS", 0.2)
        aws.answers[f"/{BUCKET}/renders/"] = Answer(recorded(), delay=0.15)
        results = fetch_many(*(ProgressRequest(f"r{number}") for number in range(200)))
        assert isinstance(results[0], Fetched)
        assert results[-1] is reader.OUT_OF_TIME
        assert len(aws.requests) < 100

    def test_whatever_goes_wrong_with_one_is_its_own(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parse = parse_progress

        def fail(body: bytes) -> ProgressFile:
            if body == b"bad":
                raise KeyError("unforeseen")
            return parse(body)

        monkeypatch.setattr("renders.remotion.reader.parse_progress", fail)
        aws.answers[f"/{BUCKET}/renders/"] = Answer(recorded())
        aws.answers[f"/{BUCKET}/renders/bad/"] = Answer(b"bad")
        bad, good = fetch_many(ProgressRequest("bad"), ProgressRequest("good"))
        assert isinstance(bad, FetchFailed)
        assert isinstance(bad.error, UnusableResponse)
        assert isinstance(good, Fetched)

    def test_the_bucket_is_in_the_host_without_an_endpoint(self, settings: Any) -> None:
        settings.REMOTION_REGION = "eu-central-1"
        store = reader._store(LambdaTarget.from_settings(), BUCKET)
        url = obstore.sign(store, "GET", "renders/abc123/progress.json", timedelta(hours=1))
        assert url.startswith(f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/renders/abc123/progress.json?")

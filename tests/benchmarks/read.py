"""Reading and parsing progress.json from S3: ours against boto3, which most would use.

Both read 10,000 files of nginx on this machine, as their users would: ours in the batches of the
worker, boto3 through one client that 16 threads share.
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from django.test import override_settings

from renders.remotion import reader
from renders.remotion.reader import Fetched, FetchResult, ProgressRequest, Unchanged
from renders.remotion.target import LambdaTarget
from renders.sandbox.network import bypass_proxies_for_loopback
from renders.services.refresh.lease import BATCH_SIZE
from tests.benchmarks import s3
from tests.benchmarks.table import conclude, ratio, rounds, show

OURS, OURS_UNCHANGED, BOTO3 = "ours", "ours, unchanged (304)", "boto3, 16 threads"
THREADS = 16


def ours(config: LambdaTarget, wanted: list[ProgressRequest]) -> tuple[float, list[Fetched | Unchanged]]:
    """Files a second, and what was read."""
    began = time.perf_counter()
    readings: list[FetchResult] = []
    for start in range(0, len(wanted), BATCH_SIZE):
        readings += reader.fetch_many(
            config, bucket_name=s3.bucket_name(0), requests=wanted[start : start + BATCH_SIZE]
        )
    rate = len(wanted) / (time.perf_counter() - began)
    done = [reading for reading in readings if isinstance(reading, Fetched | Unchanged)]
    assert len(done) == len(wanted)
    return rate, done


def read_anew(config: LambdaTarget) -> float:
    rate, readings = ours(config, [ProgressRequest(s3.render_id(number)) for number in range(s3.RENDERS)])
    assert all(isinstance(reading, Fetched) for reading in readings)
    return rate


def read_unchanged(config: LambdaTarget, wanted: list[ProgressRequest]) -> float:
    rate, readings = ours(config, wanted)
    assert all(isinstance(reading, Unchanged) for reading in readings)
    return rate


def read_with_boto3(url: str) -> float:
    session = boto3.Session("AKIATEST", "not-a-secret", region_name="us-east-1")
    client = session.client("s3", endpoint_url=url, config=Config(max_pool_connections=THREADS))

    def read(number: int) -> dict[str, object]:
        key = f"renders/{s3.render_id(number)}/progress.json"
        return json.loads(client.get_object(Bucket=s3.bucket_name(0), Key=key)["Body"].read())

    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        assert all(threads.map(read, range(s3.RENDERS)))
    return s3.RENDERS / (time.perf_counter() - began)


def run() -> bool:
    bypass_proxies_for_loopback()
    with s3.served() as server, override_settings(**server.settings()):
        config = LambdaTarget.from_settings()
        _, readings = ours(config, [ProgressRequest(s3.render_id(number)) for number in range(s3.RENDERS)])
        known = [
            ProgressRequest(s3.render_id(number), reading.etag)
            for number, reading in enumerate(readings)
            if isinstance(reading, Fetched)
        ]
        results = rounds(
            {
                OURS: lambda: read_anew(config),
                OURS_UNCHANGED: lambda: read_unchanged(config, known),
                BOTO3: lambda: read_with_boto3(server.urls[0]),
            }
        )
    show(results, unit="files/s", against={OURS: BOTO3, OURS_UNCHANGED: BOTO3})
    return conclude("Reading and parsing over boto3 with 16 threads", ratio(results, OURS, BOTO3), at_least=10)

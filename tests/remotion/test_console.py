from typing import Any

import pytest

from renders.remotion import console
from renders.remotion.target import function_name
from tests.factories import load_recording

CASES = load_recording("console-urls")["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["region"])
def test_links_and_name_equal_those_of_the_javascript_client(case: dict[str, Any]) -> None:
    name = function_name(case["memorySizeInMb"], case["diskSizeInMb"], case["timeoutInSeconds"])
    function = {"region": case["region"], "function_name": name, "render_id": case["renderId"]}
    assert name == case["functionName"]
    assert console.cloudwatch_logs_url(**function) == case["cloudWatchLogs"]
    folder = console.s3_folder_url(region=case["region"], bucket_name=case["bucketName"], render_id=case["renderId"])
    assert folder == case["folderInS3Console"]

"""What we send and reckon, compared with Remotion's JavaScript client."""

import json
import subprocess
from typing import Any

import pytest

from renders.remotion import start, still
from renders.remotion.console import cloudwatch_logs_url
from renders.remotion.options import lambda_payload, validate_options
from renders.remotion.pricing import PRICES, estimate_cost
from renders.remotion.target import LambdaTarget
from renders.sandbox.demo import EXAMPLE
from renders.sandbox.steps import NODE
from renders.sandbox.toolchain import Toolchain

pytestmark = pytest.mark.system

ASKED: dict[str, Any] = {"serve_url": "renderhub", "composition": "DynamicComp", "input_props": EXAMPLE["inputProps"]}


def run(toolchain: Toolchain, script: str, argument: Any) -> Any:
    head = 'const { LambdaClientInternals, estimatePrice } = require("@remotion/lambda-client");'
    output = subprocess.check_output(
        [NODE, "-e", f"{head}{script}", json.dumps(argument)],
        cwd=toolchain.app,
        env={"REMOTION_SKIP_AWS_CREDENTIALS_CHECK": "1"},
    )
    return json.loads(output)


def differences(ours: str, theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    mine = json.loads(ours)
    return {name: (mine.get(name), value) for name, value in theirs.items() if mine.get(name) != value}


def their_options(target: LambdaTarget, **options: Any) -> dict[str, Any]:
    return {
        "region": target.region,
        "functionName": target.function_name,
        "serveUrl": ASKED["serve_url"],
        "composition": ASKED["composition"],
        "inputProps": ASKED["input_props"],
        "forceBucketName": target.bucket_name,
        "privacy": "private",
        "licenseKey": None,
        "isProduction": True,
        **options,
    }


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"codec": "vp8", "crf": 9, "pixelFormat": "yuva420p", "imageFormat": "png", "frameRange": [3, 9]},
        {"codec": "prores", "proResProfile": "4444", "scale": 0.5, "forceFps": 25, "fileName": "sale.mov"},
        {"codec": "gif", "everyNthFrame": 2, "numberOfGifLoops": 3, "logLevel": "verbose", "muted": True},
        {"x264Preset": "fast", "videoBitrate": "1M", "encodingMaxRate": "2M", "encodingBufferSize": "4M"},
        {"chromiumOptions": {"gl": "swangle", "userAgent": "ours"}, "timeoutInMilliseconds": 60_000, "maxRetries": 0},
        {"deleteAfter": "1-day", "storageClass": "STANDARD_IA", "metadata": {"title": "Sale"}},
        {"codec": "mp3", "audioBitrate": "128K", "sampleRate": 44_100, "downloadBehavior": "play-in-browser"},
    ],
    ids=lambda options: next(iter(options), "none"),
)
def test_a_start_is_the_same_field_for_field(toolchain: Toolchain, options: dict[str, Any]) -> None:
    target = LambdaTarget.from_settings()
    chosen = validate_options(options, kind="video")
    ours = start.prepare(
        target,
        **ASKED,
        options=chosen,
        frames_per_lambda=None,
        concurrency=5,
        props_name="ours",
        out_name="ours.mp4",
    )
    script = """
        const options = LambdaClientInternals.renderMediaOnLambdaOptionalToRequired(JSON.parse(process.argv[1]));
        LambdaClientInternals.makeLambdaRenderMediaPayload(options).then((p) => console.log(JSON.stringify(p)));
    """
    theirs = their_options(
        target,
        **lambda_payload(chosen, kind="video"),
        concurrency=5,
        enableCancellation=True,
        outName="ours.mp4",
    )
    # The function reads {} and null alike.
    expected: dict[str, Any] = {} if "metadata" in options else {"metadata": ({}, None)}
    assert differences(ours, run(toolchain, script, theirs)) == expected


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"imageFormat": "jpeg", "jpegQuality": 60, "scale": 2, "forceWidth": 640, "deleteAfter": "7-days"},
        {"imageFormat": "pdf", "chromiumOptions": {"darkMode": True}, "downloadBehavior": "play-in-browser"},
    ],
    ids=lambda options: next(iter(options), "none"),
)
def test_a_still_is_the_same_field_for_field(toolchain: Toolchain, options: dict[str, Any]) -> None:
    target = LambdaTarget.from_settings()
    chosen = validate_options(options, kind="still")
    ours = still.prepare(target, **ASKED, options=chosen, frame=7, props_name="ours", out_name="ours.png")
    # Its own builder wants every default; so its one call is replaced, which shows what it would send.
    script = """
        LambdaClientInternals.awsImplementation.callFunctionStreaming = async ({ payload }) => {
          console.log(JSON.stringify(payload));
          process.exit();
        };
        require("@remotion/lambda-client").renderStillOnLambda(JSON.parse(process.argv[1]));
    """
    theirs = their_options(target, **lambda_payload(chosen, kind="still"), frame=7, outName="ours.png")
    assert differences(ours, run(toolchain, script, theirs)) == {}


def test_the_link_to_a_stills_logs_is_the_same(toolchain: Toolchain) -> None:
    script = """
        const options = { ...JSON.parse(process.argv[1]), method: "still", rendererFunctionName: null };
        console.log(JSON.stringify(LambdaClientInternals.getCloudwatchMethodUrl(options)));
    """
    named = {"region": "eu-central-1", "functionName": "our-function", "renderId": "abc123"}
    ours = cloudwatch_logs_url(region="eu-central-1", function_name="our-function", render_id="abc123", method="still")
    assert ours == run(toolchain, script, named)


def test_prices_are_the_same_in_every_region(toolchain: Toolchain) -> None:
    usage = {"durationInMilliseconds": 1_234_567, "memorySizeInMb": 3009, "diskSizeInMb": 10240}
    script = """
        const usage = { ...JSON.parse(process.argv[1]), lambdasInvoked: 20000 };
        const prices = require("@remotion/lambda-client/regions").AWS_REGIONS
          .map((region) => [region, estimatePrice({ ...usage, region })]);
        console.log(JSON.stringify(Object.fromEntries(prices)));
    """
    theirs = run(toolchain, script, usage)
    ours = {
        region: estimate_cost(region=region, memory_size_in_mb=3009, duration_in_ms=1_234_567, functions=20_000)
        for region in PRICES
    }
    assert ours == theirs

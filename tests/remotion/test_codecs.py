"""Our table of codecs says what Remotion's own packages say."""

import json
import subprocess
from typing import Any

import pytest

from renders.remotion.codecs import CODECS, LOSSLESS_AUDIO, STILL_EXTENSIONS
from renders.remotion.option_table import (
    DELETE_AFTER,
    MAX_LAMBDAS_PER_RENDER,
    MIN_FRAMES_PER_LAMBDA,
    PIXEL_FORMATS,
    PRORES_PROFILES,
    X264_PRESETS,
)
from renders.sandbox.steps import NODE
from renders.sandbox.toolchain import Toolchain

SCRIPT = """
const load = (name) => require(process.argv[1] + '/' + name);
const {getValidCrfRanges} = load('@remotion/renderer/dist/crf.js');
const {supportedAudioCodecs, defaultAudioCodecs} = load('@remotion/renderer/dist/options/audio-codec.js');
const {defaultFileExtensionMap} = load('@remotion/renderer/dist/file-extensions.js');
const {codecSupportsMedia} = load('@remotion/renderer/dist/codec-supports-media.js');
const limits = load('@remotion/serverless-client/dist/constants.js');
console.log(JSON.stringify({
    codecs: Object.fromEntries(limits.serverlessCodecs.map((codec) => [codec, {
        crf: getValidCrfRanges(codec),
        audio: Object.fromEntries(supportedAudioCodecs[codec].map((audio) =>
            [audio, defaultFileExtensionMap[codec].forAudioCodec[audio].default])),
        default: defaultAudioCodecs[codec],
        extension: defaultFileExtensionMap[codec].default,
        picture: codecSupportsMedia(codec).video,
    }])),
    pixelFormats: load('@remotion/renderer/dist/pixel-format.js').validPixelFormats,
    x264Presets: load('@remotion/renderer/dist/options/x264-preset.js').x264PresetOptions,
    stills: load('@remotion/renderer/dist/image-format.js').validStillImageFormats,
    proRes: load('remotion/dist/cjs/no-react.js').NoReactInternals.proResProfileOptions,
    deleteAfter: Object.keys(limits.expiryDays),
    limits: [limits.MAX_FUNCTIONS_PER_RENDER, limits.MINIMUM_FRAMES_PER_FUNCTION],
}));
"""


@pytest.fixture(scope="module")
def remotions(toolchain: Toolchain) -> dict[str, Any]:
    command = [str(NODE), "-e", SCRIPT, str(toolchain.node_modules)]
    tables: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return tables


@pytest.mark.system
class TestRemotionsTables:
    def test_codecs(self, remotions: dict[str, Any]) -> None:
        ours = {
            name: {
                "crf": list(codec.crf or (0, 0)),
                "audio": dict(codec.audio),
                "default": {
                    "lossless": LOSSLESS_AUDIO if codec.audio else None,
                    "compressed": next(iter(codec.audio), None),
                },
                "extension": codec.extension,
                "picture": codec.has_picture,
            }
            for name, codec in CODECS.items()
        }
        assert ours == remotions["codecs"]

    def test_values(self, remotions: dict[str, Any]) -> None:
        assert list(PIXEL_FORMATS) == remotions["pixelFormats"]
        assert list(X264_PRESETS) == remotions["x264Presets"]
        assert list(PRORES_PROFILES) == remotions["proRes"]
        assert list(DELETE_AFTER) == remotions["deleteAfter"]
        assert sorted(STILL_EXTENSIONS) == sorted(remotions["stills"])

    def test_limits(self, remotions: dict[str, Any]) -> None:
        assert remotions["limits"] == [MAX_LAMBDAS_PER_RENDER, MIN_FRAMES_PER_LAMBDA]

"""The one table of the options of a render: Remotion's names, their values, and where each applies.

The API, its documentation and the checks are all made from it. The limits are those of Remotion's
validators (@remotion/renderer, @remotion/serverless-client) where they have any.
"""

from collections.abc import Mapping
from typing import Any

from renders.remotion.codecs import AUDIO_CODECS, CODECS, STILL_EXTENSIONS, WITH_AUDIO, WITH_CRF, WITH_PICTURE
from renders.remotion.option import BOOLEAN, STILL, VIDEO, Option, integer, number, one_of

MAX_LAMBDAS_PER_RENDER = 200
MIN_FRAMES_PER_LAMBDA = 5
MAX_FRAMES = 24 * 3600 * 240
"""24 hours at 240 frames a second."""
MAX_FPS = 240
MIN_PIXELS, MAX_PIXELS = 16, 16_384
"""Width and height. h265 has no smaller ones, and a function that shall make a picture of 0 pixels hangs."""
MAX_TIMEOUT = 900_000
"""The longest time limit of a Lambda function, in milliseconds."""

PRIVACIES = ("private", "public", "no-acl")
PRORES_PROFILES = ("4444-xq", "4444", "hq", "standard", "light", "proxy")
LOG_LEVELS = ("trace", "verbose", "info", "warn", "error")
X264_PRESETS = [
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
]
PIXEL_FORMATS = [
    "yuv420p",
    "yuva420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv422p10le",
    "yuv444p10le",
    "yuva444p10le",
]
STORAGE_CLASSES = ("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY")
DELETE_AFTER = ("1-day", "3-days", "7-days", "30-days")

WITH_BITRATE = ("h264", "h265", "vp8", "vp9")
END = r"$(?!\n)"
"""The end of the text, in JavaScript's regular expressions and in Python's, whose ``$`` overlooks a line feed."""
BITRATE = {"type": "string", "pattern": r"^[1-9]([0-9]{0,5}(\.[0-9]{1,3})?[Kk]|[0-9]{0,2}(\.[0-9]{1,3})?M)" + END}
SEND_BITRATE = 'Send a number with K or M, up to 999M, such as "512K" or "8M".'
FRAME = integer(0, MAX_FRAMES)
FRAMES = {"type": "array", "prefixItems": [FRAME, {"anyOf": [FRAME, {"type": "null"}]}], "items": False, "minItems": 2}
FILE_NAME = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r'^[^\x00-\x1f\x7f/\\"]+' + END}
TAGS = {
    "type": "object",
    "propertyNames": {"pattern": r"^[A-Za-z0-9_.-]{1,64}" + END},
    "additionalProperties": {"type": "string", "maxLength": 1000, "pattern": r"^[^\x00-\x1f\x7f]*" + END},
    "maxProperties": 50,
}
SEND_TAGS = 'Send an object of up to 50 tags, such as {"title": "Sale"}, each one line of up to 1,000 characters.'

CHROMIUM_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "gl": one_of(["swangle"]),
    "darkMode": BOOLEAN,
    "userAgent": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": r"^[ -~]*" + END},
    "disableWebSecurity": BOOLEAN,
    "ignoreCertificateErrors": BOOLEAN,
}
TRUSTED_CHROMIUM_OPTIONS = ("disableWebSecurity", "ignoreCertificateErrors")
"""They take away the browser's protection from what a request sends, so only staff may set them."""
CHROMIUM_SCHEMA = {"type": "object", "properties": dict(CHROMIUM_OPTIONS), "additionalProperties": False}
SEND_CHROMIUM = f"Send an object with any of {', '.join(CHROMIUM_OPTIONS)}."

WHAT_IS_MADE = (
    Option("codec", one_of(list(CODECS)), "What the output is encoded with.", default="h264", kinds=(VIDEO,)),
    Option(
        "imageFormat",
        one_of(["jpeg", "png", "none"]),
        "How frames are captured: png keeps transparency, none is for audio.",
        default="jpeg",
        kinds=(VIDEO,),
    ),
    Option("imageFormat", one_of(STILL_EXTENSIONS), "The picture's format.", default="png", kinds=(STILL,)),
    Option("jpegQuality", integer(0, 100), "Quality of frames in jpeg.", default=80, codecs=WITH_PICTURE),
    Option("scale", number(0.05, 16), "Factor on width and height.", default=1, codecs=WITH_PICTURE),
    Option(
        "forceWidth",
        integer(MIN_PIXELS, MAX_PIXELS),
        "Width instead of the composition's, before scale. h264 and h265 round the output down to even numbers.",
        codecs=WITH_PICTURE,
    ),
    Option(
        "forceHeight",
        integer(MIN_PIXELS, MAX_PIXELS),
        "Height instead of the composition's, as forceWidth.",
        codecs=WITH_PICTURE,
    ),
    Option("forceFps", number(1, MAX_FPS), "Frames a second instead of the composition's."),
    Option("forceDurationInFrames", integer(1, MAX_FRAMES), "Length instead of the composition's."),
    Option(
        "frameRange",
        {"oneOf": [FRAME, FRAMES]},
        "The frames that are rendered: one, [first, last], or [first, null] to the end. The first is 0.",
        send="Send a frame such as 30, or the first and the last such as [0, 89].",
        kinds=(VIDEO,),
    ),
    Option("everyNthFrame", integer(1, 1000), "Render only every nth frame.", default=1, kinds=(VIDEO,)),
    Option(
        "numberOfGifLoops",
        integer(0, 65_535),
        "How often a GIF is repeated; without it, for ever.",
        kinds=(VIDEO,),
        codecs=("gif",),
    ),
)

PICTURE = (
    Option(
        "crf",
        integer(0, 63),
        "Quality at any size: lower is better and larger. Its range depends on the codec.",
        kinds=(VIDEO,),
        codecs=WITH_CRF,
    ),
    Option(
        "videoBitrate",
        BITRATE,
        "Bits a second of the picture, instead of crf.",
        SEND_BITRATE,
        kinds=(VIDEO,),
        codecs=WITH_BITRATE,
    ),
    Option(
        "encodingMaxRate",
        BITRATE,
        "Most bits a second; needs encodingBufferSize.",
        SEND_BITRATE,
        kinds=(VIDEO,),
        codecs=WITH_BITRATE,
    ),
    Option(
        "encodingBufferSize",
        BITRATE,
        "Over how many bits the encoder keeps its rate.",
        SEND_BITRATE,
        kinds=(VIDEO,),
        codecs=WITH_BITRATE,
    ),
    Option(
        "pixelFormat",
        one_of(PIXEL_FORMATS),
        "How a pixel is stored; those with yuva are transparent. An encoder takes the nearest that it has.",
        default="yuv420p",
        kinds=(VIDEO,),
        codecs=WITH_PICTURE,
    ),
    Option(
        "proResProfile",
        one_of(PRORES_PROFILES),
        "Quality of ProRes; the 4444 ones can be transparent.",
        default="hq",
        kinds=(VIDEO,),
        codecs=("prores",),
    ),
    Option(
        "x264Preset",
        one_of(X264_PRESETS),
        "Slower makes a smaller file.",
        default="medium",
        kinds=(VIDEO,),
        codecs=("h264",),
    ),
    Option(
        "gopSize",
        integer(1, 100_000),
        "Most frames between two keyframes; without it, the encoder decides.",
        kinds=(VIDEO,),
        codecs=WITH_BITRATE,
    ),
    Option(
        "colorSpace",
        one_of(["default", "bt601", "bt709", "bt2020-ncl"]),
        "Colour space of the output.",
        default="default",
        kinds=(VIDEO,),
        codecs=(*WITH_BITRATE, "prores"),
    ),
)

SOUND = (
    Option(
        "audioCodec",
        one_of(AUDIO_CODECS),
        "What the sound is encoded with; it can change the file's extension.",
        kinds=(VIDEO,),
        codecs=WITH_AUDIO,
    ),
    Option(
        "preferLossless",
        BOOLEAN,
        "Keep the sound without loss, as pcm-16, instead of an audioCodec.",
        default=False,
        kinds=(VIDEO,),
        codecs=WITH_AUDIO,
    ),
    Option(
        "audioBitrate",
        BITRATE,
        "Bits a second of the sound.",
        SEND_BITRATE,
        default="320k",
        kinds=(VIDEO,),
        codecs=tuple(name for name in WITH_AUDIO if name != "wav"),
    ),
    Option(
        "sampleRate",
        integer(8000, 96_000),
        "Samples a second of the sound. An encoder takes the nearest that it has.",
        default=48_000,
        kinds=(VIDEO,),
        codecs=WITH_AUDIO,
    ),
    Option("muted", BOOLEAN, "Leave the sound out.", default=False, kinds=(VIDEO,), codecs=WITH_PICTURE),
)

HOW_IT_RUNS = (
    Option(
        "framesPerLambda",
        integer(MIN_FRAMES_PER_LAMBDA, MAX_FRAMES),
        f"Frames that each function renders; at most {MAX_LAMBDAS_PER_RENDER} functions render.",
        kinds=(VIDEO,),
    ),
    Option(
        "concurrency",
        integer(1, MAX_LAMBDAS_PER_RENDER),
        "Number of functions that render, instead of framesPerLambda.",
        kinds=(VIDEO,),
    ),
    Option("maxRetries", integer(0, 10), "How often a function that failed is repeated. Each time costs.", default=1),
    Option(
        "timeoutInMilliseconds",
        integer(7000, MAX_TIMEOUT),
        "How long a composition may hold up a frame with delayRender().",
        default=30_000,
    ),
    Option(
        "chromiumOptions",
        CHROMIUM_SCHEMA,
        "The browser. Only templates can set disableWebSecurity and ignoreCertificateErrors.",
        SEND_CHROMIUM,
    ),
    Option("logLevel", one_of(LOG_LEVELS), "How much the function logs to CloudWatch.", default="info"),
)

OUTPUT = (
    Option(
        "privacy",
        one_of(PRIVACIES),
        "Who may read the output on S3; without it, what REMOTION_PRIVACY says. The API signs links in any case.",
    ),
    Option(
        "downloadBehavior",
        one_of(["download", "play-in-browser"]),
        "What a browser does with a link to the output.",
        default="download",
    ),
    Option(
        "fileName",
        FILE_NAME,
        "Name of the downloaded file; without it, such as video.mp4.",
        'Send a file name of up to 200 characters, without / \\ or ".',
    ),
    Option(
        "deleteAfter",
        one_of(DELETE_AFTER),
        "Delete the output after this time, if the bucket has Remotion's lifecycle rules.",
    ),
    Option(
        "storageClass",
        one_of(STORAGE_CLASSES),
        "S3's storage class of the output: any that can be read at once.",
        default="STANDARD",
    ),
    Option(
        "metadata",
        TAGS,
        "Tags that are written into the file, such as title and artist.",
        SEND_TAGS,
        kinds=(VIDEO,),
        codecs=tuple(name for name in CODECS if name not in ("gif", "aac")),
    ),
)

OPTIONS: tuple[Option, ...] = WHAT_IS_MADE + PICTURE + SOUND + HOW_IT_RUNS + OUTPUT

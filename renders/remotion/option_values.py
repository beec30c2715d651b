"""One option at a time: is its name known, may it be sent, and is its value one that Remotion takes."""

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from renders.remotion.option import STILL, VIDEO, Option, sentence_of
from renders.remotion.option_table import CHROMIUM_OPTIONS, OPTIONS, TRUSTED_CHROMIUM_OPTIONS

NOT_TRUSTED = "It takes protection from the browser that runs the composition, so only a template can set it."
NO_EFFECT = {
    "headless": "A function has no screen, so its browser is always headless.",
    "enableMultiProcessOnLinux": "Remotion turns it off in a function.",
}
NO_GPU = "A function has no graphics card and draws with swangle: send that, or leave gl out."
SHORT = 100

RESERVED: Mapping[str, str] = {
    "outName": "The service names the output after its row: read outputKey.",
    "webhook": "The service sets its own webhook: REMOTION_WEBHOOK_URL.",
    "customData": "The service sends the row's id with its webhook.",
    "enableCancellation": "Every render can be cancelled: POST …/cancel/.",
    "overwrite": "An output is never written twice.",
    "serveUrl": "The template decides what is rendered.",
    "composition": "The template decides what is rendered.",
    "inputProps": "Send inputProps beside options, not in them.",
    "frame": "Send frame beside options, not in them.",
    "envVariables": "The template decides what is rendered: send inputProps instead.",
    "bucketName": "The settings name the bucket.",
    "forceBucketName": "The settings name the bucket.",
    "forcePathStyle": "The settings name the bucket.",
    "region": "The settings name the region.",
    "functionName": "The settings name the function.",
    "rendererFunctionName": "The settings name the function.",
    "version": "The service sends the version of the function.",
    "licenseKey": "The settings have it: REMOTION_LICENSE_KEY.",
    "apiKey": "The settings have it: REMOTION_LICENSE_KEY.",
    "isProduction": "The settings have it: REMOTION_IS_PRODUCTION.",
    "concurrencyPerLambda": "Each function renders in one browser tab: send concurrency or framesPerLambda.",
    "offthreadVideoCacheSizeInBytes": "The function reckons it from its memory.",
    "mediaCacheSizeInBytes": "The function reckons it from its memory.",
    "offthreadVideoThreads": "The function reckons it from its memory.",
    "type": "The service sets it.",
    "attempt": "The service sets it.",
    "streamed": "The service sets it.",
    "quality": "Send jpegQuality.",
    "dumpBrowserLogs": "Send logLevel.",
}
"""Remotion's names that a request cannot set, with why."""


def option_of(name: str, *, kind: str) -> Option | None:
    """Return the option of that name which renders of this kind take, if any."""
    return next((option for option in OPTIONS if option.name == name and kind in option.kinds), None)


def value_problem(name: str, value: Any, *, kind: str, trusted: bool) -> str:
    """Return why the option cannot be sent with this value, as one sentence, or an empty string."""
    option = option_of(name, kind=kind)
    if option is None:
        return _unknown(name, kind=kind)
    if value is None:
        return ""  # as if it were not sent
    if name == "chromiumOptions" and isinstance(value, dict):
        return _chromium_problem(value, trusted=trusted)
    return "" if _validator(name, kind).is_valid(value) else option.sentence


def normalised(value: Any) -> Any:
    """Return the value with whole numbers as integers, as JavaScript has them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [normalised(item) for item in value]
    return value


@cache
def _validator(name: str, kind: str) -> Draft202012Validator:
    option = option_of(name, kind=kind)
    return Draft202012Validator(option.schema if option else False)


def _unknown(name: str, *, kind: str) -> str:
    if name in RESERVED:
        return f"It cannot be sent as an option. {RESERVED[name]}"
    if option_of(name, kind=VIDEO if kind == STILL else STILL):
        return "A still does not take it." if kind == STILL else "Only a still takes it."
    known = [option.name for option in OPTIONS if kind in option.kinds]
    near = difflib.get_close_matches(name[:SHORT], known, n=1)
    return f"Unknown option.{f' Did you mean {near[0]}?' if near else ''} GET /api/options/ tells all of them."


def _chromium_problem(value: dict[str, Any], *, trusted: bool) -> str:
    for name, item in value.items():
        if name in NO_EFFECT:
            return f"{name}: {NO_EFFECT[name]} Leave it out."
        if name not in CHROMIUM_OPTIONS:
            return f"{name[:SHORT]} is not one of {', '.join(CHROMIUM_OPTIONS)}."
        if name in TRUSTED_CHROMIUM_OPTIONS and item is True and not trusted:
            return f"{name}: {NOT_TRUSTED}"
        if not Draft202012Validator(CHROMIUM_OPTIONS[name]).is_valid(item):
            return f"{name}: {NO_GPU if name == 'gl' else sentence_of(CHROMIUM_OPTIONS[name])}"
    return ""

"""Versions of Remotion: the pinned one, those that were tried, and that of a function.

A function takes only a payload of its own version, and nothing else about the payload depends on it.
"""

import re

from remotion_lambda.version import VERSION

PINNED_VERSION: str = VERSION
"""The version that requirements.txt pins: of the function that the settings name by its size."""

TRIED_VERSIONS = ("4.0.286", "4.0.403", "4.0.499", "4.0.515", "4.0.527")
"""Functions that ``python -m tests.compatibility`` was run on; docs/remotion-versions.md has the results."""

CANCELLABLE_SINCE = (4, 0, 515)

NUMBERS = re.compile(r"(\d+)\.(\d+)\.(\d+)")
IN_NAME = re.compile(r"remotion-render-(\d+-\d+-\d+)(?:-(.+))?-mem\d+mb-disk\d+mb-\d+sec")


def version_in_name(function_name: str) -> str:
    """Return the version that a function's name tells; empty if it is not of Remotion's form.

    Remotion replaces each dot of the version by a hyphen, so a hyphen of its own within a pre-release
    cannot be told from one: ``4.1.0-alpha.2`` is right, ``4.1.0-alpha-2`` is not.
    https://www.remotion.dev/docs/lambda/naming-convention
    """
    found = IN_NAME.fullmatch(function_name)
    if not found:
        return ""
    parts = [found[1], found[2]] if found[2] else [found[1]]
    return "-".join(part.replace("-", ".") for part in parts)


def can_cancel(version: str) -> bool:
    """Return whether functions of this version look for requests to cancel; true if the version is not known."""
    found = NUMBERS.match(version)
    return found is None or tuple(int(number) for number in found.groups()) >= CANCELLABLE_SINCE

"""The version of a deployed function: by its name, or as it says itself."""

import json

from renders.remotion.errors import SetupError, Unavailable
from renders.remotion.invoke import Unanswered, invoke
from renders.remotion.json import parse_json
from renders.remotion.target import LambdaTarget
from renders.remotion.versions import version_in_name

REQUEST = json.dumps({"type": "info", "logLevel": "info"})

_asked: dict[LambdaTarget, str] = {}
"""What functions said, for as long as the process lives; empty where the last one no longer holds."""


def function_version(target: LambdaTarget) -> str:
    """Return the function's version of Remotion. A function whose name does not tell it is asked once.

    Raise SetupError and its kinds, Throttled or Unavailable if it has to be asked and does not answer.
    """
    return known_version(target) or ask_version(target)


def known_version(target: LambdaTarget) -> str:
    """Return the function's version if that is known without asking it; else empty."""
    return _asked.get(target, version_in_name(target.function_name))


def forget_version(target: LambdaTarget) -> None:
    """Make ``function_version`` ask the function, even if its name tells a version: it refused that one."""
    _asked[target] = ""


def ask_version(target: LambdaTarget) -> str:
    """Ask the function for its version, and remember it. Raise as ``function_version`` does."""
    target.require_credentials()
    try:
        answer = parse_json(invoke(target, REQUEST, time_limit=target.start_time_limit), replace=True)
        _asked[target] = str(answer["version"])
    except Unanswered as err:
        raise Unavailable(f"{err}, so its version of Remotion is not known. Nothing was started; try again.") from err
    except (ValueError, TypeError, KeyError) as err:
        raise SetupError(
            f"The function {target.function_name} does not say its version, as each of Remotion's functions does."
            " Nothing was started; check REMOTION_FUNCTION_NAME."
        ) from err
    return _asked[target]

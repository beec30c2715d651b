"""Answers of Remotion's functions, as Lambda gave them; recorded of several versions."""

from tests.factories import load_recording
from tests.servers import Answer


def recorded_versions(name: str) -> list[str]:
    """The versions of which this answer was recorded."""
    return [version for version, answers in load_recording("answers").items() if name in answers]


def recorded_answer(name: str, *, version: str = "4.0.527") -> Answer:
    recorded = load_recording("answers")[version][name]
    kind = recorded.get("functionError")
    return Answer(recorded["body"].encode(), headers={"X-Amz-Function-Error": kind} if kind else {})

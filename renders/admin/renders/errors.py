"""Remotion's errors and warnings, as a render's page shows them: a message, where it came up, its stack folded."""

from dataclasses import dataclass
from typing import Any

from renders.models import Render

STACK_BEGINS = "\n    at "
STOPPED = "got cancelled"
"""In the message of a function that was stopped because another one had failed."""


@dataclass(frozen=True)
class ShownError:
    """One error or warning."""

    message: str
    level: str
    """What came of it: a word."""
    tone: str
    where: str
    """Chunk, frame and attempt, as far as Remotion says; empty if it says nothing."""
    explanation: str
    stack: str


def errors_of(render: Render) -> list[ShownError]:
    """Return what Remotion has reported of a render, what ended it first, and what followed from it last."""
    has_failed = render.status == Render.Status.FAILED
    shown = [(error, _shown(error, has_failed=has_failed)) for error in render.errors]
    stopped = [error for error, told in shown if STOPPED in told.message]
    causes = [told for _, told in shown if STOPPED not in told.message]
    if not stopped or not any(told.tone == "danger" for told in causes):
        stopped, causes = [], [told for _, told in shown]
    causes.sort(key=lambda told: told.tone != "danger")
    return [*causes, _stopped(stopped)] if stopped else causes


def _stopped(errors: list[dict[str, Any]]) -> ShownError:
    """Return the errors of functions that were stopped, as one."""
    functions = "1 function was" if len(errors) == 1 else f"{len(errors):,} functions were"
    chunks = sorted({error["chunk"] for error in errors if isinstance(error.get("chunk"), int)})
    return ShownError(
        message=f"{functions} stopped because of it.",
        level="Consequence",
        tone="neutral",
        where=f"{'Chunk' if len(chunks) == 1 else 'Chunks'} {', '.join(map(str, chunks))}" if chunks else "",
        explanation="",
        stack="",
    )


def _shown(error: dict[str, Any], *, has_failed: bool) -> ShownError:
    said, _, _ = str(error.get("message") or error.get("name") or "").partition(STACK_BEGINS)
    level, tone = _level(error, has_failed=has_failed)
    return ShownError(
        message=said.strip() or "Remotion gave no message.",
        level=level,
        tone=tone,
        where=_where(error),
        explanation=str(error.get("explanation") or ""),
        stack=str(error.get("stack") or ""),
    )


def _level(error: dict[str, Any], *, has_failed: bool) -> tuple[str, str]:
    if error.get("willRetry"):
        return "Rendered again", "warning"
    if error.get("isFatal", has_failed):
        return "Error", "danger"
    return "Warning", "warning"


def _where(error: dict[str, Any]) -> str:
    named = [f"{name} {error[name]}" for name in ("chunk", "frame") if isinstance(error.get(name), int)]
    if isinstance(error.get("attempt"), int):
        of = f" of {error['totalAttempts']}" if isinstance(error.get("totalAttempts"), int) else ""
        named.append(f"attempt {error['attempt']}{of}")
    return ", ".join(named).capitalize()

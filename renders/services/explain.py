"""How a render is, why, and what to do about it, in plain sentences for people who did not write it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.timesince import timesince

from renders.models import Render
from renders.remotion.progress import EXPLANATIONS, TOO_MANY_FUNCTIONS

Status = Render.Status
Reason = Render.FailureReason


@dataclass(frozen=True)
class Explanation:
    """Each is a sentence or several; ``why`` and ``cure`` are empty where there is nothing to say."""

    what: str
    why: str = ""
    cure: str = ""


NO_FUNCTIONS = re.compile(
    f"{re.escape(TOO_MANY_FUNCTIONS)}|AWS Concurrency limit reached|Original Error: Rate Exceeded"
    "|TooManyRequestsException|ConcurrentInvocationLimitExceeded"
)
CURE_OF_NO_FUNCTIONS = (
    "Not the composition's fault: AWS's limit of concurrent functions was reached. Repeat it as it is when fewer"
    " renders run; if it happens often, raise the limit, or render fewer videos at once."
)
CURES = (
    # (what the error says, what to do about it)
    (
        r"delayRender\(\)|[Tt]imeout .*exceeded",
        "Something took too long to load: check that each address in the input can be reached from AWS and answers"
        " quickly, or repeat it with a larger timeoutInMilliseconds.",
    ),
    (
        r"status code of \d+|Failed to (load|fetch)|Error loading|Could not (load|play|download)|net::ERR_",
        "A file that the input names could not be loaded: open its address in a browser, correct it, and repeat with"
        " changes.",
    ),
    (
        r"[Nn]o composition|Could not find composition|composition with the ID",
        "The site has no such composition: deploy the site with it, or sync the templates, then repeat.",
    ),
    (
        r"SyntaxError|Unexpected token|Unterminated|is not defined|Invalid or unexpected",
        "The code cannot be run as it is: correct it, and repeat with changes. The same code fails again.",
    ),
    (
        r"AccessDenied|Access Denied|not authorized",
        "AWS refused it: whoever operates the service has to correct the permissions of the function's role, then"
        " repeat it.",
    ),
)
"""Cures of errors that are often met, beside those that ``EXPLANATIONS`` has."""

CURE_OF_ANY_ERROR = (
    "The composition threw this error while it was rendered: correct the input, or the composition, and repeat with"
    " changes. The same input fails again."
)


def explain(render: Render, *, cancelled_by: str = "") -> Explanation:
    """Return how ``render`` is, why, and what to do. Reads nothing but the row and its refresh state.

    ``cancelled_by`` is the name of who asked for it to be cancelled, where that is known.
    """
    if render.status == Status.CANCELLED:
        return _cancelled(render, cancelled_by)
    return EXPLAINED[Status(render.status)](render)


def is_unconfirmed(render: Render) -> bool:
    """Return whether its start was asked for, and no answer can come any more."""
    if render.status != Status.SUBMITTING:
        return False
    last_answer = timezone.now() - timedelta(seconds=settings.REMOTION_START_TIMEOUT)
    return bool(render.error) or render.submitted_at is None or render.submitted_at < last_answer


def lacked_functions(render: Render) -> bool:
    """Return whether it failed only because AWS ran no more functions at that moment: the same may well succeed."""
    return render.failure_reason == Reason.RENDER_ERROR and NO_FUNCTIONS.search(render.error) is not None


def _queued(render: Render) -> Explanation:
    if render.throttled_count and render.error:
        return Explanation(
            f"It waits: {_times(render.throttled_count)} its start was put off.",
            render.error,
            "Nothing is to be done: it is started again by itself.",
        )
    return Explanation(
        "It waits in the queue, until enough functions are free for it and it is its turn.",
        cure="Nothing is to be done: a worker starts it. If the queue stands still, look whether a worker is running.",
    )


def _submitting(render: Render) -> Explanation:
    if not is_unconfirmed(render):
        return Explanation("AWS is being asked to start it.", cure="Wait a few seconds.")
    return Explanation(
        "Its start is unconfirmed: it is not known whether Remotion renders it.",
        render.error,
        "Do not start it again, or it may be paid for twice. It is looked for in its bucket by itself, and fails as"
        " lost if nothing of it is found in time.",
    )


def _rendering(render: Render) -> Explanation:
    if render.cancel_requested_at:
        what = "It is being cancelled: Remotion's functions stop within seconds."
        return Explanation(
            what, render.error, "" if render.cancel_sent_at else "Remotion is asked at its next refresh."
        )
    if render.is_stalled:
        return Explanation(
            f"It is stalled: its progress has not moved for {_since(render)}.",
            "A function of it hangs or waits for something that does not load.",
            f"Wait: unless it goes on, it fails by itself {_deadline(render)}. Or cancel it and repeat it; its log in"
            " CloudWatch says what it waits for.",
        )
    frames = f"its {render.duration_in_frames:,} frames" if render.duration_in_frames else "it"
    return Explanation(f"Remotion renders {frames}.", render.error)


def _succeeded(render: Render) -> Explanation:
    if render.is_expired:
        return Explanation(
            "It has succeeded, and its files have been deleted since.",
            "It was asked for with deleteAfter, and that time has passed.",
            "To have the files again, repeat it with changes.",
        )
    return Explanation(f"It has succeeded{_took(render)}.", render.error)


def _failed(render: Render) -> Explanation:
    why = render.error
    if render.failure_reason == Reason.REJECTED:
        return Explanation(
            "It failed before it began: nothing was rendered.", why, "Correct what it says, then repeat it."
        )
    if render.failure_reason == Reason.TIMED_OUT:
        cure = "Repeat it with changes: more functions (a smaller framesPerLambda), or fewer frames."
        if getattr(render, "refresh_state", None):
            cure = (
                "Its output is looked for again within a day, and if it appears the render has succeeded after all."
                f" Else: {cure[0].lower()}{cure[1:]}"
            )
        return Explanation("It failed: its time was up before it was finished.", why, cure)
    if render.failure_reason == Reason.LOST:
        return Explanation(
            "It failed: nothing more was heard of it.",
            why,
            "Refresh it to look once more. If nothing is found, repeat it; what its functions did until then is paid.",
        )
    message, cure = _split(why)
    if lacked_functions(render):
        cure = CURE_OF_NO_FUNCTIONS
    return Explanation(f"It failed{_at(render)}.", message, cure or _known_cure(render) or CURE_OF_ANY_ERROR)


def _cancelled(render: Render, by: str) -> Explanation:
    began = "before it began" if render.submitted_at is None else f"at {render.progress:.0%}"
    return Explanation(
        f"It was cancelled {began}.",
        f"{by or 'Somebody'} cancelled it at {_time(at)}." if (at := render.cancel_requested_at) else "",
        "Repeat it if it is wanted after all.",
    )


EXPLAINED = {
    Status.QUEUED: _queued,
    Status.SUBMITTING: _submitting,
    Status.RENDERING: _rendering,
    Status.SUCCEEDED: _succeeded,
    Status.FAILED: _failed,
}


def _split(error: str) -> tuple[str, str]:
    """Return the message and the explanation that ``remotion.progress`` has put behind it in brackets."""
    for _, explanation in EXPLANATIONS:
        if error.endswith(f" ({explanation})"):
            return error.removesuffix(f" ({explanation})"), explanation
    return error, ""


def _known_cure(render: Render) -> str:
    return next((cure for pattern, cure in CURES if re.search(pattern, render.error)), "")


def _at(render: Render) -> str:
    """Return where an error came up, if Remotion says so."""
    fatal = next((error for error in render.errors if error.get("isFatal") and not error.get("willRetry")), None)
    if fatal and isinstance(fatal.get("frame"), int):
        return f" at frame {fatal['frame']:,}"
    return f" at {render.progress:.0%}" if render.progress else ""


def _time(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def _took(render: Render) -> str:
    return f", in {render.render_time:,.1f}\N{NO-BREAK SPACE}s" if render.render_time is not None else ""


def _since(render: Render) -> str:
    moved_at = render.progressed_at or render.submitted_at
    return timesince(moved_at, depth=1) if moved_at else "some time"


def _deadline(render: Render) -> str:
    if render.deadline_at is None or render.deadline_at <= timezone.now():
        return "soon"
    return f"in {timesince(timezone.now(), render.deadline_at, depth=1)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"

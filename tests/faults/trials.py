"""The trials: which fault meets which render, and where the proxies inject it."""

import itertools
import json
import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LAMBDA_FAULTS = (
    "delay",
    "reset before forwarding",
    "reset after forwarding",
    "torn body",
    "429",
    "500 before forwarding",
    "500 after forwarding",
    "403",
)
S3_FAULTS = ("delay", "reset before forwarding", "torn body", "500 before forwarding", "403")
WEBHOOK_FAULTS = ("lost", "late", "repeated", "reset after forwarding")
KILLS = ("before the call", "during the call", "before the save")
KILL = "kill -9"
WAYS = ("web", "worker")
PATHS = ("/api/lambda/render", "/api/renders/")
FEW_FRAMES, MANY_FRAMES = 1, 150
MANY_FRAMES_EVERY = 11
"""Shares no divisor with the number of kinds, so that renders with many frames meet each kind in turn."""
STILL_EVERY = 7
"""The same, for stills; only starts, because nothing is read of a still whose start was answered."""
MOST_INJECTED = {"lambda": 1, "s3": 3, "webhook": 1}
"""A start meets its fault once; reading three times, because reading is repeated anyway."""


@dataclass
class Trial:
    """One fault on the way of one render."""

    number: int
    way: str
    service: str
    fault: str
    has_webhook: bool
    frames: int = FEW_FRAMES
    path: str = PATHS[0]
    """Where a trial of the web process is posted."""
    injected: int = 0

    @property
    def mark(self) -> str:
        """Words that the trial's requests carry, so that the proxy knows them."""
        return f"Trial {self.number:04d}"

    @property
    def is_still(self) -> bool:
        return self.number % STILL_EVERY == 0 and self.service in ("lambda", KILL)

    @property
    def body(self) -> dict[str, Any]:
        """What is posted."""
        return {"inputProps": self.input_props, **({"kind": "still"} if self.is_still else {})}

    @property
    def input_props(self) -> dict[str, Any]:
        return {"code": self.mark, "durationInFrames": self.frames, "fps": 30}


def plan_trials(count: int, seed: int) -> list[Trial]:
    """Return every fault on every way, with and without the webhook, in an order that the seed decides."""
    rng = random.Random(seed)
    kinds = [("lambda", fault) for fault in LAMBDA_FAULTS] + [("s3", fault) for fault in S3_FAULTS]
    with_webhook = kinds + [("webhook", fault) for fault in WEBHOOK_FAULTS]
    matrix = [(way, *kind, False) for kind in kinds for way in WAYS]
    matrix += [(way, *kind, True) for kind in with_webhook for way in WAYS]
    trials = [Trial(number, *kind) for number, kind in zip(range(count), itertools.cycle(matrix), strict=False)]
    for trial in trials:
        path = rng.choice(PATHS)
        trial.path = PATHS[1] if trial.is_still else path
        trial.frames = FEW_FRAMES if trial.number % MANY_FRAMES_EVERY else MANY_FRAMES
    rng.shuffle(trials)
    return trials


def plan_kills(first_number: int) -> list[Trial]:
    """Return a ``kill -9`` of each process at each stage of a start, with and without the webhook."""
    kinds = itertools.product((False, True), WAYS, KILLS)
    return [
        Trial(number, way, KILL, stage, has_webhook, path=PATHS[0] if number % STILL_EVERY else PATHS[1])
        for number, (has_webhook, way, stage) in enumerate(kinds, first_number)
    ]


@dataclass
class Plan:
    """Which fault a proxy injects into whose requests."""

    trials: dict[str, Trial] = field(default_factory=dict)
    by_render: dict[str, Trial] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault_of(self, service: str, path: str, body: bytes) -> str:
        """Return the fault that this request meets; empty if none."""
        with self.lock:
            trial = self._trial(service, path, body)
            if trial is None or trial.service != service:
                return ""
            # Remotion sends a delivery three times at most: one that is lost meets the fault each time.
            if trial.fault != "lost" and trial.injected >= MOST_INJECTED[service]:
                return ""
            trial.injected += 1
            return trial.fault

    def learn(self, body: bytes, reply: bytes) -> None:
        """Remember which render belongs to which trial, from the reply to its start."""
        trial = self._find_mark(body)
        if trial and (render_id := _render_id(reply)):
            self.by_render[render_id] = trial

    def _trial(self, service: str, path: str, body: bytes) -> Trial | None:
        if service == "lambda":
            return self._find_mark(body)
        if service == "webhook":
            return self.by_render.get(_render_id(body))
        parts = path.split("/")
        return self.by_render.get(parts[3]) if len(parts) > 3 and path.endswith("progress.json") else None

    def _find_mark(self, body: bytes) -> Trial | None:
        return next((trial for mark, trial in self.trials.items() if mark.encode() in body), None)


def _render_id(body: bytes) -> str:
    """Return the renderId that a JSON object names; empty if it names none."""
    try:
        return str(json.loads(body)["renderId"])
    except (ValueError, KeyError, TypeError):
        return ""


def of_phase(trials: Iterable[Trial], *, has_webhook: bool) -> list[Trial]:
    return [trial for trial in trials if trial.has_webhook is has_webhook]

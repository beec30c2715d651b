"""Which fault meets which render."""

import itertools
import json
import random
import threading
from dataclasses import dataclass, field

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
KILLS = ("before the call", "during the call", "before the save")
WAYS = ("web", "worker")


@dataclass
class Trial:
    """One fault on the way of one render."""

    number: int
    way: str
    service: str
    fault: str
    injected: int = 0

    @property
    def mark(self) -> str:
        """Words that the trial's requests carry, so that the proxy knows them."""
        return f"Trial {self.number:04d}"


@dataclass
class Plan:
    """Which fault the proxy injects into whose requests."""

    trials: dict[str, Trial] = field(default_factory=dict)
    by_render: dict[str, Trial] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault_of(self, service: str, path: str, body: bytes) -> str:
        with self.lock:
            trial = self._trial(service, path, body)
            # A start meets its fault once; a reading three times, since it is repeated anyway.
            if trial is None or trial.service != service or trial.injected >= (1 if service == "lambda" else 3):
                return ""
            trial.injected += 1
            return trial.fault

    def learn(self, body: bytes, reply: bytes) -> None:
        """Remembers which render belongs to which trial, from the reply to its start."""
        trial = self._trial("lambda", "", body)
        try:
            render_id = json.loads(reply)["renderId"]
        except (ValueError, KeyError):
            return
        if trial:
            self.by_render[render_id] = trial

    def _trial(self, service: str, path: str, body: bytes) -> Trial | None:
        if service == "lambda":
            return next((trial for mark, trial in self.trials.items() if mark.encode() in body), None)
        parts = path.split("/")
        return self.by_render.get(parts[3]) if len(parts) > 3 and path.endswith("progress.json") else None


def plan_trials(count: int, seed: int) -> list[Trial]:
    """Every fault on every way, over and over, in an order that the seed decides."""
    kinds = [("lambda", fault) for fault in LAMBDA_FAULTS] + [("s3", fault) for fault in S3_FAULTS]
    matrix = [(way, service, fault) for service, fault in kinds for way in WAYS]
    trials = [Trial(number, *kind) for number, kind in zip(range(count), itertools.cycle(matrix), strict=False)]
    random.Random(seed).shuffle(trials)
    return trials

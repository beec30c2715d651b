"""What the function really started, compared with the rows."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from renders.models import Render, WebhookDelivery
from tests.faults.trials import MANY_FRAMES, Trial

TABLE = "{:8}{:34}{:>9}{:>9}{:>6}{:>9}{:>6}{:>13}"
COLUMNS = ("way", "fault", "injected", "started", "rows", "doubled", "lost", "unconfirmed")


@dataclass(frozen=True)
class Started:
    """A render that the function really started, read from S3 behind the proxy's back."""

    render_id: str
    out_name: str
    """Which row's it is; empty if it failed before Remotion wrote that, and no row knows its renderId."""
    errors: str


def started_renders(s3: Any, bucket: str) -> list[Started]:
    """Return what the function really started."""
    known = {row.render_id: row.out_name for row in Render.objects.exclude(render_id="")}
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="renders/"):
        for item in page.get("Contents", []):
            _, render_id, *name = item["Key"].split("/")
            if name == ["progress.json"]:
                progress = json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
                out_name = (progress["renderMetadata"] or {}).get("outName") or known.get(render_id, "")
                errors = "; ".join(error["message"] for error in progress["errors"])
                found.append(Started(render_id, out_name, errors))
    return found


class Comparison:
    """Rows against what was started."""

    def __init__(self, started: Sequence[Started]) -> None:
        self.started = started
        self.rows = {row.out_name: row for row in Render.objects.all()}
        self.times = Counter(render.out_name for render in started)
        self.doubled = {name for name, count in self.times.items() if name and count > 1}
        self.lost = [render for render in started if not self._is_known(render)]
        self.unconfirmed = {name for name, row in self.rows.items() if not row.is_terminal}

    @property
    def is_fine(self) -> bool:
        return not (self.doubled or self.lost or self.unconfirmed)

    def counts(self, names: set[str]) -> list[int]:
        """Return a line's figures for the rows with these output names."""
        return [
            sum(self.times[name] for name in names),
            sum(bool(self.rows[name].render_id) for name in names if name in self.rows),
            len(names & self.doubled),
            sum(render.out_name in names for render in self.lost),
            len(names & self.unconfirmed),
        ]

    def _is_known(self, render: Started) -> bool:
        return render.out_name in self.rows and self.rows[render.out_name].render_id == render.render_id


def report(trials: Sequence[Trial], started: Sequence[Started]) -> bool:
    """Print the table; whether nothing is doubled, lost or unconfirmed."""
    comparison = Comparison(started)
    names_of = defaultdict(set)
    for name, row in comparison.rows.items():
        names_of[row.input_props["code"]].add(name)
    lines: defaultdict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        lines[trial.way, f"{trial.service}: {trial.fault}"].append(trial)
    say(TABLE.format(*COLUMNS))
    for (way, fault), line in sorted(lines.items()):
        names = set().union(*(names_of[trial.mark] for trial in line))
        say(TABLE.format(way, fault, sum(trial.injected for trial in line), *comparison.counts(names)))
    everything = {*comparison.rows, *comparison.times}
    say(TABLE.format("all", "", sum(trial.injected for trial in trials), *comparison.counts(everything)))
    _tell_the_rest(comparison)
    return comparison.is_fine


def _tell_the_rest(comparison: Comparison) -> None:
    for render in comparison.lost:
        say(f"lost: {render}; its row: {_described(comparison.rows.get(render.out_name))}")
    for name in sorted(comparison.doubled):
        say(f"doubled: {[render for render in comparison.started if render.out_name == name]}")
    for name in sorted(comparison.unconfirmed):
        say(f"unconfirmed: {_described(comparison.rows[name])}")
    large = [row for row in comparison.rows.values() if row.input_props["durationInFrames"] == MANY_FRAMES]
    succeeded = sum(row.status == Render.Status.SUCCEEDED for row in large)
    started = sum(comparison.times[row.out_name] for row in large)
    say(f"renders of {MANY_FRAMES} frames: {started} started, {succeeded} succeeded")
    say(f"rows: {dict(Counter(f'{row.status} {row.failure_reason}'.strip() for row in comparison.rows.values()))}")
    say(f"webhook deliveries processed: {WebhookDelivery.objects.filter(is_processed=True).count()}")


def _described(row: Render | None) -> str:
    return f"{row.id} {row.status} {row.failure_reason} {row.input_props['code']}: {row.error}" if row else "none"


def say(text: str = "", end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()

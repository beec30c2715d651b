"""What the function really started, compared with the rows."""

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from renders.models import Render, WebhookDelivery
from tests.faults.trials import MANY_FRAMES, Trial

TABLE = "{:8}{:34}{:>9}{:>9}{:>6}{:>9}{:>6}{:>13}"
COLUMNS = ("way", "fault", "injected", "started", "rows", "doubled", "lost", "unconfirmed")
LAUNCH = re.compile(r"^method=(?:launch|still),renderId=(?P<render_id>\w+),.*(?P<mark>Trial \d+)", re.MULTILINE)


def started_renders(log: Path) -> dict[str, str]:
    """Return renderId → mark of what the function launched, from its own log, behind the proxies' back.

    A progress.json on S3 is no proof of a render: Remotion's ``start`` writes the first one even if
    AWS then refuses it the function that it would launch.
    """
    return {launch["render_id"]: launch["mark"] for launch in LAUNCH.finditer(log.read_text(errors="replace"))}


class Comparison:
    """Renders that were started against the rows, by the marks of their trials."""

    def __init__(self, started: Mapping[str, str]) -> None:
        self.times = Counter(started.values())
        self.rows: defaultdict[str, list[Render]] = defaultdict(list)
        for row in Render.objects.all():
            self.rows[row.input_props["code"]].append(row)
        self.doubled = {mark for mark, count in self.times.items() if count > 1}
        self.lost = {
            render_id: mark
            for render_id, mark in started.items()
            if render_id not in (row.render_id for row in self.rows[mark])
        }
        self.unconfirmed = {mark for mark, rows in self.rows.items() if not all(row.is_terminal for row in rows)}

    @property
    def is_fine(self) -> bool:
        return not (self.doubled or self.lost or self.unconfirmed)

    def counts(self, marks: Collection[str]) -> list[int]:
        """Return a line's figures for the trials with these marks."""
        return [
            sum(self.times[mark] for mark in marks),
            sum(bool(row.render_id) for mark in marks for row in self.rows[mark]),
            sum(mark in self.doubled for mark in marks),
            sum(mark in marks for mark in self.lost.values()),
            sum(mark in self.unconfirmed for mark in marks),
        ]


def report(trials: Sequence[Trial], started: Mapping[str, str]) -> bool:
    """Print the table; whether nothing is doubled, lost or unconfirmed."""
    comparison = Comparison(started)
    lines: defaultdict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        lines[trial.way, f"{trial.service}: {trial.fault}"].append(trial)
    say(TABLE.format(*COLUMNS))
    for (way, fault), line in sorted(lines.items()):
        _say_line(comparison, line, way, fault)
    _say_line(comparison, trials, "all", "")
    _say_what_is_wrong(comparison)
    _say_what_took_part(comparison)
    return comparison.is_fine


def _say_line(comparison: Comparison, trials: Sequence[Trial], way: str, fault: str) -> None:
    injected = sum(trial.injected for trial in trials)
    say(TABLE.format(way, fault, injected, *comparison.counts([trial.mark for trial in trials])))


def _say_what_is_wrong(comparison: Comparison) -> None:
    for mark in sorted(comparison.doubled | comparison.unconfirmed | set(comparison.lost.values())):
        wrong = {
            "doubled": mark in comparison.doubled,
            "unconfirmed": mark in comparison.unconfirmed,
            "lost": mark in comparison.lost.values(),
        }
        say(f"{mark} is {' and '.join(name for name, is_so in wrong.items() if is_so)}; its rows:")
        for row in comparison.rows[mark]:
            say(f"  {row.id} {row.status} {row.failure_reason} {row.render_id}: {row.error}")
    for render_id, mark in comparison.lost.items():
        say(f"lost: {render_id} of {mark}")


def _say_what_took_part(comparison: Comparison) -> None:
    rows = [row for of_mark in comparison.rows.values() for row in of_mark]
    large = [row for row in rows if row.input_props["durationInFrames"] == MANY_FRAMES]
    started = sum(comparison.times[row.input_props["code"]] for row in large)
    succeeded = sum(row.status == Render.Status.SUCCEEDED for row in large)
    say(f"renders of {MANY_FRAMES} frames: {started} started, {succeeded} succeeded")
    stills = [row for row in rows if row.kind == Render.Kind.STILL]
    say(f"stills: {len(stills)} rows, {sum(row.status == Render.Status.SUCCEEDED for row in stills)} succeeded")
    say(f"rows: {dict(Counter(f'{row.status} {row.failure_reason}'.strip() for row in rows))}")
    say(f"webhook deliveries processed: {WebhookDelivery.objects.filter(is_processed=True).count()}")


def say(text: str = "", end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()

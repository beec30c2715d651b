"""What the function really started, compared with the rows."""

import json
import sys
from collections import Counter
from typing import Any

from renders.models import Render
from tests.faults.trials import KILLS, WAYS, Trial

TABLE = "{:8}{:34}{:>9}{:>9}{:>6}{:>9}{:>6}{:>13}"


def started_renders(s3: Any, bucket: str) -> dict[str, str]:
    """What the function really started: renderId → output name, from S3 behind the proxy's back."""
    known = {row.render_id: row.out_name for row in Render.objects.exclude(render_id="")}
    found: dict[str, str] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="renders/"):
        for item in page.get("Contents", []):
            if item["Key"].endswith("/progress.json"):
                render_id = item["Key"].split("/")[1]
                progress = json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
                # One that failed before its metadata was written carries no mark: see who knows it.
                marked = (progress["renderMetadata"] or {}).get("outName")
                found[render_id] = marked or known.get(render_id, f"unmarked {render_id}")
    return found


def report(trials: list[Trial], started: dict[str, str]) -> bool:
    """Prints the table; whether nothing is doubled, lost or unconfirmed.

    ``started`` are renders of the function, ``rows`` those that say which of them is theirs.
    """
    rows = {render.out_name: render for render in Render.objects.all()}
    times = Counter(started.values())
    doubled = {name for name, count in times.items() if count > 1}
    lost = {render_id for render_id, name in started.items() if name not in rows or rows[name].render_id != render_id}
    unconfirmed = {name for name, row in rows.items() if not row.is_terminal}
    of_mark = {row.input_props["code"]: name for name, row in rows.items()}
    say(TABLE.format("way", "fault", "injected", "started", "rows", "doubled", "lost", "unconfirmed"))
    lines: dict[tuple[str, str], list[set[str]]] = {}
    injected: Counter[tuple[str, str]] = Counter()
    for trial in trials:
        key = (trial.way, f"{trial.service}: {trial.fault}")
        injected[key] += trial.injected
        lines.setdefault(key, []).append({of_mark[trial.mark]} if trial.mark in of_mark else set())
    for way in WAYS:
        for stage in KILLS:
            mark = f"Killed {way} {stage}"
            injected[way, f"kill -9 {stage}"] += 1
            lines[way, f"kill -9 {stage}"] = [{of_mark[mark]} if mark in of_mark else set()]
    for (way, fault), sets in sorted(lines.items()):
        names = set().union(*sets)
        said = sum(bool(rows[name].render_id) for name in names)
        counts = [sum(times[name] for name in names), said, len(names & doubled)]
        counts += [sum(started[render_id] in names for render_id in lost), len(names & unconfirmed)]
        say(TABLE.format(way, fault, injected[way, fault], *counts))
    total = sum(injected.values())
    said = sum(bool(row.render_id) for row in rows.values())
    say(TABLE.format("all", "", total, len(started), said, len(doubled), len(lost), len(unconfirmed)))
    for render_id in sorted(lost):
        say(f"lost: {render_id} {started[render_id]} {rows.get(started[render_id])}")
    return not (doubled or lost or unconfirmed)


def say(text: str = "", end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()

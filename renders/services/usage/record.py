"""Record what renders have used when they end: entries of the ledger, and the totals of days."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Sum
from django.utils import timezone

from renders.models import LedgerEntry, Render, UsageDay

Status = Render.Status
Amounts = Mapping[str, float]
"""By the names in ``UsageDay.COUNTED``."""

FIELDS = ("options", "function_seconds")
"""What is read of a render beside what its events say."""


class Account(NamedTuple):
    """What the amounts of a render are counted under, besides the day."""

    owner_id: int | None
    template: str
    region: str
    currency: str


def record_ends(renders: Iterable[Render]) -> None:
    """Record what renders that have just ended used, less what was recorded of them before.

    A render that had failed and has succeeded after all moves from the one to the other, on the day of its last end.
    Call it in the transaction that ends them, under the lock of publishing.
    """
    ended = list(renders)
    if not ended:
        return
    recorded = _recorded(ended)
    totals: dict[tuple[date, Account], dict[str, float]] = defaultdict(lambda: dict.fromkeys(UsageDay.COUNTED, 0))
    entries = []
    for render in ended:
        day = (render.finished_at or timezone.now()).astimezone(UTC).date()
        for account, amounts in _differences(_used(render), recorded[render.pk]).items():
            entries.append(LedgerEntry(day=day, render_uuid=render.pk, **account._asdict(), **amounts))
            total = totals[day, account]
            for name, amount in amounts.items():
                total[name] += amount
    LedgerEntry.objects.bulk_create(entries)
    _add_to_days(totals)


def _used(render: Render) -> dict[Account, Amounts]:
    """Return what a render that has ended has used."""
    has_succeeded = render.status == Status.SUCCEEDED
    template = render.template.name if render.template else ""
    account = Account(render.owner_id, template, render.region, render.currency)
    return {
        account: {
            "renders": 1,
            "succeeded": int(has_succeeded),
            "failed": int(render.status == Status.FAILED),
            "cancelled": int(render.status == Status.CANCELLED),
            "video_seconds": (render.duration or 0) if has_succeeded else 0,
            "function_seconds": render.function_seconds or 0,
            "cost": render.cost or 0,
        }
    }


def _recorded(renders: Iterable[Render]) -> dict[UUID, dict[Account, Amounts]]:
    """Return the sums of the earlier entries of each render."""
    recorded: dict[UUID, dict[Account, Amounts]] = defaultdict(dict)
    entries = LedgerEntry.objects.filter(render_uuid__in=[render.pk for render in renders])
    sums = {f"sum_{name}": Sum(name) for name in LedgerEntry.COUNTED}
    for row in entries.values("render_uuid", *Account._fields).annotate(**sums):
        account = Account(*(row[name] for name in Account._fields))
        recorded[row["render_uuid"]][account] = {name: row[f"sum_{name}"] for name in LedgerEntry.COUNTED}
    return recorded


def _differences(used: Mapping[Account, Amounts], recorded: Mapping[Account, Amounts]) -> dict[Account, Amounts]:
    """Return what is to be added under each account, so that the sums become what was used; nothing where it is so."""
    none = dict.fromkeys(LedgerEntry.COUNTED, 0)
    differences: dict[Account, Amounts] = {}
    for account in {**recorded, **used}:
        now, before = used.get(account, none), recorded.get(account, none)
        difference = {name: now[name] - before[name] for name in LedgerEntry.COUNTED}
        if any(difference.values()):
            differences[account] = difference
    return differences


def _add_to_days(totals: Mapping[tuple[date, Account], Amounts]) -> None:
    missing = []
    for (day, account), amounts in sorted(totals.items(), key=_in_order):
        keys: dict[str, Any] = {"day": day, **account._asdict()}
        added = {name: F(name) + amount for name, amount in amounts.items()}
        if not UsageDay.objects.filter(**keys).update(**added):
            missing.append(UsageDay(**keys, **amounts))
    UsageDay.objects.bulk_create(missing)


def _in_order(total: tuple[tuple[date, Account], Amounts]) -> tuple[Any, ...]:
    (day, account), _ = total
    return day, account.owner_id or 0, *account[1:]

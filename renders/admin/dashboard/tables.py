"""The dashboard's tables, for Unfold's component: headers, and rows of cells that may be HTML."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from renders.admin.dashboard.links import link, renders_address, usage_address
from renders.admin.display import NOTHING, elapsed, moment, money, share
from renders.admin.filters import DEFAULT_TEMPLATE
from renders.admin.links import address_of
from renders.models import Render, Template, WorkerHeartbeat
from renders.services.statistics.costs import ROWS, Costs, Share
from renders.services.statistics.outcomes import Failures, Outcomes
from renders.services.statistics.period import Period
from renders.services.statistics.workers import Workers

COUNTS = ["Renders", "Failed", "Success", "Cost"]


@dataclass(frozen=True)
class Table:
    """Cells that are numbers stand to the right; of a column in ``details``, a phone shows nothing."""

    title: str
    headers: list[str]
    rows: list[list[Any]]
    note: str = ""
    numbers: frozenset[int] = frozenset()
    details: frozenset[int] = frozenset()

    @property
    def header_cells(self) -> list[tuple[Any, str]]:
        return self._with_classes(self.headers)

    @property
    def body(self) -> list[list[tuple[Any, str]]]:
        return [self._with_classes(row) for row in self.rows]

    def _with_classes(self, cells: list[Any]) -> list[tuple[Any, str]]:
        """Return each cell with its CSS classes."""
        classes = {"dashboard-number": self.numbers, "dashboard-detail": self.details}
        return [
            (cell, " ".join(name for name, columns in classes.items() if number in columns))
            for number, cell in enumerate(cells)
        ]


def by_owner(request: HttpRequest, period: Period, costs: Costs) -> Table:
    rows = [
        [
            link(renders_address(request, period, **_of_owner(owner)), owner.name or "no owner"),
            *_counts(request, period, owner, costs.currency, _of_owner(owner)),
        ]
        for owner in costs.by_owner
    ]
    return _of_usage("Cost by owner", "Owner", rows)


def by_template(request: HttpRequest, period: Period, costs: Costs) -> Table:
    names = [template.key for template in costs.by_template if template.key]
    ids = dict(Template.objects.filter(name__in=names).values_list("name", "pk"))
    rows = []
    for template in costs.by_template:
        name, pk = template.key, ids.get(template.key)
        # A template that was deleted or renamed has usage, and no list.
        address = renders_address(request, period, template__id__exact=pk) if pk else ""
        used = {"template__exact": name or DEFAULT_TEMPLATE}
        rows.append(
            [link(address, name or "default template"), *_counts(request, period, template, costs.currency, used)]
        )
    return _of_usage("Cost by template", "Template", rows)


def by_reason(request: HttpRequest, period: Period, outcomes: Outcomes) -> Table:
    rows = [
        [
            Render.FailureReason(failed.reason).label.partition(":")[0],
            link(renders_address(request, period, failure_reason__exact=failed.reason), f"{failed.count:,}"),
            _newest(request, failed),
        ]
        for failed in outcomes.failures
    ]
    return Table("Failures by reason", ["Reason", "Renders", "Newest"], rows, numbers=frozenset({1}))


def of_workers(workers: Workers) -> Table:
    rows = [[str(row), _state(workers, row), moment(row.started_at), _failure(row)] for row in workers.known]
    headers = ["Worker", "State", "Started", "Last trouble"]
    return Table("Workers of the last day", headers, rows, details=frozenset({2}))


def _of_usage(title: str, what: str, rows: list[list[Any]]) -> Table:
    note = f"The {ROWS} that cost most." if len(rows) == ROWS else ""
    numbers = frozenset(range(1, len(COUNTS) + 1))
    return Table(title, [what, *COUNTS], rows, note, numbers=numbers, details=frozenset({2}))


def _of_owner(owner: Share) -> dict[str, object]:
    return {"owner__id__exact": owner.key} if owner.key else {"owner__isnull": True}


def _counts(request: HttpRequest, period: Period, row: Share, currency: str, of_row: dict[str, Any]) -> list[Any]:
    usage = usage_address(request, period, **of_row)
    used = row.used
    return [
        f"{used.renders:,}",
        f"{used.failed:,}",
        share(used.success_rate),
        link(usage, money(used.cost, currency)),
    ]


def _newest(request: HttpRequest, failed: Failures) -> SafeString | str:
    if failed.newest is None:
        return NOTHING
    ago = format_html("{} ago", elapsed(failed.newest.finished_at or failed.newest.created_at))
    name = link(address_of(request, failed.newest), ago)
    return format_html('{}<span class="dashboard-error">{}</span>', name, failed.newest.error)


def _state(workers: Workers, row: WorkerHeartbeat) -> SafeString:
    if row.is_lost(workers.at):
        return format_html("Lost: heard of {} ago", elapsed(row.seen_at))
    if row.stopped_at is None:
        return format_html("Runs: heard of {} ago", elapsed(row.seen_at))
    what = "Stopped" if row.is_continuous else "One round, ended"
    return format_html("{} {} ago", what, elapsed(row.stopped_at))


def _failure(row: WorkerHeartbeat) -> SafeString | str:
    if not row.last_failure:
        return NOTHING
    return format_html("{} ago: {}", elapsed(row.last_failure_at), row.last_failure)

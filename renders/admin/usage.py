"""Usage in the admin: what renders have cost, by day and one by one, with the totals of what is filtered."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from renders.admin.display import duration, moment, money
from renders.admin.filters import DEFAULT_TEMPLATE, MonthFilter, OwnerFilter, TemplateNameFilter, month_of
from renders.admin.ids import uuids
from renders.admin.keyset import DayChangeList
from renders.admin.links import list_link, owner_link, row_link
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import LedgerEntry, Render, UsageDay

UNOWNED = "owner__isnull"
"""The lookup by which the dashboard leads here, and the days to the ledger."""


class UsageList(DayChangeList):
    """The totals are sums of days, also above the ledger: its entries may be millions."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.totals = self._totals(request)
        self.caption = self._caption()
        month = None if self.query else self._value("month")
        self.earlier, self.later = self._beside(month) if month else ("", "")

    def _filter(self, parameter: str) -> Any:
        """Return the filter that has this parameter."""
        (spec,) = (spec for spec in self.filter_specs if parameter in spec.expected_parameters())
        return spec

    def _value(self, parameter: str) -> str:
        """Return what is chosen in the filter that has this parameter."""
        return self._filter(parameter).value() or ""

    def _caption(self) -> str:
        """Return of what the totals are."""
        if self.query:
            return "Totals of what was found"
        first, _ = month_of(self._value("month"))
        owner = get_user_model().objects.filter(pk=self._value("owner__id__exact") or 0).first()
        template = self._value("template__exact")
        name = "the default template" if template == DEFAULT_TEMPLATE else f"template {template}"
        whose = owner.get_username() if owner else "no owner" if self._filter(UNOWNED).is_nobody else "all owners"
        parts = [f"{first:%B %Y}", whose, name if template else ""]
        return ", ".join(filter(None, parts))

    def _beside(self, month: str) -> tuple[str, str]:
        """Return the addresses of the same for the month before, and for the one after unless that is to come."""
        first, following = month_of(month)
        before = f"{first - timedelta(days=1):%Y-%m}"
        later = self.get_query_string({"month": f"{following:%Y-%m}"}, [PAGE_VAR])
        return self.get_query_string({"month": before}, [PAGE_VAR]), later if following <= timezone.now().date() else ""

    def _totals(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return a row for each currency, under the names in ``UsageDay.COUNTED``."""
        counted: QuerySet = self.queryset
        if self.model is LedgerEntry and not self.query:
            counted = UsageDay.objects.all()
            for spec in self.filter_specs:
                filtered = spec.queryset(request, counted)
                counted = counted if filtered is None else filtered
        sums = {f"sum_{name}": Sum(name) for name in UsageDay.COUNTED}
        rows = counted.order_by().values("currency").annotate(**sums).order_by("currency")
        return [_total(row) for row in rows]


def _total(row: dict[str, Any]) -> dict[str, Any]:
    counted = {name: row[f"sum_{name}"] or 0 for name in UsageDay.COUNTED}
    return {
        **counted,
        "cost": money(counted["cost"], row["currency"]),
        "video": duration(counted["video_seconds"]),
        "functions": duration(counted["function_seconds"]),
    }


class UsageAdmin(ReadOnlyAdmin):
    """What the two lists have in common."""

    ordering = ("-day", "-id")
    list_filter = (MonthFilter, ("owner", OwnerFilter), TemplateNameFilter)
    list_filter_submit = True
    list_select_related = ("owner",)
    list_before_template = "admin/renders/usage_totals.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UsageList

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show on the page of a row what the list shows."""
        return self.list_display

    @admin.display(description="Owner")
    def owner_shown(self, usage: UsageDay | LedgerEntry) -> SafeString | str:
        return owner_link(usage.owner)

    @admin.display(description="Template")
    def template_shown(self, usage: UsageDay | LedgerEntry) -> str:
        return usage.template or "the default"

    @admin.display(description="Video")
    def video(self, usage: UsageDay | LedgerEntry) -> str:
        return duration(usage.video_seconds)

    @admin.display(description="Function time")
    def functions(self, usage: UsageDay | LedgerEntry) -> str:
        return duration(usage.function_seconds)

    @admin.display(description="Cost")
    def cost_shown(self, usage: UsageDay | LedgerEntry) -> str:
        return money(usage.cost, usage.currency)


@admin.register(UsageDay)
class UsageDayAdmin(UsageAdmin):
    """The sums of the ledger by day, owner, template and region. A day is one in UTC."""

    list_display = (
        "day",
        "owner_shown",
        "template_shown",
        "region",
        "renders",
        "ended",
        "video",
        "functions",
        "cost_shown",
        "entries",
    )

    @admin.display(description="Of them")
    def ended(self, usage: UsageDay) -> str:
        counts = {name: getattr(usage, name) for name in ("succeeded", "failed", "cancelled")}
        return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)

    @admin.display(description="Ledger")
    def entries(self, usage: UsageDay) -> SafeString:
        """Link to the entries of its month, owner and template."""
        owner = {"owner__id__exact": usage.owner_id} if usage.owner_id else {UNOWNED: True}
        template = usage.template or DEFAULT_TEMPLATE
        return list_link("Entries", "ledgerentry", month=f"{usage.day:%Y-%m}", template__exact=template, **owner)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(UsageAdmin):
    """An entry for each end of a render; a correction where a render ended again. Entries are kept for good."""

    list_display = (
        "day",
        "render_link",
        "owner_shown",
        "template_shown",
        "outcome",
        "video",
        "functions",
        "cost_shown",
        "written",
    )
    search_fields = ("render_uuid",)
    search_help_text = "Our id of a render, or its renderId, in full"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerEntry], search_term: str
    ) -> tuple[QuerySet[LedgerEntry], bool]:
        words = search_term.split()
        if not words:
            return queryset, False
        ids = list(Render.objects.matching_id(*words).values_list("pk", flat=True))
        return queryset.filter(render_uuid__in=[*ids, *uuids(words)]), False

    @admin.display(description="Render")
    def render_link(self, entry: LedgerEntry) -> SafeString:
        return row_link(f"{str(entry.render_uuid)[:8]}…", "render", entry.render_uuid)

    @admin.display(description="Outcome")
    def outcome(self, entry: LedgerEntry) -> str:
        """Return how the render ended; a correction may take back an earlier end."""
        counts = {name: getattr(entry, name) for name in ("succeeded", "failed", "cancelled")}
        said = [name if count > 0 else f"no more {name}" for name, count in counts.items() if count]
        return ", ".join(said) or "correction of the cost"

    @admin.display(description="Written")
    def written(self, entry: LedgerEntry) -> str:
        return moment(entry.created_at)

"""Quotas in the admin: limits of owners, beside what they use."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, money
from renders.admin.labels import of_limit
from renders.admin.links import list_link, owner_link
from renders.admin.theme import ModelAdmin
from renders.models import Quota
from renders.services.account import Account, Use, account_of, use_of
from renders.services.usage.estimate import Rates

DEFAULT_CURRENCY = "USD"
"""Of costs, until a render has one: AWS's."""

LIMITS = ("max_functions", "max_waiting", "max_requests_per_minute", "max_cost_per_month", "max_priority")


class QuotaList(ChangeList):
    """Reads what the owners of a page use by three queries for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        uses = use_of(quota.owner_id for quota in self.result_list if quota.owner_id)
        currency = Rates().currency
        for quota in self.result_list:
            quota.use, quota.currency = uses.get(quota.owner_id), currency


@admin.register(Quota)
class QuotaAdmin(ModelAdmin):
    """One for an owner, and one without owner for everybody else. Few, so that the list is an ordinary one."""

    list_display = ("whose", "functions_of_limit", "waiting_of_limit", "cost_of_limit", *LIMITS[2:3], "max_priority")
    sortable_by = ()
    list_per_page = 50
    search_fields = ("owner__username", "owner__email")
    search_help_text = "A part of an owner's name or e-mail address"
    autocomplete_fields = ("owner",)
    readonly_fields = ("functions_used", "waiting", "cost_this_month", "more")
    fieldsets = (
        (None, {"fields": ("owner",)}),
        ("In use now", {"fields": ("functions_used", "waiting", "cost_this_month", "more")}),
        (
            "Limits",
            {
                "fields": LIMITS,
                "description": "An empty limit is none. What exceeds one is refused before anything is paid, and"
                " renders that exceed the slots wait.",
            },
        ),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QuotaList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quota]:
        # Everybody's comes first.
        quotas = super().get_queryset(request).select_related("owner")
        return quotas.order_by(F("owner__username").asc(nulls_first=True))

    def get_fieldsets(self, request: HttpRequest, obj: Quota | None = None) -> Any:
        """Leave out the use where it is not that of one owner."""
        is_of_one = obj is not None and obj.owner_id is not None
        return [(name, fields) for name, fields in self.fieldsets if is_of_one or name != "In use now"]

    @admin.display(description="Owner")
    def whose(self, quota: Quota) -> str:
        return quota.owner.get_username() if quota.owner else "Everybody else, each for themselves"

    @admin.display(description="Slots in use")
    def functions_of_limit(self, quota: Quota) -> SafeString | str:
        use = _use(quota)
        return _of(use.functions if use else None, quota.max_functions)

    @admin.display(description="Waiting")
    def waiting_of_limit(self, quota: Quota) -> SafeString | str:
        use = _use(quota)
        return _of(use.waiting if use else None, quota.max_waiting)

    @admin.display(description="Cost this month")
    def cost_of_limit(self, quota: Quota) -> SafeString | str:
        use = _use(quota)
        currency: str = quota.currency or DEFAULT_CURRENCY  # type: ignore[attr-defined]
        return _of(use.cost if use else None, quota.max_cost_per_month, lambda cost: money(cost, currency))

    @admin.display(description="Slots")
    def functions_used(self, quota: Quota) -> SafeString | str:
        return _of(_account(quota).functions_used, quota.max_functions)

    @admin.display(description="Waiting")
    def waiting(self, quota: Quota) -> SafeString | str:
        return _of(_account(quota).waiting, quota.max_waiting)

    @admin.display(description="Cost this month")
    def cost_this_month(self, quota: Quota) -> SafeString | str:
        account = _account(quota)
        currency = account.currency or DEFAULT_CURRENCY
        spent, expected = money(account.cost_ended, currency), money(account.cost_active, currency)
        said = f"{spent} spent, {expected} expected for renders that run or wait"
        return of_limit(account.cost_ended + account.cost_active, quota.max_cost_per_month, said)

    @admin.display(description="More")
    def more(self, quota: Quota) -> SafeString:
        """Lead to the owner and their renders."""
        renders = list_link("Renders", "render", owner__id__exact=quota.owner_id)
        return format_html("{} · {}", owner_link(quota.owner), renders)


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _of(used: float | None, limit: float | None, shown: Callable[[float], str] = _count) -> SafeString | str:
    """Return what is used of a limit, or the limit alone where the use is not that of one owner."""
    allowed = "no limit" if limit is None else shown(limit)
    if used is None:
        return NOTHING if limit is None else allowed
    if limit is None:
        return f"{shown(used)}, {allowed}"
    return of_limit(used, limit, f"{shown(used)} of {allowed}")


def _use(quota: Quota) -> Use | None:
    return getattr(quota, "use", None)


def _account(quota: Quota) -> Account:
    """Return the account of the quota's owner, read once for a page."""
    if not hasattr(quota, "account"):
        quota.account = account_of(quota.owner)  # type: ignore[attr-defined]
    account: Account = quota.account  # type: ignore[attr-defined]
    return account

"""Quotas in the admin: limits of owners, beside what they use."""

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest

from renders.admin.display import NOTHING
from renders.models import Quota
from renders.services.account import account_of


@admin.register(Quota)
class QuotaAdmin(admin.ModelAdmin):
    """One for an owner, and one without owner for everybody else. Few, so that the list is an ordinary one."""

    list_display = (
        "__str__",
        "max_functions",
        "max_waiting",
        "max_requests_per_minute",
        "max_cost_per_month",
        "max_priority",
    )
    search_fields = ("owner__username",)
    autocomplete_fields = ("owner",)
    readonly_fields = ("functions_used", "waiting", "cost_this_month")
    fieldsets = (
        (None, {"fields": ("owner",)}),
        (
            "Limits; empty is none",
            {
                "fields": (
                    "max_functions",
                    "max_waiting",
                    "max_requests_per_minute",
                    "max_cost_per_month",
                    "max_priority",
                )
            },
        ),
        ("In use", {"fields": ("functions_used", "waiting", "cost_this_month")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Quota]:
        # Everybody's comes first.
        quotas = super().get_queryset(request).select_related("owner")
        return quotas.order_by(F("owner__username").asc(nulls_first=True))

    def has_use(self, quota: Quota | None) -> bool:
        """Return whether one owner's use can be shown."""
        return quota is not None and quota.owner is not None

    @admin.display(description="Functions")
    def functions_used(self, quota: Quota) -> str:
        return f"{account_of(quota.owner).functions_used:,}" if self.has_use(quota) else NOTHING

    @admin.display(description="Waiting")
    def waiting(self, quota: Quota) -> str:
        return f"{account_of(quota.owner).waiting:,}" if self.has_use(quota) else NOTHING

    @admin.display(description="Cost this month")
    def cost_this_month(self, quota: Quota) -> str:
        if not self.has_use(quota):
            return NOTHING
        account = account_of(quota.owner)
        return f"{account.cost_ended:,.2f} spent, {account.cost_active:,.2f} expected for renders that run or wait"

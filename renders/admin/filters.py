"""Filters that several lists have, in the theme's side sheet."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter

from renders.models import Template

MONTHS = 36


class OwnerFilter(AutocompleteSelectFilter):
    """One owner, found by typing; there may be many. Takes ``owner__id__exact``; ``owner__isnull`` is nobody."""

    def __init__(self, field: Any, request: HttpRequest, params: dict[str, Any], *args: Any, **named: Any) -> None:
        super().__init__(field, request, params, *args, **named)
        # SQLite's driver fails for a number of more than 64 bits.
        if self.value() and not re.fullmatch(r"\d{1,18}", self.value(), re.ASCII):
            raise IncorrectLookupParameters

    @property
    def is_nobody(self) -> bool:
        return self.lookup_val_isnull not in (None, "", "0", "False")

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.is_nobody:
            return queryset.filter(**{self.lookup_kwarg_isnull: True})
        return super().queryset(request, queryset)


class MonthFilter(DropdownFilter):
    """One month of a field ``day``; this one unless another is chosen, so that no list reads all there ever was."""

    title = "month"
    parameter_name = "month"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(f"{first:%Y-%m}", f"{first:%B %Y}") for first in last_months(MONTHS)]

    def value(self) -> str:
        """Return the month as ``2026-10``; what is no month that can be chosen is this one."""
        months = [key for key, _ in self.lookup_choices]
        asked = super().value()
        return asked if asked in months else months[0]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if request.GET.get(SEARCH_VAR):  # one render's entries, whenever it ended
            return queryset
        first, following = month_of(self.value())
        return queryset.filter(day__gte=first, day__lt=following)


class TemplateNameFilter(DropdownFilter):
    """One template by its name; rows keep the name when the template is deleted."""

    title = "template"
    parameter_name = "template__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Template.objects.values_list("name", flat=True)
        return [(DEFAULT_TEMPLATE, "The default template"), *((name, name) for name in names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = self.value()
        if not name:
            return queryset
        return queryset.filter(template="" if name == DEFAULT_TEMPLATE else name)


DEFAULT_TEMPLATE = "(default)"
"""Stands for the empty name, which in an address means that nothing is chosen. No template can be named so."""


def last_months(count: int) -> Iterator[date]:
    """Yield the first days of the last months, this one first, in UTC."""
    first = timezone.now().date().replace(day=1)
    for _ in range(count):
        yield first
        first = (first - timedelta(days=1)).replace(day=1)


def month_of(text: str) -> tuple[date, date]:
    """Return the first day of a month that is written as ``2026-10``, and that of the next."""
    first = date.fromisoformat(f"{text}-01")
    return first, (first + timedelta(days=31)).replace(day=1)

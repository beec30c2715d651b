"""Filters of the list of renders, each answered by an index."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import INPUT_CLASSES

from renders.models import Render, RenderQuerySet

if TYPE_CHECKING:  # Unfold has no types
    from django.contrib.admin import ChoicesFieldListFilter as ChoicesRadioFilter
    from django.contrib.admin import RelatedFieldListFilter as AutocompleteSelectFilter
else:
    from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesRadioFilter

LARGEST_KEY = 2**63 - 1


class StatusFilter(ChoicesRadioFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Render]) -> RenderQuerySet:
        chosen = _chosen(self.lookup_val)
        renders = cast("RenderQuerySet", queryset)
        return renders.with_status(chosen) if chosen else renders


class FailureReasonFilter(ChoicesRadioFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Render]) -> RenderQuerySet:
        chosen = _chosen(self.lookup_val)
        renders = cast("RenderQuerySet", queryset)
        return renders.with_failure_reason(chosen) if chosen else renders


class OwnerFilter(AutocompleteSelectFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Render]) -> RenderQuerySet:
        key = _key(self.lookup_val)
        renders = cast("RenderQuerySet", queryset)
        if self.lookup_val_isnull == "True":  # of nobody, to which the dashboard leads
            return renders.filter(owner=None)
        return renders.filter(owner=key) if key else renders


class TemplateFilter(AutocompleteSelectFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Render]) -> RenderQuerySet:
        key = _key(self.lookup_val)
        renders = cast("RenderQuerySet", queryset)
        return renders.of_template(key) if key else renders


class DayInput(forms.DateInput):
    """The browser's own choice of a day."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(attrs={"class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%d")


class CreatedForm(forms.Form):
    created_from = forms.DateField(label="Created from", required=False, widget=DayInput)
    created_to = forms.DateField(label="Created until the end of", required=False, widget=DayInput)


class CreatedFilter(admin.FieldListFilter):
    """Renders that were created on these days, the last one included."""

    template = "unfold/filters/filters_field.html"

    def expected_parameters(self) -> list[str | None]:
        return list(CreatedForm.base_fields)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Render]) -> QuerySet[Render]:
        form = self._form()
        if not form.is_valid():
            return queryset.none()
        first, last = form.cleaned_data["created_from"], form.cleaned_data["created_to"]
        if first:
            queryset = queryset.filter(created_at__gte=_midnight(first))
        if last and last < date.max:
            queryset = queryset.filter(created_at__lt=_midnight(last + timedelta(days=1)))
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        yield {"form": self._form()}

    def _form(self) -> CreatedForm:
        return CreatedForm({name: _chosen(value) for name, value in self.used_parameters.items()})


def _chosen(values: Any) -> str:
    """Return the one value of a parameter, which the admin holds as a list."""
    return str(values[-1]) if isinstance(values, list) and values else str(values or "")


def _key(values: Any) -> int | None:
    """Return the primary key that is chosen. Raise IncorrectLookupParameters if it is none."""
    chosen = _chosen(values)
    if not chosen:
        return None
    if not chosen.isdecimal() or int(chosen) > LARGEST_KEY:
        raise IncorrectLookupParameters
    return int(chosen)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))

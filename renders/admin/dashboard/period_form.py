"""Which period the dashboard shows, and whose renders."""

from datetime import date, datetime
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from renders.services.statistics.period import DAYS, Period, last_days, month_of, months_with_usage

MONTH = "%Y-%m"


class PeriodForm(forms.Form):
    """Sent by GET. What cannot be used is told beside its field, and the default is shown."""

    month = forms.ChoiceField(
        label="Period",
        required=False,
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "Choose one of these: nothing was used in any other month."},
    )
    owner = forms.CharField(
        label="Owner",
        required=False,
        max_length=150,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "name or e-mail", "autocomplete": "off"}),
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="")
        months = [(f"{month:{MONTH}}", f"{month:%B %Y}") for month in months_with_usage()]
        self.fields["month"].choices = [("", f"Last {DAYS} days"), *months]  # type: ignore[attr-defined]
        self.is_valid()

    @property
    def period(self) -> Period:
        chosen = self.cleaned_data.get("month")
        return month_of(_first_day(chosen)) if chosen else last_days()

    @property
    def chosen_owner(self) -> str:
        return str(self.cleaned_data.get("owner", ""))


def _first_day(month: str) -> date:
    return datetime.strptime(month, MONTH).date()  # noqa: DTZ007  (a day has no zone)

"""What an owner has spent this month, and what their active renders will add to it."""

from datetime import UTC, date
from typing import Any

from django.db.models import Case, F, FloatField, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from renders.models import Render, UsageDay
from renders.services.usage.estimate import FRAMES, Rates


def first_of_month() -> date:
    """Return the first day of this month, in UTC."""
    return timezone.now().astimezone(UTC).date().replace(day=1)


def cost_this_month(owner: Any) -> float:
    """Return what the renders of ``owner`` (a user or None) that ended this month have cost."""
    days = UsageDay.objects.filter(owner=owner, day__gte=first_of_month())
    return float(days.aggregate(total=Sum("cost"))["total"] or 0)


def cost_of_active(owner: Any, rates: Rates) -> float:
    """Return what the active renders of ``owner`` will probably cost: of each, its cost so far or its estimate."""
    active = Render.objects.active().filter(owner=owner).order_by()
    known = [
        When(Q(template=template_id, kind=kind), then=F("frames") * Value(rate))
        for template_id, kind in active.values_list("template_id", "kind").distinct()
        if (rate := rates.per_frame(template_id=template_id, kind=kind))
    ]
    estimate = Case(*known, default=Value(0.0), output_field=FloatField())
    expected = Greatest(Coalesce(F("cost"), Value(0.0)), estimate)
    return float(active.annotate(frames=FRAMES).aggregate(total=Sum(expected))["total"] or 0)

"""What the admin's index shows, by what the person signed in may see."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_template
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from renders.admin.dashboard import tables
from renders.admin.dashboard.cards import cards_of_now, cards_of_period
from renders.admin.dashboard.charts import charts_of
from renders.admin.dashboard.period_form import PeriodForm
from renders.admin.dashboard.webhooks import addressed, cards_of_incoming, cards_of_outgoing
from renders.services.statistics import attention
from renders.services.statistics.costs import costs
from renders.services.statistics.current import current
from renders.services.statistics.outcomes import failed_today, outcomes
from renders.services.statistics.webhooks import incoming, outgoing
from renders.services.statistics.workers import workers


def dashboard_callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard to the index of whoever may see renders. Unfold calls it: ``DASHBOARD_CALLBACK``."""
    if not request.user.has_perm("renders.view_render"):
        return context
    context["dashboard"] = {"address_of_now": reverse("dashboard_now"), **_now(request), **_period(request)}
    return context


@require_GET
def dashboard_now(request: HttpRequest) -> HttpResponse:
    """Answer with the part that says how it is now, which the page asks for every few seconds."""
    if not request.user.has_perm("renders.view_render"):
        raise PermissionDenied
    return render_template(request, "admin/dashboard/parts.html", {"dashboard": _now(request)})


def _now(request: HttpRequest) -> dict[str, Any]:
    renders, working = current(), workers()
    concerns = attention.concerns_of_renders(renders, working)
    shown: dict[str, Any] = {
        "now": cards_of_now(request, renders, working, failed_today=failed_today()),
        "workers": tables.of_workers(working),
    }
    if request.user.has_perm("renders.view_webhookmessage"):
        sent = outgoing()
        concerns += attention.concerns_of_outgoing(sent)
        shown["outgoing"] = cards_of_outgoing(request, sent)
    if request.user.has_perm("renders.view_webhookdelivery"):
        received = incoming()
        concerns += attention.concerns_of_incoming(received)
        shown["incoming"] = cards_of_incoming(request, received)
    return {**shown, "concerns": addressed(request, concerns)}


def _period(request: HttpRequest) -> dict[str, Any]:
    form = PeriodForm(request.GET)
    period, owner = form.period, form.chosen_owner
    used = costs(period, owner=owner)
    # Ends are counted for all owners together.
    ended = None if owner else outcomes(period)
    shown = [tables.by_reason(request, period, ended)] if ended else []
    shown += [tables.by_owner(request, period, used), tables.by_template(request, period, used)]
    return {
        "form": form,
        "period": period,
        "owner": owner,
        "without_owner": f"{reverse('admin:index')}?{urlencode({'month': request.GET.get('month', '')})}",
        "owners_matched": used.owners_matched,
        "totals": cards_of_period(request, period, used, ended),
        "charts": charts_of(period, used, ended),
        "tables": shown,
    }

"""Actions on the selected renders: refresh, cancel, repeat. Each is written into the admin's log."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from renders.admin.audit import record
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import Render, RenderQuerySet
from renders.remotion.errors import InvalidOptions, RemotionError
from renders.services.cancel import cancel_render
from renders.services.errors import Refused
from renders.services.refresh.apply import Refreshed
from renders.services.refresh.engine import refresh_renders
from renders.services.retry import retry_render

Result = TypeVar("Result")
REFUSALS = (RemotionError, Refused, InvalidOptions, Render.DoesNotExist)
"""Why a use case may refuse a render; each says so in a sentence."""


def refresh(request: HttpRequest, renders: Iterable[Render]) -> list[Refreshed]:
    """Refresh these, and log it."""
    results = list(refresh_renders(renders))
    record(request, (result.render for result in results), "Refreshed.")
    return results


def cancel(request: HttpRequest, render: Render) -> Render:
    """Cancel a render, or note that Remotion shall be asked to, and log it. Raise as ``cancel_render`` does."""
    cancelled = cancel_render(render, send_now=False)
    record(request, [cancelled], "Cancelled." if cancelled.is_terminal else "Asked to cancel.")
    return cancelled


def repeat(request: HttpRequest, render: Render) -> Render:
    """Queue the same render anew, log it at both, and return the new one. Raise as ``retry_render`` does."""
    created = retry_render(render, start_now=False).render
    record(request, [render], f"Repeated as {created.pk}.")
    record(request, [created], f"Started as a repetition of {render.pk}.")
    return created


class RenderActions(ReadOnlyAdmin):
    """None waits until Remotion has started or cancelled a render; the worker does that."""

    actions = ("refresh", "cancel", "retry")

    @admin.action(description="Refresh the selected renders", permissions=["view"])
    def refresh(self, request: HttpRequest, queryset: RenderQuerySet) -> None:
        # Support may recheck a render that was presumed failed at any time.
        can_change = Q(status=Render.Status.RENDERING) | Q(failure_reason__in=Render.PRESUMED_FAILED)
        results = refresh(request, queryset.filter(can_change))
        others = queryset.count() - len(results)
        self.tell_errors(request, [(result.render, result.error) for result in results if result.error])
        counts = Counter(result.render.get_status_display().lower() for result in results if not result.error)
        said = ", ".join(f"{count} {status}" for status, count in counts.items())
        self.tell(request, f"Refreshed: {said or 'none'}.", _counted(others, "unchanged: not started yet, or ended."))

    @admin.action(description="Cancel the selected renders", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: RenderQuerySet) -> None:
        active = list(queryset.active())
        ended = queryset.count() - len(active)
        renders = self._each(request, active, partial(cancel, request))
        cancelled = sum(render.is_terminal for render in renders)
        self.tell(
            request,
            f"{cancelled} cancelled.",
            _counted(len(renders) - cancelled, "to be cancelled: Remotion is asked at their next refresh."),
            _counted(ended, "unchanged: ended."),
        )

    @admin.action(description="Repeat the selected renders", permissions=["cancel"])
    def retry(self, request: HttpRequest, queryset: RenderQuerySet) -> None:
        repeatable = list(queryset.filter(status__in=(Render.Status.FAILED, Render.Status.CANCELLED)))
        others = queryset.count() - len(repeatable)
        created = self._each(request, repeatable, partial(repeat, request))
        self.tell(
            request,
            f"{len(created)} repeated: new renders are queued, and the worker starts them.",
            _counted(others, "unchanged: neither failed nor cancelled."),
        )

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whoever may change renders may cancel and repeat them, though not edit their rows."""
        return request.user.has_perm("renders.change_render")

    def _each(
        self, request: HttpRequest, renders: Iterable[Render], use_case: Callable[[Render], Result]
    ) -> list[Result]:
        """Run the use case on each render, tell what was refused, and return the results of the others."""
        results = []
        errors = []
        for render in renders:
            try:
                results.append(use_case(render))
            except REFUSALS as err:
                errors.append((render, err))
        self.tell_errors(request, errors)
        return results


def _counted(count: int, sentence: str) -> str:
    return f"{count} {sentence}" if count else ""

"""Buttons of a row's page that ask before they act: Unfold's dialogs, with types."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action
from unfold.enums import ActionVariant


def button(
    title: str,
    *,
    icon: str,
    asks: str,
    permission: str,
    submit: str = "",
    is_dangerous: bool = False,
) -> Callable[[Callable[..., HttpResponse]], Any]:
    """Make a method of a model admin a button; its page lists it in ``actions_detail``.

    ``permission`` is the middle of the name of a method, as with Django's actions: Unfold's system check would ask
    the database about one with its app, also before there are tables.

    A click asks the sentence ``asks``; whoever confirms it by the button ``submit`` has the method called, by POST,
    as ``method(request, form, object_id=…)``. Its answer is ``go_to()``.
    """
    dialog = {"title": title, "description": asks, "form_submit_text": submit or title, "form_class": None}
    variant = ActionVariant.DANGER if is_dangerous else ActionVariant.DEFAULT
    decorate: Callable[[Callable[..., HttpResponse]], Any] = action(
        description=title, permissions=[permission], icon=icon, dialog=dialog, variant=variant
    )
    return decorate


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Answer a button: leave its dialog for this page."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)

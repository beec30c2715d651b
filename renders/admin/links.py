"""Links to rows and lists of the admin.

Those that take the request are for pages, and lead only where the person signed in may go; a list's columns have none.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING
from renders.models import Render


def address_of(request: HttpRequest, row: Model) -> str:
    """Return the address of a row's page; empty if it has none, or the person signed in may not see it."""
    return _reverse(type(row), "change", row.pk) if _may_see(request, type(row)) else ""


def list_of(request: HttpRequest, model: type[Model], **query: Any) -> str:
    """Return the address of a list, with this query; empty if there is none, or the person may not see it."""
    return _with_query(_reverse(model, "changelist"), query) if _may_see(request, model) else ""


def link_to(request: HttpRequest, row: Model, text: str) -> SafeString | str:
    """Return ``text`` as a link to a row's page; without the link where there is none."""
    address = address_of(request, row)
    return format_html('<a href="{}">{}</a>', address, text) if address else text


def renders_where(**lookups: str | int) -> str:
    """Return the address of the list of the renders that fit these lookups, such as ``owner__id__exact``."""
    return _with_query(_reverse(Render, "changelist"), lookups)


def page_of(render: Render) -> str:
    """Return the address of a render's page."""
    return _reverse(Render, "change", render.pk)


def list_link(text: str, model: str, **query: Any) -> SafeString:
    """Return a link to a model's list, filtered by the lookups ``query``."""
    address = _with_query(reverse(f"admin:renders_{model}_changelist"), query)
    return format_html('<a class="link" href="{}">{}</a>', address, text)


def row_link(text: str, model: str, pk: Any) -> SafeString:
    """Return a link to the page of a row."""
    return format_html('<a class="link" href="{}">{}</a>', reverse(f"admin:renders_{model}_change", args=[pk]), text)


def owner_link(owner: Any) -> SafeString | str:
    """Return a link to the page of a user, or a dash for nobody."""
    if owner is None:
        return NOTHING
    address = reverse("admin:auth_user_change", args=[owner.pk])
    return format_html('<a class="link" href="{}">{}</a>', address, owner.get_username())


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    return admin.site.is_registered(model) and admin.site.get_model_admin(model).has_view_permission(request)


def _reverse(model: type[Model], page: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def _with_query(address: str, query: dict[str, Any]) -> str:
    return f"{address}?{urlencode(query)}" if query else address

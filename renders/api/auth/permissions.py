"""Who may use the API, and what they may do there with which renders and templates."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import Http404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from renders.api.auth.scopes import require_scope
from renders.models import Render

VIEW, CHANGE, DELETE = "renders.view_render", "renders.change_render", "renders.delete_render"
PRIORITY = "renders.start_render_with_priority"

VIEW_TEMPLATE, ADD_TEMPLATE = "renders.view_template", "renders.add_template"
CHANGE_TEMPLATE = "renders.change_template"

PERMISSION_OF_ACTION = {"cancel": CHANGE, "retry": CHANGE, "destroy": DELETE}
"""What an action on another user's render needs beside ``VIEW``; any other action needs that alone."""


class ApiPermission(IsAuthenticated):
    """Require a session or an API key, whose scopes allow it, unless API_ALLOW_ANONYMOUS opens the API to everybody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        require_scope(request, view)
        return settings.API_ALLOW_ANONYMOUS or super().has_permission(request, view)


class RenderPermission(ApiPermission):
    """Who may do what with which render.

    Users may do everything with their own renders. With those of others they may do what Django's
    permissions of Render allow, as in the admin; a render that they may not see is a 404. Anonymous
    users have the renders without an owner.
    """

    def has_object_permission(self, request: Request, view: Any, render: Render) -> bool:
        if render.owner_id == request.user.pk:
            return True
        if not request.user.has_perm(VIEW):
            raise Http404
        needed = PERMISSION_OF_ACTION.get(getattr(view, "action", ""), VIEW)
        self.message = f"This is another user's render: you need the permission {needed} for it."
        return request.user.has_perm(needed)


class TemplatePermission(ApiPermission):
    """Whoever may use the API may read the templates that are enabled; Django's permissions allow the rest."""

    permission_of_action: Mapping[str, str] = {"create": ADD_TEMPLATE, "partial_update": CHANGE_TEMPLATE}

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = self.permission_of_action.get(getattr(view, "action", None) or "")
        self.message = f"You need the permission {needed} for this."
        return super().has_permission(request, view) and (needed is None or request.user.has_perm(needed))


def may_see_all_templates(user: Any) -> bool:
    """Return whether the user may see the templates that are disabled too, and the site of each."""
    return user.has_perm(VIEW_TEMPLATE) or user.has_perm(CHANGE_TEMPLATE)

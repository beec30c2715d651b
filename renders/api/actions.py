"""Names of what a request asks of a view; scopes and rates are declared by them."""

from typing import Any

from rest_framework.request import Request


def actions_by_method(view: Any) -> dict[str, str]:
    """Return the action for each HTTP method that has one of its own: of a view set its method, else ``get`` …"""
    of_view_set: dict[str, str] | None = getattr(view, "action_map", None)
    actions = of_view_set or {name: name for name in view.http_method_names if hasattr(view, name)}
    return {name.upper(): action for name, action in actions.items() if name not in ("head", "options")}


def action_of(view: Any, request: Request) -> str:
    """Return the action that the request asks for; empty for OPTIONS and for methods that the view does not take."""
    method = "GET" if request.method == "HEAD" else str(request.method)
    return actions_by_method(view).get(method, "")

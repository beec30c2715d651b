"""How requests sign in, as OpenAPI says it."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """An API key of a user."""

    target_class = "renders.api.auth.ApiKeyAuthentication"
    name = "apiKey"
    priority = 1  # before spectacular's own for Knox

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, made in the admin or by `manage.py create_api_key`: `Bearer rhub_…`.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    """The session of the admin."""

    target_class = "renders.api.auth.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The session of the admin. To change something, send the header `X-CSRFToken` too.",
        }

"""Who may use the API."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request


class IsSignedInOrAnonymousAllowed(IsAuthenticated):
    """Require a session or a token, unless API_ALLOW_ANONYMOUS opens the API to everybody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return settings.API_ALLOW_ANONYMOUS or super().has_permission(request, view)

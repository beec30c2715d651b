"""The one table from errors to HTTP statuses, and what each answer says.

Every error is ``{"error": "<one sentence that a person can act on>"}``, with ``details`` per field
for input that does not validate and our ``id`` where a row was made.
"""

import logging
from typing import Any

from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.exceptions import APIException, NotAuthenticated, UnsupportedMediaType, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as default_exception_handler

from renders.remotion import errors
from renders.services.errors import Conflict, KeyConflict, NoFreeSlots, NotVerified, StartFailed

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
STATUS_OF = {
    # A class that is not here has the status of its nearest ancestor.
    errors.SetupError: 500,
    errors.Rejected: 502,
    errors.Throttled: 429,
    errors.Unavailable: 503,
    errors.OutcomeUnknown: 504,
    NoFreeSlots: 429,
    Conflict: 409,
    KeyConflict: 409,
    NotVerified: 401,
}
SIGN_IN = "Sign in, or send the header `Authorization: Token <your token>`."


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's ``EXCEPTION_HANDLER`` for every view of the API."""
    if isinstance(exc, DatabaseError):
        return None  # raised again, for SetupErrorMiddleware
    if isinstance(exc, StartFailed):
        return _known_error(exc.__cause__, extra={"id": str(exc.render.id)})
    if isinstance(exc, tuple(STATUS_OF)):
        return _known_error(exc)
    response = default_exception_handler(exc, context)
    if response is None:
        logger.exception("The API failed on %s", context["request"].path, exc_info=exc)
        return Response({"error": SERVER_ERROR}, status=500)
    response.data = _body(exc)
    return response


def _known_error(exc: BaseException | None, extra: dict[str, str] | None = None) -> Response:
    status = next(STATUS_OF[kind] for kind in type(exc).__mro__ if kind in STATUS_OF)
    response = Response({"error": str(exc), **(extra or {})}, status=status)
    if status in (429, 503) or getattr(exc, "is_in_use", False):
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _body(exc: Exception) -> dict[str, Any]:
    if isinstance(exc, ValidationError):
        return {"error": _first_message(exc.detail), "details": exc.detail}
    if isinstance(exc, NotAuthenticated):
        return {"error": SIGN_IN}
    if isinstance(exc, UnsupportedMediaType):
        return {"error": "Send the body as JSON, with the header `Content-Type: application/json`."}
    if isinstance(exc, Http404):
        return {"error": "There is no such render."}
    return {"error": str(exc.detail) if isinstance(exc, APIException) else str(exc)}


def _first_message(detail: Any, path: str = "") -> str:
    """Return the first sentence of a tree of validation errors, after the name of its field."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        if name == "non_field_errors":
            return _first_message(inner, path)
        return _first_message(inner, f"{path}.{name}" if path else name)
    if isinstance(detail, list):
        return _first_message(detail[0], path)
    return f"{path}: {detail}" if path else str(detail)


# Outside the API's views: an address that does not exist, a host that is not allowed. ------------

SERVER_ERROR = "Something failed on our side. The log says what; nothing that was stored is lost."


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return JsonResponse({"error": "The request is not one that can be answered."}, status=400)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return JsonResponse({"error": "You may not do this."}, status=403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return JsonResponse({"error": f"There is nothing at {request.path}. The README.md has the API."}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_api(request):
        return JsonResponse({"error": SERVER_ERROR}, status=500)
    return defaults.server_error(request)

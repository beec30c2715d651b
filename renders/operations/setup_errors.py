"""Answer requests that fail because the service is not set up: a wrong Host, an unusable database."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse

from renders.operations.database import NotMigrated, Unusable, find_problem
from renders.services.log_throttle import LogThrottle

log_throttle = LogThrottle(logging.getLogger(__name__))

# Neither holds the driver's message, which is for the operator: it can name hosts and users.
READ_FAILED = "The database cannot be used at the moment: try again later; the operator should check DATABASE_URL."
WRITE_FAILED = (
    "The database cannot be used at the moment, and it is not known whether this request was carried out;"
    " the operator should check DATABASE_URL."
)
"""A client that repeats a start by itself could pay for it twice."""

RETRY_AFTER_SECONDS = 5
ENVELOPED = ("/api/lambda/render", "/api/lambda/progress")
LONGEST_HOST = 253
"""Characters of a name in DNS; a longer Host header is cut."""


class SetupErrorMiddleware:
    """Answer with one sentence and log at most one line a minute, without a traceback.

    Must be the first middleware: others ask for the host, or use the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            host = request.headers.get("Host", "")[:LONGEST_HOST]
            sentence = f"The host {host!r} of this request is not one of DJANGO_ALLOWED_HOSTS."
            log_throttle.log(logging.WARNING, sentence, key="host_not_allowed")
            return _answer(request, sentence, code="host_not_allowed", status=400)
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer an exception of a view; None leaves it to Django."""
        problem = find_problem(exception) if isinstance(exception, DatabaseError) else None
        if problem is None:
            return None
        log_throttle.log(logging.WARNING, str(problem), key=type(problem).__name__)
        return _answer_problem(request, problem)


def _answer_problem(request: HttpRequest, problem: Unusable | NotMigrated) -> HttpResponse:
    if isinstance(problem, NotMigrated):
        return _answer(request, str(problem), code="not_migrated", status=500)
    is_read = request.method in ("GET", "HEAD", "OPTIONS")
    response = _answer(request, READ_FAILED if is_read else WRITE_FAILED, code="database_unavailable", status=503)
    if is_read:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _answer(request: HttpRequest, sentence: str, *, code: str, status: int) -> HttpResponse:
    if settings.LAMBDA_API_ENVELOPE == "remotion" and request.path.startswith(ENVELOPED):
        response: HttpResponse = JsonResponse({"type": "error", "message": sentence}, status=500)
    else:
        response = _plain(request, sentence, code=code, status=status)
    response["X-Content-Type-Options"] = "nosniff"
    # Keeps Django from logging a line of its own for each of these responses (django.utils.log.log_response).
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _plain(request: HttpRequest, sentence: str, *, code: str, status: int) -> HttpResponse:
    return (
        JsonResponse({"error": sentence, "code": code}, status=status)
        if request.path.startswith("/api/")
        else HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=status)
    )

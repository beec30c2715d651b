"""The one table from errors to HTTP statuses and codes, and what each answer says.

Every error is ``{"error": "<one sentence that a person can act on>", "code": "<for programs>"}``,
with ``details`` per field for input that does not validate and our ``id`` where a row was made.
A sentence may be reworded at any time; a code keeps its meaning.
"""

import logging
from typing import Any, NamedTuple

from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from renders.api.auth.scopes import ScopeMissing
from renders.remotion import errors
from renders.services.errors import (
    Conflict,
    CostQuotaExceeded,
    ExternalIdExists,
    FilesExpired,
    InvalidRequest,
    KeyInUse,
    KeyReused,
    NoFreeSlots,
    NotVerified,
    PriorityTooHigh,
    StartFailed,
    TemplateDisabled,
    TemplateUnknown,
    TooManyWaiting,
)

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5


class LengthRequired(APIException):
    """The length of the request's body is not announced."""


class PayloadTooLarge(APIException):
    """The request's body is larger than this endpoint reads."""


class RateLimited(APIException):
    """The owner has sent as many requests as they may for now."""

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """In seconds."""


class StreamsUnavailable(APIException):
    """The server cannot hold a request open without a thread of its own: it is not an ASGI server."""


class Answer(NamedTuple):
    """How an error is answered."""

    status: int
    code: str
    sentence: str = ""
    """Empty: what the error itself says."""


SIGN_IN = "Sign in, or send the header `Authorization: Bearer <your API key>`."
SERVER_ERROR = "Something failed on our side. The log says what; nothing that was stored is lost."
FORBIDDEN = "You may not do this."
CUT_OFF = "The request's body could not be read to its end: send it again."
JSON_ONLY = "Every answer is JSON: send the header `Accept: application/json`, or none."
NO_SUCH_RENDER = "There is no such render."
SEND_JSON = "Send the body as JSON, with the header `Content-Type: application/json`."

ANSWERS: dict[type[BaseException], Answer] = {
    # A class that is not here is answered as its nearest ancestor is.
    # The request cannot be used: nothing was stored.
    exceptions.ParseError: Answer(400, "invalid_request"),
    exceptions.ValidationError: Answer(400, "invalid_request"),  # or one of FIELD_CODES
    UnreadablePostError: Answer(400, "invalid_request", CUT_OFF),
    MultiPartParserError: Answer(400, "invalid_request"),
    BadRequest: Answer(400, "invalid_request"),
    SuspiciousOperation: Answer(400, "invalid_request"),
    exceptions.MethodNotAllowed: Answer(405, "method_not_allowed"),
    exceptions.NotAcceptable: Answer(406, "not_acceptable", JSON_ONLY),
    LengthRequired: Answer(411, "length_required"),
    PayloadTooLarge: Answer(413, "payload_too_large"),
    RequestDataTooBig: Answer(413, "payload_too_large"),
    exceptions.UnsupportedMediaType: Answer(415, "unsupported_media_type", SEND_JSON),
    # Who asks, and for what.
    exceptions.NotAuthenticated: Answer(401, "not_authenticated", SIGN_IN),
    exceptions.AuthenticationFailed: Answer(401, "authentication_failed"),
    NotVerified: Answer(401, "signature_invalid"),
    ScopeMissing: Answer(403, "scope_missing"),
    exceptions.PermissionDenied: Answer(403, "permission_denied"),
    PermissionDenied: Answer(403, "permission_denied", FORBIDDEN),
    exceptions.NotFound: Answer(404, "not_found"),
    Http404: Answer(404, "not_found", NO_SUCH_RENDER),
    ObjectDoesNotExist: Answer(404, "not_found", NO_SUCH_RENDER),  # deleted while the request was handled
    # Not as things stand: nothing has changed.
    Conflict: Answer(409, "conflict"),
    ExternalIdExists: Answer(409, "external_id_exists"),
    FilesExpired: Answer(410, "files_expired"),
    KeyReused: Answer(409, "idempotency_key_reused"),
    KeyInUse: Answer(409, "idempotency_key_in_use"),
    CostQuotaExceeded: Answer(402, "cost_quota_exceeded"),
    PriorityTooHigh: Answer(403, "priority_too_high"),
    TooManyWaiting: Answer(429, "too_many_waiting"),
    NoFreeSlots: Answer(429, "no_free_slots"),
    RateLimited: Answer(429, "rate_limited"),
    exceptions.Throttled: Answer(429, "rate_limited"),
    errors.Throttled: Answer(429, "throttled"),
    errors.Unavailable: Answer(503, "aws_unavailable"),
    # AWS or Remotion refused, or did not answer.
    errors.SetupError: Answer(500, "not_set_up"),
    StreamsUnavailable: Answer(501, "streams_unavailable"),
    errors.Rejected: Answer(502, "rejected"),
    errors.OutcomeUnknown: Answer(504, "outcome_unknown"),
}
ENDED_CODES = ("rejected", "lost", "cancelled")
"""502, the replay of a start: its render ended without a renderId. ``rejected`` as above."""

TEMPLATE_CODES = {TemplateUnknown: "template_unknown", TemplateDisabled: "template_disabled"}
FIELD_CODES = ("unknown_field", "unknown_parameter", *TEMPLATE_CODES.values())
"""400, in place of ``invalid_request``: the body or the query has a name that is not known, or not offered now."""

SERVER_ERROR_CODE = "server_error"
"""500 that is a fault of ours; the log has the traceback."""


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's ``EXCEPTION_HANDLER`` for every view of the API."""
    if isinstance(exc, DatabaseError):
        return None  # raised again, for SetupErrorMiddleware
    described = describe(exc, context)
    if described is None:
        logger.exception("The API failed on %s", context["request"].path, exc_info=exc)
        return Response({"error": SERVER_ERROR, "code": SERVER_ERROR_CODE}, status=500)
    return Response(described.body, status=described.status, headers=described.headers)


class Described(NamedTuple):
    """How the API tells an error."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def describe(exc: Exception, context: dict[str, Any]) -> Described | None:
    """Return how the API tells this error; None if it is a fault of ours."""
    exc = of_a_field(exc)
    told = exc.__cause__ if isinstance(exc, StartFailed) else exc
    answer = next((ANSWERS[kind] for kind in type(told).__mro__ if kind in ANSWERS), None)
    if told is None or answer is None:
        return None
    body: dict[str, Any] = {"error": answer.sentence or _sentence(told, context), "code": answer.code}
    if isinstance(told, exceptions.ValidationError):
        first_code = _first(told.detail)[1].code
        body |= {"code": first_code if first_code in FIELD_CODES else answer.code, "details": told.detail}
    if isinstance(exc, StartFailed):
        body["id"] = str(exc.render.id)
    if isinstance(exc, ExternalIdExists):
        body["id"] = str(exc.render_id)
    return Described(answer.status, body, _headers(told, answer.status))


def of_a_field(exc: Exception) -> Exception:
    """Return an error that a service raised about a field of the request as DRF's own, any other as it is."""
    if isinstance(exc, errors.InvalidOptions):
        return exceptions.ValidationError({"options": _each_in_a_list(exc.errors)})
    if isinstance(exc, InvalidRequest):
        return exceptions.ValidationError(_each_in_a_list(exc.errors))
    if isinstance(exc, TemplateUnknown | TemplateDisabled):
        return exceptions.ValidationError({"template": [str(exc)]}, code=TEMPLATE_CODES[type(exc)])
    return exc


def _each_in_a_list(sentences: dict[str, str]) -> dict[str, list[str]]:
    return {name: [sentence] for name, sentence in sentences.items()}


def _headers(exc: BaseException, status: int) -> dict[str, str]:
    headers = {}
    if auth_header := getattr(exc, "auth_header", ""):  # DRF's view has set it
        headers["WWW-Authenticate"] = auth_header
    if status in (429, 503) or isinstance(exc, KeyInUse):
        headers["Retry-After"] = str(getattr(exc, "retry_after", RETRY_AFTER_SECONDS))
    return headers


def _sentence(exc: BaseException, context: dict[str, Any]) -> str:
    if isinstance(exc, exceptions.ValidationError):
        path, message = _first(exc.detail)
        return f"{path}: {message}" if path else str(message)
    if isinstance(exc, exceptions.MethodNotAllowed):
        method, view = context["request"].method, context["view"]
        allowed = f"use {', '.join(view.allowed_methods)}."
        return f"{method} is not allowed here: {getattr(view, 'instead_of_method', {}).get(method, allowed)}"
    return str(exc.detail if isinstance(exc, APIException) else exc)


def _first(detail: Any, path: str = "") -> tuple[str, Any]:
    """Return the path of the first field in a tree of validation errors, and its first message."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        if name == "non_field_errors":
            return _first(inner, path)
        return _first(inner, f"{path}.{name}" if path else name)
    if isinstance(detail, list):
        return _first(detail[0], path)
    return path, detail


# Outside the API's views: an address that does not exist, a host that is not allowed. ------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _json("The request is not one that can be answered.", code="invalid_request", status=400)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _json(FORBIDDEN, code="permission_denied", status=403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        sentence = f"There is nothing at {request.path}. /api/docs/ describes the API."
        return _json(sentence, code="not_found", status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_api(request):
        return _json(SERVER_ERROR, code=SERVER_ERROR_CODE, status=500)
    return defaults.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _json(sentence: str, *, code: str, status: int) -> HttpResponse:
    return JsonResponse({"error": sentence, "code": code}, status=status)

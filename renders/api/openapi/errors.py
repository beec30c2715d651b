"""The errors of each operation: their statuses and codes, from the one table of the API."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import exceptions, serializers

from renders.api.auth.scopes import ScopeMissing
from renders.api.errors import (
    ANSWERS,
    FIELD_CODES,
    SERVER_ERROR_CODE,
    LengthRequired,
    PayloadTooLarge,
    RateLimited,
)
from renders.remotion import errors
from renders.services.errors import (
    Conflict,
    CostQuotaExceeded,
    ExternalIdExists,
    KeyInUse,
    KeyReused,
    NoFreeSlots,
    PriorityTooHigh,
    TemplateDisabled,
    TemplateUnknown,
    TooManyWaiting,
)

MEANINGS: Mapping[str, str] = {
    "invalid_request": "The request has a mistake; `details` names the field.",
    "unknown_field": "The body has a field that this address does not know.",
    "unknown_parameter": "The query has a parameter that this address does not know.",
    "host_not_allowed": "The host of the address is not one that this service answers to.",
    "template_unknown": "There is no template of this name.",
    "template_disabled": "Nothing is rendered with this template now.",
    "not_authenticated": "The request is not signed in.",
    "authentication_failed": "What the request signs in with is not valid.",
    "signature_invalid": "The request is not signed with a secret of this service.",
    "permission_denied": "You may not do this.",
    "scope_missing": "The API key is limited to scopes that do not allow this.",
    "cost_quota_exceeded": "It may cost more than you may spend this month; nothing was started.",
    "priority_too_high": "Your quota does not allow this priority.",
    "external_id_exists": "You have a render with this `externalId`; `id` is it.",
    "files_expired": "S3 has deleted the files: their time has passed.",
    "too_many_waiting": "You have as many renders queued as you may.",
    "streams_unavailable": "This server cannot hold requests open. An operator must act.",
    "not_found": "There is no such object, or you may not see it.",
    "method_not_allowed": "The address does not take this method: without the id, it is another address.",
    "not_acceptable": "The answer cannot be of the type that `Accept` asks for.",
    "length_required": "The length of the body is missing: send `Content-Length`.",
    "payload_too_large": "The body is too large.",
    "unsupported_media_type": "The body is not sent as JSON.",
    "conflict": "The state of the object does not allow it; `error` says why.",
    "idempotency_key_reused": "The `Idempotency-Key` belongs to another request.",
    "idempotency_key_in_use": "The first request with this `Idempotency-Key` is still being answered.",
    "no_free_slots": "There are no free slots, or others are queued; nothing was started.",
    "rate_limited": "You have sent as many requests as you may for now.",
    "throttled": "AWS has no capacity; nothing was started.",
    "not_set_up": "Something is not set up; `error` says what. An operator must act.",
    "not_migrated": "The database is not migrated. An operator must act.",
    "server_error": "A fault of this service; its log says which.",
    "rejected": "Remotion rejected the render; `id` is its row.",
    "lost": "The render that is replayed was lost before it had a `renderId`.",
    "cancelled": "The render that is replayed was cancelled before it had a `renderId`.",
    "aws_unavailable": "AWS cannot be reached; nothing was started or lost.",
    "database_unavailable": "The database cannot be used at the moment.",
    "outcome_unknown": "It is not known whether the render started; `id` is its row, which will say.",
}
"""What each code means, in one sentence."""

STARTING: tuple[type[BaseException], ...] = (
    errors.SetupError,
    errors.Rejected,
    exceptions.PermissionDenied,
    ExternalIdExists,
    CostQuotaExceeded,
    PriorityTooHigh,
    TooManyWaiting,
    Conflict,
    KeyReused,
    KeyInUse,
)
"""How a request that starts a render can fail."""

STARTING_NOW = (*STARTING, NoFreeSlots, errors.Throttled, errors.Unavailable, errors.OutcomeUnknown)
"""The same where the render cannot wait."""

OF_A_TEMPLATE: tuple[type[BaseException], ...] = (TemplateUnknown, TemplateDisabled)
CODES_OF_CLASS: Mapping[type[BaseException], tuple[int, str]] = {
    TemplateUnknown: (400, "template_unknown"),
    TemplateDisabled: (400, "template_disabled"),
}

RETRY_AFTER = "After how many seconds to send the request again."
RATE_LIMIT = "Where a limit is set, in every answer: how many requests are left (`r`), and for how many seconds (`t`)."
RATE_LIMIT_POLICY = "Where a limit is set, in every answer: how many requests (`q`) in how many seconds (`w`)."
HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "How to sign in."},
    409: {"Retry-After": f"{RETRY_AFTER} Only with `idempotency_key_in_use`."},
    429: {"Retry-After": RETRY_AFTER, "RateLimit": RATE_LIMIT, "RateLimit-Policy": RATE_LIMIT_POLICY},
    503: {"Retry-After": f"{RETRY_AFTER} Missing if it is not known whether the request was carried out."},
}
"""Headers of the answers with these statuses."""


@extend_schema_serializer(component_name="Error")
class ErrorSerializer(serializers.Serializer):
    """Why a request was refused or failed."""

    error = serializers.CharField(help_text="One sentence that a person can act on. It may be reworded.")
    code = serializers.CharField(help_text="For programs: it stays the same.")
    details = serializers.DictField(
        required=False, help_text="Of a bad request: sentences for each field, as deep as the fields are."
    )
    id = serializers.UUIDField(required=False, help_text="Id of the row, if the request has made one.")


def error_codes(
    *,
    method: str,
    is_signed_in: bool,
    is_throttled: bool,
    has_parameters: bool,
    classes: Iterable[type[BaseException]],
    codes: Mapping[int, Iterable[str]],
) -> dict[int, list[str]]:
    """Return the codes of the errors of an operation by status: what every operation has, and ``classes``."""
    found: dict[int, list[str]] = defaultdict(list)
    found[400] = ["invalid_request", "unknown_parameter", "host_not_allowed"]
    for kind in (
        *_everywhere(method, is_signed_in=is_signed_in, is_throttled=is_throttled, has_parameters=has_parameters),
        *classes,
    ):
        status, code = CODES_OF_CLASS.get(kind) or ANSWERS[kind][:2]
        found[status].append(code)
    if method in ("POST", "PUT", "PATCH"):
        found[400].append("unknown_field")
    found[500] += ["not_migrated", SERVER_ERROR_CODE]
    found[503].append("database_unavailable")
    for status, further in codes.items():
        found[status] += further
    return {status: list(dict.fromkeys(found[status])) for status in sorted(found)}


def _everywhere(
    method: str, *, is_signed_in: bool, is_throttled: bool, has_parameters: bool
) -> list[type[BaseException]]:
    kinds: list[type[BaseException]] = [exceptions.NotAcceptable, LengthRequired]
    if is_signed_in:
        kinds += [exceptions.NotAuthenticated, exceptions.AuthenticationFailed, exceptions.PermissionDenied]
        kinds.append(ScopeMissing)
    if is_throttled:
        kinds.append(RateLimited)
    if has_parameters:
        # An empty parameter leaves another address, with other methods.
        kinds += [exceptions.NotFound, exceptions.MethodNotAllowed]
    if method in ("POST", "PUT", "PATCH"):
        kinds += [PayloadTooLarge, exceptions.UnsupportedMediaType]
    return kinds


def describe(codes: Iterable[str]) -> str:
    """Return the codes with their meanings, as a list in Markdown."""
    return "\n".join(f"- `{code}`: {MEANINGS[code]}" for code in codes)


def all_codes() -> set[str]:
    """Return every code that the API knows by a class."""
    return {answer.code for answer in ANSWERS.values()} | {*FIELD_CODES, SERVER_ERROR_CODE}


def error_example(code: str) -> dict[str, Any]:
    """Return an answer with this code."""
    return {"error": MEANINGS[code], "code": code}
